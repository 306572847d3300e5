// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// Calls `f` with every part between separators, until it returns false.
template <class F>
bool split(std::string_view text, char separator, F f) {
    for (;;) {
        auto const end = text.find(separator);
        if (!f(text.substr(0, end))) return false;
        if (end == std::string_view::npos) return true;
        text.remove_prefix(end + 1);
    }
}

using Fields = std::vector<std::pair<std::string, std::string>>;

// What a client sent, complete.
struct Request {
    std::string method;
    std::string target;
    Fields headers;
    std::string body;
    bool is_http_1_0 = false;
    bool keep_alive = true;
    std::string source;  // the address it came from
    std::uint64_t connection = 0;

    // The value of the header; nothing if there is none or, since nobody knows which one counts, several.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const noexcept;
    [[nodiscard]] std::size_t count_headers(std::string_view name) const noexcept;
};

struct Response {
    // For bodies that are larger than what anybody wants to hold in memory.
    struct Repeated {
        std::string text;
        std::uint64_t times = 1;
    };

    int status = 200;
    std::string body{};
    std::vector<Repeated> rest{};  // of the body
    std::string content_type = "application/json";
    Fields headers{};

    [[nodiscard]] std::uint64_t body_size() const noexcept {
        std::uint64_t size = body.size();
        for (auto const& piece : rest)
            size += piece.text.size() * piece.times;
        return size;
    }

    // Statuses that never have one; otherwise a body may be empty.
    [[nodiscard]] bool has_body() const noexcept { return status >= 200 && status != 204 && status != 304; }
};

std::string_view reason_phrase(int status) noexcept;

// The status line and the header, to the empty line. `connection`: what is said of it, if anything.
std::string render_head(const Response& response, std::string_view connection, std::string_view date);

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(std::int64_t seconds_since_1970);

// A request's target, taken apart: origin form (/path?query) or absolute form (http://host/path).
struct Target {
    std::string authority;              // of the absolute form
    std::string path;                   // as sent
    std::vector<std::string> segments;  // decoded
    Fields query;                       // decoded

    [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const noexcept;
};

// Nothing if it is not a target: a percent sign without two hexadecimal digits, no leading slash.
std::optional<Target> parse_target(std::string_view text);

std::string percent_encoded(std::string_view text);

// The host of "host", "host:port" or "[::1]:port", without brackets; empty if it is none of these.
std::string_view host_of(std::string_view authority) noexcept;

// localhost, 127.0.0.0/8 or ::1.
bool is_loopback_name(std::string_view host);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/http/http.ipp>
#endif
