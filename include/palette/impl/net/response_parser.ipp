// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/response_parser.hpp>
#include <palette/impl/values/text.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/field.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

namespace http = boost::beast::http;

inline constexpr auto both_framings = "the answer has both a Content-Length and a Transfer-Encoding";
inline constexpr auto two_codings = "the answer has two Transfer-Encodings";

inline std::string_view std_view(boost::beast::string_view view) noexcept {
    return {view.data(), view.size()};
}

// Whether what begins with the line of a chunk's size is the last chunk, behind which come trailers.
inline bool is_last_chunk(std::string_view lines) noexcept {
    constexpr auto none = std::string_view::npos;
    auto const end = lines.find_first_not_of('0');
    return end != 0 && end != none && std::string_view("\r; \t").find(lines[end]) != none;
}

inline constexpr std::size_t usual_fields = 4;  // of those that are wanted
inline constexpr std::string_view every_answer_starts_with = "HTTP/1.";

// Letters and the like are good anywhere behind the version, but at the beginning of a line: from `at` on
// to the first byte that has to be looked at.
inline std::size_t skip_plain(std::string_view lines, std::size_t at) noexcept {
    return detail::is_plain(lines[at - 1]) ? detail::find_not_plain(lines, at) : at;
}

// Whether a field ends there and another one begins, as nearly all do: three bytes, of which none is at
// fault.
inline bool is_between_fields(std::string_view lines, std::size_t at) noexcept {
    return lines.size() - at > 2 && lines[at] == '\r' && lines[at + 1] == '\n' &&
           detail::is_plain(lines[at - 1]) && detail::is_plain(lines[at + 2]) && lines[at + 2] != ' ';
}

// Beast waits for the end of a head once it has seen an incomplete one, and asserts that the last chunk
// does not come in certain pieces ("0\r\n", then "\r"). So it is given whole lines only, and its own bounds,
// which depend on the pieces too, are out of reach.
PALETTE_KEYS_INLINE ResponseParser::ResponseParser(ResponseSink& sink, AnswerTo kind, ResponseLimits limits)
    : sink_(sink),
      limits_(limits),
      kind_(kind) {
    message_.emplace(*this);
}

PALETTE_KEYS_INLINE ResponseParser::Message::Message(ResponseParser& parser) : parser_(parser) {
    header_limit(UINT32_MAX);
    body_limit(boost::none);
    skip(parser.kind_ == AnswerTo::head_request);
}

PALETTE_KEYS_INLINE std::size_t ResponseParser::take(std::string_view bytes) {
    received_any_ = received_any_ || !bytes.empty();
    std::size_t taken = 0;
    while (state_ == State::needs_more) {
        auto const size = take_some(bytes.substr(taken));
        if (size == 0) break;
        taken += size;
    }
    return taken;
}

PALETTE_KEYS_INLINE std::size_t ResponseParser::take_some(std::string_view bytes) {
    bool const in_lines = part_ == Part::head || part_ == Part::chunk_line;
    auto const size = in_lines ? complete_lines(bytes) : bytes.size();
    if (size == 0) return 0;
    if (part_ == Part::chunk_line) count_chunk_line(size);
    if (state_ == State::failed) return 0;
    Fault fault;
    auto const taken = message_->put(boost::asio::const_buffer(bytes.data(), size), fault);
    if (fault) report(fault);
    if (state_ == State::needs_more && message_->is_done()) end_message();
    return taken;
}

// The size of the head, or of the line before a chunk, or of all that follows the last one. 0: its end
// is not there yet.
PALETTE_KEYS_INLINE std::size_t ResponseParser::complete_lines(std::string_view bytes) {
    auto const lines = bytes.substr(0, limits_.head_bytes);
    bool const in_head = part_ == Part::head;
    if (in_head && scanned_ == 0 && lines.starts_with(every_answer_starts_with))
        scanned_ = every_answer_starts_with.size();
    for (; scanned_ < lines.size(); ++scanned_) {
        if (scanned_ > every_answer_starts_with.size()) {
            scanned_ = skip_plain(lines, scanned_);
            if (scanned_ == lines.size()) break;
            if (in_head && is_between_fields(lines, scanned_)) {
                scanned_ += 2;
                continue;
            }
        }
        if (auto const* what = fault_at(lines, scanned_)) return refuse(what), 0;
        if (lines[scanned_] == '\n' && are_complete(lines.substr(0, scanned_ + 1)))
            return std::exchange(scanned_, 0) + 1;
    }
    if (scanned_ == limits_.head_bytes)
        fail(errc::too_large,
             std::string(part_ == Part::head ? "the head" : "a chunk's line or the trailer") +
                 " of the answer is larger than " + std::to_string(limits_.head_bytes) + " bytes");
    return 0;
}

