// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/service/tenant.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// Bodies as the vendor's server writes them: what is empty or false is left out, unless its description
// says otherwise; times have milliseconds; a time that is not set is that of the year 1.

void append_text(std::string& out, std::string_view text);
void append_time(std::string& out, std::optional<Instant> time);

void append_error(std::string& out, std::string_view code, std::string_view message, std::string_view ref);
void append_key(std::string& out, const ApiKey& key);
void append_user(std::string& out, const UserRecord& user);
void append_event(std::string& out, const AuditEvent& event);
// One of a tenant's limits.
void append_limit(std::string& out, std::string_view kind, std::string_view label, std::size_t limit,
                  std::size_t max_limit);

struct ListMeta {
    std::string next;  // the token that continues; empty at the end
    std::size_t count;
    std::size_t limit;
    std::size_t offset;
};
void append_list_meta(std::string& out, const ListMeta& meta);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/service/answers.ipp>
#endif
