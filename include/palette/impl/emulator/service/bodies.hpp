// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>
#include <palette/expiry.hpp>
#include <palette/impl/emulator/service/refusal.hpp>
#include <palette/string_map.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// What requests say in their bodies. Read as a server written in Go reads: unknown members are
// ignored, null is as absent, absent is as empty or false, the last of equal names counts. A Refusal with
// status 400 for what is not JSON, or has a known member of a wrong type.

// Annotations, or labels, of one key. Beyond it a request is refused with 400.
inline constexpr std::size_t max_texts = 1'000;
Refusal too_many_texts(std::string_view field);

// Of update, and of create but for the user.
struct KeyBody {
    std::string name;
    StringMap annotations;  // with "description"
    StringMap labels;
    std::optional<Expiry> expiry;
};

struct NewKeyBody : KeyBody {
    std::string user_uid;
};

struct LogInBody {
    std::string email;
    std::string password;
    std::string org;
};

KeyBody read_key_body(std::string_view body);
NewKeyBody read_new_key_body(std::string_view body);
bool read_is_active(std::string_view body);
LogInBody read_log_in_body(std::string_view body);

// Whether a body can hold the text at all.
bool is_utf8(std::string_view text);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/service/bodies.ipp>
#endif
