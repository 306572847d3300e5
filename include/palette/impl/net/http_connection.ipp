// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/http_connection.hpp>
#include <palette/impl/net/user_agent.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/impl/values/wipe.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// These say where a message ends and a connection goes on, which nobody but the transport knows.
inline bool is_ours(std::string_view name) noexcept {
    static constexpr std::string_view names[] = {"host", "connection", "content-length", "transfer-encoding"};
    return std::ranges::any_of(names, [&](auto ours) { return boost::beast::iequals(ours, name); });
}

PALETTE_KEYS_INLINE std::string fields_of_every_request(const ClientOptions& options) {
    return "Host: " + options.endpoint.authority() + "\r\nUser-Agent: " + user_agent_of(options.user_agent) +
           "\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n";
}

inline void append_field(Secret& out, std::string_view name, std::string_view value) {
    out.append(name);
    out.append(": ");
    out.append(value);
    out.append("\r\n");
}

PALETTE_KEYS_INLINE Result<void> render(const HttpRequest& request, const std::string& fields, Secret& out) {
    if (!detail::is_token(request.method))
        return Error(errc::invalid_argument, "not a method").path("method");
    // A space or a line break in the target would end it and begin a header (W22).
    if (!request.target.starts_with('/') || request.target.find(' ') != std::string::npos ||
        detail::has_control(request.target))
        return Error(errc::invalid_argument, "not a path").path("target");
    out.append(request.method);
    out.append(" ");
    out.append(request.target);
    out.append(" HTTP/1.1\r\n");
    out.append(fields);
    for (auto const& [name, value] : request.headers) {
        // A line break in a value would begin another header (W22).
        if (!detail::is_token(name) || is_ours(name) || detail::has_control_but_tab(value))
            return Error(errc::invalid_argument,
                         "a header that is the transport's own, or has a character that none has")
                .path("headers");
        append_field(out, name, value);
    }
    if (request.credential) {
        auto const value = request.credential->value().expose();
        // The error shows nothing of the value.
        if (value.empty() || detail::has_control_but_tab(value))
            return Error(errc::invalid_argument, "the credential is empty, or has a control character");
        append_field(out, request.credential->header(), value);
    }
    auto const body =
        request.secret_body.empty() ? std::string_view(request.body) : request.secret_body.expose();
    if (!body.empty()) {
        append_field(out, "Content-Type", "application/json");
        append_field(out, "Content-Length", std::to_string(body.size()));
    }
    out.append("\r\n");
    // One buffer for head and body: of several, the writer of TLS leaves a copy on the stack.
    out.append(body);
    return {};
}

PALETTE_KEYS_INLINE HttpConnection::HttpConnection(std::unique_ptr<Stream> stream,
                                                   std::shared_ptr<timing::SharedTimer> timer,
                                                   std::chrono::milliseconds read_timeout)
    : stream_(std::move(stream)),
      read_timeout_(read_timeout),
      alarm_(std::move(timer), timing::TimeSource()),
      buffer_(std::make_unique<char[]>(buffer_size_)) {}

PALETTE_KEYS_INLINE HttpConnection::~HttpConnection() {
    detail::wipe(buffer_.get(), buffer_size_);
}

// The answer of one exchange, as it arrives in the connection's buffer.
class HttpConnection::Reception {
public:
    Reception(HttpConnection& connection, ResponseSink& sink, AnswerTo answer_to, ExchangeReport& report,
              std::chrono::steady_clock::time_point begun)
        : connection_(connection),
          parser_(sink, answer_to),
          report_(report),
          begun_(begun) {}
    Reception(const Reception&) = delete;
    Reception& operator=(const Reception&) = delete;
    ~Reception() = default;

    [[nodiscard]] bool needs_more() const noexcept {
        return parser_.state() == ResponseParser::State::needs_more && !error_;
    }

    // Where the next bytes go.
    [[nodiscard]] asio::mutable_buffer room() noexcept {
        return asio::buffer(connection_.buffer_.get() + filled_, buffer_size_ - filled_);
    }

    void take(const Transfer& came) {
        auto const [error, size] = came;
        error_ = error;
        if (error_) return;
        connection_.heard_ = std::chrono::steady_clock::now();
        if (!report_.received) report_.first_byte = connection_.heard_ - begun_;
        report_.received = true;
        report_.bytes_received += size;
        filled_ += size;
        dirty_ = std::max(dirty_, filled_);
        auto* const buffer = connection_.buffer_.get();
        auto const taken = parser_.take({buffer, filled_});
        filled_ -= taken;
        std::memmove(buffer, buffer + taken, filled_);
    }

