// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "lifecycle/audit_scene.hpp"

#include <string>
#include <vector>

// Names that would run, break a line, drive a terminal, turn the reading direction, or end what they stand
// in.
inline std::vector<std::string> hostile_names() {
    return {
        "<script>document.title='owned'</script>",
        "</td></tr></table><img src=x onerror=\"document.title='owned'\">",
        "\" onmouseover=\"document.title='owned'\" x=\"",
        "</script><script>document.title='owned'</script>",
        "</style><style>*{display:none}",
        "=cmd|' /C calc'!A0",
        "+1+1",
        "-1+1",
        "@SUM(1+1)",
        "\t=1+1",
        "\r=1+1",
        " =1+1",
        "\uFF1D1+1",
        "a,b;\"c\"\r\nd",
        "a;=1+1",
        "a; \"@SUM(1+1)",
        "a,b;\"=1+1\";-1;;+1",
        "a;\uFF0B1+1",
        "\x1b]0;owned\x07\x1b[2J",
        "\u202Egnp.exe",               // right-to-left override
        "zero\xE2\x80\x8Bwidth",       // zero-width space
        "\xE2\x80\xA8line separator",  // ends a line of JavaScript
        "\xF0\x9F\x94\x91 key",        // beyond the basic plane
        "tag\xF3\xA0\x81\x81",         // cannot be seen, and is beyond the basic plane
        std::string("nul\0byte", 8),
        "back\\slash \\u0041 %s ${x} {{y}}",
        std::string(10'000, 'x'),
        std::string(5'000, '<'),
        "",
    };
}

// A report whose every text of the service is hostile, of a tenant in which everything is to be found.
inline palette::lifecycle::AuditReport hostile_report() {
    using palette::Expiry;
    AuditScene scene;
    scene.policy.read_events(true);
    int number = 0;
    for (auto const& name : hostile_names()) {
        auto key = AuditScene::key("k" + std::to_string(number), number % 3 == 0 ? "u-gone" : "u-dev");
        key.name = name;
        key.description = name;
        key.owner.first_name = name;
        key.owner.last_name = name;
        key.expiry = number % 4 == 0 ? Expiry::never() : AuditScene::in_days(5 * number - 10);
        key.is_active = number % 5 != 0;
        key.created = AuditScene::days_ago(20 * number);
        key.modified = AuditScene::days_ago(20 * number);
        scene.keys.push_back(key);
        // Uids are of the service as well.
        key.uid = name;
        key.owner.uid = name;
        scene.keys.push_back(key);
        ++number;
    }
    auto caller = AuditScene::caller();
    caller.org_name = hostile_names().front();
    AuditScene::Auditor auditor(scene.policy, caller, AuditScene::now);
    for (auto user : scene.users) {
        user.email = "\"<i>\"@" + user.email;
        user.last_sign_in = AuditScene::days_ago(300);
        auditor.add_user(user);
    }
    auditor.end_users(true, scene.users.size());
    auditor.limit_is(10);
    auditor.events_failed(palette::Error(palette::errc::forbidden, hostile_names().front()).status(403));
    for (auto const& key : scene.keys)
        auditor.add_key(key);
    for (auto const& uid : auditor.absent_owners())
        auditor.owner_is_gone(uid);
    return auditor.finish();
}
