// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/transport.hpp>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/version.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// What an answer may take.
struct ResponseLimits {
    std::size_t head_bytes = 64 * 1024;  // also of the trailers behind the last chunk
    std::uint64_t body_bytes = 256 * 1024 * 1024;
    std::size_t fields = 256;
    int interim = 8;  // answers of 1xx before the final one
};

// Whether the answer has a body at all: one to HEAD has none, whatever it says.
enum class AnswerTo { other_request, head_request };

// How a stream ended: as its other side meant it (FIN in the clear, close_notify in TLS), or not.
enum class StreamEnd { orderly, cut_off };

// Reads one HTTP/1.1 answer, given in pieces, into a sink: the head once, then the body as it comes,
// without a copy. Answers of 1xx are skipped.
//
//     ResponseParser parser(sink);
//     while (parser.state() == ResponseParser::State::needs_more) {
//         append_what_arrives(buffer);  // or parser.finish(StreamEnd::orderly) if nothing more can
//         buffer.consume(parser.take(buffer.text()));
//     }
//
// What take() leaves is to be given again with more behind it; as long as more is needed, it is less
// than limits.head_bytes. What it leaves when all is done does not belong to the answer: on a
// connection without another request under way that is an error, and the connection is not to be used
// again.
//
// Whatever the pieces are, what the sink is given and the outcome are the same. An answer that one reader
// could take for another answer than the next reader is refused, for that is how answers are smuggled.
//
// Errors: errc::transport if it is not proper HTTP, or compressed; too_large beyond a limit; truncated if
// the stream ended in it; unexpected_status for 101; operation_aborted if the sink wanted no more. Their
// effect is unknown: the request had been sent.
class ResponseParser {
public:
    enum class State { needs_more, done, failed };

    explicit ResponseParser(ResponseSink& sink, AnswerTo kind = AnswerTo::other_request,
                            ResponseLimits limits = {});
    ResponseParser(const ResponseParser&) = delete;
    ResponseParser& operator=(const ResponseParser&) = delete;
    ~ResponseParser() = default;

    // How many of the bytes were taken; 0 once it is done or has failed.
    std::size_t take(std::string_view bytes);

    // The stream has ended. That completes a body without a length, if the end was orderly.
    void finish(StreamEnd end);

    [[nodiscard]] State state() const noexcept { return state_; }

    // Precondition: it has failed.
    [[nodiscard]] const Error& error() const noexcept { return *error_; }

    [[nodiscard]] bool received_any() const noexcept { return received_any_; }

    // Whether another request may follow on this connection; false unless it is done.
    [[nodiscard]] bool keep_alive() const noexcept;

private:
    // What the next byte belongs to.
    enum class Part { head, body, body_to_end, chunk_line, chunk };

    using Fault = boost::beast::error_code;
    using View = boost::beast::string_view;

    // Beast's parser of one message, which tells this one what it finds.
    class Message final : public boost::beast::http::basic_parser<false> {
    public:
        explicit Message(ResponseParser& parser);

    private:
        void on_request_impl(boost::beast::http::verb, View, View, int, Fault&) override {}
        void on_response_impl(int status, View reason, int version, Fault& fault) override;
        void on_field_impl(boost::beast::http::field id, View name, View value, Fault& fault) override;
#if BOOST_VERSION >= 109100
        // Before, Beast took a trailer for another field of the head.
        void on_trailer_field_impl(boost::beast::http::field id, View name, View value,
                                   Fault& fault) override;
#endif
        void on_header_impl(Fault& fault) override;
        void on_body_init_impl(const boost::optional<std::uint64_t>&, Fault&) override {}
        std::size_t on_body_impl(View piece, Fault& fault) override;
        void on_chunk_header_impl(std::uint64_t size, View extensions, Fault& fault) override;
        std::size_t on_chunk_body_impl(std::uint64_t left, View piece, Fault& fault) override;
        void on_finish_impl(Fault&) override {}

        ResponseParser& parser_;
    };

    [[nodiscard]] std::size_t take_some(std::string_view bytes);
    [[nodiscard]] std::size_t complete_lines(std::string_view bytes);
    [[nodiscard]] const char* fault_at(std::string_view lines, std::size_t at) const noexcept;
    [[nodiscard]] bool are_complete(std::string_view lines) const noexcept;
    void count_chunk_line(std::size_t size);
    void end_message();

    void check_status_line(int status, int version);
    void take_field(boost::beast::http::field id, std::string_view name, std::string_view value);
    void check_framing(boost::beast::http::field id, std::string_view value);
    void check_trailer(boost::beast::http::field id);
    void take_head();
    void check_body();
    void take_body(std::string_view piece);
    void report(const Fault& fault);
    [[nodiscard]] std::string truncation() const;

    void fail(errc code, std::string what);
    void refuse(const char* what) { fail(errc::transport, what); }
    [[nodiscard]] Fault verdict() const;

    ResponseSink& sink_;
    ResponseLimits limits_;
    std::optional<Message> message_;
    std::optional<Error> error_;

    HttpResponse response_;
    std::size_t scanned_ = 0;  // of the lines that are not complete yet
    std::size_t fields_ = 0;
    std::uint64_t chunk_lines_ = 0;  // the bytes of all of them
    std::uint64_t body_ = 0;         // the bytes that the sink was given

    AnswerTo kind_;
    State state_ = State::needs_more;
    Part part_ = Part::head;
    int interim_ = 0;
    bool received_any_ = false;
    bool is_http_1_0_ = false;
    bool has_length_ = false;
    bool has_coding_ = false;
    bool is_encoded_ = false;
    bool is_first_chunk_ = true;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/net/response_parser.ipp>
#endif
