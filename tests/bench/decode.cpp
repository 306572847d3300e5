// SPDX-License-Identifier: BSL-1.0

// Decoding a list of keys: ours, with typed values and times, against DOMs without either. All take
// turns in one run, so that a machine that slows down slows them alike; the median counts.

#include "support/sample_keys.hpp"

#include <palette/impl/wire/decode.hpp>

#include <sys/wait.h>
#include <unistd.h>
#include <boost/json.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t chunk_size = 64 * 1024;

void require(bool good) {
    if (good) return;
    std::fputs("bench: a decoder did not read what it was given\n", stderr);
    std::exit(1);
}

void ours(std::string_view body, std::size_t count) {
    palette::wire::Decoder<palette::wire::KeyPage> decoder;
    for (std::size_t at = 0; at < body.size(); at += chunk_size)
        require(decoder.write(body.substr(at, chunk_size)).has_value());
    auto const page = decoder.finish();
    require(page && page->items.size() == count);
}

void boost_stream(std::string_view body, std::size_t count) {
    boost::json::stream_parser parser;
    for (std::size_t at = 0; at < body.size(); at += chunk_size)
        parser.write(body.data() + at, std::min(chunk_size, body.size() - at));
    parser.finish();
    require(parser.release().at("items").as_array().size() == count);
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

struct Contender {
    const char* name;
    std::function<void(std::string_view, std::size_t)> run;
    double reach;  // ours may take this part of its time; 0: shown for comparison only
    std::vector<double> milliseconds = {};
    std::size_t peak = 0;

    [[nodiscard]] double median() {
        std::ranges::nth_element(milliseconds, milliseconds.begin() + std::ssize(milliseconds) / 2);
        return milliseconds[milliseconds.size() / 2];
    }
};

// A line of /proc/self/status in bytes, 0 where there is none.
std::size_t status(const std::string& name) {
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(name)) return std::stoul(line.substr(name.size())) * 1024;
    return 0;
}

// What `work` adds at most to the memory of a process that has done nothing else yet.
std::size_t peak_of(const std::function<void()>& work) {
    int ends[2];
    require(::pipe(ends) == 0);
    auto const child = ::fork();
    require(child >= 0);
    if (child == 0) {
        std::ofstream("/proc/self/clear_refs") << 5;  // the peak starts anew
        auto const before = status("VmRSS:");
        work();
        auto const peak = status("VmHWM:") - before;
        ::_exit(::write(ends[1], &peak, sizeof peak) == sizeof peak ? 0 : 1);
    }
    std::size_t peak = 0;
    require(::read(ends[0], &peak, sizeof peak) == sizeof peak);
    int outcome = 0;
    ::waitpid(child, &outcome, 0);
    ::close(ends[0]);
    ::close(ends[1]);
    return peak;
}

// Every contender in turn, `repeat` times each, `rounds` times over.
void time_all(std::vector<Contender>& contenders, const std::string& body, std::size_t count, int rounds,
              int repeat) {
    for (int round = -1; round < rounds; ++round) {  // the first one warms up
        for (auto& contender : contenders) {
            for (int i = 0; i < repeat; ++i) {
                auto const start = std::chrono::steady_clock::now();
                contender.run(body, count);
                std::chrono::duration<double, std::milli> const took =
                    std::chrono::steady_clock::now() - start;
                if (round >= 0) contender.milliseconds.push_back(took.count());
            }
        }
    }
}

bool report(std::vector<Contender>& contenders, const std::string& body, std::size_t count) {
    std::printf("decode %zu keys (%.1f MB), median of %zu\n", count, static_cast<double>(body.size()) / 1e6,
                contenders.front().milliseconds.size());
    std::printf("  %-42s %9s %9s %9s %9s\n", "", "ms", "ours/it", "reach", "peak MB");
    double const us = contenders.front().median();
    bool all_reached = true;
    for (auto& contender : contenders) {
        double const ratio = us / contender.median();
        std::printf("  %-42s %9.2f %9.3f ", contender.name, contender.median(), ratio);
        if (contender.reach > 0) {
            std::printf("%9.2f ", contender.reach);
            all_reached = all_reached && ratio <= contender.reach;
        } else {
            std::printf("%9s ", "");
        }
        std::printf("%9.2f\n", static_cast<double>(contender.peak) / 1e6);
    }
    return all_reached;
}

std::vector<Contender> all_contenders() {
    return {
        {"palette-keys, 64 KB chunks", ours, 0},
        {"boost::json::parse", boost_parse, 0.45},
        {"boost::json::parse, monotonic_resource", boost_parse_monotonic, 1.0},
        {"nlohmann::json::parse", nlohmann_parse, 0.10},
        {"boost::json::stream_parser, 64 KB chunks", boost_stream, 0},
    };
}

}  // namespace

int main() {
    struct Size {
        std::size_t keys;
        int rounds;
        int repeat;
        std::string body = {};
        std::vector<Contender> contenders = {};
    };
    std::vector<Size> sizes{{1'000, 30, 20}, {10'000, 15, 4}};
    for (auto& size : sizes) {
        size.body = sample::key_list(size.keys);
        size.contenders = all_contenders();
    }
    for (auto& size : sizes)  // before anything is timed: memory that is free already would not count
        for (auto& contender : size.contenders)
            contender.peak = peak_of([&] { contender.run(size.body, size.keys); });

    bool reached = true;
    for (auto& size : sizes) {
        time_all(size.contenders, size.body, size.keys, size.rounds, size.repeat);
        reached = report(size.contenders, size.body, size.keys) && reached;
    }
    std::puts(reached ? "every figure is reached" : "a figure is not reached");
    return reached ? 0 : 1;
}
