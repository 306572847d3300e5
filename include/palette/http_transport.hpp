// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/options.hpp>
#include <palette/result.hpp>
#include <palette/transport.hpp>

#include <memory>

namespace palette::inline PALETTE_KEYS_ABI {

/// Returns the transport that a client uses when ClientOptions::transport is not set: HTTP/1.1 over TLS, or
/// in the clear as the endpoint says, with a pool of connections. For a transport of your own that wraps it,
/// to record, to count, or to change requests; see examples/record_and_replay.cpp.
///
///     auto real = make_http_transport(options).value();
///     options.transport = std::make_shared<Recorder>(real);
///
/// Reads the options endpoint, user_agent, tls, timeouts, pool, retry and proxy.
///
/// Precondition: its connections do not outlive the execution context of its client. The client closes them
/// when it is destroyed, by Transport::close(), which a transport that wraps this one has to pass on.
///
/// Errors: errc::invalid_argument if these cannot be used, as the constructor of a client throws them.
/// Threads: for one client. Runs on the executor of the first coroutine that calls exchange(), which is that
/// of the client.
[[nodiscard]] PALETTE_KEYS_DECL Result<std::shared_ptr<Transport>> make_http_transport(ClientOptions options);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/client/default_transport.ipp>
#endif
