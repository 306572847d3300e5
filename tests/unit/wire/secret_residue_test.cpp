// SPDX-License-Identifier: BSL-1.0
#include "support/sanitized.hpp"

#include <palette/impl/wire/decode.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace secret_residue_test {

using namespace palette;
using namespace palette::impl::wire;

// Whether the part of the stack that earlier calls have used and left holds `needle`. To look there is
// what a core dump does.
[[gnu::noinline]] bool stack_below_holds(std::string_view needle) {
    const char* const here = static_cast<const char*>(__builtin_frame_address(0));
    constexpr std::size_t depth = 96 * 1024;
    for (const volatile char* at = here - depth; at < here - 256; ++at) {
        std::size_t same = 0;
        while (same < needle.size() && at[same] == needle[same])
            ++same;
        if (same == needle.size()) return true;
    }
    return false;
}

[[gnu::noinline]] void leave_on_stack(std::string_view text) {
    volatile char copy[4096];
    for (std::size_t i = 0; i < text.size(); ++i)
        copy[2048 + i] = text[i];
    static_cast<void>(copy[2048]);
}

template <class T>
[[gnu::noinline]] bool decodes(const std::string& body) {
    return decode<T>(body).has_value();
}

TEST_CASE("secrets: a value that came with escapes is left nowhere on the stack") {
    if (sanitized) return;  // they keep a program from looking where it should not
    // Made here, so that the search does not find what it looks for in the program itself.
    std::string const value = std::to_string(1'234'567'890) + "-hunter2-" + std::to_string(987'654'321);
    std::string const control = std::to_string(1'111'111'111) + "-hunter3-" + std::to_string(222'222'222);
    leave_on_stack(control);
    REQUIRE(stack_below_holds(control));

    // The first call of a function in a shared library saves the registers, and with them what they
    // have copied last, on the stack: once in a program's life, and before anything secret here.
    REQUIRE(decodes<KeyPage>(R"({"items":[{"spec":{"key":"\u0068"}}]})"));
    REQUIRE(decodes<CreatedApiKey>(R"({"apiKey":"\u0068"})"));

    auto const json = R"("\u0068)" + value + '"';
    CHECK(decodes<CreatedApiKey>(R"({"apiKey":)" + json + "}"));
    CHECK_FALSE(stack_below_holds(value));
    CHECK(decodes<UserToken>(R"({"Authorization":)" + json + "}"));
    CHECK_FALSE(stack_below_holds(value));
    CHECK(decodes<KeyPage>(R"({"items":[{"spec":{"key":)" + json + "}}]}"));
    CHECK_FALSE(stack_below_holds(value));
}

}  // namespace secret_residue_test
