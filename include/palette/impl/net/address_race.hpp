// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// Decides which of a host's addresses is tried when. The next one starts when one fails, or after 250 ms, or
// less where not all would get their chance in time; those that were started go on meanwhile. Does nothing
// itself.
//
//     while (auto const step = race.next(now)) { close(step->given_up); connect(step->started); }
//     wait_until(race.next_look());
class AddressRace {
public:
    using Time = std::chrono::steady_clock::time_point;

    static constexpr std::chrono::milliseconds longest_stagger{250};
    static constexpr std::size_t max_under_way = 8;

    AddressRace(std::size_t addresses, std::chrono::milliseconds time, Time begun) noexcept;

    struct Step {
        std::size_t started = 0;
        std::optional<std::size_t> given_up{};  // the oldest one, where too many would be under way
    };

    // What is to be done now. Asked until it is nothing.
    std::optional<Step> next(Time now) noexcept;

    // One that was started and not given up.
    void failed(std::size_t address, Time now) noexcept;

    // All have failed.
    [[nodiscard]] bool is_lost() const noexcept { return started_ == addresses_ && under_way_count_ == 0; }
    [[nodiscard]] bool is_late(Time now) const noexcept { return now >= end_; }

    // When to ask again if nothing happens.
    [[nodiscard]] Time next_look() const noexcept;

private:
    void drop(std::size_t place) noexcept;

    std::size_t addresses_;
    std::size_t started_ = 0;
    // The oldest first. No allocation: a race is told of a failure where nobody could catch one.
    std::array<std::size_t, max_under_way> under_way_{};
    std::size_t under_way_count_ = 0;
    Time next_;
    Time end_;
    std::chrono::steady_clock::duration stagger_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/address_race.ipp>
#endif
