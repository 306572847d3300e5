// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/time/sleep.hpp>
#include <palette/options.hpp>
#include <palette/result.hpp>
#include <palette/transport.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// HTTP/1.1 over TLS, or in the clear where the endpoint says so, with connections that are used again. On
// `strand`, and with `timer` if there is one to share. errc::invalid_argument if the TLS options or those of
// the proxy cannot work.
Result<std::shared_ptr<Transport>> make_http_transport(const boost::asio::any_io_executor& strand,
                                                       const ClientOptions& options,
                                                       std::shared_ptr<timing::SharedTimer> timer = nullptr);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/http_transport.ipp>
#endif
