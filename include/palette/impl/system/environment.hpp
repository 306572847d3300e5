// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// The value of a variable of the environment; empty, with a null data(), if it is not set, or if the program
// is set-uid, whose environment is that of somebody with fewer rights.
std::string_view environment_variable(const char* name) noexcept;

// PALETTE_API_KEY, or else SPECTROCLOUD_APIKEY, without blanks and one line end. errc::auth_provider if
// neither is set, or what is there cannot be a key.
Result<Secret> api_key_of_environment();

// PALETTE_API_KEY_UID, without blanks and one line end; empty if it is not set. errc::auth_provider if what
// is there cannot be a uid.
Result<std::string> api_key_uid_of_environment();

// The file that the variable names; empty if it is not set. errc::invalid_argument if it cannot be opened.
Result<std::string> file_of_environment(const char* name);

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/system/environment.ipp>
#endif
