// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/discard.hpp>
#include <palette/impl/pipeline/answer.hpp>
#include <palette/impl/pipeline/redact.hpp>
#include <palette/impl/wire/decode.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// The service's words in the body of a refusal. The status has told what there is to know; a body that
// cannot be read is of no interest.
class RefusalWords {
public:
    void write(std::string_view piece) {
        if (is_good_ && !decoder_.write(piece)) is_good_ = false;
    }

    [[nodiscard]] pipeline::ServerWords finish(const detail::KnownSecrets& known) {
        if (!is_good_) return {};
        auto decoded = decoder_.finish();
        if (!decoded) return {};
        auto const shown = [&](const Secret& text, std::size_t limit) {
            return pipeline::shown_words(text.expose(), known, limit);
        };
        return {shown(decoded->code, pipeline::max_word_bytes),
                shown(decoded->message, pipeline::max_message_bytes),
                shown(decoded->ref, pipeline::max_word_bytes)};
    }

private:
    wire::Decoder<wire::ErrorBody> decoder_;
    bool is_good_ = true;
};

// Of an answer whose success has no body worth reading.
struct NoDecoder {};
struct NoValue {};

template <class T>
struct AnswerParts {
    using Decoder = wire::Decoder<T>;
    using Value = std::conditional_t<Decoder::reads_value, NoValue, T>;
};
template <>
struct AnswerParts<void> {
    using Decoder = NoDecoder;
    using Value = NoValue;
};

// An answer that is decoded as it arrives: a success into a T, a refusal into the service's words. Without
// a T, a success has no body worth reading.
//
// A list that is not taken is discarded, on an executor that is given.
template <class T>
class DecodedAnswer final : public pipeline::Answer {
    using Decoder = typename AnswerParts<T>::Decoder;
    using Value = typename AnswerParts<T>::Value;

public:
    DecodedAnswer() = default;
    // A body of a success that is larger than that is `too_large`.
    DecodedAnswer(asio::any_io_executor executor, std::size_t max_bytes, Error too_large)
        : bound_(std::make_unique<Bound>(std::move(executor), max_bytes, std::move(too_large))) {}
    DecodedAnswer(const DecodedAnswer&) = delete;
    DecodedAnswer& operator=(const DecodedAnswer&) = delete;
    ~DecodedAnswer() override { discard_list(); }

    void begin() override {
        discard_list();
        received_ = 0;
        response_ = HttpResponse();
        content_.template emplace<std::monostate>();
    }

    void head(HttpResponse response) override {
        response_ = std::move(response);
        if (pipeline::is_success(response_.status))
            content_.template emplace<Decoder>();
        else
            content_.template emplace<RefusalWords>();
    }

    bool body(std::string_view piece) override {
        // A transport of the caller's may go on after it was told to stop.
        if (body_error() != nullptr) return false;
        if (auto* const words = std::get_if<RefusalWords>(&content_)) words->write(piece);
        auto* const decoder = std::get_if<Decoder>(&content_);
        if (decoder != nullptr && bound_ && piece.size() > bound_->max_bytes - received_)
            return fail(bound_->too_large);
        received_ += piece.size();
        if constexpr (!std::is_void_v<T>) {
            if (decoder != nullptr)
                if (auto written = decoder->write(piece); !written) return fail(std::move(written.error()));
        }
        return true;
    }

    Result<void> finish() override {
        if constexpr (!std::is_void_v<T>) {
            if (auto const* const error = body_error()) return *error;
            auto& decoder = std::get<Decoder>(content_);
            if constexpr (Decoder::reads_value) {
                return decoder.end();
            } else {
                auto decoded = decoder.finish();
                if (!decoded) return std::move(decoded.error());
                content_.template emplace<Value>(std::move(*decoded));
            }
        } else if (response_.status != 204) {
            // A page of somebody on the way must not pass for a change that was made.
            return Error(errc::unexpected_status, "the service should have answered with 204")
                .effect(Effect::unknown);
        }
        return {};
    }

    [[nodiscard]] const Error* body_error() const noexcept override { return std::get_if<Error>(&content_); }
    [[nodiscard]] const HttpResponse& response() const noexcept override { return response_; }
    [[nodiscard]] pipeline::ServerWords words(const detail::KnownSecrets& known) override {
        auto* const words = std::get_if<RefusalWords>(&content_);
        return words != nullptr ? words->finish(known) : pipeline::ServerWords();
    }

    // After a success.
    [[nodiscard]] auto& value() noexcept {
        if constexpr (requires { requires Decoder::reads_value; })
            return std::get_if<Decoder>(&content_)->partial();
        else
            return *std::get_if<Value>(&content_);
    }
    // Of the body, in bytes.
    [[nodiscard]] std::size_t received() const noexcept { return received_; }

private:
    // Of a list.
    struct Bound {
        Bound(asio::any_io_executor e, std::size_t bytes, Error error)
            : executor(std::move(e)),
              max_bytes(bytes),
              too_large(std::move(error)) {}

        asio::any_io_executor executor;
        std::size_t max_bytes;
        Error too_large;
    };

    // What could be read of the body is of no use. Always false: the rest of it is not wanted.
    bool fail(Error error) {
        discard_list();
        content_.template emplace<Error>(std::move(error));
        return false;
    }

    void discard_list() noexcept {
        if constexpr (requires(T list) { list.items; }) {
            if (!bound_) return;
            if (auto* const decoder = std::get_if<Decoder>(&content_))
                discard(bound_->executor, std::move(decoder->partial().items));
        }
    }

    std::unique_ptr<Bound> bound_;
    std::size_t received_ = 0;
    HttpResponse response_;
    // One of them at a time: a coroutine's frame has room for the largest.
    std::variant<std::monostate, Decoder, RefusalWords, Value, Error> content_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
