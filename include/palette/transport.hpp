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

using HttpFields = std::vector<std::pair<std::string, std::string>>;

// One request, as a transport gets it: complete, checked and encoded.
class HttpRequest {
public:
    HttpRequest(std::string method_, std::string target_)
        : method(std::move(method_)),
          target(std::move(target_)) {}

    std::string method;  // "GET"
    std::string target;  // "/v1/apiKeys/5f1b2c3d4e5f6a7b8c9d0e1f"

    // Beside what the transport adds: Host, User-Agent, Accept, Accept-Encoding, the credential's, and
    // Content-Type and Content-Length where there is a body. None is secret.
    HttpFields headers;

    // Sent in its own header if it is there.
    std::shared_ptr<const Credential> credential;

    // JSON; at most one of the two. A secret body is a login.
    std::string body;
    Secret secret_body;
};

/// The head of an answer. Wipes its headers when it is destroyed or assigned to: some servers repeat a
/// credential in one.
class PALETTE_KEYS_DECL HttpResponse {
public:
    HttpResponse() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    HttpResponse(const HttpResponse&) = default;
    HttpResponse(HttpResponse&&) noexcept = default;
    HttpResponse& operator=(HttpResponse other) noexcept {
        status = other.status;
        headers.swap(other.headers);
        return *this;
    }
    ~HttpResponse();

    int status = 0;
    HttpFields headers;

    // The value of the first header of that name, in any case; empty if there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const& noexcept;
    void header(std::string_view name) const&& = delete;
};

// Takes an answer as it arrives: the head, then the body in pieces. Neither throws.
class ResponseSink {
public:
    virtual ~ResponseSink() = default;

    // True: the request waits for a connection now; false: it has one. Where there is no wait, neither comes.
    virtual void waiting_for_connection(bool) {}

    virtual void head(HttpResponse response) = 0;

    // False: no more is wanted, and the exchange ends with an error. The piece is gone afterwards.
    virtual bool body(std::string_view piece) = 0;
};

// What became of an exchange, whether it succeeded or not.
class ExchangeReport {
public:
    ExchangeReport() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    // Whether any byte of the request can have reached the service, and of the answer this program.
    bool sent = false;
    bool received = false;
    bool reused_connection = false;
    std::uint64_t bytes_sent = 0;
    std::uint64_t bytes_received = 0;

    // Nothing where the phase was not needed.
    std::optional<std::chrono::nanoseconds> wait, lookup, connect, handshake, first_byte;

    /// What the exchange waits for, and after its end: what it waited for last. A deadline that passes names
    /// it.
    enum class Phase { none, connection, lookup, connect, proxy, handshake, response };
    Phase phase = Phase::none;
};

// Carries requests to one service. The default one is HTTP/1.1 over TLS with a pool of connections; one of
// your own may record, replay, tunnel or simulate.
//
//     class Replay : public palette::Transport {
//         boost::asio::awaitable<palette::Result<void>> exchange(
//             const HttpRequest& request, ResponseSink& sink, ExchangeReport& report) override {
//             report.sent = report.received = true;
//             sink.head(recorded_head(request));
//             sink.body(recorded_body(request));
//             co_return palette::Result<void>();
//         }
//     };
//
// Success: a complete answer of any status was given to the sink. An error means that the answer is
// incomplete or that there is none; errc::transport or errc::timeout, unless another fits better. What
// is thrown becomes errc::transport. After these two the client may send the request again, by what the
// report says: a change is known to be not applied only if `sent` is false.
//
// A transport may itself try several times to open a connection. The Error::attempts() of an error that it
// gives then is the number of these tries, and the client counts them among the attempts of the operation.
//
// Threads: called on the client's executor, one call after another begun, several under way at a time.
// Cancellation: through the cancellation state of the coroutine, as everything in Asio.
class Transport {
public:
    Transport() = default;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    virtual ~Transport() = default;

    // The three references outlive the coroutine.
    virtual boost::asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                                          ExchangeReport& report) = 0;

    // Closes what is idle now, and what is busy when it is done.
    virtual void close() {}
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/seams/transport.ipp>
#endif
