// SPDX-License-Identifier: BSL-1.0
//
// Keys whose owner has left: an audit finds them by the list of users and a roster of those who are still
// there, a plan shows what would be done, and the plan is applied. The keys are revoked and not deleted, so
// that whoever misses one can have it back.
//
// Run it: sweep_orphans [roster.csv]. The roster is an export of the identity provider, with a column
// "email". With PALETTE_HOST and PALETTE_API_KEY set it talks to that service, and only shows the plan;
// otherwise to an emulator of its own, with a colleague who has left.
#include "demonstration.hpp"

#include <palette/api_keys.hpp>
#include <palette/lifecycle/apply.hpp>
#include <palette/lifecycle/audit.hpp>
#include <palette/lifecycle/plan.hpp>
#include <palette/testing/emulator.hpp>

#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>

namespace lifecycle = palette::lifecycle;
using palette::testing::Role;

namespace {

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("no file " + path);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

// The keys of people who are not there any more, and why that is known.
lifecycle::Plan plan_sweep(palette::BlockingApiKeyClient& client, const std::string& roster_file) {
    auto policy = lifecycle::AuditPolicy().only({lifecycle::AuditRule::orphaned});
    if (!roster_file.empty()) policy.roster(lifecycle::Roster::parse(read_file(roster_file)).value());
    auto const report = lifecycle::audit(client, policy).value();
    std::cout << report.to_text() << '\n';
    // Of what is only inferred, nothing enters the plan.
    auto const orphans = lifecycle::Selection::findings(report, {lifecycle::AuditRule::orphaned});
    return lifecycle::plan(client, orphans, lifecycle::Action::revoke()).value();
}

// A colleague with single sign-on, who left: the keys stayed.
void let_somebody_leave(palette::testing::Emulator& emulator) {
    auto const leaver = emulator.add_user({.email = "grace@acme.com", .single_sign_on = true});
    for (auto const* const name : {"grace-laptop", "grace-nightly"})
        static_cast<void>(emulator.seed_key(palette::NewApiKey(name).for_user(leaver.uid)));
    emulator.remove_user(leaver.uid);
}

void show(const lifecycle::BulkReport& report) {
    for (auto const& item : report.items)
        std::cout << item.uid << "  " << item.outcome << ": " << item.sentence << '\n';
    std::cout << report << '\n';
}

}  // namespace

int main(int argc, char** argv) try {
    std::string const roster = argc > 1 ? argv[1] : "";
    if (char const* const host = std::getenv("PALETTE_HOST"); host != nullptr && *host != '\0') {
        palette::BlockingApiKeyClient client(palette::ClientOptions::from_environment().value());
        std::cout << plan_sweep(client, roster).to_text();
        return 0;
    }

    palette::testing::Emulator emulator({.keys = 20});
    let_somebody_leave(emulator);
    palette::BlockingApiKeyClient client(emulator.client_options(Role::tenant_admin));
    auto const plan = plan_sweep(client, roster);
    std::cout << plan.to_text() << '\n';  // for a file, a pull request, a second pair of eyes

    // What was reviewed is what is applied: a text that was changed on the way is refused.
    auto const reviewed = lifecycle::Plan::parse(plan.to_text()).value();
    example::ScratchDirectory const folder;
    auto const options = lifecycle::ApplyOptions(folder.file("sweep.journal"));
    auto const report = lifecycle::apply(client, reviewed, options).value();
    show(report);
    // Applied again, as after a kill, it finds that nothing is left to do.
    show(lifecycle::apply(client, reviewed, options).value());
    return report.is_complete() && report.count(lifecycle::BulkOutcome::done) == 2 ? 0 : 1;
} catch (const std::exception& e) {
    std::cerr << "sweep_orphans: " << e.what() << '\n';
    return 1;
}
