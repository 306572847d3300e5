// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/printed.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>

#include <doctest/doctest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

// A service that never stops sending a list: whatever the client asks for, there is a next page. It owes
// nothing to the library.

namespace list_limits_test {

using namespace std::chrono_literals;
using namespace palette;
namespace asio = boost::asio;
using Client = BlockingApiKeyClient;
using Socket = asio::ip::tcp::socket;

constexpr std::string_view user_uid = "aaaaaaaaaaaaaaaaaaaaaaaa";

class EndlessService {
public:
    // `page(n)`: the body of the n-th page of a list, from 1.
    explicit EndlessService(std::function<std::string(std::size_t)> page) : page_(std::move(page)) {
        asio::co_spawn(context_, accept(*this), asio::detached);
        thread_ = std::thread([this] { context_.run(); });
    }
    EndlessService(const EndlessService&) = delete;
    EndlessService& operator=(const EndlessService&) = delete;
    ~EndlessService() {
        context_.stop();
        thread_.join();
    }

    [[nodiscard]] ClientOptions options(const ListLimits& limits = {}) const {
        auto options = one_attempt();
        options.endpoint = Endpoint::parse("http://127.0.0.1:" + std::to_string(port_)).value();
        options.auth = auth::api_key(Secret("a-value-of-a-key"));
        options.timeouts.total = 60s;
        options.rate_limit = RateLimitOptions::off();
        options.list_limits = limits;
        return options;
    }

    [[nodiscard]] std::size_t pages() const noexcept { return pages_; }
    [[nodiscard]] std::size_t posts() const noexcept { return posts_; }
    // Of the bodies of pages, as far as they could be sent.
    [[nodiscard]] std::size_t bytes_sent() const noexcept { return bytes_; }

private:
    static asio::awaitable<void> accept(EndlessService& self) {
        for (;;) {
            Socket socket = co_await self.acceptor_.async_accept(asio::use_awaitable);
            asio::co_spawn(self.context_, serve(self, std::make_shared<Socket>(std::move(socket))),
                           asio::detached);
        }
    }

    static asio::awaitable<void> serve(EndlessService& self, std::shared_ptr<Socket> socket) {
        std::string request;
        for (;;) {
            auto const buffer = asio::dynamic_buffer(request);
            auto const [ec, size] = co_await asio::async_read_until(
                *socket, buffer, std::string_view("\r\n\r\n"), asio::as_tuple(asio::use_awaitable));
            if (ec) co_return;
            if (request.starts_with("POST")) {  // the answer to a create is lost
                ++self.posts_;
                co_return;
            }
            bool const is_page = !request.starts_with("GET /v1/users/info");
            request.erase(0, size);
            std::string const body = is_page ? self.page_(++self.pages_)
                                             : R"({"userUid":")" + std::string(user_uid) +
                                                   R"(","tenantUid":"bbbbbbbbbbbbbbbbbbbbbbbb"})";
            std::string const head =
                "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
            co_await asio::async_write(*socket, asio::buffer(head), asio::use_awaitable);
            for (std::string_view left = body; !left.empty();) {
                auto const sent = co_await asio::async_write(*socket, asio::buffer(left.substr(0, 65'536)),
                                                             asio::use_awaitable);
                if (is_page) self.bytes_ += sent;
                left.remove_prefix(sent);
            }
        }
    }

    std::function<std::string(std::size_t)> page_;
    std::atomic<std::size_t> pages_ = 0;
    std::atomic<std::size_t> posts_ = 0;
    std::atomic<std::size_t> bytes_ = 0;
    asio::io_context context_;
    asio::ip::tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
    std::uint16_t port_ = acceptor_.local_endpoint().port();
    std::thread thread_;
};

// A page of `items` keys, or users, with a padding that is read over, and a token for another page.
std::string page(std::size_t items, std::size_t padding, std::string_view token) {
    std::string text = R"({"items":[)";
    for (std::size_t i = 0; i < items; ++i)
        text +=
            std::string(i == 0 ? "" : ",") + R"({"metadata":{"uid":"0123456789abcdef01234567","name":"n"}})";
    text += R"(],"padding":")" + std::string(padding, 'x') + R"(","listmeta":{"continue":")";
    return text.append(token) + R"("}})";
}

ListLimits limits(void (*set)(ListLimits&)) {
    ListLimits limits;
    set(limits);
    return limits;
}

struct Row {
    std::string_view option;
    ListLimits limits;
    std::size_t items;
    std::size_t padding;
    std::size_t token_length;
    std::size_t pages;  // that are asked for until the list ends
};

