// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/lifecycle/roster.hpp>

#include <doctest/doctest.h>

#include <ctime>
#include <string>
#include <string_view>

namespace roster_test {

using namespace palette;
using lifecycle::Roster;

TEST_CASE("roster: the address is found in each form of a CSV file") {
    for (std::string_view const csv : {
             "email\na@x.test\n",
             "email\r\na@x.test\r\n",
             "email\na@x.test",
             "\uFEFFemail\na@x.test\n",
             "name,EMAIL,team\nAda,a@x.test,1\n",
             "emailId\na@x.test\n",
             "id,mail\n1,a@x.test\n",
             "UserPrincipalName\nA@X.test\n",
             "\"email\"\n\"a@x.test\"\n",
             "name,email\n\"Lovelace, \"\"Ada\"\"\nof London\",a@x.test\n",
             " email \n a@x.test \n",
             "Email Address\na@x.test\n",
             "First Name [Required],Email Address [Required]\nAda,a@x.test\n",
             "email,recovery email\na@x.test,other@x.test\n",
             "mail,userPrincipalName\na@x.test,A@x.test\n",
             "mail,userPrincipalName\n,a@x.test\n",
             "mail,name,userPrincipalName\na@x.test,Ada,\n",
         }) {
        CAPTURE(csv);
        auto const roster = Roster::parse(csv);
        REQUIRE(roster);
        CHECK(roster->size() == 1);
        CHECK(roster->duplicates() == 0);
        CHECK(roster->skipped() == 0);
        CHECK(roster->contains("a@x.test"));
        CHECK(roster->contains("A@X.TEST"));
        CHECK_FALSE(roster->contains("other@x.test"));
        CHECK_FALSE(roster->contains(""));
    }
}

TEST_CASE("roster: addresses that come twice count once, and rows without one are skipped") {
    auto const roster = Roster::parse("email,n\na@x.test,1\nA@x.test,2\n,3\n\nb@x.test,4\n").value();
    CHECK(roster.size() == 2);
    CHECK(roster.duplicates() == 1);
    CHECK(roster.skipped() == 2);
}

TEST_CASE("roster: a person is known by each address of the row") {
    auto const roster = Roster::parse(
                            "userPrincipalName,displayName,mail\n"
                            "ada@corp.test,Ada,ada.lovelace@x.test\n"
                            "bob@corp.test,Bob,\n"
                            ",Nobody,\n"
                            "ada@x.test,Ada Two,bob@corp.test\n")
                            .value();
    for (auto const* const email : {"ada@corp.test", "ada.lovelace@x.test", "bob@corp.test", "ada@x.test"})
        CHECK(roster.contains(email));
    CHECK(roster.size() == 4);
    CHECK(roster.duplicates() == 1);
    CHECK(roster.skipped() == 1);
}

TEST_CASE("roster: what is no roster is refused, and the error names the line") {
    struct Row {
        std::string_view csv;
        std::string_view line;
        std::string_view words;
    };
    for (auto const& [csv, line, words] : {
             Row{"", "line 1", "no column"},
             Row{"name,address\nAda,a@x.test\n", "line 1", "no column"},
             Row{"a@x.test\nb@x.test\n", "line 1", "no column"},
             Row{"email;name\na@x.test;Ada\n", "line 1", "no column"},
             Row{"email\n", "line 1", "no address"},
             Row{"email,name\n,Ada\n", "line 2", "no address"},
             Row{"name,email\nAda\n", "line 2", "too few fields"},
             Row{"mail,name,userPrincipalName\na@x.test,Ada\n", "line 2", "too few fields"},
             Row{"email,name\na@x.test,J\xFCrgen\n", "line 2", "not UTF-8"},
             Row{std::string_view("\xFF\xFE"
                                  "e\0m\0",
                                  6),
                 "line 1", "not UTF-8"},
             Row{std::string_view("e\0m\0a\0i\0l\0\n\0", 12), "line 1", "not UTF-8"},
             Row{"email\n\"a@x.test\n", "line 2", "a quote does not end"},
             Row{"email\n\"a@x.test\"x\n", "line 2", "follows a quoted field"},
         }) {
        CAPTURE(csv);
        auto const roster = Roster::parse(csv);
        REQUIRE_FALSE(roster);
        CHECK(roster.error().code() == errc::invalid_argument);
        CHECK(roster.error().path() == line);
        CHECK(contains(roster.error().what(), words));
        CHECK(is_one_plain_line(roster.error().message()));
    }
}

TEST_CASE("roster: a million rows are read, and asked, in time that grows with their number") {
    auto const time_of = [](std::size_t rows) {
        std::string csv = "name,email\n";
        for (std::size_t i = 0; i < rows; ++i)
            csv += "\"Ada, Countess\",person-" + std::to_string(i * 7'919 % rows) + "@x.test\r\n";
        // Of this program on a core: what others do meanwhile does not count.
        auto const begin = std::clock();
        auto const roster = Roster::parse(csv).value();
        auto const time = std::clock() - begin;
        CHECK(roster.size() == rows);
        CHECK(roster.contains("Person-17@x.test"));
        return static_cast<double>(time) / CLOCKS_PER_SEC;
    };
    auto const small = time_of(100'000);
    auto const large = time_of(1'000'000);
    MESSAGE("a million rows: ", large, " s");
    // Ten times as many; a square would be a hundred times.
    CHECK(large < 40 * small + 1);
}

}  // namespace roster_test
