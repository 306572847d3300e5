// SPDX-License-Identifier: BSL-1.0
// A small program of somebody else's, that holds keys.
#include <palette/api_key.hpp>
#include <palette/expiry.hpp>
#include <palette/secret.hpp>

#include <chrono>
#include <iostream>
#include <string>

int main() {
    auto const expiry = palette::Expiry::parse("2027-01-31T12:00:00Z");
    if (!expiry || expiry->to_string() != "2027-01-31T12:00:00.000Z") return 1;

    auto const bad = palette::Expiry::parse("tomorrow");
    if (bad || bad.error().code() != palette::errc::invalid_argument) return 2;

    try {
        (void)bad.value();
        return 3;
    } catch (const palette::Exception& e) {
        if (e.error().message().empty()) return 4;
    }

    auto const request = palette::NewApiKey("ci").description("nightly").expires(*expiry).label("team", "a");
    if (request.name() != "ci" || request.expiry() != *expiry) return 5;

    std::string line = "a value";
    palette::CreatedApiKey const created("uid", palette::Secret::take(line), true);
    if (!line.empty() || created.secret().expose() != "a value") return 6;

    palette::ApiKey key;
    key.name = "ci";
    key.is_active = true;
    key.expiry = *expiry;
    if (key.state(std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}) != palette::KeyState::active)
        return 7;

    std::cout << request << '\n' << created << '\n' << key << '\n';
}
