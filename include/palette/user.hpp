// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/instant.hpp>

#include <iosfwd>
#include <optional>
#include <string>
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

/// Writes the object on one line, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Identity& identity);
/// Same.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const User& user);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/user.ipp>
#endif
