// SPDX-License-Identifier: BSL-1.0

// The first line is the URL of a proxy, the rest is a list of what needs none. Whatever they are: no crash;
// a URL that is accepted reads back as itself and has credentials that Basic authentication can carry; a list
// that is accepted covers the same whatever the case of a name, and all if it says so.

#include <palette/impl/seams/proxy.hpp>
#include <palette/impl/seams/proxy_bypass.hpp>
#include <palette/proxy.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

bool is_plain(std::string_view text) {
    return std::ranges::none_of(text,
                                [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

void read_url(std::string_view text) {
    auto const options = palette::ProxyOptions::parse(text);
    if (!options) {
        // Our own words, however long the text is.
        auto const line = options.error().message();
        require(is_plain(line) && line.size() < 250);
        return;
    }
    auto const again = palette::ProxyOptions::parse(options->url);
    require(again && again->url == options->url && again->user.empty() && !again->password);
    require(options->user.find(':') == std::string::npos && is_plain(options->user));
    require(!options->password || is_plain(options->password->expose()));
    auto const url = palette::detail::parse_proxy_url(options->url);
    require(url && url->port != 0 && !url->host.empty() && !url->has_user);
    require(url->host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.:") == std::string::npos);
}

void read_list(std::string_view text) {
    using palette::detail::ProxyBypass;
    auto const entries = palette::detail::split_bypass(text);
    for (auto const& entry : entries)
        require(!entry.empty() && entry.find_first_of(", \t\r\n") == std::string::npos);
    auto const bypass = ProxyBypass::parse(entries);
    if (!bypass) {
        require(is_plain(bypass.error().message()));
        return;
    }
    std::string upper(text);
    for (char& c : upper)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    auto const in_capitals = ProxyBypass::parse(palette::detail::split_bypass(upper));
    require(in_capitals.has_value());
    bool const is_all = std::ranges::find(entries, "*") != entries.end();
    for (auto const* const host : {"acme.com", "a.acme.com", "10.1.2.3", "fd00::1", "::ffff:10.1.2.3"}) {
        require(bypass->covers(host, 443) == in_capitals->covers(host, 443));
        require(!is_all || bypass->covers(host, 443));
    }
    require(bypass->covers("10.1.2.3", 443) == bypass->covers("::ffff:10.1.2.3", 443));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<const char*>(data), size);
    auto const end = std::min(text.find('\n'), text.size());
    read_url(text.substr(0, end));
    read_list(text.substr(std::min(end + 1, text.size())));
    return 0;
}
