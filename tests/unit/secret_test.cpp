// SPDX-License-Identifier: BSL-1.0
#include <palette/secret.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <compare>
#include <concepts>
#include <functional>
#include <new>
#include <ostream>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <version>
#ifdef __cpp_lib_format
#    include <format>
#endif

namespace secret_test {

using palette::Secret;

template <class T>
concept Streamable = requires(std::ostream& out, const T& value) { out << value; };
template <class T>
concept Hashable = requires(const T& value) { std::hash<T>{}(value); };
template <class T>
concept Appendable = requires(std::string& text, const T& value) { text += value; };

static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
static_assert(std::is_nothrow_move_constructible_v<Secret> && std::is_nothrow_move_assignable_v<Secret>);
static_assert(std::is_nothrow_default_constructible_v<Secret> && std::is_nothrow_destructible_v<Secret>);
static_assert(!Streamable<Secret> && Streamable<std::string>);
static_assert(!Hashable<Secret> && Hashable<std::string>);
static_assert(!Appendable<Secret> && Appendable<std::string>);
static_assert(!std::ranges::range<Secret>);
static_assert(!std::three_way_comparable<Secret> && !std::totally_ordered<Secret>);
static_assert(std::equality_comparable<Secret>);

template <class To>
constexpr bool gives = std::is_constructible_v<To, const Secret&> || std::is_constructible_v<To, Secret&&>;
static_assert(!gives<std::string_view> && !gives<std::string> && !gives<const char*> && !gives<bool>);
static_assert(!gives<void*> && !gives<int> && !gives<char> && !gives<std::size_t>);

template <class From>
constexpr bool takes_unasked = std::is_convertible_v<From, Secret>;
static_assert(!takes_unasked<std::string_view> && !takes_unasked<std::string> && !takes_unasked<const char*>);
static_assert(std::is_constructible_v<Secret, std::string_view> &&
              std::is_constructible_v<Secret, const char*>);
static_assert(!std::is_constructible_v<Secret, std::nullptr_t> &&
              !std::is_constructible_v<Secret, std::size_t>);
static_assert(!std::equality_comparable_with<Secret, std::string_view>);

// To take a temporary would suggest that it can be wiped wherever it was copied from.
static_assert(!std::is_invocable_v<decltype(&Secret::take), std::string&&>);
static_assert(!std::is_invocable_v<decltype(&Secret::take), const std::string&>);

#ifdef __cpp_lib_format
static_assert(!std::is_default_constructible_v<std::formatter<Secret, char>>);
static_assert(!std::is_default_constructible_v<std::formatter<Secret, wchar_t>>);
#endif

TEST_CASE("Secret: holds the text it was given") {
    CHECK(Secret().empty());
    Secret const none;
    CHECK(none.expose().empty());
    CHECK(Secret("").empty());
    CHECK(Secret(std::string_view()).empty());

    std::string const text("to\0ken\xff", 7);
    Secret const secret{text};
    CHECK(secret.expose() == text);
    CHECK(secret.size() == 7);
    CHECK_FALSE(secret.empty());
    CHECK(text.size() == 7);
    CHECK(Secret(secret.expose()) == secret);
}

TEST_CASE("Secret: equal means the same bytes and the same length") {
    CHECK(Secret() == Secret(""));
    CHECK(Secret("token") == Secret("token"));
    CHECK(Secret("token") != Secret("tokem"));
    CHECK(Secret("token") != Secret("Token"));
    CHECK(Secret("token") != Secret("toke"));
    CHECK(Secret("token") != Secret("tokens"));
    CHECK(Secret("token") != Secret());
    CHECK(Secret(std::string_view("a\0b", 3)) != Secret(std::string_view("a\0c", 3)));

    std::string const long_text(10'000, 'x');
    for (std::size_t const at : {0u, 4'095u, 4'096u, 9'999u}) {
        auto other = long_text;
        other[at] = 'y';
        CHECK(Secret(long_text) != Secret(other));
    }
}

TEST_CASE("Secret: appending in pieces of any size gives the whole") {
    for (std::size_t const piece : {1u, 7u, 4'095u, 4'096u, 4'097u, 10'000u}) {
        std::string whole;
        Secret secret;
        for (int i = 0; whole.size() < 20'000; ++i) {
            std::string const part(piece, static_cast<char>('a' + i % 26));
            whole += part;
            secret.append(part);
        }
        secret.append({});
        CHECK(secret.expose() == whole);
    }
}

TEST_CASE("Secret: a part of itself can be appended") {
    Secret secret{"0123456789"};
    std::string expected = "0123456789";
    for (int i = 0; i < 12; ++i) {
        secret.append(secret.expose());
        expected += std::string(expected);
        secret.append(secret.expose().substr(3, 5));
        expected += expected.substr(3, 5);
    }
    CHECK(expected.size() > 40'000);
    CHECK(secret.expose() == expected);
}

TEST_CASE("Secret: moving hands the text over and leaves none of it in the source") {
    for (std::string const text : {"s", "short", "a text that no small string buffer would hold in itself"}) {
        Secret source{text};
        auto const* const at = source.expose().data();
        Secret target{std::move(source)};
        CHECK(target.expose() == text);
        CHECK(target.expose().data() == at);

        CHECK(source.empty());  // NOLINT(bugprone-use-after-move): what is left is what is tested
        CHECK(source.expose().data() == nullptr);  // NOLINT(clang-analyzer-cplusplus.Move)
        auto const* const bytes = reinterpret_cast<const unsigned char*>(&source);
        CHECK(std::all_of(bytes, bytes + sizeof source, [](unsigned char b) { return b == 0; }));

        source.append("again");  // NOLINT(clang-analyzer-cplusplus.Move)
        CHECK(source.expose() == "again");
        CHECK(target.expose() == text);
    }
}

TEST_CASE("Secret: assignment takes over and a secret may be assigned to itself") {
    Secret a{"first"};
    Secret b{"second"};
    a = std::move(b);
    CHECK(a.expose() == "second");
    CHECK(b.empty());  // NOLINT(bugprone-use-after-move)

    auto& same = a;
    a = std::move(same);
    CHECK(a.expose() == "second");
    a = Secret();
    CHECK(a.empty());

    Secret c{"left"};
    Secret d{"right"};
    std::swap(c, d);
    CHECK(c.expose() == "right");
    CHECK(d.expose() == "left");
}

TEST_CASE("Secret: a cleared one can be used again") {
    Secret secret{"a long first text"};
    secret.clear();
    CHECK(secret.empty());
    secret.clear();
    secret.append("new");
    CHECK(secret.expose() == "new");
}

TEST_CASE("Secret: more than memory holds is refused and changes nothing") {
    Secret secret{"kept"};
    char const byte = 'x';
    for (int const shift : {1, 3, 6}) {
        std::size_t volatile size = ~std::size_t{0} >> shift;
        CHECK_THROWS_AS(secret.append(std::string_view(&byte, size)), std::bad_alloc);
        CHECK(secret.expose() == "kept");
    }
}

}  // namespace secret_test
