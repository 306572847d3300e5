// SPDX-License-Identifier: BSL-1.0
//
// Looks at every key of a tenant, and says which are expired, about to expire, old, orphaned, forgotten or
// idle. Changes nothing.
//
// Run it: audit_tenant [--roster FILE] [--events] [--json FILE] [--csv FILE] [--sarif FILE] [--html FILE],
// with PALETTE_HOST and PALETTE_API_KEY set: the key of a tenant viewer will do. The roster is a CSV file of
// the people that the identity provider knows, with a column "email". --events reads the audit log, too. The
// report is printed, and written to each FILE in its format.
//
//     status 0   the report is complete, and no finding is an error
//     status 1   there are errors
//     status 2   the report is not complete, or there is none
//
// Without arguments it audits the tenant of an emulator of its own, in which all of it is to be found.
#include "demonstration.hpp"

#include <palette/api_keys.hpp>
#include <palette/lifecycle/audit.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <chrono>
#include <cstddef>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using palette::lifecycle::AuditPolicy;
using palette::lifecycle::AuditReport;
using palette::lifecycle::AuditRule;
using palette::lifecycle::Roster;
using palette::lifecycle::Severity;

namespace {

constexpr int good = 0;
constexpr int has_errors = 1;
constexpr int incomplete = 2;

int status_of(const AuditReport& report) {
    if (!report.complete()) return incomplete;
    return report.count(Severity::error) > 0 ? has_errors : good;
}

std::string text_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + " cannot be read");
    return std::string(std::istreambuf_iterator<char>(file), {});
}

void write(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text << std::flush;
    if (!file) throw std::runtime_error(path + " cannot be written");
}

// Writes the report to the files of the options: "--html" and a path, for example.
void write_all(const AuditReport& report, const std::map<std::string, std::string>& files) {
    for (auto const& [option, path] : files) {
        if (option == "--json") write(path, report.to_json());
        if (option == "--csv") write(path, report.to_csv());
        if (option == "--sarif") write(path, report.to_sarif());
        if (option == "--html") write(path, report.to_html());
    }
}

int audit_service(const std::vector<std::string>& arguments) {
    AuditPolicy policy;
    std::map<std::string, std::string> files;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        auto const& option = arguments[i];
        bool const takes_file = option == "--roster" || option == "--json" || option == "--csv" ||
                                option == "--sarif" || option == "--html";
        if (option == "--events") {
            policy.read_events(true);
        } else if (takes_file && i + 1 < arguments.size()) {
            files[option] = arguments[++i];
        } else {
            std::cerr << "usage: audit_tenant [--roster FILE] [--events] [--json FILE] [--csv FILE] "
                         "[--sarif FILE] [--html FILE]\n";
            return incomplete;
        }
    }
    if (files.contains("--roster")) policy.roster(Roster::parse(text_of(files["--roster"])).value());

    palette::BlockingApiKeyClient client(palette::ClientOptions::from_environment().value());
    auto const report = palette::lifecycle::audit(client, policy).value();
    std::cout << report.to_text();
    write_all(report, files);
    return status_of(report);
}

// --- without arguments -------------------------------------------------------------------------------------

// A tenant as it becomes in a year in which nobody looks.
class NeglectedTenant {
public:
    NeglectedTenant() {
        using palette::testing::NewTestUser;
        using std::chrono::days;
        auto const sso = [](const char* email) {
            return NewTestUser{.email = email, .single_sign_on = true};
        };
        auto const begin = clock_->now();
        auto const ada = emulator_.add_user(sso("ada@acme.test").last_sign_in(begin)).uid;
        auto const bob = emulator_.add_user(sso("bob@acme.test").last_sign_in(begin)).uid;
        add("nightly", ada, days{400});
        add("nightly", ada, days{390});
        add("terraform", bob, days{380});
        add("laptop", ada, days{10});
        clock_->advance(days{370});
        add("dashboard", ada, days{30});
        for (int i = 0; i < 13; ++i)
            add("runner-" + std::to_string(i), ada, days{90});
        emulator_.remove_user(bob);  // who has left, and whose key has stayed
    }

    [[nodiscard]] palette::ClientOptions options() const {
        return emulator_.client_options(palette::testing::Role::tenant_viewer);
    }

private:
    void add(const std::string& name, const std::string& owner, std::chrono::milliseconds life) {
        emulator_.seed_key(palette::NewApiKey(name).for_user(owner).lives_for(life));
    }

    std::shared_ptr<palette::testing::ManualClock> clock_ = std::make_shared<palette::testing::ManualClock>();
    palette::testing::Emulator emulator_{{.clock = clock_}};
};

int audit_neglected_tenant() {
    NeglectedTenant const tenant;
    palette::BlockingApiKeyClient client(tenant.options());
    auto const report = palette::lifecycle::audit(client).value();
    std::cout << report.to_text();

    example::ScratchDirectory const directory;
    write_all(report, {{"--json", directory.file("audit.json")}, {"--html", directory.file("audit.html")}});
    for (auto const rule : {AuditRule::expired, AuditRule::expiring, AuditRule::never_expires,
                            AuditRule::lives_too_long, AuditRule::old_secret, AuditRule::quota,
                            AuditRule::duplicate_name, AuditRule::orphaned, AuditRule::idle})
        if (report.count(rule) == 0)
            throw std::runtime_error("nothing was found by the rule " + std::string(to_string(rule)));
    if (report.count(AuditRule::orphaned) != 1 || status_of(report) != incomplete)
        throw std::runtime_error("that should not have happened");
    return good;
}

}  // namespace

int main(int argc, char** argv) try {
    std::vector<std::string> const arguments(argv + 1, argv + argc);
    return arguments.empty() ? audit_neglected_tenant() : audit_service(arguments);
} catch (const std::exception& e) {
    std::cerr << "audit_tenant: " << e.what() << '\n';
    return incomplete;
}
