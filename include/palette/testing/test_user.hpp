// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/instant.hpp>
#include <palette/secret.hpp>

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::testing {

/// Tells what a user of the emulator may do.
enum class Role {
    tenant_admin,       ///< Everything with every key of the tenant.
    tenant_user_admin,  ///< The same.
    tenant_viewer,      ///< Read and list every key of the tenant.
    user,               ///< Everything with the user's own keys.
};

/// Returns the name of the role, such as "tenant_admin".
PALETTE_KEYS_DECL std::string_view to_string(Role role) noexcept;
/// Writes to_string().
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, Role role);

/// Describes a user to be added with Emulator::add_user().
///
///     auto gone = emulator.add_user(NewTestUser{.email = "g@acme.test", .single_sign_on = true}
///                                       .last_sign_in(keys.as_of() - days{200}));
struct NewTestUser {
    /// Gives the e-mail address.
    std::string email;
    /// Gives the role. Default: Role::user.
    Role role = Role::user;
    /// Makes the user a single sign-on user, who has no password and signs in through Emulator::sign_in().
    /// Default: false.
    bool single_sign_on = false;
    /// Requires a second factor: a login with the password alone returns a token that is not valid yet.
    /// Default: false.
    bool mfa = false;
    /// Gives the first name. Default: "Test".
    std::string first_name = "Test";
    /// Gives the last name. Default: "User".
    std::string last_name = "User";

    /// Tells whether the account of a user can be used.
    enum class Activity : std::uint8_t {
        active,    ///< It can be used.
        inactive,  ///< It was disabled.
        pending,   ///< It waits to be activated by its activation link.
    };
    /// Gives the activity of the account; see inactive() and pending(). Default: active.
    Activity activity = Activity::active;
    /// Gives the time of the last sign-in; see last_sign_in(). Default: never.
    std::optional<Instant> signed_in{};

    /// Sets the time of the last sign-in.
    NewTestUser& last_sign_in(Instant time) & noexcept {
        signed_in = time;
        return *this;
    }
    /// Disables the account: the user cannot sign in, and their keys are refused.
    NewTestUser& inactive() & noexcept {
        activity = Activity::inactive;
        return *this;
    }
    /// Lets the account wait to be activated: the user cannot sign in, and their keys are refused. Lists show
    /// an activation link, as the service does.
    NewTestUser& pending() & noexcept {
        activity = Activity::pending;
        return *this;
    }
    /// Same, on a temporary.
    NewTestUser last_sign_in(Instant time) && noexcept { return std::move(last_sign_in(time)); }
    /// Same, on a temporary.
    NewTestUser inactive() && noexcept { return std::move(inactive()); }
    /// Same, on a temporary.
    NewTestUser pending() && noexcept { return std::move(pending()); }
};

/// Describes a user of the emulator's tenant, with the credentials. Move-only.
class TestUser {
public:
    /// Identifies the user.
    std::string uid;
    /// Gives the e-mail address.
    std::string email;
    /// Gives the role that the user had when they were added.
    Role role = Role::user;
    /// Holds the password; empty for single sign-on.
    Secret password;
    /// Holds an API key of each of the four users that exist from the start; empty for others.
    Secret api_key;
    /// Identifies that API key; empty if there is none.
    std::string api_key_uid;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/service/test_user.ipp>
#endif
