// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/lookup.hpp>
#include <palette/result.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// The same ones, the families by turns, beginning with that of the first: a network without IPv6 costs one
// wait, however many such addresses a host has.
Endpoints by_turns(const Endpoints& endpoints);

// Connects to the first of a host's addresses that answers; see AddressRace. The others are closed. On the
// strand.
//
// Errors: errc::timeout if none has answered in `time`, errc::transport with the last reason if all have
// failed; "cannot connect to `what`: ...". errc::operation_aborted: cancellation of every type, at once.
asio::awaitable<Result<asio::ip::tcp::socket>> connect_to_first(Endpoints endpoints,
                                                                std::chrono::milliseconds time,
                                                                std::string what);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/connect_race.ipp>
#endif
