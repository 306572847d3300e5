// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/endpoint.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_set>

namespace endpoint_test {

using palette::Endpoint;

static_assert(std::regular<Endpoint> && std::is_nothrow_move_constructible_v<Endpoint>);
static_assert(!std::is_constructible_v<Endpoint, std::string_view>);

Endpoint parsed(std::string_view text) {
    auto endpoint = Endpoint::parse(text);
    if (!endpoint) FAIL(endpoint.error().message());
    return *std::move(endpoint);
}

std::string label(std::size_t length) {
    return std::string(length, 'a');
}

TEST_CASE("Endpoint: is the one of Spectro Cloud by default") {
    Endpoint const cloud;
    CHECK(cloud.host() == "api.spectrocloud.com");
    CHECK(cloud.port() == 443);
    CHECK(cloud.is_secure());
    CHECK_FALSE(cloud.is_loopback());
    CHECK_FALSE(cloud.allows_insecure_http());
    CHECK(cloud.authority() == "api.spectrocloud.com");
    CHECK(cloud.to_string() == "https://api.spectrocloud.com");
    CHECK(cloud == parsed("api.spectrocloud.com"));
}

TEST_CASE("W20: every form in which people give a host is normalised") {
    struct Row {
        std::string text;
        const char* expected;
    };
    for (auto const& [text, expected] : {
             Row{"api.spectrocloud.com", "https://api.spectrocloud.com"},
             Row{"https://host", "https://host"},
             Row{"https://host:8443/", "https://host:8443"},
             Row{"https://palette.acme.com:8443/login?next=%2F#top", "https://palette.acme.com:8443"},
             Row{"https://console.acme.com/projects/overview", "https://console.acme.com"},
             Row{"host/path", "https://host"},
             Row{"host?query", "https://host"},
             Row{"host#fragment", "https://host"},
             Row{"host:8443?a://b", "https://host:8443"},
             Row{"host/a@b:c", "https://host"},
             Row{"host/https://other", "https://host"},
             Row{"  https://host  ", "https://host"},
             Row{"\t\r\n host \n", "https://host"},
             Row{"HTTPS://Palette.ACME.com", "https://palette.acme.com"},
             Row{"hTTps://HOST:443", "https://host"},
             Row{"host:443", "https://host"},
             Row{"host:80", "https://host:80"},
             Row{"host:", "https://host"},
             Row{"https://host:/", "https://host"},
             Row{"host:1", "https://host:1"},
             Row{"host:65535", "https://host:65535"},
             Row{"host.", "https://host"},
             Row{"palette.acme.com.:8443", "https://palette.acme.com:8443"},
             Row{"a", "https://a"},
             Row{"xn--zrich-kva.example", "https://xn--zrich-kva.example"},
             Row{"my_host.local", "https://my_host.local"},
             Row{"a-b--c.d-e", "https://a-b--c.d-e"},
             Row{"1and1.com", "https://1and1.com"},
             Row{"123.456.example", "https://123.456.example"},
             Row{"0xg.0xyz", "https://0xg.0xyz"},
             Row{"10.0.0.1", "https://10.0.0.1"},
             Row{"10.0.0.1.:8443", "https://10.0.0.1:8443"},
             Row{"255.255.255.255:1", "https://255.255.255.255:1"},
             Row{"[::1]", "https://[::1]"},
             Row{"[::1]:8443", "https://[::1]:8443"},
             Row{"[::1]:443", "https://[::1]"},
             Row{"[::1]:", "https://[::1]"},
             Row{"https://[2001:DB8:0:0:0:0:0:1]:8443/x", "https://[2001:db8::1]:8443"},
             Row{"[0001:0002::]", "https://[1:2::]"},
             Row{"[::]", "https://[::]"},
             Row{"[::ffff:10.0.0.1]", "https://[::ffff:10.0.0.1]"},
             Row{"http://localhost", "http://localhost"},
             Row{"http://LocalHost.:8080/x", "http://localhost:8080"},
             Row{"http://localhost:80", "http://localhost"},
             Row{"http://localhost:443", "http://localhost:443"},
             Row{"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
             Row{"http://127.255.255.254", "http://127.255.255.254"},
             Row{"http://[::1]:8080", "http://[::1]:8080"},
             Row{"http://[0:0:0:0:0:0:0:1]", "http://[::1]"},
             Row{"http://[::ffff:127.0.0.1]", "http://[::ffff:127.0.0.1]"},
             Row{"https://localhost", "https://localhost"},
             Row{label(63) + ".com", nullptr},
             Row{label(63) + '.' + label(63) + '.' + label(63) + '.' + label(61), nullptr},
         }) {
        CAPTURE(text);
        auto const endpoint = parsed(text);
        CHECK(endpoint.to_string() == (expected ? expected : "https://" + text));
        CHECK(Endpoint::parse(endpoint.to_string()) == endpoint);
        CHECK(Endpoint::parse_allowing_insecure_http(text) == endpoint);
        CHECK(endpoint.is_secure() == endpoint.to_string().starts_with("https://"));
        CHECK(endpoint.to_string().ends_with("://" + endpoint.authority()));
        CHECK(printed(endpoint) == endpoint.to_string());
        CHECK_FALSE(endpoint.allows_insecure_http());
    }
}

TEST_CASE("Endpoint: the host of an address has no brackets and its authority has") {
    auto const endpoint = parsed("https://[2001:db8::1]:8443");
    CHECK(endpoint.host() == "2001:db8::1");
    CHECK(endpoint.port() == 8443);
    CHECK(endpoint.authority() == "[2001:db8::1]:8443");
    CHECK(parsed("http://[::1]:8080").authority() == "[::1]:8080");
    CHECK(parsed("http://[::1]:80").authority() == "[::1]");
    CHECK(parsed("http://localhost").port() == 80);
}

TEST_CASE("Endpoint: what is no host is refused with one line that says why") {
    struct Row {
        std::string text;
        const char* why;
    };
    using namespace std::string_literals;
    for (auto const& [text, why] : {
             Row{"", "empty"},
             Row{"   \t\n", "empty"},
             Row{"https://", "empty"},
             Row{"https:///path", "empty"},
             Row{"//host", "empty"},
             Row{"/path", "empty"},
             Row{"?query", "empty"},
             Row{":443", "empty"},
             Row{"https://:8443", "empty"},
             Row{"ftp://host", "scheme"},
             Row{"httpss://host", "scheme"},
             Row{"://host", "scheme"},
             Row{"ws://localhost", "scheme"},
             Row{"https ://host", "scheme"},
             Row{"host:0", "port"},
             Row{"host:65536", "port"},
             Row{"host:99999999999999999999", "port"},
             Row{"host:-1", "port"},
             Row{"host:+443", "port"},
             Row{"host:0x1bb", "port"},
             Row{"host:44 3", "port"},
             Row{"host:https", "port"},
             Row{"[::1]:65536", "port"},
             Row{"[::1]:a", "port"},
             Row{"a:b:c", "[::1]:8443"},
             Row{"::1", "[::1]:8443"},
             Row{"2001:db8::1", "[::1]:8443"},
             Row{"host:443:443", "[::1]:8443"},
             Row{"[::1", "]"},
             Row{"[", "]"},
             Row{"[]", "IPv6"},
             Row{"[]:443", "IPv6"},
             Row{"[127.0.0.1]", "IPv6"},
             Row{"[localhost]", "IPv6"},
             Row{"[::1%lo]", "IPv6"},
             Row{"[fe80::1%25eth0]", "IPv6"},
             Row{"[::1::]", "IPv6"},
             Row{"[1:2:3:4:5:6:7:8:9]", "IPv6"},
             Row{"[:: 1]", "IPv6"},
             Row{"[::1\0]"s, "IPv6"},
             Row{"[[::1]]", "]"},
             Row{"[::1]8443", "]"},
             Row{"[::1].com", "]"},
             Row{"::1]", "[::1]:8443"},
             Row{".", "empty part"},
             Row{"..", "empty part"},
             Row{".host", "empty part"},
             Row{"host..", "empty part"},
             Row{"a..b", "empty part"},
             Row{"-host", "hyphen"},
             Row{"host-", "hyphen"},
             Row{"a.-b.c", "hyphen"},
             Row{"a b", "character"},
             Row{"host\\path", "character"},
             Row{"host,other", "character"},
             Row{"ho%73t", "character"},
             Row{"host*", "character"},
             Row{"$(host)", "character"},
             Row{"<host>", "character"},
             Row{"'host'", "character"},
             Row{"\"host\"", "character"},
             Row{"host\nX-Evil", "character"},
             Row{"host\r\n.com", "character"},
             Row{"host\0"s, "character"},
             Row{"localhost\0.evil.com"s, "character"},
             Row{"\0"s, "character"},
             Row{"host\x7f", "character"},
             Row{"ho\x1b[2Jst", "character"},
             Row{"zürich.example", "xn--"},
             Row{"ⓛocalhost", "xn--"},
             Row{"host\xff", "xn--"},
             Row{"host\xc2\xa0", "xn--"},
             Row{label(64) + ".com", "63"},
             Row{label(63) + '.' + label(63) + '.' + label(63) + '.' + label(62), "253"},
             Row{label(300), "253"},
             Row{label(100'000), "253"},
             Row{"127.1", "four numbers"},
             Row{"127.0.0.256", "four numbers"},
             Row{"1.2.3", "four numbers"},
             Row{"1.2.3.4.5", "four numbers"},
             Row{"2130706433", "four numbers"},
             Row{"0x7f000001", "four numbers"},
             Row{"0x7F.1", "four numbers"},
             Row{"0x", "four numbers"},
             Row{"0177.0.0.1", "four numbers"},
             Row{"127.0.0.01", "four numbers"},
             Row{"host.123", "four numbers"},
             Row{"host.0xff", "four numbers"},
         }) {
        CAPTURE(text);
        for (auto const& refused : {Endpoint::parse(text), Endpoint::parse_allowing_insecure_http(text)}) {
            REQUIRE_FALSE(refused.has_value());
            CHECK(refused.error().code() == palette::errc::invalid_argument);
            auto const line = refused.error().message();
            CAPTURE(line);
            CHECK(contains(line, why));
            CHECK(is_one_plain_line(line));
            CHECK(line.size() < 350);
        }
    }
}

TEST_CASE("Endpoint: a scheme with a slash too few or one scheme after another is refused") {
    for (std::string_view const text :
         {"https:/palette.acme.com", "http:/palette.acme.com", "HTTPS:/localhost", "https//palette.acme.com",
          "https://https://palette.acme.com", "https://http://palette.acme.com"}) {
        CAPTURE(text);
        CHECK_FALSE(Endpoint::parse(text).has_value());
    }
}

TEST_CASE("W20: plain http is for this machine alone") {
    for (std::string_view const text :
         {"http://host", "http://10.0.0.1", "http://128.0.0.1", "http://126.255.255.255", "http://[::2]",
          "http://[2001:db8::1]", "http://[::]", "http://0.0.0.0", "http://[::127.0.0.1]",
          "http://[::ffff:10.0.0.1]", "http://[::fffe:127.0.0.1]", "http://localhost.evil.com",
          "http://notlocalhost", "http://foo.localhost", "http://127.0.0.1.evil.com", "http://127.evil.com",
          "HTTP://HOST:8080/x"}) {
        CAPTURE(text);
        auto const refused = Endpoint::parse(text);
        REQUIRE_FALSE(refused.has_value());
        CHECK(contains(refused.error().message(), "in the clear"));

        auto const allowed = Endpoint::parse_allowing_insecure_http(text);
        REQUIRE(allowed.has_value());
        CHECK(allowed->allows_insecure_http());
        CHECK_FALSE(allowed->is_secure());
        CHECK_FALSE(allowed->is_loopback());
        CHECK(Endpoint::parse_allowing_insecure_http(allowed->to_string()) == allowed);
    }
}

TEST_CASE("Endpoint: knows which hosts are this machine") {
    for (std::string_view const text :
         {"localhost", "LOCALHOST.", "127.0.0.1", "127.0.0.0", "127.255.255.255", "[::1]",
          "[::ffff:127.0.0.1]", "[::ffff:7f12:3456]"})
        CHECK_MESSAGE(parsed(text).is_loopback(), text);
    for (std::string_view const text : {"localhost.com", "local", "128.0.0.1", "1.127.0.0", "[::]", "[::2]",
                                        "[1::1]", "[::ffff:128.0.0.1]", "[::7f00:1]", "127.com"})
        CHECK_MESSAGE(!parsed(text).is_loopback(), text);
}

TEST_CASE("Endpoint: is compared and hashed by host and port and scheme") {
    auto const a = parsed("https://host:8443");
    CHECK(a == parsed("HOST:8443/x"));
    CHECK(a != parsed("https://host"));
    CHECK(a != parsed("https://other:8443"));
    CHECK(parsed("http://localhost:8443") != parsed("https://localhost:8443"));
    CHECK(Endpoint::parse_allowing_insecure_http("https://host:8443") == a);

    std::unordered_set<Endpoint> seen;
    for (int round = 0; round < 2; ++round) {
        for (int port = 1; port <= 1'000; ++port) {
            seen.insert(parsed("https://localhost:" + std::to_string(port)));
            seen.insert(parsed("http://localhost:" + std::to_string(port)));
        }
    }
    CHECK(seen.size() == 2'000);
    CHECK(std::hash<Endpoint>{}(a) == std::hash<Endpoint>{}(parsed("Host:8443")));
    CHECK(std::hash<Endpoint>{}(a) != std::hash<Endpoint>{}(parsed("host:8444")));
    CHECK(std::hash<Endpoint>{}(a) != std::hash<Endpoint>{}(parsed("hose:8443")));
}

}  // namespace endpoint_test
