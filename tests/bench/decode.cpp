// SPDX-License-Identifier: BSL-1.0

// Decoding a list of keys from memory: ours, with typed values and times, against DOMs without either.

#include "bench/measure.hpp"
#include "support/sample_keys.hpp"

#include <palette/impl/wire/decode.hpp>

#include <boost/json.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace {

using namespace bench;

constexpr std::size_t chunk_size = 64 * 1024;
constexpr std::size_t judged_keys = 10'000;

void ours(std::string_view body, std::size_t count) {
    palette::impl::wire::Decoder<palette::impl::wire::KeyPage> decoder;
    for (std::size_t at = 0; at < body.size(); at += chunk_size)
        require(decoder.write(body.substr(at, chunk_size)).has_value());
    auto const page = decoder.finish();
    require(page && page->items.size() == count);
}

void boost_parse(std::string_view body, std::size_t count) {
    require(boost::json::parse({body.data(), body.size()}).at("items").as_array().size() == count);
}

void boost_parse_monotonic(std::string_view body, std::size_t count) {
    boost::json::monotonic_resource memory;
    require(boost::json::parse({body.data(), body.size()}, &memory).at("items").as_array().size() == count);
}

void nlohmann_parse(std::string_view body, std::size_t count) {
    require(nlohmann::json::parse(body).at("items").size() == count);
}

struct Peer {
    const char* name;
    void (*decode)(std::string_view body, std::size_t count);
    double reach;
};

constexpr Peer peers[] = {
    {"boost::json::parse", boost_parse, 0.35},
    {"boost::json::parse, monotonic_resource", boost_parse_monotonic, 0.90},
    {"nlohmann::json::parse", nlohmann_parse, 0.10},
};

struct Size {
    std::size_t keys;
    int rounds;
    int repeat;
};

void compare_all(Table& table, const Size& size) {
    auto const body = sample::key_list(size.keys);
    auto const time_of = [&](auto decode) {
        auto const seconds = cpu_time([&] {
            for (int i = 0; i < size.repeat; ++i)
                decode(body, size.keys);
        });
        return seconds / size.repeat;
    };
    for (auto const& peer : peers) {
        auto const name = std::to_string(size.keys) + " keys: " + peer.name;
        auto const compared =
            compare(size.rounds, [&] { return time_of(ours); }, [&] { return time_of(peer.decode); });
        if (size.keys == judged_keys)
            table.at_most(peer.reach, name, milliseconds, compared);
        else
            table.show(name, milliseconds, compared);
    }
}

}  // namespace

int main() {
    Table table("decode a list in memory, 64 KB at a time");
    compare_all(table, {1'000, 21, 10});
    compare_all(table, {judged_keys, 15, 2});
    return table.status();
}
