// SPDX-License-Identifier: BSL-1.0
#include "lifecycle/audit_scene.hpp"
#include "lifecycle/hostile_report.hpp"

#include "support/printed.hpp"

#include <palette/detail/printable.hpp>

#include <doctest/doctest.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace audit_formats_test {

using namespace palette;
using lifecycle::AuditReport;
using lifecycle::AuditRule;

// What lines a text has, and nothing else that acts on what shows it.
bool is_plain(std::string_view text, bool may_end_in_cr = false) {
    for (std::size_t at = 0; at < text.size();) {
        auto const length = detail::utf8_character(text.substr(at));
        if (length == 0) return false;
        auto const c = text[at];
        bool const is_end =
            c == '\n' || (may_end_in_cr && c == '\r' && text.substr(at + 1).starts_with('\n'));
        if (!is_end && detail::one_line(text.substr(at, length)) != text.substr(at, length)) return false;
        at += length;
    }
    return true;
}

std::string small_report_text() {
    AuditScene scene;
    auto key = AuditScene::key("k1");
    key.name = "nightly";
    key.expiry = Expiry::never();
    scene.keys = {key};
    return scene.report().to_text();
}

TEST_CASE("audit formats: the text of a small report") {
    CHECK(small_report_text() ==
          R"(Audit of the API keys of tenant t-1 (acme)
at 2026-11-28T12:00:00.000Z, by the user u-admin
1 key, 2 users, no audit log were read

The report is complete.

1 finding: 1 error, 0 warning, 0 note
  never-expires          1

error    never-expires          proven    k1 "nightly", active, of u-dev@acme.test (u-dev)
         has no expiry
         to do: set an expiry, and have the program renew or rotate the key before
)");
}

TEST_CASE("audit formats: no text of the service acts in any format") {
    auto const report = hostile_report();
    // All rules but the one that takes marks.
    std::set<AuditRule> rules;
    for (auto const& finding : report.findings)
        rules.insert(finding.rule);
    CHECK(rules.size() >= 9);

    CHECK(is_plain(report.to_text()));
    CHECK(is_plain(report.to_json()));
    CHECK(is_plain(report.to_sarif()));
    CHECK(is_plain(report.to_csv(), true));
    auto const html = report.to_html();
    CHECK(is_plain(html));
    for (std::string_view const bad :
         {"<script>document", "<img", "onerror=\"", "onmouseover=\"", "<style>*", "<i>"})
        CHECK_FALSE(contains(html, bad));
    // Ours alone.
    auto const count = [&](std::string_view part) {
        std::size_t number = 0;
        for (auto at = html.find(part); at != std::string::npos; at = html.find(part, at + 1))
            ++number;
        return number;
    };
    CHECK(count("<script") == 1);
    CHECK(count("</script") == 1);
    CHECK(count("<style") == 1);
    CHECK(count("http") == 1);  // http-equiv
    CHECK(is_one_plain_line(printed(report)));
    for (auto const& finding : report.findings)
        CHECK(is_one_plain_line(printed(finding)));
}

TEST_CASE("audit formats: JSON keeps every text as it was, and counts what there is") {
    auto const report = hostile_report();
    auto const json = boost::json::parse(report.to_json()).as_object();
    CHECK(json.at("schema_version") == 1);
    CHECK(json.at("complete") == false);
    CHECK(json.at("tenant_uid") == "t-1");
    CHECK(json.at("as_of") == "2026-11-28T12:00:00.000Z");
    CHECK(json.at("not_judged").as_array().size() == report.not_judged.size());
    auto const& findings = json.at("findings").as_array();
    REQUIRE(findings.size() == report.findings.size());
    std::set<std::string> names;
    for (std::size_t i = 0; i < findings.size(); ++i) {
        auto const& object = findings[i].as_object();
        auto const& finding = report.findings[i];
        CHECK(std::string_view(object.at("rule").as_string()) == to_string(finding.rule));
        CHECK(object.contains("key") == (finding.key != nullptr));
        if (!finding.key) continue;
        auto const& key = object.at("key").as_object();
        CHECK(std::string_view(key.at("uid").as_string()) == finding.key->uid);
        CHECK(key.at("expiry").is_null() == finding.key->expiry.is_never());
        names.insert(std::string(key.at("name").as_string()));
    }
    for (auto const& name : hostile_names())
        CHECK(names.contains(name));
    std::int64_t sum = 0;
    for (auto const& [rule, count] : json.at("counts").as_object())
        sum += count.as_int64();
    CHECK(static_cast<std::size_t>(sum) == findings.size());
}

