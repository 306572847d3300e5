// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/text.hpp>
#include <palette/observe/lines.hpp>

#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::observing {

// One line, field by field.
class Line {
public:
    explicit Line(observe::LineFormat format) : format_(format) {
        if (format_ == observe::LineFormat::json) text_ = '{';
    }

    // A text is quoted in JSON always, in logfmt only where it has to be: people read the latter.
    void add(std::string_view name, std::string_view value) {
        begin(name);
        if (format_ == observe::LineFormat::json || !is_plain(value))
            quote(value);
        else
            text_ += value;
    }
    // Or string literals and pointers would become numbers or booleans.
    void add(std::string_view name, const char* value) { add(name, std::string_view(value)); }
    void add(std::string_view name, bool value) {
        begin(name);
        text_ += value ? "true" : "false";
    }
    template <std::integral Number>
    void add(std::string_view name, Number value) {
        begin(name);
        text_ += std::to_string(value);
    }
    void add_ms(std::string_view name, std::chrono::nanoseconds time) {
        begin(name);
        char digits[64];
        // to_chars() ignores the locale: a decimal comma would be no JSON.
        auto const ms = std::chrono::duration<double, std::milli>(time).count();
        // In fixed form, to the microsecond: an exponent would not be a number to every reader of logs.
        auto const end = std::to_chars(digits, digits + sizeof digits, ms, std::chars_format::fixed, 3).ptr;
        text_.append(digits, end);
    }
    void add_ms(std::string_view name, const std::optional<std::chrono::nanoseconds>& time) {
        if (time) add_ms(name, *time);
    }

    [[nodiscard]] std::string take() && {
        if (format_ == observe::LineFormat::json) text_ += '}';
        return std::move(text_);
    }

private:
    void begin(std::string_view name) {
        auto const is_json = format_ == observe::LineFormat::json;
        if (!is_first_) text_ += is_json ? ',' : ' ';
        is_first_ = false;
        if (is_json) text_.append("\"").append(name).append("\":");
        if (!is_json) text_.append(name).append("=");
    }

    static bool is_plain(std::string_view value) {
        // logfmt needs quotes around anything that could end a value; an empty value would look like a
        // missing one.
        return !value.empty() && value.find_first_not_of(
                                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:/") ==
                                     std::string_view::npos;
    }

    // The escapes of JSON, which readers of logfmt know as well.
    void quote(std::string_view value) {
        text_ += '"';
        for (char const c : value) {
            auto const byte = static_cast<unsigned char>(c);
            if (c == '"' || c == '\\')
                text_.append(1, '\\').append(1, c);
            else if (byte < 0x20 || byte >= 0x7F)  // nothing of ours; what an own observer traces with
                text_.append("\\u00")
                    .append(1, detail::lower_hex[byte >> 4])
                    .append(1, detail::lower_hex[byte & 15]);
            else
                text_ += c;
        }
        text_ += '"';
    }

    observe::LineFormat format_;
    std::string text_;
    bool is_first_ = true;
};

class LineObserver final : public Observer {
public:
    LineObserver(std::function<void(std::string_view)> write, observe::LineFormat format)
        : write_(std::move(write)),
          format_(format) {}

    void on_attempt(const AttemptEvent& event) noexcept override {
        write([&](Line& line) {
            line.add("event", "attempt");
            line.add("operation", event.operation);
            line.add("operation_id", event.operation_id);
            line.add("attempt", event.attempt);
            line.add("method", event.method);
            // The template and not the path: it holds no uid and no token, and lines can be grouped by it.
            line.add("path", event.path_template);
            line.add("host", event.server_address);
            line.add("port", event.server_port);
            // Left out where there is none: a status of 0 would distort every statistic.
            if (event.status != 0) line.add("status", event.status);
            if (event.error) line.add("error", to_string(*event.error));
            line.add_ms("duration_ms", event.duration);
            // Phases that did not take place are left out: a time of 0 would count as a fast one.
            line.add_ms("wait_ms", event.report.wait);
            line.add_ms("lookup_ms", event.report.lookup);
            line.add_ms("connect_ms", event.report.connect);
            line.add_ms("handshake_ms", event.report.handshake);
            line.add_ms("first_byte_ms", event.report.first_byte);
            line.add("reused", event.report.reused_connection);
            line.add("sent", event.report.bytes_sent);
            line.add("received", event.report.bytes_received);
            if (!event.traceparent.empty()) line.add("traceparent", event.traceparent);
        });
    }

    void on_operation(const OperationEvent& event) noexcept override {
        write([&](Line& line) {
            line.add("event", "operation");
            line.add("operation", event.operation);
            line.add("operation_id", event.operation_id);
            // A uid is no secret, and the client leaves out what a caller has passed as one by mistake.
            if (!event.key_uid.empty()) line.add("key", event.key_uid);
            line.add("attempts", event.attempts);
            if (event.error) {
                line.add("error", to_string(*event.error));
                line.add("effect", to_string(event.effect));
            }
            line.add_ms("queued_ms", event.queued);
            line.add_ms("duration_ms", event.duration);
            if (!event.traceparent.empty()) line.add("traceparent", event.traceparent);
        });
    }

private:
    template <class Fill>
    void write(Fill fill) const noexcept {
        try {
            Line line(format_);
            fill(line);
            // Within the try block: what the user's function throws must not end the program.
            write_(std::move(line).take());
        } catch (...) {
            // A line less: what is observed goes on.
        }
    }

    std::function<void(std::string_view)> write_;
    observe::LineFormat format_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::observing

namespace palette::inline PALETTE_KEYS_ABI::observe {

PALETTE_KEYS_INLINE std::shared_ptr<Observer> lines(std::function<void(std::string_view)> write,
                                                    LineFormat format) {
    return std::make_shared<impl::observing::LineObserver>(std::move(write), format);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::observe
