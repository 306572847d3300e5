// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/caller.hpp>
#include <palette/impl/lifecycle/plans/plan_maker.hpp>
#include <palette/lifecycle/plan.hpp>
#include <palette/user.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

// Keys, users and plans of no service.
namespace plan_samples {

using namespace std::chrono_literals;
using namespace palette;

inline constexpr Instant noon = std::chrono::sys_days{2026y / 11 / 28} + 12h;
inline const std::string tenant = "5f0000000000000000000001";
inline const std::string actor = "5f000000000000000000000a";

inline ApiKey key(std::string uid, std::string owner = "u1", Expiry expiry = Expiry::at(noon + 240h)) {
    ApiKey key;
    key.uid = std::move(uid);
    key.name = "key " + key.uid;
    key.owner = Owner(std::move(owner), "Ada", "Lovelace");
    key.expiry = expiry;
    key.is_active = true;
    key.created = noon - 240h;
    key.modified = noon - 24h;
    return key;
}

inline User user(std::string uid, std::vector<std::string> roles = {}) {
    User user;
    user.email = uid + "@acme.com";
    user.uid = std::move(uid);
    user.roles = std::move(roles);
    user.is_active = true;
    return user;
}

inline Caller caller(Credential::Kind kind = Credential::Kind::token, std::string key_uid = {}) {
    Caller caller;
    caller.identity.tenant_uid = tenant;
    caller.identity.user_uid = actor;
    caller.identity.org_name = "acme";
    caller.kind = kind;
    caller.key_uid = std::move(key_uid);
    return caller;
}

inline UserList users(std::vector<User> of, bool is_complete = true) {
    ListOf<User> list;
    for (auto& one : of)
        list.push_back(std::move(one));
    auto const number = list.size();
    return UserList(std::move(list), number, is_complete);
}

inline impl::lifecycle::PlanSources sources(std::vector<ApiKey> keys, std::vector<User> of = {},
                                            Caller who = caller()) {
    impl::lifecycle::PlanSources made;
    made.caller = std::move(who);
    made.keys = KeyList(keys.begin(), keys.end(), noon);
    of.push_back(user(actor, {"admin"}));
    made.users = users(std::move(of));
    return made;
}

inline Result<lifecycle::Plan> make(const impl::lifecycle::PlanSources& from,
                                    lifecycle::Selection selection = lifecycle::Selection::matching({}),
                                    lifecycle::Action action = lifecycle::Action::revoke(),
                                    lifecycle::PlanOptions options = {}) {
    impl::lifecycle::PlanMaker const maker(std::move(selection), std::move(action), std::move(options));
    if (auto fault = maker.check()) return *std::move(fault);
    return maker.make(from);
}

// A plan of that many keys, out of a tenant of ten times as many.
inline lifecycle::Plan plan_of(std::size_t number, lifecycle::Action action = lifecycle::Action::revoke(),
                               lifecycle::PlanOptions options = {}) {
    std::vector<ApiKey> keys;
    std::vector<std::string> chosen;
    for (std::size_t i = 0; i < number * 10; ++i) {
        auto uid = std::to_string(100'000 + i);
        if (i < number) chosen.push_back(uid);
        keys.push_back(key(std::move(uid), "u1"));
    }
    return make(sources(std::move(keys), {user("u1")}), lifecycle::Selection::uids(std::move(chosen)),
                std::move(action), std::move(options))
        .value();
}

}  // namespace plan_samples
