// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/raw_http.hpp"

#include <palette/testing/emulator.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <thread>

// What tests of faults send, and how they wait for what comes of it.

// What holds soon holds at once nearly always; the bound is for a machine that is very busy.
template <class Condition>
bool soon(Condition condition) {
    auto const end = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::yield();
    }
    return true;
}

inline std::string ask(const palette::testing::Emulator& emulator, std::string_view method,
                       std::string_view path, std::string_view body = {}, bool last = false) {
    auto const key = emulator.user(palette::testing::Role::tenant_admin).api_key.expose();
    return raw::request(method, path, {{"ApiKey", key}, {"Connection", last ? "close" : "keep-alive"}}, body);
}

inline std::string ask_for_key(const palette::testing::Emulator& emulator, bool last = false) {
    return ask(emulator, "POST", "/v1/apiKeys", R"({"metadata":{"name":"ci"}})", last);
}
