// SPDX-License-Identifier: BSL-1.0
//
// Two transports of one's own, which carry requests in place of the one over TLS. The first answers from what
// was recorded earlier: for a demonstration without a network, or to look into an answer that made trouble.
// The second wraps another one and notes what goes through it.
//
// Run it: own_transport. It needs no service.
#include <palette/api_keys.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_future.hpp>

#include <exception>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;

namespace {

class Replay final : public palette::Transport {
public:
    // `request` is "GET /v1/apiKeys"; `body` what was answered to it with status 200.
    void add(std::string request, std::string body) { bodies_[std::move(request)] = std::move(body); }

    asio::awaitable<palette::Result<void>> exchange(const palette::HttpRequest& request,
                                                    palette::ResponseSink& sink,
                                                    palette::ExchangeReport& report) override {
        auto const found = bodies_.find(request.method + ' ' + request.target);
        if (found == bodies_.end()) {
            // report.sent stays false: nothing was sent, so that the client knows that nothing was changed.
            co_return palette::Error(palette::errc::transport, "this was not recorded");
        }
        report.sent = report.received = true;
        palette::HttpResponse head;
        head.status = 200;
        sink.head(head);
        if (!sink.body(found->second))  // the client has seen enough of it
            co_return palette::Error(palette::errc::transport, "the answer is not wanted");
        co_return palette::Result<void>();
    }

private:
    std::map<std::string, std::string> bodies_;
};

class Notes final : public palette::Transport {
public:
    explicit Notes(std::shared_ptr<palette::Transport> next) : next_(std::move(next)) {}

    asio::awaitable<palette::Result<void>> exchange(const palette::HttpRequest& request,
                                                    palette::ResponseSink& sink,
                                                    palette::ExchangeReport& report) override {
        // The credential and a secret body are in the request as well: they are not for notes.
        auto line = request.method + ' ' + request.target;
        auto result = co_await next_->exchange(request, sink, report);
        lines_.push_back(line + (result ? ": answered" : ": " + result.error().what()));
        co_return result;
    }

    void close() override { next_->close(); }

    [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

private:
    std::shared_ptr<palette::Transport> next_;
    std::vector<std::string> lines_;
};

asio::awaitable<void> look(palette::ClientOptions options) {
    auto const executor = co_await asio::this_coro::executor;
    palette::ApiKeyClient client(executor, options);
    auto const keys = co_await client.async_list();
    if (!keys) throw palette::Exception(keys.error());
    for (auto const& key : *keys)
        std::cout << key.name << ", ends " << key.expiry << '\n';

    auto const revoked = co_await client.async_revoke(keys->front().uid);
    std::cout << "revoke: " << (revoked ? "done" : revoked.error().message()) << '\n';
}

}  // namespace

int main() try {
    auto replay = std::make_shared<Replay>();
    replay->add("GET /v1/apiKeys", R"({"items": [{
        "metadata": {"name": "nightly", "uid": "5f1b2c3d4e5f6a7b8c9d0e1f"},
        "spec": {"expiry": "2027-01-31T12:00:00.000Z"},
        "status": {"isActive": true}}]})");
    auto notes = std::make_shared<Notes>(replay);

    palette::ClientOptions options;
    options.transport = notes;
    options.auth =
        palette::auth::api_key(palette::Secret("any, since it goes nowhere"), "5f1b2c3d4e5f6a7b8c9d0e2f");

    asio::io_context context;
    auto done = asio::co_spawn(context, look(options), asio::use_future);
    context.run();
    done.get();
    std::cout << "noted:\n";
    for (auto const& line : notes->lines())
        std::cout << "  " << line << '\n';
} catch (const std::exception& e) {
    std::cerr << "own_transport: " << e.what() << '\n';
    return 1;
}
