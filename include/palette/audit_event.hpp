// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/instant.hpp>
#include <palette/list_of.hpp>

#include <iosfwd>
#include <optional>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

/// Describes an event of the tenant's audit log, as the service does. An event has neither the key, nor the
/// method of authentication, nor the address that a request came with; whether operations on API keys are
/// written to the log at all is not documented.
class PALETTE_KEYS_DECL AuditEvent {
public:
    /// Identifies what an event is about.
    class Resource {
    public:
        /// Constructs a resource without content.
        Resource() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

        /// Identifies the resource.
        std::string uid;
        /// Names the kind of the resource, such as "user".
        std::string kind;
        /// Names the resource; may be empty.
        std::string name;
        /// Gives the label of the resource; may be empty.
        std::string label;

        /// Compares all members.
        friend bool operator==(const Resource&, const Resource&) = default;
    };

    /// Identifies who has caused an event.
    class Actor {
    public:
        /// Constructs an actor without content.
        Actor() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

        /// Names the type of the actor: "user", "system" or "service".
        std::string type;
        /// Identifies the user; empty for other actors.
        std::string user_uid;
        /// Gives the e-mail address of the user.
        std::string email;
        /// Gives the first name of the user; may be empty.
        std::string first_name;
        /// Gives the last name of the user; may be empty.
        std::string last_name;
        /// Names the project that the actor worked in; may be empty.
        std::string project;
        /// Names the service; empty for other actors.
        std::string service;

        /// Compares all members.
        friend bool operator==(const Actor&, const Actor&) = default;
    };

    /// Constructs an event without content.
    AuditEvent() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Identifies the event.
    std::string uid;
    /// Tells when the event happened; nothing if the service does not say.
    std::optional<Instant> created;
    /// Names what was done: "create", "update", "delete", "publish", "deploy", "activity" or "action".
    std::string action;
    /// Describes what was done, in the service's words.
    std::string action_message;
    /// Gives further content, in the service's words; may be empty.
    std::string content_message;
    /// Gives the message for the user; may be empty.
    std::string user_message;
    /// Identifies what the event is about.
    Resource resource;
    /// Identifies who has caused the event.
    Actor actor;

    /// Compares all members.
    friend bool operator==(const AuditEvent&, const AuditEvent&) = default;
};

/// Selects events of the audit log: those that meet every condition that is set. The service applies the
/// filter; what it gives all the same is dropped by the client, if it plainly is something else.
///
///     auto filter = AuditEventFilter().from(keys.as_of() - days{30}).user(uid).action("delete");
///
/// Values that cannot be sent are refused by the operation, not by the setters: an empty text, one that is
/// not UTF-8, a time outside of the years 1 to 9999, an end before the beginning.
class PALETTE_KEYS_DECL AuditEventFilter {
public:
    /// Constructs a filter without a condition.
    AuditEventFilter() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Selects events from this time on.
    AuditEventFilter& from(Instant time) & noexcept;
    /// Selects events until this time, which is included.
    AuditEventFilter& until(Instant time) & noexcept;
    /// Selects events that this user has caused.
    AuditEventFilter& user(std::string uid) &;
    /// Selects events about resources of this kind, such as "user".
    AuditEventFilter& resource_kind(std::string text) &;
    /// Selects events about this resource.
    AuditEventFilter& resource(std::string uid) &;
    /// Selects events of this action, such as "delete".
    AuditEventFilter& action(std::string text) &;

    /// Same, on a temporary.
    AuditEventFilter from(Instant time) && noexcept { return std::move(from(time)); }
    /// Same, on a temporary.
    AuditEventFilter until(Instant time) && noexcept { return std::move(until(time)); }
    /// Same, on a temporary.
    AuditEventFilter user(std::string uid) && { return std::move(user(std::move(uid))); }
    /// Same, on a temporary.
    AuditEventFilter resource_kind(std::string text) && { return std::move(resource_kind(std::move(text))); }
    /// Same, on a temporary.
    AuditEventFilter resource(std::string uid) && { return std::move(resource(std::move(uid))); }
    /// Same, on a temporary.
    AuditEventFilter action(std::string text) && { return std::move(action(std::move(text))); }

    /// Returns the first time; nothing if it is open.
    [[nodiscard]] std::optional<Instant> from() const noexcept { return from_; }
    /// Returns the last time; nothing if it is open.
    [[nodiscard]] std::optional<Instant> until() const noexcept { return until_; }
    /// Returns the uid of the user; nothing for events of all.
    [[nodiscard]] const std::optional<std::string>& user() const& noexcept { return user_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::optional<std::string> user() const&& { return user_; }
    /// Returns the kind of the resources; nothing for all kinds.
    [[nodiscard]] const std::optional<std::string>& resource_kind() const& noexcept { return kind_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::optional<std::string> resource_kind() const&& { return kind_; }
    /// Returns the uid of the resource; nothing for all resources.
    [[nodiscard]] const std::optional<std::string>& resource() const& noexcept { return resource_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::optional<std::string> resource() const&& { return resource_; }
    /// Returns the action; nothing for all actions.
    [[nodiscard]] const std::optional<std::string>& action() const& noexcept { return action_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::optional<std::string> action() const&& { return action_; }

    /// Returns whether nothing in `event` contradicts a condition. What the event does not say contradicts
    /// none.
    [[nodiscard]] bool matches(const AuditEvent& event) const noexcept;

    /// Compares all members.
    friend bool operator==(const AuditEventFilter&, const AuditEventFilter&) = default;

private:
    std::optional<Instant> from_;
    std::optional<Instant> until_;
    std::optional<std::string> user_;
    std::optional<std::string> kind_;
    std::optional<std::string> resource_;
    std::optional<std::string> action_;
};

/// Holds events of the audit log, in the service's order, and the service's time when it answered. A range of
/// AuditEvent with random access.
class AuditEventList : public ListOf<AuditEvent> {
public:
    using ListOf::ListOf;

    /// Compares the events, in their order, and as_of().
    friend bool operator==(const AuditEventList&, const AuditEventList&) = default;
};

/// Writes the object on one line, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const AuditEvent& event);
/// Writes the conditions on one line, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const AuditEventFilter& filter);
/// Writes how many events there are.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const AuditEventList& events);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/audit_event.ipp>
#endif
