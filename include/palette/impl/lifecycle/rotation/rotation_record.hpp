// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/rotation.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// A key that may exist and that nobody uses: one whose value was lost, or one that could not be deleted. It
// stays in the record until the service says that it is gone.
struct Leftover {
    std::string uid;    // empty: keys that bear the nonce
    std::string nonce;  // empty: the key `uid`
    std::string name;   // that was asked for with the nonce
    std::string owner_uid;
    Instant next_at{};             // when it is looked for next
    int looks = 0;                 // that were made, of those for a nonce
    std::optional<Instant> since;  // when the nonce was drawn
    bool is_revoked = false;

    friend bool operator==(const Leftover&, const Leftover&) = default;
};

// What a store keeps of a slot. No secret is in it.
struct RotationRecord {
    static constexpr int schema = 1;

    std::string slot;
    std::string tenant_uid;  // of whoever rotates, as are the next
    std::string user_uid;
    std::string org_name;
    palette::lifecycle::RotationState state = palette::lifecycle::RotationState::idle;

    // Of the rotation under way.
    std::string rotation_id;
    std::string nonce;
    std::optional<Instant> drawn_at;
    std::string old_uid;
    Expiry old_expiry;
    std::string key_name;
    std::string owner_uid;
    std::string new_uid;
    std::optional<palette::lifecycle::Receipt> receipt;
    std::optional<std::uint64_t> expected_current;
    std::optional<Instant> proven_at;
    std::string broken_uid;  // of the current key, if it was refused and is being replaced in its turn
    bool hook_done = false;
    bool has_revoked_old = false;
    std::optional<Instant> overlap_until;
    std::optional<Instant> quarantine_until;
    int proofs_failed = 0;

    // Of the current key, as it was proved: when the next rotation is due.
    std::optional<Instant> due;

    // Of attempts that failed in a row.
    int failures = 0;
    std::optional<Instant> retry_at;
    std::string why_failed;  // the last of them, in words

    std::vector<Leftover> leftovers;

    friend bool operator==(const RotationRecord&, const RotationRecord&) = default;
};

// The record as one line of JSON.
std::string to_text(const RotationRecord& record);

// Reads what to_text() writes. Errors: errc::bad_value, with the field in Error::path(), for anything else, a
// newer schema included; never a record that has only a part of what was written.
Result<RotationRecord> parse_record(std::string_view text);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/rotation/rotation_record.ipp>
#endif
