// SPDX-License-Identifier: BSL-1.0
// report_program DIRECTORY: writes reports of an audit there, in every format: one as a tenant may have it,
// one whose every name is hostile, and one without a finding. Other programs look at them (run.sh).
#include "lifecycle/audit_scene.hpp"
#include "lifecycle/hostile_report.hpp"

#include <array>
#include <exception>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

using palette::Expiry;
using palette::lifecycle::AuditReport;

void write(const std::string& path, const std::string& text) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) throw std::runtime_error("cannot write " + path);
}

void write_all(const std::string& directory, const std::string& name, const AuditReport& report) {
    auto const path = directory + '/' + name;
    write(path + ".txt", report.to_text());
    write(path + ".json", report.to_json());
    write(path + ".csv", report.to_csv());
    write(path + ".sarif", report.to_sarif());
    write(path + ".html", report.to_html());
}

AuditReport usual_report() {
    static constexpr std::array names{"ci-nightly", "terraform", "backup",        "edge-agent",
                                      "dashboard",  "release",   "laptop of Ada", "monitoring",
                                      "import",     "smoke test"};
    static constexpr std::array people{"ada", "grace", "edsger", "barbara", "donald", "margaret"};
    AuditScene scene;
    scene.users = {AuditScene::user("u-admin")};
    for (auto const* const person : people)
        scene.users.push_back(AuditScene::user(person));
    scene.users[3].last_sign_in = AuditScene::days_ago(230);
    scene.users[5].is_active = false;
    for (int i = 0; i < 78; ++i) {
        auto const n = static_cast<std::size_t>(i);
        auto key = AuditScene::key("65f1c0de00000000000" + std::to_string(10'000 + i));
        key.name = std::string(names[n % names.size()]) + (i < 10 ? "" : "-" + std::to_string(i / 10));
        key.owner = palette::Owner(people[n * n % people.size()], "Ada", "Lovelace");
        key.created = AuditScene::days_ago(i * 7 % 420 + 3);
        key.modified = key.created;
        key.expiry = i % 19 == 4 ? Expiry::never() : AuditScene::in_days(i * i % 171 * 2 - 12);
        key.is_active = i % 11 != 6;
        if (i % 26 == 9) key.owner = palette::Owner("65f1c0de0000000000000077", "Alan", "Turing");
        scene.keys.push_back(key);
    }
    return scene.report();
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::cerr << "usage: report_program DIRECTORY\n";
        return 2;
    }
    std::string const directory = argv[1];
    write_all(directory, "usual", usual_report());
    write_all(directory, "hostile", hostile_report());
    write_all(directory, "empty", AuditScene().report());
} catch (const std::exception& e) {
    std::cerr << "report_program: " << e.what() << '\n';
    return 1;
}