TEST_CASE("audit formats: bytes that are not UTF-8 become the replacement character in JSON") {
    AuditScene scene;
    auto key = AuditScene::key("k1");
    key.name = "a\xFFz";
    key.expiry = Expiry::never();
    scene.keys = {key};
    auto const report = scene.report();
    CHECK(contains(report.to_json(), "\"a\xEF\xBF\xBDz\""));
    CHECK(contains(report.to_csv(), "a\\xffz"));
    CHECK(contains(report.to_html(), "a\\xffz"));
}

std::vector<std::vector<std::string>> rows_of(std::string_view csv) {
    std::vector<std::vector<std::string>> rows(1, {""});
    bool is_quoted = false;
    for (std::size_t i = 0; i < csv.size(); ++i) {
        auto const c = csv[i];
        if (c == '"' && is_quoted && csv.substr(i + 1).starts_with('"'))
            rows.back().back() += csv[++i];
        else if (c == '"')
            is_quoted = !is_quoted;
        else if (c == ',' && !is_quoted)
            rows.back().emplace_back();
        else if (c == '\r' && !is_quoted && csv.substr(i + 1).starts_with('\n'))
            ++i, rows.push_back({""});
        else
            rows.back().back() += c;
    }
    CHECK_FALSE(is_quoted);
    rows.pop_back();  // behind the last line end
    return rows;
}

TEST_CASE("audit formats: no cell of the CSV is a formula, and every row has all cells") {
    auto const report = hostile_report();
    auto const rows = rows_of(report.to_csv());
    REQUIRE(rows.size() == report.findings.size() + 1);
    std::size_t neutralised = 0;
    for (auto const& row : rows) {
        CHECK(row.size() == 15);
        for (auto const& cell : row) {
            CHECK(cell.size() < 32'767);
            auto const first = std::string_view(cell).substr(0, 1);
            CHECK(std::string_view("=+-@\t\r\n ").find(first.empty() ? 'x' : first[0]) ==
                  std::string_view::npos);
            CHECK_FALSE(cell.starts_with("\xEF\xBC\x9D"));
            neutralised += cell.starts_with('\'') ? 1U : 0U;
        }
    }
    CHECK(neutralised > 6);
}

TEST_CASE("audit formats: no text behind a semicolon of the CSV is a formula") {
    auto const csv = hostile_report().to_csv();
    std::string_view const text = csv;
    std::size_t neutralised = 0;
    for (auto at = text.find(';'); at != std::string_view::npos; at = text.find(';', at + 1)) {
        // However a program reads the quotes.
        auto const cell = text.substr(std::min(text.find_first_not_of(" \"", at + 1), text.size()));
        CAPTURE(cell.substr(0, 20));
        for (std::string_view const sign : {"=", "+", "-", "@", "\uFF1D", "\uFF0B"})
            CHECK_FALSE(cell.starts_with(sign));
        neutralised += cell.starts_with('\'') ? 1U : 0U;
    }
    CHECK(neutralised > 5);
}

TEST_CASE("audit formats: SARIF has a rule for each, and each result names its rule and its key") {
    auto const report = hostile_report();
    auto const sarif = boost::json::parse(report.to_sarif()).as_object();
    CHECK(sarif.at("version") == "2.1.0");
    auto const& run = sarif.at("runs").as_array().at(0).as_object();
    auto const& rules = run.at("tool").at("driver").at("rules").as_array();
    CHECK(rules.size() == lifecycle::all_audit_rules.size());
    auto const& results = run.at("results").as_array();
    REQUIRE(results.size() == report.findings.size());
    std::set<std::string> fingerprints;
    for (auto const& result : results) {
        auto const index = static_cast<std::size_t>(result.at("ruleIndex").to_number<int>());
        CHECK(rules.at(index).at("id") == result.at("ruleId"));
        fingerprints.insert(std::string(result.at("partialFingerprints").at("subject/v1").as_string()));
    }
    CHECK(fingerprints.size() == results.size());
    auto const& invocation = run.at("invocations").as_array().at(0).as_object();
    CHECK(invocation.at("executionSuccessful") == false);
    CHECK(invocation.at("toolExecutionNotifications").as_array().size() == report.not_judged.size());
}

TEST_CASE("audit formats: an empty report is whole in each format") {
    AuditScene scene;
    auto const report = scene.report();
    CHECK(contains(report.to_text(), "0 findings"));
    CHECK(boost::json::parse(report.to_json()).at("findings").as_array().empty());
    CHECK(boost::json::parse(report.to_sarif()).at("runs").as_array().size() == 1);
    CHECK(rows_of(report.to_csv()).size() == 1);
    CHECK(contains(report.to_html(), "None."));
}

}  // namespace audit_formats_test
