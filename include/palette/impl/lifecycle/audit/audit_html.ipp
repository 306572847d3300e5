// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/expiry.hpp>
#include <palette/impl/lifecycle/audit/audit_escapes.hpp>
#include <palette/impl/lifecycle/audit/audit_page.hpp>
#include <palette/impl/lifecycle/audit/audit_rules.hpp>
#include <palette/impl/lifecycle/audit/audit_words.hpp>
#include <palette/lifecycle/audit_report.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

// A page that is built of parts of our own, and of texts that are escaped: `<<` for the former, text() for
// what may come from elsewhere.
class Page {
public:
    Page& operator<<(std::string_view part) {
        out_ += part;
        return *this;
    }
    Page& operator<<(std::size_t number) {
        out_ += std::to_string(number);
        return *this;
    }
    Page& text(std::string_view content, std::size_t limit = 400) {
        append_html(out_, content, limit);
        return *this;
    }
    [[nodiscard]] std::string take() && { return std::move(out_); }

private:
    std::string out_;
};

// As a Content-Security-Policy names a style or a script.
inline std::string source_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha256(), nullptr) != 1)
        throw Exception(Error(errc::system, "OpenSSL has no SHA-256"));
    std::array<unsigned char, 4 * EVP_MAX_MD_SIZE> base64{};
    auto const length = ::EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
    return "'sha256-" + std::string(base64.begin(), base64.begin() + length) + '\'';
}

inline std::string_view day_of(std::string_view time) noexcept {
    return time.substr(0, 10);
}

// "28 Nov"
inline std::string day_and_month(Instant time) {
    static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
    std::chrono::year_month_day const date(std::chrono::floor<std::chrono::days>(time));
    auto const month = static_cast<unsigned>(date.month()) - 1;
    return std::to_string(static_cast<unsigned>(date.day())) + ' ' + std::string(months.substr(3 * month, 3));
}

// As short as the bar is narrow: "999", "12k".
inline std::string short_number(std::size_t number) {
    return number < 1'000 ? std::to_string(number) : std::to_string(number / 1'000) + 'k';
}

// The icon, which is none, keeps a browser from asking the server of a page for one.
inline void write_head(Page& page, const palette::lifecycle::AuditReport& report) {
    // Nothing but the two texts with these digests may act: a name that slipped through the escapes could
    // not.
    page << "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
         << source_of(page_style) << "; script-src " << source_of(page_script)
         << "; img-src data:; base-uri 'none'; form-action 'none'\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"referrer\" content=\"no-referrer\">\n"
            "<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n"
            "<title>API keys of ";
    page.text(report.actor.org_name.empty() ? report.tenant_uid() : report.actor.org_name, 80);
    page << "</title>\n<style>" << page_style << "</style>\n</head>\n<body>\n<main>\n";
}

