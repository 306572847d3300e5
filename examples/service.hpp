// SPDX-License-Identifier: BSL-1.0
#pragma once

// Which service the examples talk to: the one that PALETTE_HOST names, with the key in PALETTE_API_KEY and,
// if it is set, the authorities in PALETTE_CA_FILE; otherwise an emulator in the example's own process.

#include <palette/options.hpp>
#include <palette/testing/emulator.hpp>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <utility>

namespace example {

class Service {
public:
    // Throws palette::Exception if the environment names a service, but not all that it takes.
    explicit Service(palette::testing::EmulatorOptions options = {}) {
        if (char const* const host = std::getenv("PALETTE_HOST"); host != nullptr && *host != '\0') {
            options_ = palette::ClientOptions::from_environment().value();
            std::cout << "at " << options_.endpoint << ", which is a real service\n";
        } else {
            emulator_.emplace(std::move(options));
            options_ = emulator_->client_options(palette::testing::Role::tenant_admin);
            std::cout << "at " << options_.endpoint << ", an emulator that ends with this program\n";
        }
    }

    // For a client, of a tenant's administrator where it is the emulator.
    [[nodiscard]] const palette::ClientOptions& options() const noexcept { return options_; }

    [[nodiscard]] bool is_real() const noexcept { return !emulator_; }

private:
    std::optional<palette::testing::Emulator> emulator_;
    palette::ClientOptions options_;
};

}  // namespace example
