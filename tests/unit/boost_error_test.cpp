// SPDX-License-Identifier: BSL-1.0
#include <palette/boost_error.hpp>
#include <palette/result.hpp>
#include <palette/tokens.hpp>

#include <doctest/doctest.h>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <string>
#include <system_error>

namespace boost_error_test {

using namespace palette;
using BoostCode = boost::system::error_code;

constexpr int last_code = static_cast<int>(errc::out_of_memory);

TEST_CASE("boost error: every code goes to Boost's type and back, with its name and message") {
    for (int i = 1; i <= last_code; ++i) {
        auto const code = static_cast<errc>(i);
        CAPTURE(code);
        BoostCode const boost_code = to_boost_error_code(code);
        CHECK(boost_code);
        CHECK(to_errc(boost_code) == code);
        CHECK(boost_code.message() == make_error_code(code).message());
        auto const std_code = static_cast<std::error_code>(boost_code);
        CHECK(std_code == make_error_code(code));
        CHECK(std_code.category().name() == std::string("palette"));
        CHECK(boost_code.to_string() == "std:palette:" + std::to_string(i));
    }
}

TEST_CASE("boost error: a code compares with errc, conditions and the codes of std") {
    for (int i = 1; i <= last_code; ++i) {
        auto const code = static_cast<errc>(i);
        CAPTURE(code);
        BoostCode const boost_code = code;  // as an enum of error codes
        for (int j = 1; j <= last_code; ++j)
            CHECK((boost_code == static_cast<errc>(j)) == (i == j));
        CHECK((boost_code == condition::retryable) == is_retryable(code));
        CHECK((boost_code == condition::auth) == is_auth(code));
        CHECK((boost_code == condition::not_found) == is_not_found(code));
        CHECK((boost_code == condition::malformed_response) == is_malformed_response(code));
        CHECK((boost_code == std::errc::timed_out) == (code == errc::timeout));
    }
    CHECK(to_boost_error_code(errc::operation_aborted) == std::errc::operation_canceled);
    CHECK(to_boost_error_code(errc::operation_aborted) != boost::asio::error::operation_aborted);
}

TEST_CASE("boost error: an Error gives its code, as as_error_code() does") {
    CHECK(to_boost_error_code(Error(errc::conflict, "changed")) == errc::conflict);
    CHECK(detail::AsErrorCode::of(Error(errc::conflict)) == to_boost_error_code(errc::conflict));
    try {
        throw boost::system::system_error(to_boost_error_code(errc::timeout));
    } catch (const boost::system::system_error& e) {
        CHECK(to_errc(e.code()) == errc::timeout);
    }
}

TEST_CASE("boost error: what is no code of this library has no errc") {
    CHECK_FALSE(to_errc(BoostCode()));
    CHECK_FALSE(to_errc(std::error_code()));
    CHECK_FALSE(to_errc(std::error_code(0, get_error_category())));
    CHECK_FALSE(to_errc(BoostCode(boost::asio::error::eof)));
    CHECK_FALSE(to_errc(std::make_error_code(std::errc::timed_out)));
    CHECK_FALSE(to_errc(BoostCode(7, boost::system::generic_category())));
}

}  // namespace boost_error_test
