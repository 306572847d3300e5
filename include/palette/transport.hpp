// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/credential.hpp>
#include <palette/endpoint.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

/// Holds HTTP header fields, names and values, in their order.
using HttpFields = std::vector<std::pair<std::string, std::string>>;

/// Describes one request, as a transport gets it: complete, checked and encoded.
class HttpRequest {
public:
    /// Constructs a request without headers, credential and body.
    HttpRequest(std::string method_, std::string target_)
        : method(std::move(method_)),
          target(std::move(target_)) {}

    /// Names the method, such as "GET".
    std::string method;
    /// Gives the path and query, such as "/v1/apiKeys/5f1b2c3d4e5f6a7b8c9d0e1f".
    std::string target;

    /// Lists headers in addition to those that the transport adds: Host, User-Agent, Accept, Accept-Encoding,
    /// that of the credential, and Content-Type and Content-Length where there is a body. None is secret.
    HttpFields headers;

    /// Authenticates the request: is sent in its own header. Null: none is sent.
    std::shared_ptr<const Credential> credential;

    /// Holds the body, JSON; at most one of `body` and `secret_body` is set.
    std::string body;
    /// Holds the body if it is secret: that of a login.
    Secret secret_body;
};

/// Describes the head of a response. Wipes its headers when it is destroyed or assigned to: some servers
/// repeat a credential in one.
class PALETTE_KEYS_DECL HttpResponse {
public:
    /// Constructs a response with status 0.
    HttpResponse() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    /// Copies the content.
    HttpResponse(const HttpResponse&) = default;
    /// Moves the content.
    HttpResponse(HttpResponse&&) noexcept = default;
    /// Wipes the headers, and takes the content of `other`.
    HttpResponse& operator=(HttpResponse other) noexcept {
        status = other.status;
        headers.swap(other.headers);
        return *this;
    }
    /// Wipes the headers.
    ~HttpResponse();

    /// Gives the HTTP status.
    int status = 0;
    /// Lists the headers.
    HttpFields headers;

    /// Returns the value of the first header of that name, in upper or lower case; empty if there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const& noexcept;
    void header(std::string_view name) const&& = delete;
};

/// Takes a response as it arrives: the head, then the body in pieces. The functions do not throw.
class ResponseSink {
public:
    virtual ~ResponseSink() = default;

    /// Is called with true when the request starts to wait for a connection, and with false when it has one.
    /// Not called where there is no wait.
    virtual void waiting_for_connection(bool) {}

    /// Tells whether head() is to have that header of a response with that status. A transport may leave out
    /// the others, for what is not kept need not be wiped. By default all are wanted.
    [[nodiscard]] virtual bool wants_header(int status, std::string_view name) const {
        static_cast<void>(status);
        static_cast<void>(name);
        return true;
    }

    /// Takes the head of the response.
    virtual void head(HttpResponse response) = 0;

    /// Takes a piece of the body, which is valid during the call only. Returns false to stop: the exchange
    /// then ends with an error.
    virtual bool body(std::string_view piece) = 0;
};

/// Reports what became of an exchange, whether it succeeded or not.
class ExchangeReport {
public:
    /// Constructs the report of an exchange of which nothing has been sent.
    ExchangeReport() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Tells whether any byte of the request can have reached the service.
    bool sent = false;
    /// Tells whether any byte of the response has been received.
    bool received = false;
    /// Tells whether the connection had carried an exchange before.
    bool reused_connection = false;
    /// Counts the bytes of the request that were sent.
    std::uint64_t bytes_sent = 0;
    /// Counts the bytes of the response that were received.
    std::uint64_t bytes_received = 0;

    /// Gives how long the exchange waited for a connection; nothing if it did not wait.
    std::optional<std::chrono::nanoseconds> wait;
    /// Gives how long the lookup of the host's name took; nothing if none was needed.
    std::optional<std::chrono::nanoseconds> lookup;
    /// Gives how long connecting took; nothing if the connection was open.
    std::optional<std::chrono::nanoseconds> connect;
    /// Gives how long the TLS handshake took; nothing if none was needed.
    std::optional<std::chrono::nanoseconds> handshake;
    /// Gives the time from the start of sending to the first byte of the response; nothing without a
    /// response.
    std::optional<std::chrono::nanoseconds> first_byte;

    /// Names what an exchange waits for.
    enum class Phase {
        none,        ///< Nothing yet.
        connection,  ///< A free connection of the pool.
        lookup,      ///< The lookup of the host's name.
        connect,     ///< The connection to be opened.
        proxy,       ///< The answer of the proxy.
        handshake,   ///< The TLS handshake.
        response,    ///< The response to the request.
    };
    /// Tells what the exchange waits for, and after its end what it waited for last. The error of a deadline
    /// names it.
    Phase phase = Phase::none;
};

/// Carries requests to one service. The default transport is HTTP/1.1 over TLS with a pool of connections; a
/// transport of your own may record, replay, tunnel or simulate.
///
///     class Replay : public palette::Transport {
///         boost::asio::awaitable<palette::Result<void>> exchange(
///             const HttpRequest& request, ResponseSink& sink, ExchangeReport& report) override {
///             report.sent = report.received = true;
///             sink.head(recorded_head(request));
///             sink.body(recorded_body(request));
///             co_return palette::Result<void>();
///         }
///     };
///
/// Success means that a complete response of any status was given to the sink. An error means that the
/// response is incomplete or that there is none: errc::transport or errc::timeout, unless another code fits
/// better. An exception counts as errc::transport, or as errc::out_of_memory for a lack of memory. After
/// errc::transport and errc::timeout the client may retry the request, depending on the report: a change is
/// known to be not applied only if `sent` is false.
///
/// A transport may itself try several times to open a connection. The Error::attempts() of an error that it
/// then returns is the number of these tries, and the client counts them among the attempts of the operation.
///
/// Threads: called on the client's executor, one call after another begun, several under way at a time.
///
/// Cancellation: through the cancellation state of the coroutine, as everything in Asio.
class Transport {
public:
    Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    virtual ~Transport() = default;

    /// Sends a request and gives the response to `sink`. Fills in `report`, also when the exchange fails or
    /// is cancelled. The three references outlive the coroutine.
    virtual boost::asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                                          ExchangeReport& report) = 0;

    /// Closes idle connections now, and others when their exchange is done.
    virtual void close() {}
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/seams/transport.ipp>
#endif
