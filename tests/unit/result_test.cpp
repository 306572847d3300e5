// SPDX-License-Identifier: BSL-1.0
#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace result_test {

using palette::errc;
using palette::Error;
using palette::Exception;
using palette::Result;
using palette::Secret;

struct NoDefault {
    explicit NoDefault(int n) : value(n) {}
    int value;
};

static_assert(std::is_same_v<Result<int>::value_type, int> && std::is_same_v<Result<int>::error_type, Error>);
static_assert(std::is_same_v<Result<void>::value_type, void> &&
              std::is_same_v<Result<void>::error_type, Error>);

static_assert(std::copyable<Result<std::string>> && std::copyable<Result<void>>);
static_assert(std::movable<Result<Secret>> && !std::is_copy_constructible_v<Result<Secret>>);
static_assert(std::is_nothrow_move_constructible_v<Result<Secret>> &&
              std::is_nothrow_move_constructible_v<Result<void>>);
static_assert(std::is_default_constructible_v<Result<int>> &&
              !std::is_default_constructible_v<Result<NoDefault>>);

static_assert(std::is_convertible_v<int, Result<long>> &&
              std::is_convertible_v<const char*, Result<std::string>>);
static_assert(std::is_convertible_v<Error, Result<int>> && std::is_convertible_v<Error, Result<void>>);
static_assert(!std::is_convertible_v<errc, Result<int>> && !std::is_constructible_v<Result<void>, errc>);
static_assert(std::is_constructible_v<Result<Secret>, const char*> &&
              !std::is_convertible_v<const char*, Result<Secret>>);
static_assert(!std::is_constructible_v<Result<int>, std::string> &&
              !std::is_constructible_v<Result<void>, int>);

// A result converts to bool, explicitly; it must not do so on its way into another result.
static_assert(std::is_constructible_v<bool, Result<int>> && !std::is_convertible_v<Result<int>, bool>);
static_assert(!std::is_constructible_v<Result<bool>, Result<int>> &&
              !std::is_constructible_v<Result<bool>, Result<void>>);
static_assert(!std::is_convertible_v<Result<int>, int> && !std::is_convertible_v<Result<int>, Error>);
static_assert(!std::is_convertible_v<Result<int>, Result<Result<int>>>);
static_assert(!std::is_convertible_v<Result<int>, Result<void>> &&
              !std::is_convertible_v<Result<void>, Result<int>>);

static_assert(std::is_same_v<decltype(*std::declval<Result<int>&>()), int&>);
static_assert(std::is_same_v<decltype(*std::declval<const Result<int>&>()), const int&>);
static_assert(std::is_same_v<decltype(*std::declval<Result<int>>()), int>);
static_assert(std::is_same_v<decltype(std::declval<Result<int>>().value()), int>);
static_assert(std::is_same_v<decltype(std::declval<const Result<int>&>().value()), const int&>);
static_assert(std::is_same_v<decltype(std::declval<Result<int>>().error()), Error>);
static_assert(std::is_void_v<decltype(std::declval<Result<void>>().value())>);

template <class T, class U>
concept ComparableWith = requires(const T& a, const U& b) {
    { a == b } -> std::convertible_to<bool>;
};
static_assert(!ComparableWith<Result<NoDefault>, Result<NoDefault>> &&
              ComparableWith<Result<NoDefault>, Error>);

Error const lost(errc::transport, "the connection broke");

Result<int> parsed(std::string_view text) {
    if (text.empty()) return lost;
    return static_cast<int>(text.size());
}

TEST_CASE("Result: holds a value or an error") {
    Result<std::string> good = "text";
    CHECK(good.has_value());
    CHECK(static_cast<bool>(good));
    CHECK(*good == "text");
    CHECK(good->size() == 4);
    CHECK(good.value() == "text");

    Result<std::string> const bad = lost;
    CHECK_FALSE(bad.has_value());
    CHECK_FALSE(bad);
    CHECK(bad.error() == lost);

    CHECK(*Result<int>() == 0);
    CHECK(*Result<std::string>(std::in_place, 3, 'x') == "xxx");
    CHECK(Result<NoDefault>(std::in_place, 7).value().value == 7);
    CHECK(Result<std::vector<int>>(std::vector{1, 2}).value().size() == 2);
}

