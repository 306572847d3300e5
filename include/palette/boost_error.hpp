// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>

#include <boost/system/error_code.hpp>

#include <optional>
#include <system_error>
#include <type_traits>

// The codes of errc as boost::system::error_code, for programs that hand errors on in Asio's type. It is
// included by palette/tokens.hpp, whose as_error_code() gives the same codes.

namespace palette::inline PALETTE_KEYS_ABI {

/// Returns the code as a boost::system::error_code, as as_error_code() completes with it.
///
///     boost::system::error_code ec = palette::to_boost_error_code(error);
///     if (ec == palette::errc::not_found || ec == palette::condition::auth) log(ec.message());
///
/// It compares equal to the errc, to a palette::condition and to the std::errc that corresponds. It wraps
/// make_error_code(code): converted to std::error_code it is equal to that, has its category, named
/// "palette", and the same message. The category and the value() of the Boost type itself are Boost's for all
/// std codes; its to_string() is "std:palette:12".
[[nodiscard]] inline boost::system::error_code to_boost_error_code(errc code) noexcept {
    return make_error_code(code);
}

/// Same, of the code of an error. What else the Error says, its Effect above all, is lost.
[[nodiscard]] inline boost::system::error_code to_boost_error_code(const Error& error) noexcept {
    return make_error_code(error.code());
}

/// Returns the errc of a code; nothing for a code of another category, and for no error. A
/// boost::system::error_code converts.
[[nodiscard]] inline std::optional<errc> to_errc(const std::error_code& code) noexcept {
    if (code.category() != get_error_category() || !code) return std::nullopt;
    return static_cast<errc>(code.value());
}

}  // namespace palette::inline PALETTE_KEYS_ABI

namespace boost::system {

// Makes `boost::system::error_code ec = palette::errc::timeout;` compile.
template <>
struct is_error_code_enum<palette::errc> : std::true_type {};

}  // namespace boost::system
