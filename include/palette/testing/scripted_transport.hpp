// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/transport.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::testing {

/// Answers requests as a script says, without a network, and records them. For tests of programs that use a
/// client, where the emulator is more than is needed.
///
///     auto service = std::make_shared<palette::testing::ScriptedTransport>();
///     service->expect("GET /v1/apiKeys").answer(200, R"({"items":[]})");
///     service->expect("POST /v1/apiKeys").fail(Error(errc::transport, "cut off"));
///     options.transport = service;
///
/// Requests are expected in the order of the script, including those that the client retries (RetryOptions).
/// Any other request fails with errc::invalid_argument, which says what was expected, and uses up nothing of
/// the script.
///
/// Threads: written before the client is used; used on the client's executor; read afterwards.
class ScriptedTransport final : public Transport {
public:
    /// Describes the outcome of one expected request: 204 and an empty body, unless a function below is
    /// called.
    class Step {
    public:
        /// Answers with a complete response.
        Step& answer(int status, std::string body = {}, HttpFields headers = {}) {
            status_ = status;
            body_ = std::move(body);
            headers_ = std::move(headers);
            return *this;
        }
        /// Delivers the body in pieces of `size` bytes.
        Step& in_pieces(std::size_t size) {
            piece_ = std::max<std::size_t>(size, 1);
            return *this;
        }
        /// Fails with `error` after the request was sent: there is no response.
        Step& fail(Error error) {
            status_ = 0;
            error_ = std::move(error);
            return *this;
        }
        /// Fails with `error` before anything of the request was sent.
        Step& fail_unsent(Error error) {
            sent_ = false;
            return fail(std::move(error));
        }
        /// Never answers.
        Step& hang() {
            hangs_ = true;
            return *this;
        }

    private:
        friend class ScriptedTransport;
        explicit Step(std::string request) : request_(std::move(request)) {}

        std::string request_;
        int status_ = 204;
        std::string body_;
        HttpFields headers_;
        std::size_t piece_ = std::numeric_limits<std::size_t>::max();
        std::optional<Error> error_;
        bool sent_ = true;
        bool hangs_ = false;
    };

    /// Describes a request that came. The value of the credential and the body of a login are not recorded.
    struct Request {
        std::string method;             ///< The method.
        std::string target;             ///< The path and query.
        HttpFields headers;             ///< The headers that the client added.
        std::string body;               ///< The body.
        std::string credential_header;  ///< "ApiKey", "Authorization", or empty.
    };

    /// Adds the next expected request, "METHOD /target", the target with or without its query. Returns its
    /// outcome, to be set; the reference is valid until the request comes.
    Step& expect(std::string request) {
        script_.push_back(Step(std::move(request)));
        return script_.back();
    }

    /// Returns the requests that came, in their order.
    [[nodiscard]] const std::vector<Request>& requests() const& noexcept { return requests_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::vector<Request> requests() const&& { return requests_; }

    /// Returns the requests that are still expected.
    [[nodiscard]] std::vector<std::string> unmet() const {
        std::vector<std::string> left;
        for (auto const& step : script_)
            left.push_back(step.request_);
        return left;
    }

    /// Performs the next step of the script.
    boost::asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                                  ExchangeReport& report) override {
        record(request);
        auto step = next(request);
        if (!step) co_return std::move(step.error());
        report.sent = step->sent_;
        if (step->hangs_) {
            boost::asio::steady_timer never(co_await boost::asio::this_coro::executor,
                                            boost::asio::steady_timer::time_point::max());
            co_await never.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
            co_return Error(errc::operation_aborted, "it was cancelled");
        }
        if (step->error_) co_return std::move(*step->error_);
        report.received = true;
        co_return play(*step, sink);
    }

private:
    void record(const HttpRequest& request) {
        Request seen;
        seen.method = request.method;
        seen.target = request.target;
        seen.headers = request.headers;
        seen.body = request.body;
        if (request.credential) seen.credential_header = request.credential->header();
        requests_.push_back(std::move(seen));
    }

    Result<Step> next(const HttpRequest& request) {
        auto const asked = request.method + ' ' + request.target;
        if (script_.empty())
            return Error(errc::invalid_argument, "the script is at its end, and expects no " + asked);
        auto const& expected = script_.front().request_;
        if (asked != expected && asked.substr(0, asked.find('?')) != expected)
            return Error(errc::invalid_argument, "the script expects " + expected + ", not " + asked);
        auto step = std::move(script_.front());
        script_.pop_front();
        return step;
    }

    static Result<void> play(const Step& step, ResponseSink& sink) {
        HttpResponse head;
        head.status = step.status_;
        head.headers = step.headers_;
        sink.head(head);
        for (std::string_view left = step.body_; !left.empty();) {
            auto const size = std::min(step.piece_, left.size());
            if (!sink.body(left.substr(0, size))) return Error(errc::transport, "the answer is not wanted");
            left.remove_prefix(size);
        }
        return {};
    }

    std::deque<Step> script_;
    std::vector<Request> requests_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
