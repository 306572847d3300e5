// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

// The seeds of all that is random in a test. The same on every run, unless PALETTE_KEYS_SEED, a number, is
// set, which is added to each; a test that fails prints those that it has used (unit/main.cpp).
namespace seeds {

class Used {
public:
    static Used& of_this_test() {
        static Used used;
        return used;
    }

    void add(std::uint64_t seed) {
        std::lock_guard const lock(mutex_);
        seeds_.push_back(seed);
    }

    void clear() {
        std::lock_guard const lock(mutex_);
        seeds_.clear();
    }

    // The last ones: where there are many, those before have passed.
    [[nodiscard]] std::string to_string() const {
        constexpr std::size_t shown = 8;
        std::lock_guard const lock(mutex_);
        std::string text;
        for (auto i = seeds_.size() - std::min(seeds_.size(), shown); i < seeds_.size(); ++i)
            text += (text.empty() ? "" : ", ") + std::to_string(seeds_[i]);
        return text;
    }

private:
    mutable std::mutex mutex_;
    std::vector<std::uint64_t> seeds_;
};

inline std::uint64_t shift() {
    auto const* const text = std::getenv("PALETTE_KEYS_SEED");
    return text == nullptr ? 0 : std::strtoull(text, nullptr, 10);
}

// What a generator is to be seeded with where the source says `fixed`.
inline std::uint64_t seed(std::uint64_t fixed) {
    auto const shifted = fixed + shift();
    Used::of_this_test().add(shifted);
    return shifted;
}

// For generators that take less.
inline std::uint32_t short_seed(std::uint64_t fixed) {
    return static_cast<std::uint32_t>(seed(fixed));
}

}  // namespace seeds
