// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/seams/proxy.hpp>
#include <palette/impl/values/authority.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/impl/values/wipe.hpp>
#include <palette/proxy.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {
namespace detail {

inline Error bad_proxy(std::string_view what) {
    return Error(errc::invalid_argument, "the proxy's URL " + std::string(what));
}

// Into a secret, character by character: nothing of it is left elsewhere.
inline std::optional<Secret> percent_decoded(std::string_view text) {
    Secret out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        char c = text[at];
        if (c == '%') {
            if (text.size() - at < 3) return std::nullopt;
            int const high = hex_digit(text[at + 1]);
            int const low = hex_digit(text[at + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            c = static_cast<char>(high * 16 + low);
            at += 2;
        }
        out.append({&c, 1});
        detail::wipe(&c, 1);
    }
    return out;
}

PALETTE_KEYS_INLINE Result<void> check_proxy_credentials(std::string_view user, std::string_view password) {
    // The first colon ends the user: the rest would become part of the password.
    if (user.find(':') != std::string_view::npos)
        return Error(errc::invalid_argument,
                     "the proxy's user has a colon, which Basic authentication cannot carry");
    if (has_control(user) || has_control(password))
        return Error(errc::invalid_argument, "the proxy's user or password has a control character");
    return {};
}

inline Result<void> take_user(std::string_view text, ProxyUrl& url) {
    // Split before it is decoded: a %3A belongs to the user or the password.
    auto const colon = std::min(text.find(':'), text.size());
    auto const user = percent_decoded(text.substr(0, colon));
    auto password = percent_decoded(text.substr(std::min(colon + 1, text.size())));
    if (!user || !password)
        return bad_proxy("has a user or password with a % that no two hexadecimal digits follow");
    if (auto good = check_proxy_credentials(user->expose(), password->expose()); !good) return good;
    url.has_user = true;
    url.user = user->expose();
    url.password = std::move(*password);
    return {};
}

inline Result<void> take_place(std::string_view text, ProxyUrl& url) {
    auto const authority = split_authority(text);
    if (!authority) return bad_proxy("has a host with brackets or colons that do not belong there");
    // An empty port would pass as the default one. More likely a variable was not set: "proxy:$PORT".
    bool const is_bare_colon = text.ends_with(':');
    auto const port = port_number(authority->port, 80);
    if (!port || is_bare_colon) return bad_proxy("has a port that is no number from 1 to 65535");
    if (authority->host.empty()) return bad_proxy("has no host");
    auto host = canonical_host(*authority);
    if (!host) return bad_proxy("has a host that is neither a name nor an address");
    url.host = std::move(*host);
    url.port = *port;
    return {};
}

PALETTE_KEYS_INLINE Result<ProxyUrl> parse_proxy_url(std::string_view text) {
    // A line break or a blank is left over from a file or a script, and would become part of a name.
    auto const is_blank = [](char c) { return c == ' ' || is_control(c); };
    if (std::ranges::any_of(text, is_blank)) return bad_proxy("has a blank or a control character");
    ProxyUrl url;
    // A "://" behind the first slash is part of a path and no scheme.
    if (auto const colon = text.find("://"); colon < text.find_first_of("/?#")) {
        auto const scheme = to_lower(text.substr(0, colon));
        // Refused and not tried: such a proxy closes the connection at a CONNECT in the clear, and says
        // nothing.
        if (scheme == "https") return bad_proxy("is https, and TLS to a proxy is not supported; use http://");
        if (scheme.starts_with("socks")) return bad_proxy("is of SOCKS, which is not supported; use http://");
        if (scheme != "http") return bad_proxy("has a scheme other than http");
        text.remove_prefix(colon + 3);
    }
    // Many people write HTTPS_PROXY with a slash at the end.
    if (text.ends_with('/')) text.remove_suffix(1);
    if (text.find_first_of("/?#") != std::string_view::npos)
        return bad_proxy(
            "has a path, a query or a fragment; write / ? # of a user or password as %2F %3F %23");
    // The last one, for a password that was not encoded may have an @ in it; a host has none.
    if (auto const at = text.rfind('@'); at != std::string_view::npos) {
        if (auto taken = take_user(text.substr(0, at), url); !taken) return std::move(taken.error());
        text.remove_prefix(at + 1);
    }
    if (auto taken = take_place(text, url); !taken) return std::move(taken.error());
    return url;
}

PALETTE_KEYS_INLINE std::string ProxyUrl::to_string() const {
    return "http://" + in_brackets(host) + ':' + std::to_string(port);
}

}  // namespace detail

PALETTE_KEYS_INLINE Result<ProxyOptions> ProxyOptions::parse(std::string_view url) {
    auto parsed = detail::parse_proxy_url(url);
    if (!parsed) return std::move(parsed.error());
    ProxyOptions options;
    options.url = parsed->to_string();
    if (!parsed->has_user) return options;
    options.user = std::move(parsed->user);
    options.password = std::make_shared<const Secret>(std::move(parsed->password));
    return options;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
