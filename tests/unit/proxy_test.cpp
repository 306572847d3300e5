// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/impl/seams/proxy.hpp>
#include <palette/proxy.hpp>

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace proxy_test {

using namespace palette;
using namespace std::string_view_literals;

std::string_view password_of(const ProxyOptions& options) {
    return options.password ? options.password->expose() : "(none)";
}

TEST_CASE("ProxyOptions: a URL is a host and a port, and may have a user and a password") {
    struct Row {
        std::string_view text;
        std::string_view url;
        std::string_view user;
        std::string_view password;
    };
    static constexpr Row rows[] = {
        {"http://proxy.acme.com:3128", "http://proxy.acme.com:3128", "", "(none)"},
        {"http://proxy.acme.com:3128/", "http://proxy.acme.com:3128", "", "(none)"},
        {"proxy.acme.com:3128", "http://proxy.acme.com:3128", "", "(none)"},
        {"HTTP://Proxy.ACME.com", "http://proxy.acme.com:80", "", "(none)"},
        {"http://10.1.2.3:8080", "http://10.1.2.3:8080", "", "(none)"},
        {"http://[FD00::1]:8080", "http://[fd00::1]:8080", "", "(none)"},
        {"http://[::1]", "http://[::1]:80", "", "(none)"},
        {"http://proxy:65535", "http://proxy:65535", "", "(none)"},
        {"http://robot:hunter2@proxy:1", "http://proxy:1", "robot", "hunter2"},
        {"robot:hunter2@proxy:1", "http://proxy:1", "robot", "hunter2"},
        {"http://robot@proxy:1", "http://proxy:1", "robot", ""},
        {"http://:hunter2@proxy:1", "http://proxy:1", "", "hunter2"},
        {"http://r%40b:p%3as%2fs%25%20w%c3%a9@proxy:1", "http://proxy:1", "r@b", "p:s/s% w\xc3\xa9"},
        {"http://robot:a:b@c@proxy:1", "http://proxy:1", "robot", "a:b@c"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.text);
        auto const options = ProxyOptions::parse(row.text);
        REQUIRE_MESSAGE(options, options.error());
        CHECK(options->url == row.url);
        CHECK(options->user == row.user);
        CHECK(password_of(*options) == row.password);
        CHECK(options->bypass.empty());
        CHECK(ProxyOptions::parse(options->url).value().url == row.url);
    }
}

TEST_CASE("ProxyOptions: nonsense in a URL is refused with the reason, and nothing of it is quoted") {
    struct Row {
        std::string_view text;
        std::string_view what;
    };
    static constexpr Row rows[] = {
        {"", "has no host"},
        {"http://", "has no host"},
        {"http://:3128", "has no host"},
        {"http://robot:hunter2@", "has no host"},
        {"http://robot:hunter2@:3128", "has no host"},
        {"http://proxy:0", "has a port that"},
        {"http://proxy:65536", "has a port that"},
        {"http://proxy:-1", "has a port that"},
        {"http://proxy:3128x", "has a port that"},
        {"http://proxy:", "has a port that"},
        {"http://[::1]:", "has a port that"},
        {"http://robot:hunter2", "has a port that"},
        {"https://proxy:3128", "is https, and"},
        {"HTTPS://robot:hunter2@proxy:3128", "is https, and"},
        {"socks5://proxy:1080", "is of SOCKS"},
        {"socks5h://proxy:1080", "is of SOCKS"},
        {"SOCKS4://proxy:1080", "is of SOCKS"},
        {"ftp://proxy:21", "has a scheme other"},
        {"hunter2://proxy:21", "has a scheme other"},
        {"://proxy:21", "has a scheme other"},
        {"http://proxy:3128/hunter2", "has a path"},
        {"http://proxy:3128//", "has a path"},
        {"http://proxy:3128?hunter2", "has a path"},
        {"http://proxy:3128#hunter2", "has a path"},
        {"http://robot:hunter/2@proxy:3128", "has a path"},
        {"http://robot:hunter2@proxy:31 28", "has a blank"},
        {" http://proxy:3128", "has a blank"},
        {"http://proxy:3128\n", "has a blank"},
        {"http://proxy\r\nX: hunter2", "has a blank"},
        {"http://proxy\0:3128"sv, "has a blank"},
        {"http://proxy:3128\x7f", "has a blank"},
        {"http://robot:hunter2%@proxy:3128", "has a user or password with a %"},
        {"http://robot:hunter2%4@proxy:3128", "has a user or password with a %"},
        {"http://robot:%zzhunter2@proxy:3128", "has a user or password with a %"},
        {"http://hunter2%:x@proxy:3128", "has a user or password with a %"},
        {"http://[::1:3128", "has a host with brackets"},
        {"http://[::1]3128", "has a host with brackets"},
        {"http://fd00::1:3128", "has a host with brackets"},
        {"http://[hunter2]:3128", "has a host that is neither"},
        {"http://pro_xy..acme:3128", "has a host that is neither"},
        {"http://1.2.3:3128", "has a host that is neither"},
        {"http://hunter2!:3128", "has a host that is neither"},
        {"http://pr\xc3\xb6xy:3128", "has a host that is neither"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.text);
        auto const options = ProxyOptions::parse(row.text);
        REQUIRE_FALSE(options);
        CHECK(options.error().code() == errc::invalid_argument);
        CHECK(options.error().what().starts_with("the proxy's URL " + std::string(row.what)));
        CHECK_FALSE(contains(options.error().message(), "hunter"));
        CHECK_FALSE(contains(options.error().message(), "3128"));
    }
}

TEST_CASE("ProxyOptions: a user that Basic authentication cannot carry is refused") {
    for (auto const* const text :
         {"http://ro%3Abot:hunter2@proxy:1", "http://ro%0Abot:hunter2@proxy:1",
          "http://robot:hunter2%0d%0aX@proxy:1", "http://robot:hunter2%00@proxy:1"}) {
        CAPTURE(text);
        auto const options = ProxyOptions::parse(text);
        REQUIRE_FALSE(options);
        CHECK(options.error().what().starts_with("the proxy's user "));
        CHECK_FALSE(contains(options.error().message(), "hunter2"));
    }
}

}  // namespace proxy_test
