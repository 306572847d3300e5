// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/http.hpp>
#include <palette/impl/values/text.hpp>

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

PALETTE_KEYS_INLINE std::size_t Request::count_headers(std::string_view name) const noexcept {
    return static_cast<std::size_t>(std::ranges::count_if(
        headers, [&](auto const& field) { return detail::equals_ignoring_case(field.first, name); }));
}

PALETTE_KEYS_INLINE std::optional<std::string_view> Request::header(std::string_view name) const noexcept {
    std::optional<std::string_view> value;
    for (auto const& [key, text] : headers) {
        if (!detail::equals_ignoring_case(key, name)) continue;
        if (value) return std::nullopt;
        value = text;
    }
    return value;
}

PALETTE_KEYS_INLINE std::string_view reason_phrase(int status) noexcept {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 204:
            return "No Content";
        case 307:
            return "Temporary Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 409:
            return "Conflict";
        case 413:
            return "Content Too Large";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        default:
            return "Status";
    }
}

PALETTE_KEYS_INLINE std::string render_head(const Response& response, std::string_view connection,
                                            std::string_view date) {
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ';
    head += reason_phrase(response.status);
    head += "\r\nServer: palette-emulator\r\nDate: ";
    head += date;
    for (auto const& [name, value] : response.headers)
        head.append("\r\n").append(name).append(": ").append(value);
    // Also in answers to HEAD, whose headers are those of GET.
    if (response.has_body()) {
        head += "\r\nContent-Type: " + response.content_type;
        // Always a length and never chunks: a fault that cuts the body needs a length that is not met.
        head += "\r\nContent-Length: " + std::to_string(response.body_size());
    }
    if (!connection.empty()) {
        head += "\r\nConnection: ";
        head += connection;
    }
    head += "\r\n\r\n";
    return head;
}

PALETTE_KEYS_INLINE std::string http_date(std::int64_t seconds_since_1970) {
    using namespace std::chrono;
    // By hand, for std::strftime takes the names from the locale of the program that tests.
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                             "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    sys_seconds const time{seconds{seconds_since_1970}};
    auto const day = floor<std::chrono::days>(time);
    year_month_day const date{day};
    hh_mm_ss const clock{time - day};
    char text[64];
    auto const size = std::snprintf(
        text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT", days[weekday{day}.c_encoding()],
        static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
        static_cast<int>(date.year()), static_cast<int>(clock.hours().count()),
        static_cast<int>(clock.minutes().count()), static_cast<int>(clock.seconds().count()));
    return {text, static_cast<std::size_t>(size)};
}

// `plus`: what a plus sign stands for.
inline std::optional<std::string> percent_decoded(std::string_view text, char plus) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i] == '+' ? plus : text[i];
            continue;
        }
        unsigned char byte = 0;
        auto const* const digits = text.data() + i + 1;
        // Refused and not passed on as it is: a client that encodes badly shall find out.
        if (i + 2 >= text.size() || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2)
            return std::nullopt;
        out += static_cast<char>(byte);
        i += 2;
    }
    return out;
}

inline bool parse_query(std::string_view text, Fields& query) {
    return text.empty() || split(text, '&', [&](std::string_view pair) {
               auto const equals = std::min(pair.find('='), pair.size());
               // A space, as the service's web framework reads it: a client that does not encode the plus
               // sign of a value shall find out.
               auto name = percent_decoded(pair.substr(0, equals), ' ');
               auto value = percent_decoded(pair.substr(std::min(equals + 1, pair.size())), ' ');
               // A pair that is malformed refuses the whole target: a filter that is overlooked would widen
               // the answer.
               if (name && value) query.emplace_back(std::move(*name), std::move(*value));
               return name && value;
           });
}

// Takes "http://authority" off an absolute target.
inline std::string take_authority(std::string_view& target) {
    // A server has to accept this form (RFC 9112), which clients use before a proxy.
    for (std::string_view const scheme : {"http://", "https://"}) {
        if (!detail::equals_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
        target.remove_prefix(scheme.size());
        auto const end = std::min(target.find_first_of("/?"), target.size());
        std::string authority(target.substr(0, end));
        target.remove_prefix(end);
        return authority;
    }
    return {};
}

PALETTE_KEYS_INLINE std::optional<Target> parse_target(std::string_view text) {
    Target target;
    target.authority = take_authority(text);
    auto const question = std::min(text.find('?'), text.size());
    // Kept as sent, for rules of faults and the log; the segments are decoded after the split, so that a %2F
    // does not make two of one.
    target.path = text.substr(0, question);
    // "http://host" means its root (RFC 9112).
    if (target.path.empty() && !target.authority.empty()) target.path = "/";
    if (!target.path.starts_with('/')) return std::nullopt;
    auto const good_path = split(std::string_view(target.path).substr(1), '/', [&](std::string_view part) {
        auto segment = percent_decoded(part, '+');
        if (segment) target.segments.push_back(std::move(*segment));
        return segment.has_value();
    });
    if (!good_path) return std::nullopt;
    if (question < text.size() && !parse_query(text.substr(question + 1), target.query)) return std::nullopt;
    return target;
}

PALETTE_KEYS_INLINE std::optional<std::string_view> Target::parameter(std::string_view name) const noexcept {
    // The first of equal names counts, as in Query().Get() of Go.
    auto const found = std::ranges::find(query, name, &Fields::value_type::first);
    if (found == query.end()) return std::nullopt;
    return found->second;
}

PALETTE_KEYS_INLINE std::string percent_encoded(std::string_view text) {
    static constexpr std::string_view plain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (char const c : text) {
        if (plain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            auto const byte = static_cast<unsigned char>(c);
            out += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return out;
}

// The port may be left out behind its colon.
inline bool is_port(std::string_view text) noexcept {
    if (text.empty()) return true;
    std::uint16_t port = 0;
    auto const* const end = text.data() + text.size();
    auto const [at, ec] = std::from_chars(text.data(), end, port);
    return ec == std::errc() && at == end;
}

PALETTE_KEYS_INLINE std::string_view host_of(std::string_view authority) noexcept {
    auto const is_ipv6 = authority.starts_with('[');
    auto const end = std::min(authority.find(is_ipv6 ? ']' : ':'), authority.size());
    auto const host = authority.substr(is_ipv6 ? 1 : 0, end - (is_ipv6 ? 1 : 0));
    auto const rest = authority.substr(std::min(is_ipv6 ? end + 1 : end, authority.size()));
    // "[localhost]" is no address: in brackets only IPv6 is meant.
    if (is_ipv6 && (end == authority.size() || host.find(':') == std::string_view::npos)) return {};
    return rest.empty() || (rest.starts_with(':') && is_port(rest.substr(1))) ? host : std::string_view();
}

PALETTE_KEYS_INLINE bool is_loopback_name(std::string_view host) {
    if (detail::equals_ignoring_case(host, "localhost")) return true;
    boost::system::error_code ec;
    auto const address = boost::asio::ip::make_address(std::string(host), ec);
    return !ec && address.is_loopback() && !(address.is_v6() && address.to_v6().scope_id() != 0);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
