// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"
#include "support/sanitized.hpp"
#include "support/seeds.hpp"

#include <palette/endpoint.hpp>

#include <doctest/doctest.h>

#include <random>
#include <string>
#include <string_view>

namespace endpoint_hostile_test {

using palette::Endpoint;

TEST_CASE("Endpoint: a user name or password is refused and never repeated") {
    for (std::string const text : {
             "hunter2@palette.acme.com",
             "admin:hunter2@palette.acme.com",
             "https://hunter2@palette.acme.com",
             "https://hunter2:admin@palette.acme.com",
             "https://admin:hunter2@palette.acme.com:8443/path",
             "https://admin:hunter2@[::1]:8443",
             "https://:hunter2@palette.acme.com",
             "https://hunter2:@palette.acme.com",
             "https://admin:p/hunter2@palette.acme.com",
             "https://admin:hunter2/p@palette.acme.com",
             "https://admin:hunter2#p@palette.acme.com",
             "https://admin:p?hunter2@palette.acme.com",
             "https://admin:p:hunter2@palette.acme.com",
             "https://admin:p@hunter2@palette.acme.com",
             "https://admin:[hunter2@palette.acme.com",
             "https://[hunter2]:p@palette.acme.com",
             "https://admin:hunter2\n@palette.acme.com",
             "https://admin:\xff hunter2@palette.acme.com",
             "https://admin:hunter2\\@palette.acme.com",
             "http://admin:hunter2@localhost:8080",
             "ftp://admin:hunter2@palette.acme.com",
             " https://admin:hunter2@palette.acme.com ",
         }) {
        CAPTURE(text);
        for (auto const& refused : {Endpoint::parse(text), Endpoint::parse_allowing_insecure_http(text)}) {
            REQUIRE_FALSE(refused.has_value());
            auto const line = refused.error().message();
            CAPTURE(line);
            CHECK_FALSE(contains(line, "hunter2"));
            CHECK_FALSE(contains(line, "admin"));
        }
    }
}

TEST_CASE("Endpoint: a password with a scheme separator in it is not repeated") {
    for (std::string_view const text :
         {"admin:hunter2://p@palette.acme.com", "admin:hunter2@palette.acme.com://x",
          "hunter2://admin@palette.acme.com", "https:hunter2://p@palette.acme.com"}) {
        CAPTURE(text);
        auto const refused = Endpoint::parse(text);
        REQUIRE_FALSE(refused.has_value());
        CHECK_FALSE(contains(refused.error().message(), "hunter2"));
        CHECK_FALSE(contains(refused.error().message(), "admin"));
    }
}

TEST_CASE("Endpoint: a user name with a slash behind it is not repeated when http is refused") {
    for (std::string_view const text :
         {"http://hunter2/p@palette.acme.com", "http://hunter2:80/p@palette.acme.com",
          "http://hunter2#p@palette.acme.com"}) {
        CAPTURE(text);
        auto const refused = Endpoint::parse(text);
        REQUIRE_FALSE(refused.has_value());
        CHECK_FALSE(contains(refused.error().message(), "hunter2"));
    }
}

TEST_CASE("Endpoint: whatever is accepted reads back unchanged and whatever is refused fits on a line") {
    std::mt19937 random(seeds::short_seed(20));
    std::string_view const pieces[] = {
        "http", "https", "://", ":", "/", "//", "[",         "]",    "::1", "@",
        "?",    "#",     ".",   "-", "_", "a",  "localhost", "host", "127", ".0.0.1",
        "443",  "0",     "0x",  "%", " ", "\t", "\xc3\xbc",  "\xff", "\n",  std::string_view("\0", 1),
        "A"};
    int accepted = 0;
    std::string wrong;
    for (int round = 0; round < (sanitized ? 20'000 : 100'000); ++round) {
        std::string text;
        for (auto n = random() % 8; n > 0; --n)
            text += pieces[random() % std::size(pieces)];
        if (random() % 8 == 0) text.insert(0, "https://");

        auto const endpoint = Endpoint::parse(text);
        auto const open = Endpoint::parse_allowing_insecure_http(text);
        if (endpoint) {
            ++accepted;
            bool const usable = !endpoint->host().empty() && endpoint->port() != 0 && open == *endpoint &&
                                (endpoint->is_secure() || endpoint->is_loopback());
            if (!usable || Endpoint::parse(endpoint->to_string()) != *endpoint) wrong = text;
        } else if (!is_one_plain_line(endpoint.error().message()) ||
                   endpoint.error().message().size() > 350) {
            wrong = text;
        }
        if (open && Endpoint::parse_allowing_insecure_http(open->to_string()) != *open) wrong = text;
    }
    CHECK(wrong == "");
    CHECK(accepted > 1'000);
}

}  // namespace endpoint_hostile_test
