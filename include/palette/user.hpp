// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/instant.hpp>
#include <palette/list_of.hpp>

#include <cstddef>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

/// Identifies the user that a credential belongs to.
class Identity {
public:
    /// Constructs an identity without content.
    Identity() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Identifies the user.
    std::string user_uid;
    /// Identifies the tenant.
    std::string tenant_uid;
    /// Names the organisation.
    std::string org_name;

    /// Compares all members.
    friend bool operator==(const Identity&, const Identity&) = default;
};

/// Describes a user of the tenant, as the service does.
class User {
public:
    /// Constructs a user without content.
    User() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Identifies the user; never changes.
    std::string uid;
    /// Gives the e-mail address.
    std::string email;
    /// Gives the first name; may be empty.
    std::string first_name;
    /// Gives the last name; may be empty.
    std::string last_name;
    /// Lists the roles of the user.
    std::vector<std::string> roles;
    /// Tells whether the user is active.
    bool is_active = false;
    /// Tells when the user last signed in; nothing if the service does not say.
    std::optional<Instant> last_sign_in;

    /// Compares all members.
    friend bool operator==(const User&, const User&) = default;
};

/// Holds the users of a tenant, in the service's order, and the service's time when it answered. A range of
/// User with random access.
///
/// That somebody is not in the list means something only if is_complete().
class UserList : public ListOf<User> {
public:
    using ListOf::ListOf;
    /// Constructs a list of the users of `users`, of which the service says that there are `total`.
    explicit UserList(ListOf<User> users, std::optional<std::size_t> total, bool is_complete)
        : ListOf(std::move(users)),
          total_(total),
          is_complete_(is_complete) {}

    /// Returns how many users there are, as the service says; nothing if it does not say. The largest of the
    /// numbers, if pages of the list have different ones.
    [[nodiscard]] std::optional<std::size_t> total() const noexcept { return total_; }
    /// Tells whether all pages were read and, where the service says how many users there are, at least that
    /// many different ones came. False for a list that was not read from a service, unless it was constructed
    /// as a complete one.
    [[nodiscard]] bool is_complete() const noexcept { return is_complete_; }

    /// Compares the users, in their order, as_of(), total() and is_complete().
    friend bool operator==(const UserList&, const UserList&) = default;

private:
    std::optional<std::size_t> total_;
    bool is_complete_ = false;
};

/// Writes the object on one line, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Identity& identity);
/// Same.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const User& user);
/// Writes how many users there are, and their addresses.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const UserList& users);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/user.ipp>
#endif
