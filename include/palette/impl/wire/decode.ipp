// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/values/uid.hpp>
#include <palette/impl/wire/decode.hpp>
#include <palette/impl/wire/schema.hpp>
#include <palette/impl/wire/shapes.hpp>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

PALETTE_KEYS_INLINE const Shape& Document<ApiKey>::shape() noexcept {
    return shapes::key;
}
PALETTE_KEYS_INLINE const Shape& Document<KeyPage>::shape() noexcept {
    return shapes::key_page;
}
PALETTE_KEYS_INLINE const Shape& Document<UserPage>::shape() noexcept {
    return shapes::user_page;
}
PALETTE_KEYS_INLINE const Shape& Document<User>::shape() noexcept {
    return shapes::user;
}
PALETTE_KEYS_INLINE const Shape& Document<AuditPage>::shape() noexcept {
    return shapes::audit_page;
}
PALETTE_KEYS_INLINE const Shape& Document<ResourceLimits>::shape() noexcept {
    return shapes::resource_limits;
}
PALETTE_KEYS_INLINE const Shape& Document<UserToken>::shape() noexcept {
    return shapes::token;
}
PALETTE_KEYS_INLINE const Shape& Document<Identity>::shape() noexcept {
    return shapes::identity;
}
PALETTE_KEYS_INLINE const Shape& Document<ErrorBody>::shape() noexcept {
    return shapes::error;
}
PALETTE_KEYS_INLINE const Shape& Document<CreatedApiKey>::shape() noexcept {
    return shapes::created;
}

PALETTE_KEYS_INLINE Result<CreatedApiKey> Document<CreatedApiKey>::finish(Value&& value) {
    auto const* const fault = detail::fault_of_uid(value.uid);
    // A value that came is delivered. What is no uid is as good as none, and leads to no path.
    if (!value.secret.empty())
        // Not confirmed yet: a read has to show whose uid this is (W8).
        return CreatedApiKey(fault == nullptr ? std::move(value.uid) : std::string(), std::move(value.secret),
                             false);
    if (value.uid.empty())
        return Error(errc::bad_value, "the answer has neither apiKey nor uid").effect(on_error);
    if (fault != nullptr) return Error(errc::bad_value, fault).path("uid").effect(on_error);
    // W8: which of the two the uid is, only a read can tell.
    return Error(errc::missing_key_value,
                 "a key was created, but the answer has no value, and only the uid " +
                     detail::printable(value.uid) + ", which is the key's or the user's")
        .key_uid(detail::printable(value.uid))
        .effect(Effect::applied);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire
