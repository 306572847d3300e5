// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/transport.hpp>

#include <boost/asio/awaitable.hpp>

#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// A service whose answers may break off: each has a body, of which all or a part comes.
class CutTransport final : public palette::Transport {
public:
    /// Answers the next request with all of this.
    void answer(std::string body, palette::HttpFields headers = {}) {
        steps_.push_back({std::move(body), std::move(headers), false});
    }
    /// Answers the next request with this, and then the connection is lost.
    void lose_after(std::string body, palette::HttpFields headers = {}) {
        steps_.push_back({std::move(body), std::move(headers), true});
    }

    [[nodiscard]] const std::vector<std::string>& targets() const { return targets_; }
    [[nodiscard]] std::size_t left() const { return steps_.size(); }

    boost::asio::awaitable<palette::Result<void>> exchange(const palette::HttpRequest& request,
                                                           palette::ResponseSink& sink,
                                                           palette::ExchangeReport& report) override {
        targets_.push_back(request.target);
        report.sent = true;
        if (steps_.empty())
            co_return palette::Error(palette::errc::invalid_argument, "no request is expected any more");
        auto const step = std::move(steps_.front());
        steps_.pop_front();
        report.received = true;
        palette::HttpResponse head;
        head.status = 200;
        head.headers = step.headers;
        sink.head(head);
        if (!sink.body(step.body))
            co_return palette::Error(palette::errc::transport, "the answer is not wanted");
        if (step.is_lost) co_return palette::Error(palette::errc::transport, "the connection was lost");
        co_return palette::Result<void>();
    }

private:
    struct Step {
        std::string body;
        palette::HttpFields headers;
        bool is_lost;
    };

    std::deque<Step> steps_;
    std::vector<std::string> targets_;
};

}  // namespace support
