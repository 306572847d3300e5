// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/clock.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// Waits for that time of the clock; none: the machine's.
boost::asio::awaitable<void> pause(std::shared_ptr<Clock> clock, std::chrono::milliseconds time);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/http/pause.ipp>
#endif
