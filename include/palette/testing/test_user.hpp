// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/secret.hpp>

#include <iosfwd>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::testing {

enum class Role {
    tenant_admin,       // does everything to every key of the tenant
    tenant_user_admin,  // the same
    tenant_viewer,      // reads and lists them
    user,               // does everything to their own
};

// "tenant_admin"
PALETTE_KEYS_DECL std::string_view to_string(Role role) noexcept;
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, Role role);

// A user to be added.
struct NewTestUser {
    std::string email;
    Role role = Role::user;
    bool single_sign_on = false;  // no password: they come in through Emulator::sign_in()
    bool mfa = false;             // logging in with the password alone gives a token that is no good yet
    std::string first_name = "Test";
    std::string last_name = "User";
};

// A user of the emulator's tenant, with what they log in with. Move-only.
class TestUser {
public:
    std::string uid;
    std::string email;
    Role role = Role::user;  // when they were added
    Secret password;         // empty for single sign-on
    Secret api_key;          // of the four users that are there from the start; empty for others
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/service/test_user.ipp>
#endif
