// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/transport.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// A transport that gives the answers it was told to, in their order, and keeps what it was asked.
class FakeTransport final : public palette::Transport {
public:
    struct Request {
        std::string method;
        std::string target;
        palette::HttpFields headers;
        std::shared_ptr<const palette::Credential> credential;
        std::string body;
        std::string secret_body;
    };

    // The body comes in pieces of that size.
    void answer(int status, std::string body, std::size_t piece = std::string::npos) {
        Step step;
        step.status = status;
        step.body = std::move(body);
        step.piece = piece;
        steps_.push_back(std::move(step));
    }
    // The same, and then the connection is lost.
    void break_off(int status, std::string body, palette::Error error) {
        answer(status, std::move(body));
        steps_.back().error = std::move(error);
    }
    void fail(palette::Error error) { break_off(0, "", std::move(error)); }
    // Until it is cancelled.
    void hang() {
        answer(0, "");
        steps_.back().hangs = true;
    }

    [[nodiscard]] const std::vector<Request>& requests() const noexcept { return requests_; }
    [[nodiscard]] std::size_t answers_left() const noexcept { return steps_.size(); }
    // Of all bodies, until a sink wanted no more.
    [[nodiscard]] std::size_t bytes_taken() const noexcept { return bytes_taken_; }

    boost::asio::awaitable<palette::Result<void>> exchange(const palette::HttpRequest& request,
                                                           palette::ResponseSink& sink,
                                                           palette::ExchangeReport& report) override {
        record(request);
        report.sent = true;
        if (steps_.empty()) co_return palette::Error(palette::errc::transport, "no answer is left");
        auto const step = std::move(steps_.front());
        steps_.pop_front();
        if (step.hangs) {
            boost::asio::steady_timer forever(co_await boost::asio::this_coro::executor,
                                              boost::asio::steady_timer::time_point::max());
            boost::system::error_code ec;
            co_await boost::asio::this_coro::throw_if_cancelled(false);
            co_await forever.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ec));
            co_return palette::Error(palette::errc::operation_aborted);
        }
        co_return play(step, sink, report);
    }

private:
    struct Step {
        int status = 0;  // 0: not even a head
        std::string body;
        std::size_t piece = std::string::npos;
        std::optional<palette::Error> error;
        bool hangs = false;
    };

    void record(const palette::HttpRequest& request) {
        Request seen;
        seen.method = request.method;
        seen.target = request.target;
        seen.headers = request.headers;
        seen.credential = request.credential;
        seen.body = request.body;
        seen.secret_body = request.secret_body.expose();
        requests_.push_back(std::move(seen));
    }

    palette::Result<void> play(const Step& step, palette::ResponseSink& sink,
                               palette::ExchangeReport& report) {
        if (step.status != 0) {
            palette::HttpResponse head;
            head.status = step.status;
            report.received = true;
            sink.head(head);
            auto left = std::string_view(step.body);
            while (!left.empty()) {
                auto const size = std::min(step.piece, left.size());
                if (!sink.body(std::string(left.substr(0, size))))
                    return palette::Error(palette::errc::transport, "the sink wants no more");
                left.remove_prefix(size);
                bytes_taken_ += size;
            }
        }
        if (step.error) return *step.error;
        return {};
    }

    std::deque<Step> steps_;
    std::vector<Request> requests_;
    std::size_t bytes_taken_ = 0;
};
