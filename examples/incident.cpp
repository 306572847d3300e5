// SPDX-License-Identifier: BSL-1.0
//
// An incident: every key of a user has leaked, and all of them are revoked, as fast as the service allows.
// Here the user is the one whose key the program itself uses. That key comes last, when all others are
// revoked, so that the program does not lock itself out half-way.
//
// Run it: incident. It talks to an emulator of its own: it would take your own key away from you.
#include "demonstration.hpp"

#include <palette/api_keys.hpp>
#include <palette/lifecycle/apply.hpp>
#include <palette/lifecycle/plan.hpp>
#include <palette/testing/emulator.hpp>

#include <cstddef>
#include <exception>
#include <iostream>
#include <string>

namespace lifecycle = palette::lifecycle;
using palette::testing::Role;

namespace {

void show_progress(const lifecycle::BulkItem& item, std::size_t finished, std::size_t total) {
    std::cout << finished << " of " << total << "  " << item.uid << "  " << item.sentence << '\n';
}

}  // namespace

int main() try {
    palette::testing::Emulator emulator({.keys = 40});
    auto const& admin = emulator.user(Role::tenant_admin);
    for (int i = 1; i <= 12; ++i)
        static_cast<void>(
            emulator.seed_key(palette::NewApiKey("leaked-" + std::to_string(i)).for_user(admin.uid)));

    // With the uid of its key, a client knows which one is its own.
    auto options = emulator.client_options(Role::tenant_admin);
    options.auth = palette::auth::api_key(palette::Secret(admin.api_key.expose()), admin.api_key_uid);
    palette::BlockingApiKeyClient client(options);

    auto const whose = client.find_user(admin.email).value();
    auto const plan =
        lifecycle::plan(client, lifecycle::Selection::owner(whose.uid), lifecycle::Action::revoke()).value();
    std::cout << plan << '\n';
    for (auto const& item : plan.items)
        for (auto const guard : item.guards)
            std::cout << item.uid << " is guarded: " << guard << '\n';

    // Each guard that speaks is answered. Without that, the program's own key would stay.
    example::ScratchDirectory const folder;
    auto const report = lifecycle::apply(client, plan,
                                         lifecycle::ApplyOptions(folder.file("incident.journal"))
                                             .include(lifecycle::Guard::last_user_key)
                                             .include(lifecycle::Guard::last_admin_key)
                                             .allow_own_key()
                                             .allow_large_share()
                                             .on_progress(show_progress))
                            .value();
    std::cout << report << '\n';

    auto const after = client.whoami();
    if (after) {
        std::cerr << "incident: the own key still works\n";
        return 1;
    }
    std::cout << "and now: " << after.error().message() << '\n';
    return report.is_complete() && report.count(lifecycle::BulkOutcome::done) == 13 ? 0 : 1;
} catch (const std::exception& e) {
    std::cerr << "incident: " << e.what() << '\n';
    return 1;
}
