// SPDX-License-Identifier: BSL-1.0
#include <palette/format.hpp>

#include <doctest/doctest.h>

#include <sstream>
#include <string>

namespace format_test {

using namespace palette;

TEST_CASE("format: an error is formatted as it prints, and its parts by their names") {
    auto const error = Error(errc::forbidden).operation("revoke").key_uid("a1").status(403);
    std::ostringstream printed;
    printed << error;
    CHECK(palette::detail::streamed(error) == printed.str());
#if defined(__cpp_lib_format)
    CHECK(std::format("{}", error) == error.message());
    CHECK(std::format("[{:>10}]", errc::forbidden) == "[ forbidden]");
    CHECK(std::format("{} {}", Effect::unknown, KeyState::revoked) == "unknown revoked");
    CHECK(std::format("{}", Expiry::never()) == "never");
#endif
#if __has_include(<fmt/ostream.h>)
    CHECK(fmt::format("{}", error) == error.message());
    CHECK(fmt::format("{} {}", errc::forbidden, Expiry::never()) == "forbidden never");
#endif
}

TEST_CASE("format: every enumerator of an error has a name, and a number that is none says so") {
    CHECK(to_string(errc::own_key) == "own_key");
    CHECK(to_string(errc::out_of_memory) == "out_of_memory");
    CHECK(to_string(static_cast<errc>(12'345)).empty());
    CHECK(to_string(Effect::not_applied) == "not_applied");
    CHECK(to_string(Effect::applied) == "applied");
    CHECK(to_string(Effect::unknown) == "unknown");
    CHECK(to_string(condition::malformed_response) == "malformed_response");
}

}  // namespace format_test
