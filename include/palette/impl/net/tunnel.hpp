// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/response_parser.hpp>
#include <palette/options.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

namespace asio = boost::asio;

// The proxy that a client uses.
struct ProxyRoute {
    std::string host;
    std::uint16_t port = 0;
    Secret authorization;  // "Basic cm9ib3Q6cEBzcw=="; empty: none
    std::string user_agent;

    // "the proxy proxy.acme.com:3128"
    [[nodiscard]] std::string shown() const;
};

// None if the endpoint is reached without one. errc::invalid_argument for options that make no sense,
// whether they are needed or not.
Result<std::optional<ProxyRoute>> route_of(const ClientOptions& options);

// The name and port that a proxy is asked for: "palette.acme.com:443".
std::string tunnel_target(const Endpoint& endpoint);

// Writes the request to `out`, which is empty.
void render_connect(const std::string& target, const ProxyRoute& proxy, Secret& out);

// Reads what a proxy answers, given in pieces. Nothing of it goes anywhere but its status.
class TunnelReply final : private ResponseSink {
public:
    static constexpr std::size_t max_head_bytes = 16 * 1024;

    explicit TunnelReply(std::string proxy);

    // How many of the bytes were taken.
    std::size_t take(std::string_view bytes) { return parser_.take(bytes); }

    [[nodiscard]] bool is_whole() const noexcept {
        return parser_.state() != ResponseParser::State::needs_more;
    }

    // Of one that is whole: success, or errc::proxy. `left_over`: bytes that came behind it.
    [[nodiscard]] Result<void> verdict(std::size_t left_over) const;

private:
    [[nodiscard]] bool wants_header(int /*status*/, std::string_view /*name*/) const override {
        return false;
    }
    void head(HttpResponse response) override { status_ = response.status; }
    bool body(std::string_view) override { return false; }

    std::string proxy_;
    int status_ = 0;
    ResponseParser parser_;
};

// Asks the proxy at the other end of the socket, which is connected, for a tunnel. What goes and comes over
// the socket afterwards is between this program and the service.
//
// Errors: errc::proxy if it refuses, with its status, or if its answer is none; errc::timeout if the answer
// is not there within `time`; errc::transport if the connection breaks before; errc::operation_aborted.
asio::awaitable<Result<void>> open_tunnel(asio::ip::tcp::socket& socket, const std::string& target,
                                          const ProxyRoute& proxy, std::chrono::milliseconds time);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/tunnel.ipp>
#endif