    Result<void> finish() {
        detail::wipe(connection_.buffer_.get(), dirty_);
        // How the stream ended decides whether an answer without a length is whole.
        if (error_ == asio::error::eof)
            parser_.finish(StreamEnd::orderly);
        else if (error_ == asio::ssl::error::stream_truncated || error_ == asio::error::connection_reset)
            parser_.finish(StreamEnd::cut_off);
        if (parser_.state() == ResponseParser::State::done) return {};
        // Without a byte of an answer, what broke the connection says more than the parser.
        if (parser_.state() == ResponseParser::State::failed && (parser_.received_any() || !error_))
            return parser_.error();
        auto const is_end = error_ == asio::error::eof || error_ == asio::ssl::error::stream_truncated;
        return Error(errc::transport, is_end ? "the service closed the connection without an answer"
                                             : "the connection broke before the answer: " + error_.message())
            .cause(error_);
    }

    // Whether another exchange may follow an answer that is whole. What comes after it takes nothing from
    // it, but was not asked for, and would be taken for the next answer.
    [[nodiscard]] bool leaves_reusable() const { return parser_.keep_alive() && filled_ == 0; }

private:
    HttpConnection& connection_;
    ResponseParser parser_;
    ExchangeReport& report_;
    std::chrono::steady_clock::time_point begun_;
    std::size_t filled_ = 0;
    std::size_t dirty_ = 0;
    boost::system::error_code error_;
};

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> HttpConnection::exchange(const HttpRequest& request,
                                                                           const std::string& fields,
                                                                           ResponseSink& sink,
                                                                           ExchangeReport& report) {
    // Until all has gone well: whoever is cancelled here leaves a connection in the middle of an exchange.
    reusable_ = false;
    auto const before = co_await asio::this_coro::cancellation_state;
    if (is_cancelled(before)) co_return Error(errc::operation_aborted, "it was cancelled");
    text_.clear();
    auto rendered = render(request, fields, text_);
    // Nothing was sent of a request that cannot be rendered, and the connection is as good as before.
    reusable_ = !rendered;
    if (!rendered) co_return rendered;
    auto const begun = std::chrono::steady_clock::now();
    heard_ = begun;
    listen_for(read_timeout_);
    // Once the system has been asked to write, nobody knows how much has left.
    report.sent = true;
    auto const text = text_.expose();
    // Nearly always the system takes it at once, and a turn of the event loop is saved.
    auto const at_once = stream_->write_now(asio::buffer(text));
    report.bytes_sent += at_once;
    boost::system::error_code broken;
    if (at_once < text.size()) {
        auto const rest = asio::buffer(text.data() + at_once, text.size() - at_once);
        auto const [error, written] = co_await stream_->write(rest);
        report.bytes_sent += written;
        broken = error;
        heard_ = std::chrono::steady_clock::now();
    }
    if (fell_silent_)
        co_return Error(errc::timeout, "the service took nothing of the request for " +
                                           std::to_string(read_timeout_.count()) + " ms");
    // After the time-out, which closed the socket and is seen as an error as well.
    if (broken)
        co_return Error(errc::transport,
                        "the connection broke while the request was sent: " + broken.message())
            .cause(broken);
    text_.clear();

    auto const answer_to = request.method == "HEAD" ? AnswerTo::head_request : AnswerTo::other_request;
    Reception reception(*this, sink, answer_to, report, begun);
    while (reception.needs_more()) {
        // A cancellation that comes between two operations finds none to end.
        auto const state = co_await asio::this_coro::cancellation_state;
        Transfer came(asio::error::operation_aborted, 0);
        if (!is_cancelled(state)) {
            if (auto* const socket = stream_->plain())
                came = co_await socket->async_read_some(reception.room(), asio::as_tuple(asio::deferred));
            else
                came = co_await stream_->read_some(reception.room());
        }
        reception.take(came);
    }
    auto received = reception.finish();
    alarm_.cancel();
    if (fell_silent_ && !received)
        co_return Error(errc::timeout,
                        "nothing came from the service for " + std::to_string(read_timeout_.count()) + " ms");
    reusable_ = received && reception.leaves_reusable();
    co_return received;
}

// One alarm for the whole exchange: when it rings it looks how long the silence has really been.
PALETTE_KEYS_INLINE void HttpConnection::listen_for(std::chrono::milliseconds time) {
    alarm_.set(time, [this] {
        auto const silent = std::chrono::steady_clock::now() - heard_;
        auto const left = std::chrono::ceil<std::chrono::milliseconds>(read_timeout_ - silent);
        if (left.count() > 0) {
            listen_for(left);
            return;
        }
        fell_silent_ = true;
        stream_->close();
    });
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
