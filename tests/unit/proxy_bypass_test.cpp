// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/impl/seams/proxy_bypass.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace proxy_bypass_test {

using namespace palette;
using detail::ProxyBypass;
using detail::split_bypass;

using Texts = std::vector<std::string>;

bool covers(std::string_view list, const std::string& host, std::uint16_t port = 443) {
    auto const bypass = ProxyBypass::parse(split_bypass(list));
    REQUIRE_MESSAGE(bypass, bypass.error());
    return bypass->covers(host, port);
}

TEST_CASE("NO_PROXY: commas and blanks lie between its entries") {
    CHECK(split_bypass("") == Texts{});
    CHECK(split_bypass(" , ,\t\r\n") == Texts{});
    CHECK(split_bypass("a") == Texts{"a"});
    CHECK(split_bypass("a,b") == Texts{"a", "b"});
    CHECK(split_bypass(" a , b c\t,,d ") == Texts{"a", "b", "c", "d"});
}

TEST_CASE("NO_PROXY: an entry covers what it names and nothing else") {
    struct Row {
        std::string_view list;
        std::string host;
        bool is_covered;
        std::uint16_t port = 443;
    };
    Row const rows[] = {
        {"", "acme.com", false},
        {"acme.com", "acme.com", true},
        {"ACME.com", "acme.com", true},
        {"acme.com.", "acme.com", true},
        {"acme.com", "palette.acme.com", true},
        {"acme.com", "a.b.acme.com", true},
        {"acme.com", "notacme.com", false},
        {"acme.com", "acme.com.evil.org", false},
        {"acme.com", "com", false},
        {"acme.com", "acme", false},
        {"com", "acme.com", true},
        {".acme.com", "palette.acme.com", true},
        {".acme.com", "acme.com", false},
        {".acme.com", "notacme.com", false},
        {"*.acme.com", "palette.acme.com", true},
        {"*.acme.com", "acme.com", false},
        {"x.org,acme.com", "acme.com", true},
        {"x.org acme.com", "acme.com", true},
        {"*", "acme.com", true},
        {"*", "10.1.2.3", true},
        {"x.org,*", "::1", true},

        {"acme.com:443", "acme.com", true, 443},
        {"acme.com:443", "acme.com", false, 8443},
        {"acme.com:8443", "palette.acme.com", true, 8443},
        {".acme.com:8443", "palette.acme.com", true, 8443},
        {".acme.com:8443", "palette.acme.com", false, 443},
        {"acme.com", "acme.com", true, 8443},

        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.4", false},
        {"10.1.2.3:8443", "10.1.2.3", true, 8443},
        {"10.1.2.3:8443", "10.1.2.3", false, 443},
        {"fd00::1", "fd00::1", true},
        {"FD00:0:0::1", "fd00::1", true},
        {"[fd00::1]", "fd00::1", true},
        {"[fd00::1]:8443", "fd00::1", true, 8443},
        {"[fd00::1]:8443", "fd00::1", false, 443},
        {"fd00::1", "fd00::2", false},
        {"10.1.2.3", "::ffff:10.1.2.3", true},
        {"::ffff:10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "acme.com", false},

        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"10.1.2.3/8", "10.0.0.1", true},
        {"10.128.0.0/9", "10.127.255.255", false},
        {"10.128.0.0/9", "10.128.0.0", true},
        {"10.1.2.3/32", "10.1.2.3", true},
        {"10.1.2.3/32", "10.1.2.2", false},
        {"0.0.0.0/0", "203.0.113.7", true},
        {"0.0.0.0/0", "fd00::1", false},
        {"0.0.0.0/0", "acme.com", false},
        {"fd00::/8", "fdff::1", true},
        {"fd00::/8", "fe00::1", false},
        {"fd00::/127", "fd00::1", true},
        {"fd00::/127", "fd00::2", false},
        {"::/0", "fd00::1", true},
        {"::1/128", "::1", true},
        {"::1/128", "::2", false},
        {"10.0.0.0/8", "acme.com", false},
    };
    for (auto const& row : rows) {
        CAPTURE(row.list);
        CAPTURE(row.host);
        CAPTURE(row.port);
        CHECK(covers(row.list, row.host, row.port) == row.is_covered);
    }
}

TEST_CASE("NO_PROXY: an entry that cannot be understood is named by its place, with the reason") {
    struct Row {
        const char* entry;
        const char* what;
    };
    static constexpr Row rows[] = {
        {"10.0.0.0/33", "has behind its / no number from 0 to 32"},
        {"fd00::/129", "has behind its / no number from 0 to 128"},
        {"10.0.0.0/", "has behind its / no number from 0 to 32"},
        {"10.0.0.0/-1", "has behind its / no number from 0 to 32"},
        {"10.0.0.0/8x", "has behind its / no number from 0 to 32"},
        {"10.0.0.0/8/8", "has behind its / no number from 0 to 32"},
        {"10.0.0.0/99999999999999999999", "has behind its / no number from 0 to 32"},
        {"10.0.0/8", "has something other than an address before its /"},
        {"acme.com/8", "has something other than an address before its /"},
        {"/8", "has something other than an address before its /"},
        {"http://acme.com", "has something other than an address before its /"},
        {"acme.com:0", "has a port that is no number from 1 to 65535"},
        {"acme.com:65536", "has a port that is no number from 1 to 65535"},
        {"acme.com:", "has a port that is no number from 1 to 65535"},
        {"acme.com:*", "has a port that is no number from 1 to 65535"},
        {"fd00::1::2", "has brackets or colons that do not belong there"},
        {"[fd00::1", "has brackets or colons that do not belong there"},
        {"acme*.com", "is neither a name nor an address nor a network"},
        {"192.168.*", "is neither a name nor an address nor a network"},
        {"192.168", "is neither a name nor an address nor a network"},
        {".", "is neither a name nor an address nor a network"},
        {"..acme.com", "is neither a name nor an address nor a network"},
        {".10.0.0.1", "has a dot before an address"},
        {"", "is neither a name nor an address nor a network"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.entry);
        auto const bypass = ProxyBypass::parse({"acme.com", row.entry});
        REQUIRE_FALSE(bypass);
        CHECK(bypass.error().code() == errc::invalid_argument);
        CHECK(bypass.error().what() == "entry 2 of those that need no proxy " + std::string(row.what));
    }
    CHECK_FALSE(ProxyBypass::parse({std::string("acme.com\0", 9)}));
    CHECK_FALSE(ProxyBypass::parse({std::string("::1\0", 4)}));
}

}  // namespace proxy_bypass_test
