// SPDX-License-Identifier: BSL-1.0
#pragma once

// What a fragment of code in README.md, SECURITY.md or docs/ has at hand, beside what it includes itself. A
// fragment is the body of a coroutine with these parameters:
//
//     client           a palette::ApiKeyClient
//     options          a palette::ClientOptions
//     uid, kept, line  a std::string each
//
// and may call log(text), fail(text), after which the program ends with status 1, and keep(text).

#include <palette/api_keys.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>

#include <chrono>
#include <iostream>
#include <string>
#include <string_view>

using namespace std::chrono_literals;

inline void log(std::string_view text) {
    std::cerr << text << '\n';
}

inline void fail(std::string_view text) {
    log(text);
}

inline void keep(std::string_view text) {
    std::cout << text << '\n';
}

#define PALETTE_KEYS_FRAGMENT                                                                            \
    boost::asio::awaitable<void> fragment(                                                               \
        [[maybe_unused]] palette::ApiKeyClient& client, [[maybe_unused]] palette::ClientOptions options, \
        [[maybe_unused]] std::string uid, [[maybe_unused]] std::string kept,                             \
        [[maybe_unused]] std::string line)
