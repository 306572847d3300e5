// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>
#include <palette/result.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

namespace asio = boost::asio;

using Addresses = std::vector<asio::ip::address>;
using Endpoints = std::vector<asio::ip::tcp::endpoint>;
using LookupAnswer = Result<Addresses>;

// Finds the addresses of a name, the best ones first. It may block, and what it throws is an error.
using Lookup = std::function<LookupAnswer(const std::string& host)>;

// As the system does: getaddrinfo(), which blocks for as long as it likes.
LookupAnswer ask_system(const std::string& host);

// What needs no lookup: an address, and localhost, which is 127.0.0.1 and ::1 whatever the system says,
// so that nothing that is meant for this machine leaves it.
std::optional<Addresses> known_addresses(const std::string& host);

// To connect to: in the same order, each once.
Endpoints endpoints_of(const Addresses& addresses, std::uint16_t port);

// Looks up names without holding up anybody: not the executor, not a cancellation, not the end of the
// context. None of these can interrupt getaddrinfo(), so it runs on a detached thread that is left to
// itself when nobody waits for it any more.
//
//     auto const endpoints = co_await resolver.lookup("palette.acme.com", 443);
//     if (!endpoints) co_return endpoints.error();
//
// Those who wait for the same host share one lookup. At most four are under way at a time, and at most 16 of
// all resolvers of the process; further hosts wait for their turn, first come, first served. Nothing is
// remembered.
//
// Errors: errc::transport, 'cannot look up "palette.acme.com": ...', if the name has no address, the
// lookup throws, or no thread can be started; what the lookup itself gives as an error, unchanged;
// errc::invalid_argument for what cannot be a name; errc::timeout after `time`; errc::operation_aborted.
// Cancellation: of every type, at once, waiting for a turn or not. Others who wait are not disturbed.
// Threads: lookup() is called on one executor, a strand if several threads run it. The Lookup is called
// from threads of the resolver's own, several at a time.
// Lifetimes: the resolver may be destroyed before what it looks up, and the context before a Lookup
// returns. The Lookup lives until it has returned, so it holds nothing that ends earlier.
class Resolver {
public:
    static constexpr std::size_t max_workers = 4;

    explicit Resolver(Lookup lookup = ask_system);

    asio::awaitable<Result<Endpoints>> lookup(std::string host, std::uint16_t port,
                                              std::chrono::milliseconds time = std::chrono::hours{1});

private:
    class Flights;

    static asio::awaitable<Result<Endpoints>> look_up(std::shared_ptr<Flights> flights, std::string host,
                                                      std::uint16_t port, std::chrono::milliseconds time);

    std::shared_ptr<Flights> flights_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/lookup.ipp>
#endif
