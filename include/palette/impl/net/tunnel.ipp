// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/net/phase_timeout.hpp>
#include <palette/impl/net/stream.hpp>
#include <palette/impl/net/tunnel.hpp>
#include <palette/impl/net/user_agent.hpp>
#include <palette/impl/seams/proxy.hpp>
#include <palette/impl/seams/proxy_bypass.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/impl/values/wipe.hpp>

#include <openssl/evp.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

PALETTE_KEYS_INLINE std::string ProxyRoute::shown() const {
    return "the proxy " + detail::in_brackets(detail::printable(host)) + ':' + std::to_string(port);
}

// Into a secret, a few bytes at a time: nothing of it is left elsewhere.
inline void append_base64(Secret& out, std::string_view text) {
    while (!text.empty()) {
        auto const size = std::min<std::size_t>(text.size(), 3);
        unsigned char letters[5];  // and a NUL
        EVP_EncodeBlock(letters, reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(size));
        out.append({reinterpret_cast<const char*>(letters), 4});
        detail::wipe(letters, sizeof letters);
        text.remove_prefix(size);
    }
}

PALETTE_KEYS_INLINE Result<std::optional<ProxyRoute>> route_of(const ClientOptions& options) {
    auto const& proxy = options.proxy;
    if (proxy.url.empty()) {
        // Credentials without a proxy are a mistake, which would otherwise show as a direct connection.
        if (proxy.user.empty() && !proxy.password) return std::optional<ProxyRoute>();
        return Error(errc::invalid_argument, "there are credentials for a proxy, and no proxy")
            .path("proxy.url");
    }
    auto url = detail::parse_proxy_url(proxy.url);
    if (!url) return std::move(url).error().path("proxy.url");
    // A URL is shown in errors and in logs; credentials are not to stand in it.
    if (url->has_user)
        return Error(errc::invalid_argument,
                     "the proxy's URL has a user; give user and password by themselves, or use "
                     "ProxyOptions::parse()")
            .path("proxy.url");
    auto const password = proxy.password ? proxy.password->expose() : std::string_view();
    if (auto good = detail::check_proxy_credentials(proxy.user, password); !good)
        return std::move(good).error().path("proxy.user");
    auto const bypass = detail::ProxyBypass::parse(proxy.bypass);
    if (!bypass) return Error(bypass.error()).path("proxy.bypass");

    auto const& endpoint = options.endpoint;
    // Plain HTTP never uses a proxy, which would see the credential.
    if (!endpoint.is_secure() || bypass->covers(endpoint.host(), endpoint.port()))
        return std::optional<ProxyRoute>();
    ProxyRoute route{std::move(url->host), url->port, Secret(), user_agent_of(options.user_agent)};
    if (!proxy.user.empty() || proxy.password) {
        Secret both(proxy.user);
        both.append(":");
        both.append(password);
        route.authorization = Secret("Basic ");
        append_base64(route.authorization, both.expose());
    }
    return std::optional<ProxyRoute>(std::move(route));
}

PALETTE_KEYS_INLINE std::string tunnel_target(const Endpoint& endpoint) {
    return detail::in_brackets(endpoint.host()) + ':' + std::to_string(endpoint.port());
}

PALETTE_KEYS_INLINE void render_connect(const std::string& target, const ProxyRoute& proxy, Secret& out) {
    out.append("CONNECT ");
    out.append(target);
    out.append(" HTTP/1.1\r\nHost: ");
    out.append(target);
    out.append("\r\nUser-Agent: ");
    out.append(proxy.user_agent);
    out.append("\r\n");
    if (!proxy.authorization.empty()) {
        out.append("Proxy-Authorization: ");
        out.append(proxy.authorization.expose());
        out.append("\r\n");
    }
    out.append("\r\n");
}

inline ResponseLimits limits_of_tunnel_reply() {
    ResponseLimits limits;
    limits.head_bytes = TunnelReply::max_head_bytes;
    return limits;
}

// No answer to CONNECT has a body that anybody would read.
PALETTE_KEYS_INLINE TunnelReply::TunnelReply(std::string proxy)
    : proxy_(std::move(proxy)),
      parser_(*this, AnswerTo::head_request, limits_of_tunnel_reply()) {}

