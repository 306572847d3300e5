// SPDX-License-Identifier: BSL-1.0
#include "support/decoding.hpp"
#include "support/random.hpp"

#include <palette/impl/wire/encode.hpp>
#include <palette/impl/wire/text.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace round_trip_test {

using namespace palette;
using namespace palette::impl::wire;

void add_map(std::string& out, const StringMap& map, const std::string* description) {
    char const* separator = "{";
    auto const add = [&](std::string_view key, std::string_view value) {
        out += separator;
        separator = ",";
        REQUIRE(append_json_string(out, key, "key"));
        out += ':';
        REQUIRE(append_json_string(out, value, "value"));
    };
    if (description != nullptr) add("description", *description);
    for (auto const& [key, value] : map)
        add(key, value);
    if (*separator == '{') out += '{';
    out += '}';
}

std::string time_or_zero(const std::optional<Instant>& t) {
    return t ? Expiry::at(*t).to_string() : "0001-01-01T00:00:00.000Z";
}

// The key as the service would send it, with what a Go server leaves out left out.
std::string service_json(const ApiKey& key) {
    std::string out = R"({"metadata":{"annotations":)";
    add_map(out, key.annotations, key.description.empty() ? nullptr : &key.description);
    out += R"(,"creationTimestamp":")" + time_or_zero(key.created) + R"(","deletionTimestamp":")" +
           time_or_zero(key.deleted) + R"(","labels":)";
    add_map(out, key.labels, nullptr);
    out += R"(,"lastModifiedTimestamp":")" + time_or_zero(key.modified) + R"(","name":)";
    REQUIRE(append_json_string(out, key.name, "name"));
    out += R"(,"uid":")" + key.uid + R"("},"spec":{"expiry":")" + time_or_zero(key.expiry.instant()) +
           R"(","user":{"firstName":)";
    REQUIRE(append_json_string(out, key.owner.first_name, "first"));
    out += R"(,"lastName":)";
    REQUIRE(append_json_string(out, key.owner.last_name, "last"));
    out += R"(,"uid":")" + key.owner.uid + R"("}},"status":{)" + (key.is_active ? R"("isActive":true)" : "") +
           "}}";
    return out;
}

TEST_CASE("round trip: random keys survive being encoded and decoded with random chunking") {
    for (std::uint64_t seed = 1; seed <= 2'000; ++seed) {
        CAPTURE(seed);
        sample::Random random(seed);
        auto const key = random.key();
        auto const body = service_json(key);
        auto const read = decoding::from_pieces<ApiKey>(random.cut(body, 1 + random.below(40)));
        REQUIRE(read);
        REQUIRE(*read == key);
    }
}

TEST_CASE("round trip: what an update sends is the key with the edit upon it") {
    for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
        CAPTURE(seed);
        sample::Random random(seed);
        auto const key = random.key();
        ApiKeyEdit edit;
        if (random.one_in(2)) edit.name(random.text(10));
        if (random.one_in(2)) edit.description(random.text(10));
        if (random.one_in(2)) edit.expires(random.one_in(3) ? Expiry::never() : Expiry::at(random.instant()));

        auto const body = encode_update(key, edit);
        REQUIRE(body);
        auto const sent = decoding::from_pieces<ApiKey>(random.cut(*body, 9));
        REQUIRE(sent);
        auto const expected = edit.applied_to(key);
        REQUIRE(sent->name == expected.name);
        REQUIRE(sent->description == expected.description);
        REQUIRE(sent->expiry == expected.expiry);
        REQUIRE(sent->annotations == expected.annotations);
        REQUIRE(sent->labels == expected.labels);
    }
}

TEST_CASE("round trip: what a create sends is the key that was asked for") {
    auto const now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
        CAPTURE(seed);
        sample::Random random(seed);
        NewApiKey wanted(random.text(10));
        if (random.one_in(2)) wanted.description(random.text(20));
        if (random.one_in(2)) wanted.expires(Expiry::at(random.instant()));
        if (random.one_in(2)) wanted.annotate("team", random.text(5));
        if (random.one_in(2)) wanted.label(random.text(5), random.text(5));

        auto const body = encode_create(wanted, now);
        REQUIRE(body);
        auto const sent = decoding::from_pieces<ApiKey>(random.cut(*body, 9));
        REQUIRE(sent);
        REQUIRE(sent->name == wanted.name());
        REQUIRE(sent->description == wanted.description());
        REQUIRE(sent->expiry == wanted.expiry().value_or(Expiry::in(std::chrono::days{30}, now)));
        REQUIRE(sent->annotations == wanted.annotations());
        REQUIRE(sent->labels == wanted.labels());
    }
}

}  // namespace round_trip_test
