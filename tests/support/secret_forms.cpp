// SPDX-License-Identifier: BSL-1.0
#include "support/secret_forms.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace forms {
namespace {

// The slow and obvious way to find out, by reading from each place on in all ways.
class Reader {
public:
    Reader(std::string_view text, std::string_view secret) : text_(text), secret_(secret) {}

    [[nodiscard]] bool reveals() {
        auto const size = std::min<std::size_t>(8, secret_.size());
        for (std::size_t i = 0; i + size <= secret_.size(); ++i) {
            sought_ = secret_.substr(i, size);
            is_base64_ = false;
            if (is_anywhere()) return true;
            is_base64_ = true;
            for (std::size_t shift = 0; shift < 3; ++shift) {
                auto const digits = base64_with(std::string(shift, '\0') + std::string(sought_), "+/", false);
                auto const first = (8 * shift + 5) / 6;
                auto const inner = digits.substr(first, 8 * (shift + size) / 6 - first);
                sought_ = inner;
                if (inner.size() > 1 && is_anywhere()) return true;
                sought_ = secret_.substr(i, size);
            }
        }
        return false;
    }

private:
    bool is_anywhere() {
        failed_.assign(text_.size() * (sought_.size() + 1), false);
        for (std::size_t at = 0; at < text_.size(); ++at)
            if (is_at(at, 0)) return true;
        return false;
    }

    // Whether what is sought, from `done` on, can be read from `at` on.
    bool is_at(std::size_t at, std::size_t done) {
        if (done == sought_.size()) return true;
        if (at >= text_.size() || failed_[at * (sought_.size() + 1) + done]) return false;
        auto const rest = text_.substr(at);
        auto const goes_on = [&](std::size_t length, const std::string& meaning) {
            auto const matched = matches(meaning, done);
            return matched != 0 && is_at(at + length, done + matched);
        };
        if (goes_on(1, std::string(1, rest.front()))) return true;
        if (rest.front() == '%') {
            if (is_hex(rest, 1, 2) && goes_on(3, byte(rest.substr(1, 2)))) return true;
            if (rest.starts_with("%25") && is_hex(rest, 3, 2) && goes_on(5, byte(rest.substr(3, 2))))
                return true;
        }
        if (rest.front() == '\\') {
            if (rest.size() > 1)
                for (char const c : std::string_view("\b\f\n\r\t\"\\/"))
                    if (rest.starts_with(json({&c, 1})) && goes_on(2, std::string(1, c))) return true;
            if (rest.starts_with("\\x") && is_hex(rest, 2, 2) && goes_on(4, byte(rest.substr(2, 2))))
                return true;
            // As the bytes that it stands for, by comparing with what writes it.
            for (std::size_t length = 1; length <= 4 && done + length <= sought_.size(); ++length) {
                auto const piece = sought_.substr(done, length);
                for (auto const& written : {unicode_lower(piece), unicode_upper(piece)})
                    if (written.starts_with("\\u") && lower(rest).starts_with(lower(written)) &&
                        (written.size() == 6 || length == 4) && is_at(at + written.size(), done + length))
                        return true;
            }
            if (is_base64_ && rest.starts_with("\\u00") && is_hex(rest, 4, 2) &&
                goes_on(6, byte(rest.substr(4, 2))))
                return true;
        }
        failed_[at * (sought_.size() + 1) + done] = true;
        return false;
    }

    [[nodiscard]] std::size_t matches(std::string_view meaning, std::size_t done) const {
        auto const digit = [&](char c) { return !is_base64_ ? c : c == '-' ? '+' : c == '_' ? '/' : c; };
        return digit(meaning.front()) == sought_[done] ? 1 : 0;
    }

    static bool is_hex(std::string_view text, std::size_t at, std::size_t count) {
        return text.size() >= at + count &&
               text.substr(at, count).find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
    }
    static std::string byte(std::string_view digits) {
        return std::string(1, static_cast<char>(std::stoi(std::string(digits), nullptr, 16)));
    }
    static std::string lower(std::string_view text) {
        std::string out(text);
        for (char& c : out)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        return out;
    }

    std::string_view text_;
    std::string_view secret_;
    std::string_view sought_;
    bool is_base64_ = false;
    std::vector<bool> failed_;
};

}  // namespace

// Whether eight bytes of the secret in a row, or all of a shorter one, can be read in the text, or in what it
// stands for as a whole.
bool reveals(std::string_view text, std::string_view secret) {
    if (text.empty() || secret.empty()) return false;
    auto const reveals_as = [&](const std::string& meaning) {
        return meaning != text && Reader(meaning, secret).reveals();
    };
    return Reader(text, secret).reveals() || reveals_as(without_percent(text)) ||
           reveals_as(without_backslashes(text)) || reveals_as(with_single_backslashes(text));
}

}  // namespace forms
