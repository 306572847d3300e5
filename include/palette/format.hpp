// SPDX-License-Identifier: BSL-1.0
#pragma once

// Formatters for std::format, and for {fmt} where <fmt/ostream.h> exists: of what prints to a stream, with
// the same text and without a format specification.
//
//     std::format("{}: {}", error.operation(), error);

#include <palette/api_key.hpp>
#include <palette/audit_event.hpp>
#include <palette/credential.hpp>
#include <palette/endpoint.hpp>
#include <palette/error.hpp>
#include <palette/expiry.hpp>
#include <palette/key_limit.hpp>
#include <palette/user.hpp>
#include <palette/visit.hpp>

#include <sstream>
#include <string>
#include <string_view>
#include <version>

#if defined(__cpp_lib_format)
#    include <format>
#endif
#if __has_include(<fmt/ostream.h>)
#    include <fmt/ostream.h>
#endif

namespace palette::inline PALETTE_KEYS_ABI::detail {

template <class T>
std::string streamed(const T& value) {
    std::ostringstream out;
    out << value;
    return std::move(out).str();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#if defined(__cpp_lib_format)
#    define PALETTE_KEYS_STD_FORMAT(Type)                                                                   \
        template <>                                                                                         \
        struct std::formatter<Type> : std::formatter<std::string_view> {                                    \
            template <class Context>                                                                        \
            auto format(const Type& value, Context& context) const {                                        \
                return std::formatter<std::string_view>::format(palette::detail::streamed(value), context); \
            }                                                                                               \
        }
#else
#    define PALETTE_KEYS_STD_FORMAT(Type) static_assert(true)
#endif
#if __has_include(<fmt/ostream.h>)
#    define PALETTE_KEYS_FMT(Type) \
        template <>                \
        struct fmt::formatter<Type> : fmt::ostream_formatter {}
#else
#    define PALETTE_KEYS_FMT(Type) static_assert(true)
#endif
#define PALETTE_KEYS_FORMAT(Type)  \
    PALETTE_KEYS_STD_FORMAT(Type); \
    PALETTE_KEYS_FMT(Type)

PALETTE_KEYS_FORMAT(palette::errc);
PALETTE_KEYS_FORMAT(palette::Effect);
PALETTE_KEYS_FORMAT(palette::Error);
PALETTE_KEYS_FORMAT(palette::Expiry);
PALETTE_KEYS_FORMAT(palette::Endpoint);
PALETTE_KEYS_FORMAT(palette::Credential);
PALETTE_KEYS_FORMAT(palette::KeyState);
PALETTE_KEYS_FORMAT(palette::Owner);
PALETTE_KEYS_FORMAT(palette::ApiKey);
PALETTE_KEYS_FORMAT(palette::KeyList);
PALETTE_KEYS_FORMAT(palette::NewApiKey);
PALETTE_KEYS_FORMAT(palette::ApiKeyEdit);
PALETTE_KEYS_FORMAT(palette::CreatedApiKey);
PALETTE_KEYS_FORMAT(palette::StringMap);
PALETTE_KEYS_FORMAT(palette::Identity);
PALETTE_KEYS_FORMAT(palette::User);
PALETTE_KEYS_FORMAT(palette::UserList);
PALETTE_KEYS_FORMAT(palette::AuditEvent);
PALETTE_KEYS_FORMAT(palette::AuditEventFilter);
PALETTE_KEYS_FORMAT(palette::AuditEventList);
PALETTE_KEYS_FORMAT(palette::KeyLimit);
PALETTE_KEYS_FORMAT(palette::Visit);

#undef PALETTE_KEYS_FORMAT
#undef PALETTE_KEYS_FMT
#undef PALETTE_KEYS_STD_FORMAT
