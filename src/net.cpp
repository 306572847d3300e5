// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/net/address_race.ipp>
#include <palette/impl/net/connect_race.ipp>
#include <palette/impl/net/connector.ipp>
#include <palette/impl/net/http_connection.ipp>
#include <palette/impl/net/http_transport.ipp>
#include <palette/impl/net/lookup.ipp>
#include <palette/impl/net/pool.ipp>
#include <palette/impl/net/response_parser.ipp>
#include <palette/impl/net/stream.ipp>
#include <palette/impl/net/tls.ipp>
#include <palette/impl/net/tls_context.ipp>
#include <palette/impl/net/tunnel.ipp>
