// SPDX-License-Identifier: BSL-1.0
#pragma once

// What a fragment of code in README.md, SECURITY.md or docs/ has at hand, beside what it includes itself. A
// fragment is the body of a coroutine with these parameters:
//
//     client           a palette::ApiKeyClient
//     options          a palette::ClientOptions
//     uid, line        a std::string each
//     directory        a std::string, the absolute path of one that nobody else may write to
//
// and may call log(text), fail(text), after which the program ends with status 1, and keep(text). What it
// says is kept for the tests that run it.

#include <palette/api_keys.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

struct WhatWasSaid {
    std::vector<std::string> logged;
    std::vector<std::string> failed;
    std::vector<std::string> kept;
};
inline WhatWasSaid what_was_said;

inline void log(std::string_view text) {
    what_was_said.logged.emplace_back(text);
}

inline void fail(std::string_view text) {
    what_was_said.failed.emplace_back(text);
}

inline void keep(std::string_view text) {
    what_was_said.kept.emplace_back(text);
}

#define PALETTE_KEYS_FRAGMENT                                                                            \
    boost::asio::awaitable<void> fragment(                                                               \
        [[maybe_unused]] palette::ApiKeyClient& client, [[maybe_unused]] palette::ClientOptions options, \
        [[maybe_unused]] std::string uid, [[maybe_unused]] std::string line,                             \
        [[maybe_unused]] std::string directory)
