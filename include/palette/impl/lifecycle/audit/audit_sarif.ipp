// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/audit/audit_json.hpp>
#include <palette/impl/lifecycle/audit/audit_rules.hpp>
#include <palette/lifecycle/audit_report.hpp>
#include <palette/version.hpp>

#include <cstddef>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

inline void write_message(JsonWriter& json, std::string_view name, std::string_view text) {
    json.begin_object(name);
    json.text("text", text);
    json.end_object();
}

inline void write_sarif_rules(JsonWriter& json) {
    json.begin_array("rules");
    for (auto const& rule : audit_rule_texts) {
        json.begin_object();
        json.text("id", rule.id);
        write_message(json, "shortDescription", rule.title);
        write_message(json, "fullDescription", rule.meaning);
        json.begin_object("defaultConfiguration");
        json.text("level", to_string(rule.severity));
        json.end_object();
        json.end_object();
    }
    json.end_array();
}

// A key is no file: it has a logical location alone, which services that show source code may not accept.
inline void write_sarif_location(JsonWriter& json, const palette::lifecycle::Finding& finding,
                                 std::string_view tenant) {
    using detail::printable;
    json.begin_array("locations");
    json.begin_object();
    json.begin_array("logicalLocations");
    json.begin_object();
    json.text("name", printable(finding.key ? finding.key->name : finding.owner.uid, 200));
    json.text("fullyQualifiedName", "tenants/" + printable(tenant) + (finding.key ? "/apiKeys/" : "/users/") +
                                        printable(finding.subject_uid(), 200));
    json.text("kind", "resource");
    json.end_object();
    json.end_array();
    json.end_object();
    json.end_array();
}

inline void write_sarif_result(JsonWriter& json, const palette::lifecycle::Finding& finding,
                               std::string_view tenant) {
    using detail::printable;
    auto const subject = finding.key ? "The key " + detail::in_quotes(finding.key->name, 200) + " (" +
                                           printable(finding.key->uid) + ") "
                                     : "The user " + printable(finding.owner.uid) + ' ';
    json.begin_object();
    json.text("ruleId", to_string(finding.rule));
    // The rules of the report are in the order of the enumeration.
    json.number("ruleIndex", static_cast<std::size_t>(finding.rule));
    json.text("level", to_string(finding.severity));
    write_message(json, "message",
                  subject + "is reported as " + std::string(to_string(finding.rule)) + ": " +
                      finding.evidence + ". To do: " + finding.advice + '.');
    write_sarif_location(json, finding, tenant);
    // So that a service tells a finding that it has seen before from a new one.
    json.begin_object("partialFingerprints");
    json.text("subject/v1", std::string(to_string(finding.rule)) + ':' + finding.subject_uid());
    json.end_object();
    json.begin_object("properties");
    json.text("grade", to_string(finding.grade));
    json.text("ownerUid", finding.owner.uid);
    json.end_object();
    json.end_object();
}

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE std::string AuditReport::to_sarif() const {
    impl::lifecycle::JsonWriter json;
    json.begin_object();
    json.text("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    json.text("version", "2.1.0");
    json.begin_array("runs");
    json.begin_object();
    json.begin_object("tool");
    json.begin_object("driver");
    json.text("name", "palette-keys audit");
    json.text("semanticVersion", PALETTE_KEYS_VERSION);
    impl::lifecycle::write_sarif_rules(json);
    json.end_object();
    json.end_object();
    // A service keeps reports of different tenants apart by this id. Otherwise each would seem to have fixed
    // what the other has found.
    json.begin_object("automationDetails");
    json.text("id", "palette-keys/audit/" + palette::detail::printable(tenant_uid()) + '/');
    json.end_object();
    json.begin_array("invocations");
    json.begin_object();
    // What is missing from a report that is not complete may be there all the same.
    json.boolean("executionSuccessful", complete());
    json.time("endTimeUtc", as_of);
    json.begin_array("toolExecutionNotifications");
    for (auto const& line : not_judged) {
        json.begin_object();
        json.text("level", "warning");
        impl::lifecycle::write_message(json, "message", line);
        json.end_object();
    }
    json.end_array();
    json.end_object();
    json.end_array();
    json.text("columnKind", "utf16CodeUnits");
    json.begin_array("results");
    for (auto const& finding : findings)
        impl::lifecycle::write_sarif_result(json, finding, tenant_uid());
    json.end_array();
    json.end_object();
    json.end_array();
    json.end_object();
    return std::move(json).take();
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
