// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>
#include <palette/detail/pending_create.hpp>
#include <palette/detail/printable.hpp>
#include <palette/impl/values/create_mark.hpp>
#include <palette/impl/values/text.hpp>

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

namespace detail {

// A record may be written by hand or come from a file, and its texts go into messages and logs.
inline Result<void> check_pending_text(std::string_view text, std::string_view field) {
    if (auto const* const fault = fault_of_text(text)) return bad_pending(field, fault);
    return {};
}

// Without them, whoever asks next would look for the keys, find none of another's, and report success.
inline Result<void> check_pending_caller(std::string_view uid, std::string_view field) {
    if (uid.empty()) return bad_pending(field, "does not say who asked for the key");
    return check_pending_text(uid, field);
}

PALETTE_KEYS_INLINE bool operator==(const SharedPending& a, const SharedPending& b) {
    // By what they say: errors that are equal need not share the record.
    return a.pending_ == b.pending_ || (a.pending_ && b.pending_ && *a.pending_ == *b.pending_);
}

}  // namespace detail

PALETTE_KEYS_INLINE std::string PendingCreate::make_nonce() {
    std::array<unsigned char, detail::nonce_length / 2> random{};
    // Random and not counted: the nonce has to be unique among all programs of a tenant, also after a crash.
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
        throw Exception(Error(errc::system, "the system has no randomness to give").path("nonce"));
    return detail::to_hex(random);
}

PALETTE_KEYS_INLINE Result<PendingCreate> PendingCreate::of_nonce(std::string nonce, std::string name,
                                                                  Identity by, std::string owner_uid) {
    if (!detail::is_nonce(nonce)) return detail::bad_pending("nonce", detail::nonce_form);
    if (auto good = detail::check_pending_text(name, "name"); !good) return std::move(good.error());
    if (auto good = detail::check_pending_text(owner_uid, "ownerUid"); !good) return std::move(good.error());
    if (auto good = detail::check_pending_caller(by.user_uid, "userUid"); !good)
        return std::move(good.error());
    if (auto good = detail::check_pending_caller(by.tenant_uid, "tenantUid"); !good)
        return std::move(good.error());
    PendingCreate pending;
    pending.nonce_ = std::move(nonce);
    pending.name_ = std::move(name);
    pending.owner_uid_ = std::move(owner_uid);
    pending.user_uid_ = std::move(by.user_uid);
    // No attempts: it covers all of them, since nobody knows yet how many there will be.
    pending.tenant_uid_ = std::move(by.tenant_uid);
    return pending;
}

PALETTE_KEYS_INLINE PendingCreate::PendingCreate(std::string nonce, std::string name, std::string owner_uid,
                                                 Identity by, Instant started_at, std::vector<int> attempts)
    : nonce_(std::move(nonce)),
      name_(std::move(name)),
      owner_uid_(std::move(owner_uid)),
      user_uid_(std::move(by.user_uid)),
      tenant_uid_(std::move(by.tenant_uid)),
      started_at_(detail::clamp(started_at)),
      attempts_(std::move(attempts)) {
    // None is any, and would take in the key whose value was delivered.
    if (attempts_.empty())
        throw Exception(detail::bad_pending("attempts", "a pending create names at least one attempt"));
}

PALETTE_KEYS_INLINE bool PendingCreate::matches(std::string_view mark) const noexcept {
    auto const attempt = detail::attempt_of(mark, nonce_);
    // The attempts are in order. A key of this nonce whose attempt is not among them may be the one that was
    // delivered.
    return attempt != 0 && (covers_all_attempts() || std::ranges::binary_search(attempts_, attempt));
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const PendingCreate& pending) {
    out << "PendingCreate " << detail::in_quotes(pending.name()) << ", nonce "
        << detail::printable(pending.nonce()) << ", attempts ";
    if (pending.covers_all_attempts()) out << "any";
    for (char const* comma = ""; int const attempt : pending.attempts()) {
        out << comma << attempt;
        comma = " ";
    }
    return out;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Reconciliation& done) {
    auto const list = [&](const char* title, const std::vector<std::string>& uids) {
        out << title << (uids.empty() ? " none" : "");
        for (auto const& uid : uids)
            out << ' ' << detail::printable(uid);
    };
    out << "Reconciliation,";
    list(" removed", done.removed());
    list(", not removed", done.not_removed());
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
