// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <boost/json.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tokens_test {

using namespace std::chrono_literals;
using palette::testing::Emulator;
using palette::testing::ManualClock;
using palette::testing::RateLimit;
using palette::testing::Role;

// Of the tokens' own alphabet, without padding.
std::string base64_for_tokens(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    auto const size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    text.erase(std::min(text.find('='), text.size()));
    return text;
}

std::string from_base64_of_tokens(std::string text) {
    std::ranges::replace(text, '-', '+');
    std::ranges::replace(text, '_', '/');
    auto const padding = (4 - text.size() % 4) % 4;
    text.append(padding, '=');
    std::string bytes(text.size() / 4 * 3, '\0');
    auto const size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    REQUIRE(size >= 0);
    bytes.resize(static_cast<std::size_t>(size) - padding);
    return bytes;
}

std::string mac_of(const EVP_MD* digest, std::string_view key, std::string_view text) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    HMAC(digest, key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &size);
    return {reinterpret_cast<const char*>(mac), size};
}

std::string for_path(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.')
            out += c;
        else
            out += {'%', digits[byte >> 4], digits[byte & 15]};
    }
    return out;
}

// The three parts of a token.
struct TokenParts {
    explicit TokenParts(const std::string& token) {
        auto const first = token.find('.');
        auto const second = token.find('.', first + 1);
        header = token.substr(0, first);
        payload = token.substr(first + 1, second - first - 1);
        signature = token.substr(second + 1);
    }
    std::string header;
    std::string payload;
    std::string signature;
};

struct TokensScene {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    Emulator emulator{{.plain_http = true, .rate_limit = RateLimit::off(), .clock = clock}};
    std::string token = sign_in(Role::user);
    raw::Connection connection{emulator};

    std::string sign_in(Role role) { return raw::copy_of(emulator.sign_in(emulator.user(role).uid)); }
    int status_with(std::string_view credential) {
        connection.send(raw::request("GET", "/v1/users/info", {{"Authorization", credential}}));
        return connection.receive().status;
    }
    raw::Response refresh(const std::string& in_path) {
        connection.send(raw::request("GET", "/v1/auth/refresh/" + in_path));
        return connection.receive();
    }
    void check_refused(const std::string& credential) {
        CAPTURE(credential);
        CHECK(status_with(credential) == 401);
        auto const status = refresh(for_path(credential)).status;
        CHECK(status == (credential.empty() ? 404 : 401));
        CHECK(status_with(token) == 200);
    }
};

TEST_CASE("tokens: one of the emulator is a JWT that is good for its user") {
    TokensScene scene;
    TokenParts const parts(scene.token);
    auto const header = boost::json::parse(from_base64_of_tokens(parts.header)).as_object();
    CHECK(header.at("alg").as_string() == "HS256");
    CHECK(header.at("typ").as_string() == "JWT");
    CHECK_FALSE(header.contains("kid"));
    auto const claims = boost::json::parse(from_base64_of_tokens(parts.payload)).as_object();
    auto const now = std::chrono::floor<std::chrono::seconds>(scene.clock->now()).time_since_epoch();
    CHECK(claims.at("iat").as_int64() == now.count());
    auto const lifetime = claims.at("exp").as_int64() - claims.at("iat").as_int64();
    CHECK(lifetime == 900);
    CHECK(from_base64_of_tokens(parts.signature).size() == 32);
    CHECK(scene.status_with(scene.token) == 200);
    CHECK(scene.emulator.requests().back().user_uid == scene.emulator.user(Role::user).uid);
    CHECK(scene.sign_in(Role::user) != scene.token);
}

TEST_CASE("tokens: those with another header are refused, whatever the algorithm says") {
    TokensScene scene;
    TokenParts const parts(scene.token);
    auto const admin = TokenParts(scene.sign_in(Role::tenant_admin)).payload;
    std::string const headers[] = {
        R"({"alg":"none","typ":"JWT"})",
        R"({"alg":"None","typ":"JWT"})",
        R"({"alg":"NONE"})",
        R"({"alg":"nOnE"})",
        R"({"alg":"","typ":"JWT"})",
        R"({"alg":null,"typ":"JWT"})",
        R"({"alg":["HS256"],"typ":"JWT"})",
        R"({"typ":"JWT"})",
        R"({})",
        R"({"alg":"HS384","typ":"JWT"})",
        R"({"alg":"HS512","typ":"JWT"})",
        R"({"alg":"hs256","typ":"JWT"})",
        R"({"alg":"RS256","typ":"JWT"})",
        R"({"alg":"ES256","typ":"JWT"})",
        R"({"alg":"PS256","typ":"JWT"})",
        R"({"alg":"EdDSA","typ":"JWT"})",
        R"({"typ":"JWT","alg":"HS256"})",
        R"({"alg": "HS256", "typ": "JWT"})",
        R"({"alg":"HS256"})",
        R"({"alg":"HS256","typ":"JWT","kid":"1"})",
        R"({"alg":"HS256","typ":"JWT","kid":"../../../../dev/null"})",
        R"({"alg":"HS256","typ":"JWT","kid":"' OR 1=1"})",
        R"({"alg":"HS256","typ":"JWT","jwk":{"kty":"oct","k":""}})",
        R"({"alg":"HS256","typ":"JWT","jku":"https://evil.test/keys"})",
        R"({"alg":"HS256","alg":"none","typ":"JWT"})",
        R"({"alg":"HS256","typ":"JWT","crit":["b64"],"b64":false})",
        "",
        "not JSON",
    };
    for (auto const& header : headers) {
        for (auto const& payload : {parts.payload, admin}) {
            auto const text = base64_for_tokens(header) + '.' + payload;
            scene.check_refused(text);
            scene.check_refused(text + '.');
            scene.check_refused(text + '.' + parts.signature);
            scene.check_refused(text + '.' + base64_for_tokens(mac_of(EVP_sha256(), "", text)));
        }
    }
}

