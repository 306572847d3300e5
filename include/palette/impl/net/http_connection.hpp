// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/response_parser.hpp>
#include <palette/impl/net/stream.hpp>
#include <palette/impl/time/sleep.hpp>
#include <palette/options.hpp>
#include <palette/secret.hpp>
#include <palette/transport.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// One connection to the service, and one exchange after another over it.
class HttpConnection {
public:
    // `read_timeout`: how long nothing may go or come in an exchange.
    HttpConnection(std::unique_ptr<Stream> stream, std::shared_ptr<timing::SharedTimer> timer,
                   std::chrono::milliseconds read_timeout);
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;
    ~HttpConnection();

    // Sends the request, with `fields` of fields_of_every_request(), and gives the answer to the sink.
    asio::awaitable<Result<void>> exchange(const HttpRequest& request, const std::string& fields,
                                           ResponseSink& sink, ExchangeReport& report);

    // Whether another exchange may follow.
    [[nodiscard]] bool is_reusable() const noexcept { return reusable_; }
    [[nodiscard]] bool is_quiet() noexcept { return stream_->is_quiet(); }

private:
    class Reception;

    void listen_for(std::chrono::milliseconds time);

    static constexpr std::size_t buffer_size_ = 64 * 1024;

    std::unique_ptr<Stream> stream_;
    std::chrono::milliseconds read_timeout_;
    std::chrono::steady_clock::time_point heard_;  // when something went or came last
    timing::Alarm alarm_;
    bool fell_silent_ = false;
    Secret text_;                     // of the request; its pages serve the next one: they cost a lot to get
    std::unique_ptr<char[]> buffer_;  // wiped after every exchange
    bool reusable_ = true;
};

// The lines of the header that all requests of a client have in common.
std::string fields_of_every_request(const ClientOptions& options);

// Writes the text of a request to `out`, which is empty: head and body in one piece. `fields` goes before the
// request's own. errc::invalid_argument for a header or credential that would end or split a line; it is not
// quoted.
Result<void> render(const HttpRequest& request, const std::string& fields, Secret& out);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/http_connection.ipp>
#endif
