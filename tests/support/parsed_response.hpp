// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/response_parser.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace parsing {

using palette::impl::net::AnswerTo;
using palette::impl::net::ResponseLimits;
using palette::impl::net::ResponseParser;
using palette::impl::net::StreamEnd;

// All that can be seen of one answer.
struct Outcome {
    ResponseParser::State state = ResponseParser::State::needs_more;
    std::optional<palette::Error> error;
    bool keep_alive = false;
    int heads = 0;
    int status = 0;
    palette::HttpFields headers;
    std::string body;
    std::string rest;  // what does not belong to the answer; empty if it failed

    friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Takes `max_body` bytes at the most.
class Recorder final : public palette::ResponseSink {
public:
    Recorder(Outcome& outcome, std::size_t max_body) : outcome_(outcome), max_body_(max_body) {}

    void head(palette::HttpResponse response) override {
        ++outcome_.heads;
        outcome_.status = response.status;
        outcome_.headers = response.headers;
    }

    bool body(std::string_view piece) override {
        pieces_are_empty_ = pieces_are_empty_ || piece.empty();
        outcome_.body += piece;
        if (outcome_.body.size() < max_body_) return true;
        outcome_.body.resize(max_body_);
        return false;
    }

    [[nodiscard]] bool got_an_empty_piece() const noexcept { return pieces_are_empty_; }

private:
    Outcome& outcome_;
    std::size_t max_body_;
    bool pieces_are_empty_ = false;
};

struct Setting {
    std::size_t piece = std::string::npos;  // how many bytes come at a time
    std::optional<StreamEnd> end = StreamEnd::orderly;
    AnswerTo kind = AnswerTo::other_request;
    ResponseLimits limits{};
    std::size_t max_body = std::string::npos;
};

// What becomes of `bytes`, and whether the parser kept its word about what it leaves in the buffer.
inline Outcome parse(std::string_view bytes, const Setting& setting = {}, bool* kept_word = nullptr) {
    Outcome outcome;
    Recorder sink(outcome, setting.max_body);
    ResponseParser parser(sink, setting.kind, setting.limits);
    bool is_bounded = true;
    std::string buffer;
    while (!bytes.empty()) {
        auto const piece = bytes.substr(0, setting.piece);
        bytes.remove_prefix(piece.size());
        // In fresh memory every time, so that a sanitizer sees a look at what has gone.
        buffer = std::string(buffer).append(piece);
        buffer.erase(0, parser.take(buffer));
        if (parser.state() == ResponseParser::State::needs_more)
            is_bounded = is_bounded && buffer.size() < setting.limits.head_bytes;
    }
    if (setting.end) parser.finish(*setting.end);

    outcome.state = parser.state();
    if (outcome.state == ResponseParser::State::failed)
        outcome.error = parser.error();
    else
        outcome.rest = buffer;
    outcome.keep_alive = parser.keep_alive();
    if (kept_word != nullptr) *kept_word = is_bounded && outcome.heads <= 1 && !sink.got_an_empty_piece();
    return outcome;
}

}  // namespace parsing