// Why the byte there cannot follow the bytes before it; null if it can.
PALETTE_KEYS_INLINE const char* ResponseParser::fault_at(std::string_view lines,
                                                         std::size_t at) const noexcept {
    constexpr auto start = every_answer_starts_with;
    char const c = lines[at];
    char const before = at == 0 ? '\0' : lines[at - 1];
    if (part_ == Part::head && at < start.size() && c != start[at]) {
        bool const is_http_2 = at == 0 ? c == '\0' : at == start.find('1');
        return is_http_2 ? "the answer is of another version of HTTP than 1.1"
                         : "what came is not an HTTP answer";
    }
    if (before == '\r' && c != '\n') return "a line of the answer has a carriage return in it";
    if (c == '\n') return before == '\r' ? nullptr : "a line of the answer ends without a carriage return";
    if (c == '\r' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != '\x7F'))
        return before == '\n' && (c == ' ' || c == '\t')
                   ? "a line of the answer begins with a space, as folded headers do"
                   : nullptr;
    return "a line of the answer has a control character in it";
}

// Whether lines that end in a line feed are all of the part.
PALETTE_KEYS_INLINE bool ResponseParser::are_complete(std::string_view lines) const noexcept {
    constexpr std::string_view blank_line = "\r\n\r\n";
    if (part_ == Part::head) return lines.ends_with(blank_line);
    // The end of a chunk's last line is for Beast the beginning of the next chunk's first.
    if (!is_first_chunk_ && lines.starts_with("\r\n")) lines.remove_prefix(2);
    return !lines.empty() && (!is_last_chunk(lines) || lines.ends_with(blank_line));
}

// Chunks of one byte have lines of five, and what else may stand in those lines is of no use to anybody.
PALETTE_KEYS_INLINE void ResponseParser::count_chunk_line(std::size_t size) {
    constexpr std::uint64_t max_per_body_byte = 16;
    chunk_lines_ += size;
    if (chunk_lines_ > limits_.head_bytes + max_per_body_byte * body_)
        fail(errc::too_large, "the lines between the chunks of the answer are too large for its body");
}

PALETTE_KEYS_INLINE void ResponseParser::end_message() {
    if (response_.status >= 200) {
        state_ = State::done;
        return;
    }
    message_.emplace(*this);
    response_ = HttpResponse();
    has_length_ = has_coding_ = is_encoded_ = false;
    fields_ = 0;
}

PALETTE_KEYS_INLINE void ResponseParser::finish(StreamEnd end) {
    if (state_ != State::needs_more) return;
    if (!received_any_) return refuse("the connection was closed without an answer");
    if (part_ != Part::body_to_end || end == StreamEnd::cut_off) return fail(errc::truncated, truncation());
    state_ = State::done;
}

PALETTE_KEYS_INLINE std::string ResponseParser::truncation() const {
    if (part_ == Part::head) return "the answer ended in its head";
    auto what = "the answer ended after " + std::to_string(body_);
    if (auto const length = message_->content_length()) what += " of " + std::to_string(*length);
    return what + " bytes of its body";
}

PALETTE_KEYS_INLINE bool ResponseParser::keep_alive() const noexcept {
    return state_ == State::done && message_->keep_alive();
}

PALETTE_KEYS_INLINE void ResponseParser::check_status_line(int status, int version) {
    response_.status = status;
    is_http_1_0_ = version == 10;
    if (status < 100) refuse("the answer has an impossible status");
    if (status == 101)
        fail(errc::unexpected_status, "the answer switches to another protocol, which nobody asked for");
}

PALETTE_KEYS_INLINE void ResponseParser::take_field(http::field id, std::string_view name,
                                                    std::string_view value) {
    if (++fields_ > limits_.fields)
        return fail(errc::too_large,
                    "the answer has more than " + std::to_string(limits_.fields) + " headers");
    if (part_ != Part::head) return check_trailer(id);
    check_framing(id, value);
    // The headers of an interim answer are of no use to anybody.
    if (response_.status < 200 || !sink_.wants_header(response_.status, name)) return;
    // By hand, for a vector that grows leaves short strings behind.
    auto& headers = response_.headers;
    if (headers.size() == headers.capacity()) {
        HttpResponse larger;
        larger.headers.reserve(std::max(usual_fields, 2 * headers.size()));
        for (auto& field : headers)
            larger.headers.push_back(std::move(field));
        headers.swap(larger.headers);
    }
    headers.emplace_back(name, value);
}

// Beside what Beast checks before: that there are not two different lengths, and not both a length and
// chunks.
PALETTE_KEYS_INLINE void ResponseParser::check_framing(http::field id, std::string_view value) {
    if (id == http::field::content_length) {
        has_length_ = true;
        if (value.find_first_not_of("0123456789") != std::string_view::npos)
            refuse("the Content-Length of the answer is not a number");
    } else if (id == http::field::transfer_encoding) {
        has_coding_ = true;
        if (!boost::beast::iequals(value, "chunked"))
            refuse("the answer has a transfer coding other than chunked");
        else if (is_http_1_0_)
            refuse("the answer is HTTP/1.0 and has a transfer coding, which HTTP/1.0 does not know");
    } else if (id == http::field::content_encoding) {
        is_encoded_ = is_encoded_ || !(value.empty() || boost::beast::iequals(value, "identity"));
    }
}

