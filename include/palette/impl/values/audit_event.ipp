// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/audit_event.hpp>
#include <palette/detail/printable.hpp>
#include <palette/expiry.hpp>

#include <ostream>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

PALETTE_KEYS_INLINE AuditEventFilter& AuditEventFilter::from(Instant time) & noexcept {
    from_ = time;
    return *this;
}

PALETTE_KEYS_INLINE AuditEventFilter& AuditEventFilter::until(Instant time) & noexcept {
    until_ = time;
    return *this;
}

PALETTE_KEYS_INLINE AuditEventFilter& AuditEventFilter::user(std::string uid) & {
    user_ = std::move(uid);
    return *this;
}

PALETTE_KEYS_INLINE AuditEventFilter& AuditEventFilter::resource_kind(std::string text) & {
    kind_ = std::move(text);
    return *this;
}

PALETTE_KEYS_INLINE AuditEventFilter& AuditEventFilter::resource(std::string uid) & {
    resource_ = std::move(uid);
    return *this;
}

PALETTE_KEYS_INLINE AuditEventFilter& AuditEventFilter::action(std::string text) & {
    action_ = std::move(text);
    return *this;
}

PALETTE_KEYS_INLINE bool AuditEventFilter::matches(const AuditEvent& event) const noexcept {
    auto const agrees = [](const std::optional<std::string>& wanted, const std::string& text) {
        // The service leaves out what is empty (W1), and it has filtered already: what is not told cannot
        // contradict.
        return !wanted || text.empty() || text == *wanted;
    };
    bool const in_time =
        !event.created || ((!from_ || *event.created >= *from_) && (!until_ || *event.created <= *until_));
    return in_time && agrees(user_, event.actor.user_uid) && agrees(kind_, event.resource.kind) &&
           agrees(resource_, event.resource.uid) && agrees(action_, event.action);
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const AuditEvent& event) {
    out << "AuditEvent " << detail::printable(event.uid);
    if (event.created) out << " at " << Expiry::at(*event.created);
    auto const& actor = event.actor;
    // Either a user or a service acts.
    auto const& name = !actor.email.empty() ? actor.email : actor.service;
    // Escaped, for anybody in the tenant may have chosen these texts.
    out << ": " << detail::printable(actor.type) << ' ' << detail::in_quotes(name) << ", "
        << detail::printable(event.action) << " of " << detail::printable(event.resource.kind) << ' '
        << detail::printable(event.resource.uid);
    return out;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const AuditEventFilter& filter) {
    out << "AuditEventFilter";
    if (filter.from()) out << ", from " << Expiry::at(*filter.from());
    if (filter.until()) out << ", until " << Expiry::at(*filter.until());
    if (filter.user()) out << ", user " << detail::printable(*filter.user());
    if (filter.resource_kind()) out << ", kind " << detail::in_quotes(*filter.resource_kind());
    if (filter.resource()) out << ", resource " << detail::printable(*filter.resource());
    if (filter.action()) out << ", action " << detail::in_quotes(*filter.action());
    return out;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const AuditEventList& events) {
    return out << events.size() << (events.size() == 1 ? " event" : " events");
}

}  // namespace palette::inline PALETTE_KEYS_ABI
