// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/key_text.hpp>
#include <palette/impl/values/text.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::detail {

PALETTE_KEYS_INLINE std::string_view trimmed_line(std::string_view line) noexcept {
    // One line end alone, which an editor adds. A second one stays, and usable_value() refuses it: such a
    // file holds more than a key.
    if (line.ends_with('\n')) line.remove_suffix(line.ends_with("\r\n") ? 2 : 1);
    auto const first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos) return {};
    return line.substr(first, line.find_last_not_of(" \t") - first + 1);
}

PALETTE_KEYS_INLINE Secret value_of_line(std::string_view line) {
    return Secret(trimmed_line(line));
}

PALETTE_KEYS_INLINE Result<Secret> usable_value(Secret value, std::string_view name) {
    auto const fault = [&](const char* what) {
        return Error(errc::auth_provider, std::string(name) + ' ' + what);
    };
    if (value.empty()) return fault("is empty");
    // W22. The message says what is wrong and quotes nothing of the value.
    if (detail::has_control(value.expose()))
        return fault("has a line break or another control character, and would split the request");
    return value;
}

PALETTE_KEYS_INLINE std::shared_ptr<const Credential> same_or_new_key(
    const std::shared_ptr<const Credential>& previous, Secret value, std::string key_uid) {
    bool const same = previous && previous->kind() == Credential::Kind::api_key && previous->value() == value;
    return same ? previous : Credential::api_key(std::move(value), std::move(key_uid));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