TEST_CASE("tokens: those that are signed with another key are refused") {
    TokensScene scene;
    Emulator const with_tls;
    TokenParts const parts(scene.token);
    auto const text = parts.header + '.' + parts.payload;
    std::string const keys[] = {
        "",
        std::string(1, '\0'),
        std::string(32, '\0'),
        std::string(64, '\0'),
        "secret",
        "palette",
        "key",
        "HS256",
        scene.emulator.tenant_uid(),
        scene.emulator.org(),
        scene.emulator.user(Role::user).uid,
        std::string(scene.emulator.user(Role::user).password.expose()),
        std::string(scene.emulator.user(Role::user).api_key.expose()),
        parts.signature,
        with_tls.ca_pem(),
    };
    for (auto const& key : keys)
        for (auto const* const digest : {EVP_sha256(), EVP_sha384(), EVP_sha512()})
            scene.check_refused(text + '.' + base64_for_tokens(mac_of(digest, key, text)));

    auto const rs256 = base64_for_tokens(R"({"alg":"RS256","typ":"JWT"})") + '.' + parts.payload;
    auto const confused = base64_for_tokens(mac_of(EVP_sha256(), with_tls.ca_pem(), rs256));
    raw::Client client(with_tls, "Authorization", rs256 + '.' + confused);
    CHECK(client.get("/v1/users/info").status == 401);
}

TEST_CASE("tokens: the signature is for this payload alone") {
    TokensScene scene;
    TokenParts const parts(scene.token);
    auto const claims = boost::json::parse(from_base64_of_tokens(parts.payload)).as_object();
    for (auto const& [name, value] : claims) {
        auto changed = claims;
        auto& claim = changed[name];
        if (auto* const number = value.if_int64())
            claim = *number + 1;
        else if (value.is_bool())
            claim = !value.as_bool();
        else
            claim = std::string(value.as_string()) + "0";
        auto const payload = base64_for_tokens(boost::json::serialize(changed));
        scene.check_refused(parts.header + '.' + payload + '.' + parts.signature);
    }
    auto other = claims;
    other["sub"] = scene.emulator.user(Role::tenant_admin).uid;
    std::string const payloads[] = {
        base64_for_tokens(boost::json::serialize(other)),
        TokenParts(scene.sign_in(Role::tenant_admin)).payload,
        TokenParts(scene.sign_in(Role::user)).payload,
        base64_for_tokens(from_base64_of_tokens(parts.payload) + ' '),
        base64_for_tokens("{}"),
        base64_for_tokens("["),
        "*",
        "",
    };
    for (auto const& payload : payloads)
        scene.check_refused(parts.header + '.' + payload + '.' + parts.signature);
}

