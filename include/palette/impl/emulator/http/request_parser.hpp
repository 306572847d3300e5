// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/http.hpp>
#include <palette/testing/emulator_options.hpp>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include <cstdint>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// Makes one request of bytes that come in pieces, within bounds.
class RequestParser {
public:
    explicit RequestParser(const testing::EmulatorOptions& options);

    enum class State {
        needs_more,
        waits,    // needs more, and the client waits to be told to go on
        done,     // request() is complete; what is left in the buffer belongs to the next one
        refused,  // refusal() says why; nothing that follows makes sense
    };

    // Takes from the buffer what belongs to this request.
    State take(boost::beast::flat_buffer& buffer);

    [[nodiscard]] Request& request() noexcept { return request_; }
    [[nodiscard]] const Response& refusal() const noexcept { return refusal_; }

private:
    [[nodiscard]] bool take_head();
    [[nodiscard]] bool is_within_bounds(std::uint64_t waiting);
    State refuse(Response why);
    State more() noexcept;

    const testing::EmulatorOptions& options_;
    boost::beast::http::request_parser<boost::beast::http::string_body> parser_;
    std::uint64_t taken_ = 0;  // bytes of the head, then of all that comes after it
    bool has_head_ = false;
    bool waits_ = false;
    Request request_;
    Response refusal_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/http/request_parser.ipp>
#endif
