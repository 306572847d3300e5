// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/expiry.hpp>
#include <palette/impl/lifecycle/audit/audit_escapes.hpp>

#include <concepts>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// Writes JSON straight into a text, indented by two blanks: a report of many findings is not built twice.
// Whoever uses it closes what was opened.
class JsonWriter {
public:
    void begin_object() { begin('{'); }
    void end_object() { end('}'); }
    void begin_array() { begin('['); }
    void end_array() { end(']'); }
    void begin_object(std::string_view name) { key(name), begin_value('{'); }
    void begin_array(std::string_view name) { key(name), begin_value('['); }

    void text(std::string_view value) {
        next();
        append_json_text(out_, value);
    }
    void text(std::string_view name, std::string_view value) {
        key(name);
        append_json_text(out_, value);
    }
    void number(std::string_view name, std::size_t value) {
        key(name);
        out_ += std::to_string(value);
    }
    void number(std::size_t value) {
        next();
        out_ += std::to_string(value);
    }
    void number(std::string_view name, const std::optional<std::size_t>& value) {
        key(name);
        out_ += value ? std::to_string(*value) : "null";
    }
    // A constrained template: a pointer to text is not taken for a truth.
    void boolean(std::string_view name, std::same_as<bool> auto value) {
        key(name);
        out_ += value ? "true" : "false";
    }
    void time(std::string_view name, const std::optional<Instant>& value) {
        key(name);
        if (value)
            append_json_text(out_, Expiry::at(*value).to_string());
        else
            out_ += "null";
    }

    [[nodiscard]] std::string take() && {
        out_ += '\n';
        return std::move(out_);
    }

private:
    void next() {
        if (!is_first_) out_ += ',';
        is_first_ = false;
        if (depth_ > 0) {
            out_ += '\n';
            out_.append(2 * depth_, ' ');
        }
    }
    void key(std::string_view name) {
        next();
        append_json_text(out_, name);
        out_ += ": ";
    }
    void begin(char bracket) {
        next();
        begin_value(bracket);
    }
    void begin_value(char bracket) {
        out_ += bracket;
        ++depth_;
        is_first_ = true;
    }
    void end(char bracket) {
        --depth_;
        if (!is_first_) {
            out_ += '\n';
            out_.append(2 * depth_, ' ');
        }
        is_first_ = false;
        out_ += bracket;
    }

    std::string out_;
    std::size_t depth_ = 0;
    bool is_first_ = true;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
