// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/instant.hpp>

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

// Who a credential belongs to.
class Identity {
public:
    Identity() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    std::string user_uid;
    std::string tenant_uid;
    std::string org_name;

    friend bool operator==(const Identity&, const Identity&) = default;
};

// A user of the tenant, as the service describes them.
class User {
public:
    User() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    std::string uid;
    std::string email;
    std::string first_name;
    std::string last_name;
    std::vector<std::string> roles;
    bool is_active = false;
    std::optional<Instant> last_sign_in;

    friend bool operator==(const User&, const User&) = default;
};

// One line each, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Identity& identity);
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const User& user);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/user.ipp>
#endif