TEST_CASE("Result: value throws the error if there is no value") {
    Result<std::string> bad = lost;
    CHECK_THROWS_AS(static_cast<void>(bad.value()), Exception);
    CHECK_THROWS_AS(static_cast<void>(std::as_const(bad).value()), Exception);
    CHECK_THROWS_AS(static_cast<void>(std::move(bad).value()), Exception);
    CHECK(bad.error() == lost);  // NOLINT(bugprone-use-after-move): throwing copies the error
    try {
        Result<void>(lost).value();
        FAIL("nothing was thrown");
    } catch (const Exception& exception) {
        CHECK(exception.error() == lost);
    }
    CHECK_NOTHROW(Result<void>().value());
}

TEST_CASE("Result: a value and an error can be changed and taken out") {
    Result<std::string> r = "a";
    *r += "b";
    r->push_back('c');
    r.value() += "d";
    CHECK(r == std::string("abcd"));
    auto const taken = *std::move(r);
    CHECK(taken == "abcd");

    r = lost;
    r.error().attempts(5);
    CHECK(r.error().attempts() == 5);
    auto const error = std::move(r).error();
    CHECK(error.what() == lost.what());

    r = "again";
    CHECK(r.value() == "again");
    CHECK(r.emplace(2, 'y') == "yy");
    r = lost;
    CHECK(r.emplace("z") == "z");
    CHECK(r.has_value());
}

TEST_CASE("Result: an emplace that throws leaves a value or an error") {
    struct Picky {
        explicit Picky(bool refuse) {
            if (refuse) throw std::runtime_error("refused");
        }
        std::string not_trivial;
    };
    for (auto result : {Result<Picky>(lost), Result<Picky>(std::in_place, false)}) {
        CHECK_THROWS_AS(result.emplace(true), std::runtime_error);
        if (result.has_value()) continue;
        const Error* volatile const error = std::addressof(result.error());
        CHECK(error != nullptr);
    }
}

TEST_CASE("Result: a move-only value is moved through") {
    Result<Secret> r = Secret("hunter2");
    CHECK(r->expose() == "hunter2");
    Result<Secret> const moved = std::move(r);
    CHECK(moved->expose() == "hunter2");

    auto const length = Result<Secret>(Secret("hunter2")).transform([](Secret&& s) { return s.size(); });
    CHECK(length == 7u);
    auto doubled = Result<Secret>(Secret("ab"))
                       .and_then([](Secret s) -> Result<Secret> {
                           s.append(s.expose());
                           return s;
                       })
                       .or_else([](const Error&) -> Result<Secret> { return Secret("unused"); })
                       .transform_error([](Error e) { return e; });
    CHECK(doubled.value().expose() == "abab");
    CHECK(Result<Secret>(lost).value_or("other") == Secret("other"));
    CHECK(Result<Secret>(Secret("own")).value_or("other") == Secret("own"));
    CHECK(*Result<std::unique_ptr<int>>(std::make_unique<int>(5)).value() == 5);
}

TEST_CASE("Result: the other value is given only for an error") {
    CHECK(parsed("four").value_or(0) == 4);
    CHECK(parsed("").value_or(-1) == -1);
    Result<std::string> const bad = lost;
    CHECK(bad.value_or("other") == "other");
    Result<std::string> const good = "text";
    CHECK(good.value_or("other") == "text");
    CHECK(*good == "text");
}

TEST_CASE("Result: the next step goes on with a value and stops at an error") {
    int calls = 0;
    auto const half = [&calls](int n) -> Result<std::string> {
        ++calls;
        if (n % 2 != 0) return Error(errc::bad_value, "odd");
        return std::string(static_cast<std::size_t>(n / 2), 'x');
    };
    auto const four = parsed("four");
    CHECK(four.and_then(half) == std::string("xx"));
    CHECK(parsed("four").and_then(half) == std::string("xx"));
    CHECK(parsed("odd").and_then(half).error().code() == errc::bad_value);
    CHECK(calls == 3);
    CHECK(parsed("").and_then(half).error() == lost);
    CHECK(calls == 3);
    CHECK(parsed("x").and_then([](int) -> Result<void> { return {}; }).has_value());
    CHECK(parsed("").and_then([](int) -> Result<void> { return {}; }).error() == lost);
}

