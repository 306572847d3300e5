// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/testing/test_user.hpp>

#include <cstddef>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

enum class Operation {
    list_keys,
    create_key,
    read_key,
    update_key,
    patch_key,  // isActive
    set_state,  // isActive
    delete_key,
    log_in,
    refresh,
    who_am_i,
    list_users,
    read_user,
    list_audits,
    read_limits,
};

// Whose keys an operation may touch.
enum class Reach { nobody, own, everyone };

// Who may do what to which keys: one row for each role, one column for each operation.
constexpr Reach reach_of(testing::Role role, Operation operation) noexcept {
    constexpr auto none = Reach::nobody;
    constexpr auto own = Reach::own;
    constexpr auto all = Reach::everyone;
    constexpr Reach table[][7] = {
        //                    list create read update patch state delete
        /* tenant_admin      */ {all, all, all, all, all, all, all},
        /* tenant_user_admin */ {all, all, all, all, all, all, all},
        /* tenant_viewer     */ {all, none, all, none, none, none, none},
        /* user              */ {own, own, own, own, own, own, own},
    };
    return table[static_cast<std::size_t>(role)][static_cast<std::size_t>(operation)];
}

// Users, the audit log, limits.
constexpr bool may_read_tenant(testing::Role role) noexcept {
    return role != testing::Role::user;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
