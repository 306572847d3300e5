// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/faults/fault_kinds.hpp>
#include <palette/impl/emulator/http/http.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/testing/fault.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <ostream>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::testing {

namespace fault_text {

inline Error wrong(std::string what) {
    return Error(errc::invalid_argument, "not a fault rule: " + std::move(what));
}

inline std::string in_quotes(std::string_view text) {
    // A rule comes from the command line, and its message has to stay readable.
    return '"' + std::string(text.substr(0, 64)) + '"';
}

inline std::optional<std::uint64_t> to_number(std::string_view text) {
    std::uint64_t n = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    // All of it: "3s" or "1e3" must not pass as 3 or 1.
    if (ec != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return n;
}

inline std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    impl::emulation::split(text, ' ', [&](std::string_view word) {
        // Blanks may be repeated, as people line rules up.
        if (!word.empty()) found.push_back(word);
        return true;
    });
    return found;
}

inline std::string joined(const std::vector<std::string_view>& parts, std::string_view separator) {
    std::string text;
    for (auto const part : parts) {
        if (!text.empty()) text += separator;
        text += part;
    }
    return text;
}

inline std::string kind_names() {
    std::vector<std::string_view> names;
    for (auto const& kind : impl::emulation::fault_kinds)
        names.push_back(kind.name);
    return joined(names, ", ");
}

}  // namespace fault_text

PALETTE_KEYS_INLINE Result<FaultRule> FaultRule::parse(std::string_view text) {
    using namespace fault_text;
    auto const shape = "METHOD PATH-PREFIX KIND[:ARG] [xN] [after=M] is expected, not " + in_quotes(text);
    // First, and without a quote: what is wrong below is quoted in messages.
    if (detail::has_control(text)) return wrong("it holds a control character");
    auto const parts = words(text);
    if (parts.size() < 3) return wrong(shape);

    FaultRule rule;
    rule.method_ = parts[0];
    if (rule.method_ != "*" && !std::ranges::all_of(rule.method_, detail::is_letter))
        return wrong(in_quotes(parts[0]) + " is not a method, and not *");
    // Methods are compared as the client sends them, in capitals.
    std::ranges::transform(rule.method_, rule.method_.begin(),
                           [](char c) { return detail::is_letter(c) ? static_cast<char>(c & ~0x20) : c; });
    rule.path_prefix_ = parts[1];
    if (!parts[1].starts_with('/')) return wrong(in_quotes(parts[1]) + " does not begin with /");

    // The first one: a URL as the argument has more of them.
    auto const colon = std::min(parts[2].find(':'), parts[2].size());
    auto const name = parts[2].substr(0, colon);
    auto const argument = parts[2].substr(std::min(colon + 1, parts[2].size()));
    auto const* const kind = impl::emulation::find_fault_kind(name);
    if (kind == nullptr) return wrong(in_quotes(name) + " is none of " + kind_names());
    rule.kind_ = kind->kind;
    auto const concerned = words(kind->methods);
    // A rule that can never apply is a mistake: the test would pass for want of the fault.
    if (rule.method_ != "*" && !concerned.empty() &&
        std::ranges::find(concerned, rule.method_) == concerned.end())
        return wrong(std::string(name) + " concerns " + joined(concerned, " or ") + ", not " + rule.method_);

    if (kind->argument == impl::emulation::FaultTraits::Argument::none) {
        // The colon alone counts as an argument: "truncate:" is a number that was forgotten.
        if (colon != parts[2].size()) return wrong(std::string(name) + " takes no argument");
    } else if (kind->argument == impl::emulation::FaultTraits::Argument::text) {
        if (argument.empty())
            return wrong(std::string(name) + " needs an argument, as in " + std::string(kind->example));
        rule.text_ = argument;
    } else {
        auto const n = to_number(argument);
        if (!n || *n < kind->least || *n > kind->most)
            return wrong(std::string(name) + " needs a number from " + std::to_string(kind->least) + " to " +
                         std::to_string(kind->most) + ", as in " + std::string(kind->example));
        rule.number_ = *n;
    }

    for (auto const word : std::vector(parts.begin() + 3, parts.end())) {
        auto const is_times = word.starts_with('x');
        auto const n = to_number(word.substr(word.starts_with("after=") ? 6 : is_times ? 1 : word.size()));
        if (!n || (is_times && *n == 0))
            return wrong(in_quotes(word) + " is neither xN, with N from 1 on, nor after=M");
        auto& count = is_times ? rule.times_ : rule.after_;
        // Of two different numbers nobody could say which one was meant.
        if (count != (is_times ? always : 0)) return wrong(in_quotes(word) + " says again what is said");
        count = *n;
    }
    return rule;
}

PALETTE_KEYS_INLINE std::string FaultRule::to_string() const {
    auto const& kind = impl::emulation::fault_kind(kind_);
    std::string text = method_ + ' ' + path_prefix_ + ' ' + std::string(kind.name);
    if (kind.argument == impl::emulation::FaultTraits::Argument::number)
        text += ':' + std::to_string(number_);
    if (kind.argument == impl::emulation::FaultTraits::Argument::text) text += ':' + text_;
    // What is left at its default is not written, so that parse() gives the same rule.
    if (times_ != always) text += " x" + std::to_string(times_);
    if (after_ != 0) text += " after=" + std::to_string(after_);
    return text;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const FaultRule& rule) {
    return out << rule.to_string();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