inline void write_summary(Page& page, const palette::lifecycle::AuditReport& report) {
    using palette::lifecycle::Severity;
    // Names stand in <bdi>: one in a script that runs from right to left does not reorder what is around it.
    page << "<h1>API keys of <bdi>";
    page.text(report.actor.org_name.empty() ? report.tenant_uid() : report.actor.org_name, 80);
    page << "</bdi></h1>\n<div class=\"quiet\">Audited at " << in_words(report.as_of)
         << " &middot; tenant <span class=\"mono\">";
    page.text(report.tenant_uid());
    page << "</span> &middot; by user <span class=\"mono\">";
    page.text(report.actor.user_uid);
    page << "</span></div>\n";
    if (report.complete()) {
        page << "<div class=\"state complete\">Complete: every rule of the policy was judged for every "
                "key.</div>\n";
    } else {
        page << "<div class=\"state incomplete\"><b>Not complete.</b> What was not judged may hide "
                "more:\n<ul>\n";
        for (auto const& line : report.not_judged) {
            page << "<li>";
            page.text(line, 1'000);
            page << "</li>\n";
        }
        page << "</ul></div>\n";
    }
    auto const card = [&](std::string_view kind, std::size_t number, std::string_view what) {
        page << "<div class=\"card " << kind << "\"><b>" << number << "</b>" << what << "</div>\n";
    };
    page << "<div class=\"cards\">\n";
    card("error", report.count(Severity::error), "errors");
    card("warning", report.count(Severity::warning), "warnings");
    card("note", report.count(Severity::note), "notes");
    card("", report.keys, "keys read");
    if (report.users) card("", *report.users, "users read");
    if (report.events) card("", *report.events, "events read");
    page << "</div>\n";
}

inline void write_timeline(Page& page, const palette::lifecycle::AuditReport& report) {
    auto const& timeline = report.timeline;
    // 52 weeks of this width fill the 1,040 units of the picture.
    constexpr std::size_t width = 20;  // of a week
    constexpr std::size_t height = 110;
    constexpr std::size_t bottom = 130;
    auto const highest = std::max<std::size_t>(std::ranges::max(timeline.weeks), 1);
    page << "<h2>When keys expire</h2>\n<p class=\"quiet\">Working keys by the week in which they "
            "expire</p>\n<div class=\"panel\">\n"
            "<svg viewBox=\"0 0 1040 156\" role=\"img\" aria-label=\"Keys that expire in each of the next 52 "
            "weeks\">\n";
    for (std::size_t week = 0; week < timeline.weeks.size(); ++week) {
        auto const number = timeline.weeks[week];
        auto const from = report.as_of + std::chrono::weeks{week};
        auto const x = week * width;
        if (week % 4 == 0)
            page << "<line x1=\"" << x << "\" y1=\"0\" x2=\"" << x << "\" y2=\"" << bottom + 6
                 << "\"/><text x=\"" << x + 3 << "\" y=\"150\">" << day_and_month(from) << "</text>\n";
        if (number == 0) continue;
        // A single key among thousands is still to be seen.
        auto const size = std::max<std::size_t>(height * number / highest, 3);
        page << "<rect class=\""
             << (week == 0  ? "now"
                 : week < 4 ? "soon"
                            : "later")
             << "\" x=\"" << x + 2 << "\" y=\"" << bottom - size << "\" width=\"" << width - 4
             << "\" height=\"" << size << "\" rx=\"2\"><title>" << number << " in the week from "
             << day_of(in_words(from)) << "</title></rect><text x=\"" << x + width / 2 << "\" y=\""
             << bottom - size - 5 << "\" text-anchor=\"middle\">" << short_number(number) << "</text>\n";
    }
    page << "<line x1=\"0\" y1=\"" << bottom << "\" x2=\"1040\" y2=\"" << bottom << "\"/>\n</svg>\n</div>\n"
         << "<div class=\"cards\">\n";
    auto const card = [&](std::size_t number, std::string_view what) {
        page << "<div class=\"card\"><b>" << number << "</b>" << what << "</div>\n";
    };
    card(timeline.expired, "have expired");
    card(timeline.later, "expire later");
    card(timeline.never, "never expire");
    card(timeline.revoked, "are revoked");
    page << "</div>\n";
}

inline void write_counts(Page& page, const palette::lifecycle::AuditReport& report) {
    page << "<h2>Rules</h2>\n<div class=\"table\"><table>\n<thead><tr><th>Rule</th><th "
            "class=\"number\">Findings</th><th>Meaning</th></tr></thead>\n<tbody>\n";
    for (auto const rule : palette::lifecycle::all_audit_rules) {
        auto const number = report.count(rule);
        if (number == 0) continue;
        page << "<tr><td class=\"name\">" << to_string(rule) << "</td><td class=\"number\">" << number
             << "</td><td>" << text_of(rule).meaning << "</td></tr>\n";
    }
    page << "</tbody>\n</table></div>\n";
}

inline void write_row(Page& page, const palette::lifecycle::Finding& finding, Instant as_of) {
    auto const severity = to_string(finding.severity);
    auto const rule = to_string(finding.rule);
    // The numbers put errors first when the column is sorted for the first time.
    page << "<tr data-severity=\"" << severity << "\" data-rule=\"" << rule << "\"><td data-order=\""
         << 2 - static_cast<std::size_t>(finding.severity) << "\"><span class=\"tag " << severity << "\">"
         << severity << "</span></td><td class=\"rule\">" << rule << "<div class=\"quiet\">"
         << to_string(finding.grade) << "</div></td><td class=\"key\">";
    if (finding.key) {
        page << "<div class=\"name\"><bdi>";
        page.text(finding.key->name, 120);
        page << "</bdi></div><div class=\"mono quiet\">";
        page.text(finding.key->uid, 120);
        page << "</div>";
    } else {
        page << "<span class=\"quiet\">all of the user</span>";
    }
    page << "</td><td class=\"owner\"><bdi>";
    page.text(finding.owner_email.empty() ? name_of(finding.owner) : finding.owner_email, 120);
    page << "</bdi><div class=\"mono quiet\">";
    page.text(finding.owner.uid, 120);
    page << "</div></td>";
    if (finding.key) {
        auto const expiry =
            finding.key->expiry.to_string();  // as text, in the order of time; "never" is last
        page << "<td class=\"when\" data-order=\"" << expiry << "\">" << day_of(expiry)
             << "<div class=\"quiet\">" << to_string(finding.key->state(as_of)) << "</div></td>";
    } else {
        page << "<td></td>";
    }
    page << "<td class=\"what\"><p>";
    page.text(finding.evidence, 600);
    page << "</p><div class=\"quiet\">";
    page.text(finding.advice, 600);
    page << "</div></td></tr>\n";
}

inline void write_controls(Page& page, const palette::lifecycle::AuditReport& report) {
    // Hidden until the script shows them: a browser without scripts has no use for them.
    page << "<div class=\"controls\" id=\"controls\" hidden>\n<input id=\"text\" type=\"search\" "
            "placeholder=\"Filter by name, uid, address or words\" aria-label=\"Filter\" "
            "autocomplete=\"off\">\n<select id=\"severity\" aria-label=\"Severity\"><option value=\"\">every "
            "severity</option><option>error</option><option>warning</option><option>note</option></select>\n"
            "<select id=\"rule\" aria-label=\"Rule\"><option value=\"\">every rule</option>";
    for (auto const rule : palette::lifecycle::all_audit_rules)
        if (report.count(rule) > 0) page << "<option>" << to_string(rule) << "</option>";
    page << "</select>\n<span class=\"quiet\" id=\"shown\" role=\"status\"></span>\n</div>\n";
}

inline void write_findings(Page& page, const palette::lifecycle::AuditReport& report) {
    page << "<h2>Findings</h2>\n";
    if (report.findings.empty()) {
        page << "<p class=\"quiet\">None.</p>\n";
        return;
    }
    write_controls(page, report);
    page << "<div class=\"table\"><table id=\"findings\">\n<thead><tr><th>Severity</th><th>Rule</th>"
            "<th>Key</th><th>Owner</th><th>Expiry</th><th>Evidence and what to do</th></tr></thead>\n"
            "<tbody>\n";
    for (auto const& finding : report.findings)
        write_row(page, finding, report.as_of);
    page << "</tbody>\n</table></div>\n";
}

inline void write_policy(Page& page, const palette::lifecycle::AuditReport& report) {
    page << "<details><summary>The policy of this audit</summary>\n<table>\n<tbody>\n";
    for (auto const& [name, value] : report.policy) {
        page << "<tr><th scope=\"row\">";
        page.text(name);
        page << "</th><td>";
        page.text(value);
        page << "</td></tr>\n";
    }
    page << "</tbody>\n</table></details>\n";
}

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE std::string AuditReport::to_html() const {
    impl::lifecycle::Page page;
    impl::lifecycle::write_head(page, *this);
    impl::lifecycle::write_summary(page, *this);
    impl::lifecycle::write_timeline(page, *this);
    if (!findings.empty()) impl::lifecycle::write_counts(page, *this);
    impl::lifecycle::write_findings(page, *this);
    impl::lifecycle::write_policy(page, *this);
    page << "</main>\n<script>" << impl::lifecycle::page_script << "</script>\n</body>\n</html>\n";
    return std::move(page).take();
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