PALETTE_KEYS_INLINE Result<void> TunnelReply::verdict(std::size_t left_over) const {
    auto const refused = [this](std::string_view what) {
        return Error(errc::proxy, proxy_ + ' ' + std::string(what)).status(status_);
    };
    // Nothing of the answer is quoted: a proxy may repeat what it was sent.
    if (parser_.state() == ResponseParser::State::failed)
        return refused(parser_.error().code() == errc::too_large ? "answers with more than a proxy has to say"
                                                                 : "does not answer as an HTTP proxy does");
    if (status_ == 407) return refused("refuses its credentials: they are missing or wrong");
    if (status_ / 100 != 2) return refused("refuses to connect to the service");
    // Bytes before the TLS handshake can only be injected.
    if (left_over > 0) return refused("sends something before the service could");
    return {};
}

// Wiped, for a proxy may repeat what it was asked.
class ReplyBuffer {
public:
    ReplyBuffer() : bytes_(std::make_unique<char[]>(size_)) {}
    ReplyBuffer(const ReplyBuffer&) = delete;
    ReplyBuffer& operator=(const ReplyBuffer&) = delete;
    ~ReplyBuffer() { detail::wipe(bytes_.get(), size_); }

    [[nodiscard]] asio::mutable_buffer space() noexcept {
        return asio::buffer(bytes_.get() + filled_, size_ - filled_);
    }
    void add(std::size_t size, TunnelReply& reply) {
        filled_ += size;
        auto const taken = reply.take({bytes_.get(), filled_});
        filled_ -= taken;
        // The parser wants what it did not take again, from the start.
        std::memmove(bytes_.get(), bytes_.get() + taken, filled_);
    }
    [[nodiscard]] std::size_t left_over() const noexcept { return filled_; }

private:
    // One byte more than the parser accepts, so that it is the parser that refuses what is too long.
    static constexpr std::size_t size_ = TunnelReply::max_head_bytes + 1;

    std::unique_ptr<char[]> bytes_;
    std::size_t filled_ = 0;
};

inline asio::awaitable<boost::system::error_code> ask_for_tunnel(asio::ip::tcp::socket& socket,
                                                                 const Secret& request, TunnelReply& reply,
                                                                 ReplyBuffer& buffer) {
    auto const text = request.expose();
    auto const [broken, written] = co_await asio::async_write(socket, asio::buffer(text.data(), text.size()),
                                                              asio::as_tuple(asio::use_awaitable));
    boost::system::error_code error = broken;
    while (!error && !reply.is_whole()) {
        auto const state = co_await asio::this_coro::cancellation_state;
        // A cancellation that comes between two operations finds none to end.
        if (is_cancelled(state)) co_return asio::error::operation_aborted;
        auto const [ended, size] =
            co_await socket.async_read_some(buffer.space(), asio::as_tuple(asio::use_awaitable));
        error = ended;
        if (!error) buffer.add(size, reply);
    }
    co_return error;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> open_tunnel(asio::ip::tcp::socket& socket,
                                                              const std::string& target,
                                                              const ProxyRoute& proxy,
                                                              std::chrono::milliseconds time) {
    auto const executor = co_await asio::this_coro::executor;
    auto const state = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(state)) co_return Error(errc::operation_aborted, "it was cancelled");
    Secret request;
    render_connect(target, proxy, request);
    TunnelReply reply(proxy.shown());
    ReplyBuffer buffer;
    boost::system::error_code error;
    bool late = false;
    {
        PhaseTimeout const bound(executor, time, socket);
        error = co_await ask_for_tunnel(socket, request, reply, buffer);
        late = bound.is_late();
    }
    if (late)
        co_return Error(errc::timeout,
                        proxy.shown() + " did not answer within " + std::to_string(time.count()) + " ms");
    // A whole answer counts, even if the connection broke right after it.
    if (reply.is_whole()) co_return reply.verdict(buffer.left_over());
    if (error == asio::error::operation_aborted) co_return Error(errc::operation_aborted, "it was cancelled");
    if (error == asio::error::eof)
        co_return Error(errc::transport, proxy.shown() + " closed the connection without an answer")
            .cause(error);
    co_return Error(errc::transport, "the connection to " + proxy.shown() + " broke: " + error.message())
        .cause(error);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
