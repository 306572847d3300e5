// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/address_race.hpp>

#include <algorithm>
#include <cstdint>

namespace palette::inline PALETTE_KEYS_ABI::net {

PALETTE_KEYS_INLINE AddressRace::AddressRace(std::size_t addresses, std::chrono::milliseconds time,
                                             Time begun) noexcept
    : addresses_(addresses),
      next_(begun),
      end_(begun + time),
      stagger_(std::min<std::chrono::steady_clock::duration>(
          longest_stagger, std::chrono::steady_clock::duration(time) /
                               static_cast<std::int64_t>(std::max<std::size_t>(addresses, 1)))) {}

PALETTE_KEYS_INLINE std::optional<AddressRace::Step> AddressRace::next(Time now) {
    if (started_ == addresses_ || now < next_ || is_late(now)) return std::nullopt;
    Step step;
    step.started = started_++;
    if (under_way_.size() == most_under_way) {
        step.given_up = under_way_.front();
        under_way_.pop_front();
    }
    under_way_.push_back(step.started);
    next_ = now + stagger_;
    return step;
}

PALETTE_KEYS_INLINE void AddressRace::failed(std::size_t address, Time now) {
    if (std::erase(under_way_, address) > 0) next_ = std::min(next_, now);
}

PALETTE_KEYS_INLINE AddressRace::Time AddressRace::next_look() const noexcept {
    return started_ == addresses_ ? end_ : std::min(next_, end_);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::net