TEST_CASE("Result: transform changes the value and keeps the error") {
    auto const four = parsed("four");
    CHECK(four.transform([](int n) { return n + 0.5; }) == 4.5);
    CHECK(parsed("").transform([](int n) { return n + 1; }).error() == lost);

    int seen = 0;
    Result<void> const none = parsed("four").transform([&seen](int n) { seen = n; });
    CHECK(none.has_value());
    CHECK(seen == 4);
    CHECK(parsed("").transform([&seen](int n) { seen = n; }).error() == lost);
    CHECK(four.transform([](int n) -> Result<int> { return n; }).value().value() == 4);
    CHECK(Result<std::string>("abc").transform(&std::string::size) == 3u);
}

TEST_CASE("Result: an error can be answered with another result") {
    int calls = 0;
    auto const zero = [&calls](const Error&) -> Result<int> {
        ++calls;
        return 0;
    };
    CHECK(parsed("four").or_else(zero) == 4);
    CHECK(calls == 0);
    CHECK(parsed("").or_else(zero) == 0);
    auto const bad = parsed("");
    CHECK(bad.or_else(zero) == 0);
    CHECK(bad.error() == lost);
    CHECK(calls == 2);
    CHECK(bad.or_else([](Error e) -> Result<int> { return e.attempts(2); }).error().attempts() == 2);
}

TEST_CASE("Result: an error can be changed and a value then stays") {
    auto const tried = [](Error e) { return e.attempts(9); };
    CHECK(parsed("four").transform_error(tried) == 4);
    CHECK(parsed("").transform_error(tried).error().attempts() == 9);
    auto const bad = parsed("");
    CHECK(bad.transform_error(tried).error().attempts() == 9);
    CHECK(bad.error().attempts() == 0);
}

TEST_CASE("Result: of nothing is success or an error") {
    Result<void> r;
    CHECK(r.has_value());
    *r;
    CHECK(r == Result<void>(std::in_place));
    CHECK(r != lost);
    r = lost;
    CHECK_FALSE(r);
    CHECK(r == lost);
    CHECK(r.error() == lost);
    CHECK(r != Result<void>());
    r.emplace();
    CHECK(r.has_value());

    CHECK(Result<void>().and_then([] { return Result<int>(7); }) == 7);
    CHECK(Result<void>(lost).and_then([] { return Result<int>(7); }).error() == lost);
    CHECK(Result<void>().transform([] { return 7; }) == 7);
    CHECK(Result<void>().transform([] {}).has_value());
    CHECK(Result<void>(lost).transform([] { return 7; }).error() == lost);
    CHECK(Result<void>(lost).or_else([](const Error&) { return Result<void>(); }).has_value());
    CHECK(Result<void>().or_else([](const Error& e) { return Result<void>(e); }).has_value());
    CHECK(Result<void>(lost).transform_error([](Error e) { return e.attempts(2); }).error().attempts() == 2);
    CHECK(Result<void>().transform_error([](Error e) { return e.attempts(2); }).has_value());
}

TEST_CASE("Result: compares with results and values and errors") {
    CHECK(Result<int>(1) == Result<int>(1));
    CHECK(Result<int>(1) != Result<int>(2));
    CHECK(Result<int>(1) != Result<int>(lost));
    CHECK(Result<int>(lost) == Result<int>(lost));
    CHECK(Result<int>(lost) != Result<int>(Error(errc::timeout)));
    CHECK(Result<int>(1) == 1);
    CHECK(1 == Result<int>(1));
    CHECK(Result<int>(1) != 2);
    CHECK(Result<int>(lost) != 1);
    CHECK(Result<int>(lost) == lost);
    CHECK(Result<int>(0) != lost);
    CHECK(lost == Result<int>(lost));
}

TEST_CASE("Result: compares with what its value compares with") {
    CHECK(ComparableWith<Result<long>, int>);
    CHECK(ComparableWith<Result<std::string>, const char*>);
    CHECK(ComparableWith<Result<std::string>, std::string_view>);
}

}  // namespace result_test