TEST_CASE("tokens: there is one way to write a signature") {
    TokensScene scene;
    // Until a signature has a character of each alphabet that the other lacks.
    while (TokenParts(scene.token).signature.find_first_of("-_") == std::string::npos)
        scene.token = scene.sign_in(Role::user);
    TokenParts const parts(scene.token);
    auto const text = parts.header + '.' + parts.payload + '.';
    auto other_alphabet = parts.signature;
    std::ranges::replace(other_alphabet, '-', '+');
    std::ranges::replace(other_alphabet, '_', '/');
    auto const bytes = from_base64_of_tokens(parts.signature);
    std::string hex;
    for (char const c : bytes) {
        auto const byte = static_cast<unsigned char>(c);
        hex += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    }
    std::vector<std::string> signatures = {
        other_alphabet,
        other_alphabet + '=',
        parts.signature + '=',
        parts.signature + "==",
        parts.signature + 'A',
        parts.signature + '.',
        parts.signature + '.' + parts.signature,
        parts.signature + "%",
        parts.signature + "?",
        parts.signature + '/',
        'A' + parts.signature,
        parts.signature.substr(1),
        parts.signature.substr(0, parts.signature.size() - 1),
        parts.signature.substr(0, 22),
        parts.signature.substr(0, 1),
        parts.signature.substr(0, 20) + ' ' + parts.signature.substr(20),
        base64_for_tokens(bytes.substr(0, 16)),
        base64_for_tokens(bytes + bytes),
        base64_for_tokens(hex),
        hex,
        "",
    };
    // Two bits of the last character say nothing about the 32 bytes.
    for (char c = '-'; c <= 'z'; ++c)
        if (c != parts.signature.back() &&
            (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'))
            signatures.push_back(parts.signature.substr(0, parts.signature.size() - 1) + c);
    for (auto const& signature : signatures)
        scene.check_refused(text + signature);
}

TEST_CASE("tokens: a text without the shape of a token is refused") {
    TokensScene scene;
    TokenParts const parts(scene.token);
    std::string const malformed[] = {
        "",
        ".",
        "..",
        "...",
        "x",
        "Bearer",
        "Bearer " + scene.token,
        "bearer " + scene.token,
        "JWT " + scene.token,
        '"' + scene.token + '"',
        scene.token + ", " + scene.token,
        scene.token + ' ' + scene.token,
        scene.token + "." + scene.token,
        "." + scene.token,
        scene.token + ".",
        scene.token + "..",
        parts.header,
        parts.header + '.',
        parts.header + "..",
        parts.header + '.' + parts.signature,
        parts.header + ".." + parts.signature,
        parts.header + '.' + parts.payload + ".." + parts.signature,
        parts.payload + '.' + parts.header + '.' + parts.signature,
        parts.header + '=' + '.' + parts.payload + '.' + parts.signature,
        parts.header + '.' + parts.payload + "=." + parts.signature,
        parts.header + ':' + parts.payload + ':' + parts.signature,
        std::string(8'000, '.'),
        parts.header + '.' + std::string(8'000, 'A') + '.' + parts.signature,
    };
    for (auto const& credential : malformed)
        scene.check_refused(credential);
    CHECK(scene.refresh(scene.token + "%00").status == 401);
    CHECK(scene.refresh(scene.token + "%0A").status == 401);
    CHECK(scene.refresh(scene.token + "/" + scene.token).status == 404);
    CHECK(scene.refresh(scene.token).status == 200);
}

TEST_CASE("tokens: they end with their lifetime, to the millisecond") {
    for (auto const lifetime : {std::chrono::milliseconds{15min}, std::chrono::milliseconds{1},
                                std::chrono::milliseconds{1'234'567}}) {
        CAPTURE(lifetime.count());
        auto const clock = std::make_shared<ManualClock>();
        clock->set(std::chrono::sys_days{std::chrono::year{2024} / 1 / 1} + 999ms);
        Emulator emulator(
            {.plain_http = true, .token_lifetime = lifetime, .rate_limit = RateLimit::off(), .clock = clock});
        auto const token = emulator.sign_in(emulator.user(Role::user).uid);
        std::string const value(token.expose());
        raw::Client client(emulator, "Authorization", value);
        raw::Client nobody(emulator, "");
        clock->advance(lifetime - 1ms);
        CHECK(client.get("/v1/users/info").status == 200);
        auto const refreshed = nobody.get("/v1/auth/refresh/" + value);
        REQUIRE(refreshed.status == 200);
        auto const fresh = std::string(boost::json::parse(refreshed.body).at("Authorization").as_string());
        CHECK(fresh != value);

        clock->advance(1ms);
        CHECK(client.get("/v1/users/info").status == 401);
        CHECK(nobody.get("/v1/auth/refresh/" + value).status == 401);
        raw::Client again(emulator, "Authorization", fresh);
        CHECK(again.get("/v1/users/info").status == (lifetime > 1ms ? 200 : 401));
        clock->advance(lifetime - 2ms);
        if (lifetime > 1ms) CHECK(again.get("/v1/users/info").status == 200);
        clock->advance(1ms);
        CHECK(again.get("/v1/users/info").status == 401);
        CHECK(nobody.get("/v1/auth/refresh/" + fresh).status == 401);
        clock->advance(std::chrono::years{100});
        CHECK(client.get("/v1/users/info").status == 401);
    }
}

TEST_CASE("tokens: the one that waits for a second factor is good for nothing") {
    TokensScene scene;
    auto const user =
        scene.emulator.add_user({.email = "careful@acme.test", .role = Role::tenant_admin, .mfa = true});
    auto const body = boost::json::serialize(
        boost::json::object{{"emailId", user.email}, {"password", user.password.expose()}});
    scene.connection.send(raw::request("POST", "/v1/auth/authenticate", {}, body));
    auto const answer = boost::json::parse(scene.connection.receive().body).as_object();
    CHECK(answer.at("isMfa").as_bool());
    scene.check_refused(std::string(answer.at("Authorization").as_string()));
    auto const full = scene.emulator.sign_in(user.uid);
    CHECK(scene.status_with(full.expose()) == 200);
    CHECK(scene.refresh(std::string(full.expose())).status == 200);
}

TEST_CASE("tokens: they go with their user") {
    TokensScene scene;
    auto const user = scene.emulator.add_user({.email = "leaving@acme.test"});
    auto const token = scene.emulator.sign_in(user.uid);
    CHECK(scene.status_with(token.expose()) == 200);
    scene.emulator.remove_user(user.uid);
    scene.check_refused(std::string(token.expose()));
    auto const namesake = scene.emulator.add_user({.email = "leaving@acme.test"});
    CHECK(namesake.uid != user.uid);
    scene.check_refused(std::string(token.expose()));
}

}  // namespace tokens_test
