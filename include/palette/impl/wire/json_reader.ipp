// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/values/wipe.hpp>
#include <palette/impl/wire/json_handler.hpp>
#include <palette/impl/wire/json_reader.hpp>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

// The parser leaves what it read on its stack: a string with escapes in the buffer in which it was put
// together, others in registers that were saved. Its calls nest, and go less than half as deep as this.
PALETTE_KEYS_NOINLINE inline void wipe_dead_stack() noexcept {
    char dead[32 * 1024];
    detail::wipe(dead, sizeof dead);
}

// Cuts a text that comes in pieces where it stops being UTF-8. The parser's own check goes string by
// string, which for the short strings of a key takes a fifth of the whole.
class Utf8Check {
public:
    // Gives `use` the pieces again, whole characters each. Whether all of `piece` was UTF-8; the
    // beginning of a character at its end is kept for the next.
    template <class Use>
    bool operator()(std::string_view piece, const Use& use) {
        if (!kept_.empty()) {
            while (!piece.empty() && begins_character(kept_)) {
                kept_ += piece.front();
                piece.remove_prefix(1);
            }
            if (begins_character(kept_)) return true;
            if (detail::utf8_character(kept_) != kept_.size()) return false;
            use(std::string_view(kept_));
            kept_.clear();
        }
        auto const good = valid_prefix(piece);
        if (good != 0) use(piece.substr(0, good));
        auto const rest = piece.substr(good);
        if (rest.empty()) return true;
        kept_ = rest.substr(0, 4);
        return begins_character(rest);
    }

    // Whether the text so far ends inside a character.
    [[nodiscard]] bool incomplete() const noexcept { return !kept_.empty(); }

private:
    static std::size_t valid_prefix(std::string_view text) noexcept {
        for (std::size_t at = 0;;) {
            at += ascii_prefix(text.substr(at));
            auto const length = detail::utf8_character(text.substr(at));
            if (length == 0) return at;
            at += length;
        }
    }

    static std::size_t ascii_prefix(std::string_view text) noexcept {
        std::size_t at = 0;
        // Nearly all of an answer is ASCII: 32 bytes at a time make this check almost free.
        for (; at + 32 <= text.size(); at += 32) {
            std::uint64_t words[4];
            std::memcpy(words, text.data() + at, sizeof words);
            if (((words[0] | words[1] | words[2] | words[3]) & 0x8080'8080'8080'8080) != 0) break;
        }
        while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80)
            ++at;
        return at;
    }

    // Whether `text` is the beginning of a character, and not a whole one, as far as its length goes.
    static bool begins_character(std::string_view text) noexcept {
        auto const lead = static_cast<unsigned char>(text.front());
        std::size_t const length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        return lead >= 0xC2 && lead <= 0xF4 && text.size() < length;
    }

    std::string kept_;  // short enough to need no memory
};

class JsonReader::Impl {
public:
    Impl(const Shape& shape, void* root, Limits limits, Effect on_error)
        : limits_(limits),
          parser_(options(limits), shape, root, limits.part, on_error) {}

    Result<void> write(std::string_view chunk) {
        if (auto const& error = handler().error()) return *error;
        // What is within the bound is read before the rest is refused: the error does not depend on where the
        // body was cut.
        auto const part = chunk.substr(0, limits_.bytes - received_);
        // A page of HTML from a proxy or portal gets an error of its own.
        if (received_ == 0 && !part.empty()) first_ = part.front();
        received_ += part.size();
        if (!utf8_(part, [this](std::string_view good) { parse(good); }))
            handler().fail(errc::not_json, "the answer is not UTF-8");
        if (handler().secret_was_seen()) wipe_dead_stack();
        if (part.size() < chunk.size())
            handler().fail(errc::too_large,
                           "the answer is larger than " + std::to_string(limits_.bytes) + " bytes");
        return outcome();
    }

    Result<void> finish() {
        // The parser takes an unfinished text for a good one unless it is told that nothing follows.
        boost::system::error_code fault;
        if (!parser_.done()) parser_.write_some(false, nullptr, 0, fault);
        if (fault) handler().fail(errc::truncated, received_ == 0 ? "the answer is empty" : "");
        if (utf8_.incomplete()) handler().fail(errc::trailing_data);
        return outcome();
    }

private:
    static boost::json::parse_options options(Limits limits) {
        boost::json::parse_options o;
        o.max_depth = limits.depth;
        o.allow_invalid_utf8 = true;  // checked here
        return o;
    }

    // Not inlined: what it leaves on the stack shall be dead when it has returned.
    PALETTE_KEYS_NOINLINE void parse(std::string_view part) {
        if (handler().error()) return;
        boost::system::error_code fault;
        auto const consumed = parser_.write_some(true, part.data(), part.size(), fault);

        if (fault == boost::json::error::too_deep) {
            handler().fail(errc::too_deep,
                           "the answer is nested more than " + std::to_string(limits_.depth) + " deep");
        } else if (fault) {
            // The text itself is not shown: where it goes wrong there may be a secret.
            handler().fail(errc::not_json, first_ == '<' ? "the answer is HTML or XML, not JSON" : "");
        } else if (consumed < part.size()) {
            handler().fail(errc::trailing_data);
        }
    }

    Result<void> outcome() {
        if (auto const& error = handler().error()) return *error;
        return {};
    }

    JsonHandler& handler() noexcept { return parser_.handler(); }

    Limits limits_;
    std::size_t received_ = 0;
    char first_ = '\0';
    Utf8Check utf8_;
    boost::json::basic_parser<JsonHandler> parser_;
};

PALETTE_KEYS_INLINE JsonReader::JsonReader(const Shape& shape, void* root, Limits limits, Effect on_error)
    : impl_(std::make_unique<Impl>(shape, root, limits, on_error)) {}

PALETTE_KEYS_INLINE JsonReader::~JsonReader() = default;

PALETTE_KEYS_INLINE Result<void> JsonReader::write(std::string_view chunk) {
    return impl_->write(chunk);
}
PALETTE_KEYS_INLINE Result<void> JsonReader::finish() {
    return impl_->finish();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire
