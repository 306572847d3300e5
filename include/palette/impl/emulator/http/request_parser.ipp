// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/request_parser.hpp>
#include <palette/impl/emulator/service/refusal.hpp>
#include <palette/impl/values/text.hpp>

#include <boost/beast/http/error.hpp>

#include <limits>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

namespace http = boost::beast::http;

inline Refusal head_too_large(std::size_t bound) {
    return {431, "HeaderTooLarge", "the header is larger than " + std::to_string(bound) + " bytes"};
}

inline Refusal body_too_large(std::size_t bound) {
    return {413, "BodyTooLarge", "the body is larger than " + std::to_string(bound) + " bytes"};
}

PALETTE_KEYS_INLINE RequestParser::RequestParser(const testing::EmulatorOptions& options)
    : options_(options) {
    // The head is measured here, to the byte.
    parser_.header_limit(std::numeric_limits<std::uint32_t>::max());
    parser_.body_limit(options.max_body_bytes);
}

// The parser of Boost 1.81 takes the last chunk and what ends the body in one piece, of five bytes or more,
// and fails an assertion when it is given less of them twice. Newer ones leave the end for later: after the
// last chunk, two bytes are enough for them.
inline bool may_be_half_a_last_chunk(const boost::beast::flat_buffer& buffer) {
    constexpr std::size_t shortest = 5;
    return buffer.size() < shortest &&
           (buffer.size() == 0 || *static_cast<const char*>(buffer.data().data()) == '0');
}

PALETTE_KEYS_INLINE RequestParser::State RequestParser::take(boost::beast::flat_buffer& buffer) {
    for (;;) {
        if (has_head_ && parser_.chunked() && may_be_half_a_last_chunk(buffer)) return more();
        boost::beast::error_code ec;
        auto const size = parser_.put(buffer.data(), ec);
        buffer.consume(size);
        taken_ += size;
        if (ec == http::error::body_limit) return refuse(body_too_large(options_.max_body_bytes).response());
        if (ec && ec != http::error::need_more)
            return refuse(bad_request("not HTTP/1.1: " + ec.message()).response());
        // What the parser has not asked for may belong to the next request: it counts only if the parser
        // wants more.
        if (!is_within_bounds(ec ? buffer.size() : 0)) return State::refused;
        if (!has_head_ && parser_.is_header_done() && !take_head()) return State::refused;
        if (parser_.is_done()) {
            request_.body = std::move(parser_.get().body());
            return State::done;
        }
        if (ec || buffer.size() == 0) return more();
    }
}

PALETTE_KEYS_INLINE RequestParser::State RequestParser::more() noexcept {
    // Once: the client waits for one interim answer.
    return std::exchange(waits_, false) ? State::waits : State::needs_more;
}

// Here, and not when all is there: what comes behind the body as a trailer is no header.
PALETTE_KEYS_INLINE bool RequestParser::take_head() {
    auto const& message = parser_.get();
    for (auto const& field : message) {
        auto const name = field.name_string();
        auto const value = field.value();
        request_.headers.emplace_back(std::string(name.data(), name.size()),
                                      std::string(value.data(), value.size()));
    }
    request_.method = std::string(message.method_string());
    request_.target = std::string(message.target());
    request_.is_http_1_0 = message.version() == 10;
    request_.keep_alive = parser_.keep_alive();
    // With another coding, or two, a proxy and this parser may find the end of the body at different places,
    // and the rest would pass as a request of its own.
    if (request_.count_headers("Transfer-Encoding") > 0 &&
        !detail::equals_ignoring_case(request_.header("Transfer-Encoding").value_or(""), "chunked")) {
        refuse(bad_request("no transfer coding is known but chunked").response());
        return false;
    }
    // HTTP/1.0 does not know interim answers, and who has sent the body does not wait for one.
    waits_ = !request_.is_http_1_0 && !parser_.is_done() &&
             detail::equals_ignoring_case(request_.header("Expect").value_or(""), "100-continue");
    has_head_ = true;
    taken_ = 0;
    // Not eager until here, so that the parser stops behind the head and the headers are those of the head.
    parser_.eager(true);
    return true;
}

// `waiting` bytes are there which the parser cannot make anything of yet. Behind the head, what is not
// body is bounded too: the frames of chunks and trailers.
PALETTE_KEYS_INLINE bool RequestParser::is_within_bounds(std::uint64_t waiting) {
    auto const bytes = taken_ + waiting;
    if (!has_head_) {
        if (bytes <= options_.max_header_bytes) return true;
        refuse(head_too_large(options_.max_header_bytes).response());
        return false;
    }
    // A chunk of one byte takes six; the extensions of chunks, which may be of any length, mean nothing here.
    constexpr std::uint64_t max_per_body_byte = 64;
    auto const body = parser_.get().body().size();
    if (bytes <= body + options_.max_header_bytes || bytes / max_per_body_byte <= body) return true;
    refuse(body_too_large(options_.max_body_bytes).response());
    return false;
}

PALETTE_KEYS_INLINE RequestParser::State RequestParser::refuse(Response why) {
    refusal_ = std::move(why);
    return State::refused;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