const Row rows[] = {
    {"list_limits.max_bytes (1000000)", limits([](ListLimits& l) { l.max_bytes = 1'000'000; }), 1, 300'000, 9,
     4},
    {"list_limits.max_bytes (1000000)", limits([](ListLimits& l) { l.max_bytes = 1'000'000; }), 1, 3'000'000,
     9, 1},
    {"list_limits.max_items (100)", limits([](ListLimits& l) { l.max_items = 100; }), 40, 0, 9, 3},
    {"list_limits.max_items (100)", limits([](ListLimits& l) { l.max_items = 100; }), 101, 0, 9, 1},
    {"list_limits.max_pages (7)", limits([](ListLimits& l) { l.max_pages = 7; }), 1, 0, 9, 7},
    {"list_limits.max_token_length (64)", limits([](ListLimits& l) { l.max_token_length = 64; }), 1, 0, 65,
     1},
    {"list_limits.max_token_length (4096)", {}, 1, 0, 4'097, 1},
};

std::string token(std::size_t number, std::size_t length) {
    auto digits = std::to_string(number);
    return std::string(length - digits.size(), 't') + digits;
}

TEST_CASE("lists: a service that does not stop sending is met by a bound, and the error names the option") {
    struct Operation {
        std::string_view title;
        Result<void> (*call)(Client&);
    };
    Operation const operations[] = {
        {"list", [](Client& c) { return c.list().transform([](const KeyList&) {}); }},
        {"find", [](Client& c) { return c.find("n").transform([](const KeyList&) {}); }},
        {"a list of which the filter takes nothing",
         [](Client& c) { return c.list(ListFilter().name("other")).transform([](const KeyList&) {}); }},
        {"find_user", [](Client& c) { return c.find_user("ada@acme.test").transform([](const User&) {}); }},
        {"list_users", [](Client& c) { return c.list_users().transform([](const UserList&) {}); }},
        {"list_audit_events",
         [](Client& c) {
             return c.list_audit_events(AuditEventFilter()).transform([](const AuditEventList&) {});
         }},
    };
    for (auto const& row : rows) {
        for (auto const& [title, call] : operations) {
            CAPTURE(row.option);
            CAPTURE(title);
            EndlessService const service(
                [&](std::size_t n) { return page(row.items, row.padding, token(n, row.token_length)); });
            Client client(service.options(row.limits));
            auto const result = call(client);
            REQUIRE_FALSE(result);
            CHECK(result.error().code() == errc::too_large);
            CHECK(result.error().effect() == Effect::not_applied);
            CHECK(contains(result.error().what(), row.option));
            CHECK(service.pages() == row.pages);
            CHECK(result.error().attempts() == static_cast<int>(row.pages));
        }
    }
}

TEST_CASE("lists: what is exactly at the bounds is read") {
    auto const last = [](std::size_t n) { return page(50, 0, n == 3 ? "" : token(n, 9)); };
    auto bounds = limits([](ListLimits& l) {
        l.max_items = 150;
        l.max_pages = 3;
        l.max_token_length = 9;
    });
    bounds.max_bytes = last(1).size() + last(2).size() + last(3).size();
    EndlessService const service(last);
    auto const keys = Client(service.options(bounds)).list();
    REQUIRE(keys);
    CHECK(keys->size() == 150);
    --bounds.max_bytes;
    EndlessService const again(last);
    CHECK(contains(Client(again.options(bounds)).list().error().what(), "list_limits.max_bytes"));
}

TEST_CASE("lists: the search of a create keeps to the bounds, and names what may be left") {
    EndlessService const service([](std::size_t n) { return page(1, 0, token(n, 9)); });
    auto options = service.options(limits([](ListLimits& l) { l.max_pages = 5; }));
    options.retry.settle_time = 1ms;
    Client client(std::move(options));
    auto const created = client.create(NewApiKey("ci"));
    REQUIRE_FALSE(created);
    CHECK(service.posts() == 1);
    CHECK(created.error().effect() == Effect::unknown);
    CHECK(created.error().pending() != nullptr);
    CHECK(service.pages() % 5 == 0);
    CHECK(service.pages() > 0);
}

TEST_CASE("lists: the bounds by default end pages of 50 MB before 200 MB were sent") {
    auto const padding = std::string(50'000'000, 'x');
    EndlessService const service([&](std::size_t n) {
        return R"({"items":[],"padding":")" + padding + R"(","listmeta":{"continue":")" + token(n, 9) +
               R"("}})";
    });
    Client client(service.options());
    auto const keys = client.list();
    REQUIRE_FALSE(keys);
    CHECK(contains(keys.error().what(), "list_limits.max_bytes (134217728)"));
    CHECK(service.bytes_sent() < 200'000'000);
}

TEST_CASE("lists: a bound of nothing is refused when the client is made") {
    struct Bad {
        std::string_view path;
        ListLimits limits;
    };
    Bad const bad[] = {
        {"list_limits.max_bytes", limits([](ListLimits& l) { l.max_bytes = 0; })},
        {"list_limits.max_items", limits([](ListLimits& l) { l.max_items = 0; })},
        {"list_limits.max_pages", limits([](ListLimits& l) { l.max_pages = 0; })},
        {"list_limits.max_token_length", limits([](ListLimits& l) { l.max_token_length = 0; })},
    };
    for (auto const& [path, none] : bad) {
        ClientOptions options;
        options.list_limits = none;
        try {
            Client client(std::move(options));
            FAIL("a client was made");
        } catch (const Exception& e) {
            CHECK(e.error().code() == errc::invalid_argument);
            CHECK(e.error().path() == path);
        }
    }
}

}  // namespace list_limits_test
