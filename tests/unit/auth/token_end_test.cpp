// SPDX-License-Identifier: BSL-1.0
#include "support/ask.hpp"

#include <palette/impl/auth/token_end.hpp>

#include <doctest/doctest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

namespace token_end_test {

using namespace palette;
using namespace std::chrono_literals;
using asking::noon;

std::string base64url(std::string_view bytes) {
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
    auto const size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                        reinterpret_cast<const unsigned char*>(bytes.data()),
                                        static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    std::ranges::replace(out, '+', '-');
    std::ranges::replace(out, '/', '_');
    std::erase(out, '=');
    return out;
}

std::string jwt(std::string_view payload) {
    return base64url(R"({"alg":"HS256"})") + '.' + base64url(payload) + ".c2ln";
}

TEST_CASE("token end: a JWT says when it ends") {
    Instant const end{1'801'400'700s};
    CHECK(auth::end_in_jwt(jwt(R"({"exp":1801400700})")) == end);
    CHECK(auth::end_in_jwt(jwt(R"({"sub":"ada","iat":1,"exp":1801400700,"more":{"exp":2}})")) == end);
    CHECK(auth::end_in_jwt(jwt(R"({"exp":1801400700.25})")) == end + 250ms);
    CHECK(auth::end_in_jwt(jwt(R"({"exp":1.8014007e9})")) == end);
    // Every remainder of base64's groups, and the two digits that are its own.
    CHECK(auth::end_in_jwt(jwt(R"({"x":"???>>>~~~","exp":1801400700})")) == end);
    CHECK(auth::end_in_jwt(jwt(R"({ "exp":1801400700})")) == end);
    CHECK(auth::end_in_jwt(jwt(R"({  "exp":1801400700})")) == end);
}

TEST_CASE("token end: an impossible end is held within what a time can be") {
    CHECK(auth::end_in_jwt(jwt(R"({"exp":1e300})")) == detail::last_instant);
    CHECK(auth::end_in_jwt(jwt(R"({"exp":18446744073709551615})")) == detail::last_instant);
    CHECK(auth::end_in_jwt(jwt(R"({"exp":-1e300})")) == detail::first_instant);
}

TEST_CASE("token end: what is not a JWT with an end has none") {
    for (auto const& text :
         {std::string(), std::string("opaque"), std::string("one.dot"), std::string(".."),
          std::string("a.b.c"), std::string("a.e30.c"), std::string("a.!!!.c"), std::string("a.e30=.c"),
          jwt(""), jwt("[]"), jwt("7"), jwt("{}"), jwt(R"({"exp":null})"), jwt(R"({"exp":"1801400700"})"),
          jwt(R"({"exp":[1]})"), jwt(R"({"exp":1801400700)"), jwt(R"({"exp":1801400700}x)"),
          jwt(std::string(100, '[')), jwt("{\"exp\":\xFF}")}) {
        CAPTURE(text);
        CHECK_FALSE(auth::end_in_jwt(text));
    }
}

TEST_CASE("token end: without one of its own a token is taken to live for 15 minutes") {
    CHECK(auth::end_of_token("opaque", noon) == noon + 15min);
    CHECK(auth::end_of_token(jwt("{}"), noon) == noon + 15min);
    auto const seconds = [](Instant time) {
        return std::to_string(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
    };
    CHECK(auth::end_of_token(jwt(R"({"exp":)" + seconds(noon + 24h) + "}"), noon) == noon + 24h);
    CHECK(auth::end_of_token(jwt(R"({"exp":)" + seconds(noon + 1s) + "}"), noon) == noon + 1s);
}

TEST_CASE("W19: a new token that has ended by this clock is taken to live for 15 minutes") {
    CHECK(auth::end_of_token(jwt(R"({"exp":1})"), noon) == noon + 15min);
    CHECK(auth::end_of_token(jwt(R"({"exp":0})"), noon) == noon + 15min);
    CHECK(auth::end_of_token(jwt(R"({"exp":-5})"), noon) == noon + 15min);
}

}  // namespace token_end_test
