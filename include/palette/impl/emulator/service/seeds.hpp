// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/service/service.hpp>
#include <palette/testing/test_user.hpp>

#include <array>
#include <cstddef>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// What is in a tenant without a request having put it there.

testing::TestUser make_user(Service& service, const testing::NewTestUser& user);
CreatedApiKey make_key(Service& service, const NewApiKey& wanted, const UserRecord& owner);
// Gives the uid of the event.
std::string make_event(Service& service, AuditEvent event);

// One for each role, with a key that never ends.
std::array<testing::TestUser, 4> make_first_users(Service& service);

// `count` keys, of users of their own with `max_per_user` each.
void add_many_keys(Service& service, std::size_t count, std::size_t max_per_user);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/service/seeds.ipp>
#endif
