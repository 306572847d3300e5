// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/http.hpp>
#include <palette/impl/emulator/service/tenant.hpp>
#include <palette/impl/values/text.hpp>

#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

PALETTE_KEYS_INLINE UserRecord& Tenant::add_user(UserRecord user) {
    auto const number = ++last_number_;
    users_by_uid_.emplace(user.uid, number);
    // People write their address in any case, and may log in with each.
    users_by_email_.emplace(detail::to_lower(user.email), number);
    return users_.emplace(number, std::move(user)).first->second;
}

PALETTE_KEYS_INLINE void Tenant::remove_user(UserRecord& user, bool keeps_record) {
    if (!user.single_sign_on) {
        // Collected first: remove_key() takes away the entry at which the loop stands.
        std::vector<const KeyRecord*> gone;
        for (auto const& [number, record] : keys_)
            if (record.key.owner.uid == user.uid) gone.push_back(&record);
        for (auto const* const record : gone)
            remove_key(*record);
    }
    // The address is free again and cannot sign in; what is kept below is the record alone.
    users_by_email_.erase(detail::to_lower(user.email));
    if (keeps_record) {
        user.is_removed = true;
        return;
    }
    auto const number = users_by_uid_.at(user.uid);
    users_by_uid_.erase(user.uid);
    users_.erase(number);
}

PALETTE_KEYS_INLINE UserRecord* Tenant::find_user(std::string_view uid) noexcept {
    auto* const user = look_up(users_, users_by_uid_, uid);
    return user == nullptr || user->is_removed ? nullptr : user;
}

PALETTE_KEYS_INLINE const UserRecord* Tenant::find_record(std::string_view uid) const noexcept {
    return look_up(users_, users_by_uid_, uid);
}

PALETTE_KEYS_INLINE UserRecord* Tenant::find_user_by_email(std::string_view email) noexcept {
    return look_up(users_, users_by_email_, detail::to_lower(email));
}

PALETTE_KEYS_INLINE KeyRecord& Tenant::add_key(ApiKey key, std::string_view value, std::string creator_uid) {
    auto const number = ++last_number_;
    // The value itself is in the answer to the create and nowhere else.
    auto const digest = sha256(value);
    keys_by_uid_.emplace(key.uid, number);
    keys_by_value_.emplace(digest, number);
    ++key_counts_[key.owner.uid];
    return keys_.emplace(number, KeyRecord{std::move(key), digest, std::move(creator_uid)}).first->second;
}

PALETTE_KEYS_INLINE void Tenant::remove_key(const KeyRecord& record) {
    auto const number = keys_by_uid_.at(record.key.uid);
    auto const count = key_counts_.find(record.key.owner.uid);
    // Or the table would keep an entry for every user who ever had a key.
    if (--count->second == 0) key_counts_.erase(count);
    keys_by_value_.erase(record.value);
    keys_by_uid_.erase(record.key.uid);
    keys_.erase(number);
}

PALETTE_KEYS_INLINE KeyRecord* Tenant::find_key(std::string_view uid) noexcept {
    return look_up(keys_, keys_by_uid_, uid);
}

PALETTE_KEYS_INLINE KeyRecord* Tenant::find_key_by_value(std::string_view value) noexcept {
    // By the digest: how long the look-up takes tells nothing about the beginning of a value.
    auto const found = keys_by_value_.find(sha256(value));
    return found == keys_by_value_.end() ? nullptr : &keys_.at(found->second);
}

PALETTE_KEYS_INLINE AuditEvent& Tenant::add_event(AuditEvent event) {
    return events_.emplace(++last_number_, std::move(event)).first->second;
}

PALETTE_KEYS_INLINE std::size_t Tenant::count_keys_of(std::string_view user_uid) const noexcept {
    auto const found = key_counts_.find(std::string(user_uid));
    return found == key_counts_.end() ? 0 : found->second;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
