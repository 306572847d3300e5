// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <cstdint>
#include <optional>
#include <random>

namespace palette::inline PALETTE_KEYS_ABI::impl::timing {

// The random part of a backoff: numbers in [0, 1), the same in each run and with each standard library for
// one seed. Without a seed, unpredictable.
class Jitter {
public:
    explicit Jitter(std::optional<std::uint32_t> seed) {
        // The engine's first numbers are proportional to its seed, so a small one is spread over all bits.
        std::seed_seq spread{seed ? *seed : std::random_device{}()};
        engine_.seed(spread);
    }

    [[nodiscard]] double operator()() noexcept {
        // Not std's distribution, which each standard library makes in its own way.
        constexpr double span = static_cast<double>(Engine::max() - Engine::min()) + 1;
        return static_cast<double>(engine_() - Engine::min()) / span;
    }

private:
    using Engine = std::minstd_rand;

    Engine engine_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::timing
