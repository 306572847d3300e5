// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/detail/pending_create.hpp>
#include <palette/detail/printable.hpp>
#include <palette/impl/values/create_mark.hpp>

#include <ostream>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE NewApiKey& NewApiKey::description(std::string text) & {
    description_ = std::move(text);
    return *this;
}

PALETTE_KEYS_INLINE NewApiKey& NewApiKey::expires(Expiry expiry) & noexcept {
    expiry_ = expiry;
    // Of the two, the one that is set last counts.
    lifetime_.reset();
    return *this;
}

PALETTE_KEYS_INLINE NewApiKey& NewApiKey::lives_for(std::chrono::milliseconds duration) & noexcept {
    lifetime_ = duration;
    expiry_.reset();
    return *this;
}

PALETTE_KEYS_INLINE Expiry NewApiKey::expiry_at(Instant now) const noexcept {
    // A key that nobody gave an end must not live for ever.
    constexpr std::chrono::milliseconds otherwise = std::chrono::days{30};
    return expiry_ ? *expiry_ : Expiry::in(lifetime_.value_or(otherwise), now);
}

PALETTE_KEYS_INLINE NewApiKey& NewApiKey::for_user(std::string uid) & {
    user_uid_ = std::move(uid);
    // Told apart from "not set": a uid that a program failed to find must not make the caller the owner.
    names_user_ = true;
    return *this;
}

PALETTE_KEYS_INLINE NewApiKey& NewApiKey::annotate(std::string_view key, std::string_view value) & {
    // W5: the service keeps the description as this annotation.
    if (key == detail::description_annotation) return description(std::string(value));
    annotations_.set(key, value);
    return *this;
}

PALETTE_KEYS_INLINE NewApiKey& NewApiKey::label(std::string_view key, std::string_view value) & {
    labels_.set(key, value);
    return *this;
}

// Here and not with the rest of PendingCreate: there a key that is to be created is not known yet.
PALETTE_KEYS_INLINE Result<PendingCreate> PendingCreate::of_nonce(std::string nonce, const NewApiKey& key,
                                                                  Identity by) {
    // The create will be refused for this. The record would search for keys of the caller.
    if (key.names_user() && key.user_uid().empty())
        return detail::bad_pending("ownerUid", "the key is for a user without a uid");
    return of_nonce(std::move(nonce), key.name(), std::move(by), key.user_uid());
}

PALETTE_KEYS_INLINE ApiKeyEdit& ApiKeyEdit::name(std::string text) & {
    name_ = std::move(text);
    return *this;
}

PALETTE_KEYS_INLINE ApiKeyEdit& ApiKeyEdit::description(std::string text) & {
    description_ = std::move(text);
    return *this;
}

PALETTE_KEYS_INLINE ApiKeyEdit& ApiKeyEdit::expires(Expiry expiry) & noexcept {
    expiry_ = expiry;
    return *this;
}

PALETTE_KEYS_INLINE ApiKey ApiKeyEdit::applied_to(ApiKey key) const {
    if (name_) key.name = *name_;
    if (description_) key.description = *description_;
    if (expiry_) key.expiry = *expiry_;
    return key;
}

PALETTE_KEYS_INLINE ListFilter& ListFilter::name(std::string text) & {
    name_ = std::move(text);
    return *this;
}

PALETTE_KEYS_INLINE ListFilter& ListFilter::owner(std::string uid) & {
    owner_ = std::move(uid);
    return *this;
}

PALETTE_KEYS_INLINE ListFilter& ListFilter::state(KeyState state) & noexcept {
    state_ = state;
    return *this;
}

PALETTE_KEYS_INLINE ListFilter& ListFilter::expires_before(Expiry time) & noexcept {
    expires_before_ = time;
    return *this;
}

PALETTE_KEYS_INLINE ListFilter& ListFilter::expires_within(std::chrono::milliseconds duration) & noexcept {
    expires_within_ = duration;
    return *this;
}

PALETTE_KEYS_INLINE bool ListFilter::matches_at(const ApiKey& key, Instant now) const noexcept {
    auto const ends_soon = [&] {
        return !key.expiry.is_never() && key.expiry.remaining(now) <= *expires_within_;
    };
    return (!name_ || key.name == *name_) && (!owner_ || key.owner.uid == *owner_) &&
           (!state_ || key.state(now) == *state_) && (!expires_before_ || key.expiry < *expires_before_) &&
           (!expires_within_ || ends_soon());
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const NewApiKey& key) {
    out << "NewApiKey " << detail::in_quotes(key.name());
    if (!key.description().empty()) out << ", description " << detail::in_quotes(key.description());
    if (key.expiry()) out << ", expires " << *key.expiry();
    // Not as a time: the service's clock decides when it ends, and is not known yet.
    if (key.lifetime()) out << ", lives for " << key.lifetime()->count() << " ms";
    if (key.names_user()) out << ", for user " << detail::printable(key.user_uid());
    if (!key.annotations().empty()) out << ", annotations " << key.annotations();
    if (!key.labels().empty()) out << ", labels " << key.labels();
    return out;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const ApiKeyEdit& edit) {
    out << "ApiKeyEdit";
    if (edit.empty()) out << " of nothing";
    if (edit.name()) out << ", name " << detail::in_quotes(*edit.name());
    if (edit.description()) out << ", description " << detail::in_quotes(*edit.description());
    if (edit.expiry()) out << ", expires " << *edit.expiry();
    return out;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const ListFilter& filter) {
    out << "ListFilter";
    if (filter.name_) out << ", name " << detail::in_quotes(*filter.name_);
    if (filter.owner_) out << ", owner " << detail::printable(*filter.owner_);
    if (filter.state_) out << ", " << *filter.state_;
    if (filter.expires_before_) out << ", expires before " << *filter.expires_before_;
    if (filter.expires_within_) out << ", expires within " << filter.expires_within_->count() << " ms";
    return out;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const CreatedApiKey& key) {
    return out << "CreatedApiKey " << detail::printable(key.uid())
               << (key.confirmed() ? ", confirmed" : ", not confirmed")
               << (key.pending() ? ", others pending" : "") << ", value withheld";
}

}  // namespace palette::inline PALETTE_KEYS_ABI