// Nothing that we need stands in a trailer, and one about the framing comes too late to be believed. Beast
// refuses these itself up to 1.90 and passes them on from 1.91.
PALETTE_KEYS_INLINE void ResponseParser::check_trailer(http::field id) {
    if (id == http::field::content_length) refuse(both_framings);
    if (id == http::field::transfer_encoding) refuse(two_codings);
}

PALETTE_KEYS_INLINE void ResponseParser::take_head() {
    if (response_.status < 200) {
        if (++interim_ > limits_.interim)
            fail(errc::too_large, "more than " + std::to_string(limits_.interim) +
                                      " interim answers came before the final one");
        return;
    }
    if (!message_->is_done()) check_body();
    if (state_ == State::needs_more) sink_.head(std::move(response_));
}

PALETTE_KEYS_INLINE void ResponseParser::check_body() {
    part_ = message_->need_eof() ? Part::body_to_end : message_->chunked() ? Part::chunk_line : Part::body;
    if (is_encoded_) return refuse("the body of the answer is compressed, though it was asked for as it is");
    if (auto const length = message_->content_length(); length && *length > limits_.body_bytes)
        fail(errc::too_large, "the body of the answer has " + std::to_string(*length) + " bytes, more than " +
                                  std::to_string(limits_.body_bytes));
}

PALETTE_KEYS_INLINE void ResponseParser::take_body(std::string_view piece) {
    auto const room = limits_.body_bytes - body_;
    auto const fitting = piece.substr(0, std::min<std::uint64_t>(room, piece.size()));
    body_ += fitting.size();
    if (!fitting.empty() && !sink_.body(fitting)) {
        fail(errc::operation_aborted, "the rest of the answer was not wanted");
    } else if (fitting.size() < piece.size()) {
        fail(errc::too_large,
             "the body of the answer is larger than " + std::to_string(limits_.body_bytes) + " bytes");
    }
}

// Says in our words what Beast has found, unless it only stopped because this parser had failed.
PALETTE_KEYS_INLINE void ResponseParser::report(const Fault& fault) {
    if (fault == http::error::bad_version) return refuse("the answer is of another version of HTTP than 1.1");
    if (fault == http::error::bad_status || fault == http::error::bad_reason)
        return refuse("the status line of the answer is malformed");
    if (fault == http::error::bad_field) return refuse("the name of a header of the answer is malformed");
    if (fault == http::error::multiple_content_length)
        return refuse("the answer has two different Content-Lengths");
    if (fault == http::error::bad_content_length)
        return refuse(has_coding_ ? both_framings : "the Content-Length of the answer is not a number");
    if (fault == http::error::bad_transfer_encoding) return refuse(has_length_ ? both_framings : two_codings);
    refuse(part_ == Part::head ? "a header of the answer is malformed"
                               : "the chunks of the answer are malformed");
}

PALETTE_KEYS_INLINE void ResponseParser::fail(errc code, std::string what) {
    if (state_ == State::failed) return;
    state_ = State::failed;
    error_ = Error(code, std::move(what)).effect(Effect::unknown);
}

// What stops Beast once this parser has failed.
PALETTE_KEYS_INLINE ResponseParser::Fault ResponseParser::verdict() const {
    return state_ == State::failed ? Fault(http::error::stale_parser) : Fault();
}

PALETTE_KEYS_INLINE void ResponseParser::Message::on_response_impl(int status, View, int version,
                                                                   Fault& fault) {
    parser_.check_status_line(status, version);
    fault = parser_.verdict();
}

PALETTE_KEYS_INLINE void ResponseParser::Message::on_field_impl(http::field id, View name, View value,
                                                                Fault& fault) {
    parser_.take_field(id, std_view(name), std_view(value));
    fault = parser_.verdict();
}

#if BOOST_VERSION >= 109100
PALETTE_KEYS_INLINE void ResponseParser::Message::on_trailer_field_impl(http::field id, View name, View value,
                                                                        Fault& fault) {
    on_field_impl(id, name, value, fault);
}
#endif

PALETTE_KEYS_INLINE void ResponseParser::Message::on_header_impl(Fault& fault) {
    parser_.take_head();
    fault = parser_.verdict();
}

PALETTE_KEYS_INLINE std::size_t ResponseParser::Message::on_body_impl(View piece, Fault& fault) {
    parser_.take_body(std_view(piece));
    fault = parser_.verdict();
    return piece.size();
}

PALETTE_KEYS_INLINE void ResponseParser::Message::on_chunk_header_impl(std::uint64_t size, View, Fault&) {
    parser_.is_first_chunk_ = false;
    if (size != 0) parser_.part_ = Part::chunk;
}

PALETTE_KEYS_INLINE std::size_t ResponseParser::Message::on_chunk_body_impl(std::uint64_t left, View piece,
                                                                            Fault& fault) {
    parser_.take_body(std_view(piece));
    if (piece.size() == left) parser_.part_ = Part::chunk_line;
    fault = parser_.verdict();
    return piece.size();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
