// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/address_race.hpp>

#include <algorithm>
#include <cstdint>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

PALETTE_KEYS_INLINE AddressRace::AddressRace(std::size_t addresses, std::chrono::milliseconds time,
                                             Time begun) noexcept
    : addresses_(addresses),
      next_(begun),
      end_(begun + time),
      // With many addresses the starts are closer together, so that the last one has its turn in time.
      stagger_(std::min<std::chrono::steady_clock::duration>(
          longest_stagger, std::chrono::steady_clock::duration(time) /
                               static_cast<std::int64_t>(std::max<std::size_t>(addresses, 1)))) {}

PALETTE_KEYS_INLINE std::optional<AddressRace::Step> AddressRace::next(Time now) noexcept {
    if (started_ == addresses_ || now < next_ || is_late(now)) return std::nullopt;
    Step step;
    step.started = started_++;
    // The oldest gives way: it has had the longest chance, and later addresses are still to be tried.
    if (under_way_count_ == max_under_way) {
        step.given_up = under_way_.front();
        drop(0);
    }
    under_way_[under_way_count_++] = step.started;
    next_ = now + stagger_;
    return step;
}

PALETTE_KEYS_INLINE void AddressRace::failed(std::size_t address, Time now) noexcept {
    auto const end = under_way_.begin() + under_way_count_;
    auto const found = std::find(under_way_.begin(), end, address);
    if (found == end) return;
    drop(static_cast<std::size_t>(found - under_way_.begin()));
    // A refusal leaves nothing to wait for.
    next_ = std::min(next_, now);
}

PALETTE_KEYS_INLINE void AddressRace::drop(std::size_t place) noexcept {
    std::copy(under_way_.begin() + place + 1, under_way_.begin() + under_way_count_,
              under_way_.begin() + place);
    --under_way_count_;
}

PALETTE_KEYS_INLINE AddressRace::Time AddressRace::next_look() const noexcept {
    return started_ == addresses_ ? end_ : std::min(next_, end_);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
