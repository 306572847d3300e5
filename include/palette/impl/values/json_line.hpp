// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// One object of JSON, written and read back without a JSON library: values do not need one. What it reads is
// what it writes, beside spaces: texts whose only escapes are \" and \\, small whole numbers, lists of those.

inline void append_json_text(std::string& out, std::string_view text) {
    out += '"';
    for (char const c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    out += '"';
}

class JsonLineReader {
public:
    explicit JsonLineReader(std::string_view text) noexcept : rest_(text) {}

    // Whether `c` comes next, which is then behind.
    bool take(char c) noexcept {
        skip_spaces();
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    [[nodiscard]] bool comes(char c) noexcept {
        skip_spaces();
        return !rest_.empty() && rest_.front() == c;
    }

    [[nodiscard]] bool at_end() noexcept {
        skip_spaces();
        return rest_.empty();
    }

    std::optional<std::string> text() {
        if (!take('"')) return std::nullopt;
        std::string out;
        for (std::size_t i = 0; i < rest_.size(); ++i) {
            char c = rest_[i];
            if (c == '"') {
                rest_.remove_prefix(i + 1);
                return out;
            }
            if (c == '\\') {
                ++i;
                if (i == rest_.size() || (rest_[i] != '"' && rest_[i] != '\\')) return std::nullopt;
                c = rest_[i];
            }
            out += c;
        }
        return std::nullopt;
    }

    // Without sign, fraction or leading zero.
    std::optional<int> number() noexcept {
        skip_spaces();
        int value = 0;
        auto const [end, fault] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        auto const length = static_cast<std::size_t>(end - rest_.data());
        auto const is_plain =
            fault == std::errc() && rest_.front() != '-' && (length == 1 || rest_.front() != '0');
        if (!is_plain) return std::nullopt;
        rest_.remove_prefix(length);
        return value;
    }

    std::optional<std::vector<int>> numbers() {
        std::vector<int> out;
        if (!take('[')) return std::nullopt;
        if (take(']')) return out;
        do {
            auto const one = number();
            if (!one) return std::nullopt;
            out.push_back(*one);
        } while (take(','));
        if (!take(']')) return std::nullopt;
        return out;
    }

private:
    void skip_spaces() noexcept {
        auto const at = rest_.find_first_not_of(" \t\r\n");
        rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
    }

    std::string_view rest_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
