// SPDX-License-Identifier: BSL-1.0
#include "support/counting_allocator.hpp"
#include "support/sample_keys.hpp"

#include <palette/auth.hpp>
#include <palette/client.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

// What a visit of a list holds, by the number of keys and by how they are paged. The service makes its
// answers piece by piece, so that what it holds does not grow with them.

namespace visit_memory_test {

using namespace palette;
namespace asio = boost::asio;

class KeysFromNowhere final : public Transport {
public:
    KeysFromNowhere(std::size_t keys, std::size_t per_page) : keys_(keys), per_page_(per_page) {}

    asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                           ExchangeReport& report) override {
        report.sent = report.received = true;
        HttpResponse head;
        head.status = 200;
        sink.head(std::move(head));
        auto const begin = number_after(request.target, "continue=");
        auto const end = begin + std::min(per_page_, keys_ - begin);
        bool is_wanted = sink.body(R"({"items":[)");
        for (auto i = begin; i < end && is_wanted; ++i) {
            if (i != begin) is_wanted = sink.body(",");
            is_wanted = is_wanted && sink.body(one_key_);
            // A turn of the event loop for some of them, as a connection has.
            if (i % 64 == 0) co_await asio::post(asio::use_awaitable);
        }
        auto const next = end == keys_ ? std::string() : std::to_string(end);
        if (is_wanted) is_wanted = sink.body(R"(],"listmeta":{"continue":")" + next + "\"}}");
        if (!is_wanted) co_return Error(errc::transport, "the answer is not wanted");
        co_return Result<void>();
    }

private:
    static std::size_t number_after(std::string_view target, std::string_view name) {
        auto const at = target.find(name);
        std::size_t number = 0;
        if (at == std::string_view::npos) return number;
        auto const digits = target.substr(at + name.size());
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
        return number;
    }

    std::size_t keys_;
    std::size_t per_page_;
    std::string one_key_ = [] {
        auto const list = sample::key_list(1);
        auto const begin = list.find('[') + 1;
        return list.substr(begin, list.rfind(']') - begin);
    }();
};

constexpr auto one_page = std::numeric_limits<std::size_t>::max();

ClientOptions options(std::size_t keys, std::size_t per_page) {
    ClientOptions options;
    options.auth = auth::api_key(Secret("a-value-of-a-key"));
    options.transport = std::make_shared<KeysFromNowhere>(keys, per_page);
    options.rate_limit = RateLimitOptions::off();
    return options;
}

std::size_t peak_of_visit(std::size_t keys, std::size_t per_page) {
    return counting::peak_of([&] {
        asio::io_context context;
        ApiKeyClient client(context, options(keys, per_page));
        std::size_t calls = 0;
        Result<Visit> visited = Visit();
        client.async_visit(
            ListFilter(), [&](ApiKey&& key) { return calls += key.uid.empty() ? 0 : 1, Result<void>(); },
            [&](Result<Visit> result) { visited = std::move(result); });
        context.run();
        REQUIRE(visited);
        CHECK(visited->count == keys);
        CHECK(calls == keys);
    });
}

std::size_t peak_of_list(std::size_t keys) {
    return counting::peak_of([&] {
        asio::io_context context;
        ApiKeyClient client(context, options(keys, one_page));
        std::size_t listed = 0;
        client.async_list([&](const Result<KeyList>& list) { listed = list.value().size(); });
        context.run();
        CHECK(listed == keys);
    });
}

TEST_CASE("memory: a visit holds as much of 20,000 keys in one page as of 1,000") {
    peak_of_visit(100, one_page);  // what is made once for all
    auto const few = peak_of_visit(1'000, one_page);
    auto const many = peak_of_visit(20'000, one_page);
    MESSAGE("a visit of 1,000 keys holds " << few << " bytes, of 20,000 " << many << "; a list of 20,000 "
                                           << peak_of_list(20'000));
    CHECK(many <= few + 1'024);
    CHECK(many < 256 * 1'024);
    CHECK(peak_of_list(20'000) > 20 * many);
}

TEST_CASE("memory: of the pages of a visit, a few bytes each are kept") {
    auto const few = peak_of_visit(1'000, 50);
    auto const many = peak_of_visit(20'000, 50);
    MESSAGE("a visit of 20 pages holds " << few << " bytes, of 400 " << many);
    CHECK(many - few <= 380 * 48 + 4'096);
}

// Sends the beginning of a page, and then a string without end.
class EndlessText final : public Transport {
public:
    explicit EndlessText(std::string begin) : begin_(std::move(begin)) {}

    asio::awaitable<Result<void>> exchange(const HttpRequest& /*request*/, ResponseSink& sink,
                                           ExchangeReport& report) override {
        report.sent = report.received = true;
        HttpResponse head;
        head.status = 200;
        sink.head(std::move(head));
        std::string const piece(16 * 1024, 'x');
        bool is_wanted = sink.body(begin_);
        // Far more than a client should take: the test shall end.
        for (int i = 0; i < 64 * 64 && is_wanted; ++i)
            is_wanted = sink.body(piece);
        if (!is_wanted) co_return Error(errc::transport, "the answer is not wanted");
        co_return Error(errc::transport, "the connection was lost");
    }

private:
    std::string begin_;
};

TEST_CASE("memory: a visit of a page that goes on without end holds a few megabytes, and is refused") {
    peak_of_visit(100, one_page);  // what is made once for all
    for (auto const* const begin :
         {R"({"items":[{"metadata":{"name":")", R"({"listmeta":{"continue":")", R"({"items":[{")"}) {
        CAPTURE(begin);
        auto const peak = counting::peak_of([&] {
            asio::io_context context;
            auto endless = options(0, one_page);
            endless.transport = std::make_shared<EndlessText>(begin);
            ApiKeyClient client(context, endless);
            Result<Visit> visited = Visit();
            client.async_visit(
                ListFilter(), [](ApiKey&&) { return Result<void>(); },
                [&](Result<Visit> result) { visited = std::move(result); });
            context.run();
            REQUIRE_FALSE(visited);
            CHECK(visited.error().code() == errc::too_large);
        });
        MESSAGE("it holds " << peak << " bytes");
        CHECK(peak < 5 * 1'024 * 1'024);
    }
}

}  // namespace visit_memory_test
