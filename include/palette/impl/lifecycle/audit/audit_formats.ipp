// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/audit/audit_escapes.hpp>
#include <palette/impl/lifecycle/audit/audit_json.hpp>
#include <palette/lifecycle/audit_report.hpp>
#include <palette/version.hpp>

#include <initializer_list>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

inline void write_owner(JsonWriter& json, const palette::lifecycle::Finding& finding) {
    json.begin_object("owner");
    json.text("uid", finding.owner.uid);
    json.text("first_name", finding.owner.first_name);
    json.text("last_name", finding.owner.last_name);
    json.text("email", finding.owner_email);
    json.end_object();
}

// Without annotations and labels: they may hold what is nobody's business who reads a report.
inline void write_key(JsonWriter& json, const ApiKey& key, Instant as_of) {
    json.begin_object("key");
    json.text("uid", key.uid);
    json.text("name", key.name);
    json.text("description", key.description);
    json.text("state", to_string(key.state(as_of)));
    json.boolean("is_active", key.is_active);
    json.time("expiry", key.expiry.instant());
    json.time("created", key.created);
    json.time("modified", key.modified);
    json.end_object();
}

inline void write_finding(JsonWriter& json, const palette::lifecycle::Finding& finding, Instant as_of) {
    json.begin_object();
    json.text("rule", to_string(finding.rule));
    json.text("severity", to_string(finding.severity));
    json.text("grade", to_string(finding.grade));
    if (finding.key) write_key(json, *finding.key, as_of);
    write_owner(json, finding);
    json.text("evidence", finding.evidence);
    json.text("advice", finding.advice);
    json.end_object();
}

inline void write_timeline(JsonWriter& json, const palette::lifecycle::ExpiryTimeline& timeline) {
    json.begin_object("timeline");
    json.number("expired", timeline.expired);
    json.begin_array("weeks");
    for (auto const number : timeline.weeks)
        json.number(number);
    json.end_array();
    json.number("later", timeline.later);
    json.number("never", timeline.never);
    json.number("revoked", timeline.revoked);
    json.end_object();
}

inline void append_row(std::string& out, std::initializer_list<std::string_view> cells) {
    bool is_first = true;
    for (auto const cell : cells) {
        if (!is_first) out += ',';
        is_first = false;
        append_csv(out, cell);
    }
    // As RFC 4180 wants it, whatever the system.
    out += "\r\n";
}

inline std::string time_cell(const std::optional<Instant>& time) {
    return time ? Expiry::at(*time).to_string() : std::string();
}

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE std::string AuditReport::to_json() const {
    impl::lifecycle::JsonWriter json;
    json.begin_object();
    json.number("schema_version", 1);
    json.begin_object("generator");
    json.text("name", "palette-keys");
    json.text("version", PALETTE_KEYS_VERSION);
    json.end_object();
    json.text("tenant_uid", tenant_uid());
    json.text("organisation", actor.org_name);
    json.text("actor_uid", actor.user_uid);
    json.time("as_of", as_of);
    json.boolean("complete", complete());
    json.begin_array("not_judged");
    for (auto const& line : not_judged)
        json.text(line);
    json.end_array();
    json.begin_object("policy");
    for (auto const& [name, value] : policy)
        json.text(name, value);
    json.end_object();
    json.begin_object("read");
    json.number("keys", keys);
    json.number("users", users);
    json.number("events", events);
    json.end_object();
    impl::lifecycle::write_timeline(json, timeline);
    json.begin_object("counts");
    for (auto const rule : all_audit_rules)
        json.number(to_string(rule), count(rule));
    json.end_object();
    json.begin_array("findings");
    for (auto const& finding : findings)
        impl::lifecycle::write_finding(json, finding, as_of);
    json.end_array();
    json.end_object();
    return std::move(json).take();
}

PALETTE_KEYS_INLINE std::string AuditReport::to_csv() const {
    std::string out;
    impl::lifecycle::append_row(out, {"severity", "rule", "grade", "key_uid", "key_name", "key_state",
                                      "expiry", "created", "modified", "owner_uid", "owner_first_name",
                                      "owner_last_name", "owner_email", "evidence", "advice"});
    // A finding about a user has the same columns, empty.
    ApiKey const no_key;
    for (auto const& f : findings) {
        auto const& key = f.key ? *f.key : no_key;
        impl::lifecycle::append_row(
            out, {to_string(f.severity), to_string(f.rule), to_string(f.grade), key.uid, key.name,
                  f.key ? to_string(key.state(as_of)) : std::string_view(),
                  f.key ? key.expiry.to_string() : std::string(), impl::lifecycle::time_cell(key.created),
                  impl::lifecycle::time_cell(key.modified), f.owner.uid, f.owner.first_name,
                  f.owner.last_name, f.owner_email, f.evidence, f.advice});
    }
    return out;
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
