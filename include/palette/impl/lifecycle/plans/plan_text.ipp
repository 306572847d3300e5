// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>
#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/plans/plan_text.hpp>
#include <palette/impl/lifecycle/record_envelope.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/lifecycle/plan.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <ostream>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

using palette::lifecycle::Action;
using palette::lifecycle::PlanItem;

inline void append_unit(std::string& out, unsigned unit) {
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4)
        out += detail::lower_hex[(unit >> shift) & 15U];
}

inline void append_code_point(std::string& out, std::string_view character) {
    auto const lead = static_cast<unsigned char>(character.front());
    unsigned value = character.size() == 1 ? lead : lead & (0x7Fu >> character.size());
    for (char const c : character.substr(1))
        value = value << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
    if (value < 0x10000) return append_unit(out, value);
    // JSON escapes units of UTF-16, of which such a character has two.
    append_unit(out, 0xD800 + ((value - 0x10000) >> 10));
    append_unit(out, 0xDC00 + ((value - 0x10000) & 0x3FF));
}

// A text in JSON, in which a reader sees each character: what has no shape, or would turn the direction of
// the text around it, is written as a number.
inline std::string json_text(std::string_view text) {
    std::string out(1, '"');
    while (!text.empty()) {
        auto const length = detail::utf8_character(text);
        auto const character = text.substr(0, length == 0 ? 1 : length);
        text.remove_prefix(character.size());
        if (length == 0)
            out += "\xEF\xBF\xBD";  // the mark of what is no character, for JSON cannot have it
        else if (character == "\"" || character == "\\")
            out.append("\\").append(character);
        else if (detail::one_line(character) != character)
            append_code_point(out, character);
        else
            out += character;
    }
    return out += '"';
}

inline std::string json_text(const Instant& time) {
    return json_text(Expiry::at(time).to_string());
}

inline std::string json_text_or_null(const std::optional<std::string>& text) {
    return text ? json_text(*text) : "null";
}

inline std::string json_text_or_null(const std::optional<Expiry>& expiry) {
    return expiry ? json_text(expiry->to_string()) : "null";
}

// Lines of `"name": value`, which stand between braces.
class PlanLines {
public:
    explicit PlanLines(std::string indent) : indent_(std::move(indent)) {}

    void add(std::string_view name, const std::string& value) {
        text_.append(text_.empty() ? "" : ",\n").append(indent_).append("\"").append(name);
        text_.append("\": ").append(value);
    }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    std::string indent_;
    std::string text_;
};

inline std::string text_of(const Action& action) {
    PlanLines lines("    ");
    lines.add("kind", json_text(to_string(action.kind())));
    lines.add("duration_ms", std::to_string(action.duration().count()));
    lines.add("name", json_text_or_null(action.changes().name()));
    lines.add("description", json_text_or_null(action.changes().description()));
    lines.add("expiry", json_text_or_null(action.changes().expiry()));
    return "{\n" + lines.text() + "\n  }";
}

inline std::string text_of(const PlanItem& item) {
    std::string guards;
    for (auto const guard : item.guards)
        guards += (guards.empty() ? "" : ", ") + json_text(to_string(guard));
    PlanLines lines("      ");
    lines.add("uid", json_text(item.uid));
    lines.add("name", json_text(item.name));
    lines.add("owner_uid", json_text(item.owner.uid));
    lines.add("owner_first_name", json_text(item.owner.first_name));
    lines.add("owner_last_name", json_text(item.owner.last_name));
    lines.add("is_active", item.is_active ? "true" : "false");
    lines.add("expiry", json_text(item.expiry.to_string()));
    lines.add("modified", item.modified ? json_text(*item.modified) : "null");
    lines.add("step", json_text(to_string(item.step)));
    lines.add("target", json_text_or_null(item.target));
    lines.add("reason", json_text(item.reason));
    lines.add("guards", '[' + guards + ']');
    return "    {\n" + lines.text() + "\n    }";
}

template <class Element, class Text>
std::string list_of(const std::vector<Element>& elements, Text text) {
    std::string out;
    for (auto const& element : elements)
        out += (out.empty() ? "\n" : ",\n") + text(element);
    return out.empty() ? "[]" : '[' + out + "\n  ]";
}

PALETTE_KEYS_INLINE std::string text_of(const Plan& plan, const std::string& digest) {
    // One line for each value, so that a review shows what has changed between two plans.
    PlanLines lines("  ");
    lines.add("palette_plan", std::to_string(plan_schema));
    lines.add("sha256", json_text(digest));
    lines.add("tenant_uid", json_text(plan.tenant_uid));
    lines.add("org_name", json_text(plan.org_name));
    lines.add("actor_uid", json_text(plan.actor_uid));
    lines.add("as_of", json_text(plan.as_of));
    lines.add("time_to_live_ms", std::to_string(plan.time_to_live.count()));
    lines.add("action", text_of(plan.action));
    lines.add("quarantine_ms", plan.quarantine ? std::to_string(plan.quarantine->count()) : "null");
    lines.add("selection", json_text(plan.selection));
    lines.add("keys_in_tenant", std::to_string(plan.keys_in_tenant));
    lines.add("notes", list_of(plan.notes, [](const std::string& note) { return "    " + json_text(note); }));
    lines.add("items", list_of(plan.items, [](const PlanItem& item) { return text_of(item); }));
    return "{\n" + lines.text() + "\n}\n";
}

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE std::string_view to_string(Guard guard) noexcept {
    static constexpr std::array<std::string_view, 5> names{"own_key", "possible_own_key", "last_user_key",
                                                           "last_admin_key", "protected_key"};
    auto const number = static_cast<std::size_t>(guard);
    return number < names.size() ? names[number] : std::string_view();
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, Guard guard) {
    return out << to_string(guard);
}

PALETTE_KEYS_INLINE std::string_view to_string(PlanItem::Step step) noexcept {
    static constexpr std::array<std::string_view, 3> names{"change", "already", "skip"};
    auto const number = static_cast<std::size_t>(step);
    return number < names.size() ? names[number] : std::string_view();
}

PALETTE_KEYS_INLINE std::size_t Plan::changes() const noexcept {
    return static_cast<std::size_t>(std::ranges::count(items, PlanItem::Step::change, &PlanItem::step));
}

PALETTE_KEYS_INLINE std::string Plan::digest() const {
    return impl::lifecycle::digest_of(impl::lifecycle::text_of(*this, std::string()));
}

PALETTE_KEYS_INLINE std::string Plan::to_text() const {
    return impl::lifecycle::text_of(*this, digest());
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Plan& plan) {
    return out << "Plan{" << plan.action << ", " << plan.changes() << " of " << plan.items.size()
               << " keys to be changed, " << plan.keys_in_tenant << " in the tenant, as of "
               << Expiry::at(plan.as_of).to_string() << '}';
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
