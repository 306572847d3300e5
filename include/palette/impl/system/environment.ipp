// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/system/environment.hpp>
#include <palette/impl/values/key_text.hpp>
#include <palette/impl/values/uid.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace palette::inline PALETTE_KEYS_ABI::detail {

PALETTE_KEYS_INLINE std::string_view environment_variable(const char* name) noexcept {
#ifdef __linux__
    const char* const value = ::secure_getenv(name);
#else
    const char* const value = ::issetugid() != 0 ? nullptr : ::getenv(name);
#endif
    return value == nullptr ? std::string_view() : std::string_view(value);
}

PALETTE_KEYS_INLINE Result<Secret> api_key_of_environment() {
    for (auto const* const name : {"PALETTE_API_KEY", "SPECTROCLOUD_APIKEY"})
        if (auto const value = environment_variable(name); !value.empty())
            return usable_value(value_of_line(value), name);
    // As a deployment leaves it whose secret is missing.
    if (environment_variable("PALETTE_API_KEY").data() != nullptr)
        return Error(errc::auth_provider, "PALETTE_API_KEY is set but empty");
    return Error(errc::auth_provider, "neither PALETTE_API_KEY nor SPECTROCLOUD_APIKEY is set");
}

PALETTE_KEYS_INLINE Result<std::string> api_key_uid_of_environment() {
    auto const uid = trimmed_line(environment_variable("PALETTE_API_KEY_UID"));
    if (uid.empty()) return std::string();
    // Not quoted: somebody may have passed the key for its uid.
    if (auto const* const fault = fault_of_uid(uid))
        return Error(errc::auth_provider, std::string("PALETTE_API_KEY_UID ") + fault);
    return std::string(uid);
}

PALETTE_KEYS_INLINE Result<std::string> file_of_environment(const char* name) {
    std::string file(environment_variable(name));
    if (file.empty()) return file;
    // Not blocking: somebody may have named a pipe.
    int const opened = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (opened < 0) {
        std::error_code const why(errno, std::generic_category());
        return Error(errc::invalid_argument, "cannot open " + in_quotes(file) + ": " + why.message())
            .path(name)
            .cause(why);
    }
    ::close(opened);
    return file;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
