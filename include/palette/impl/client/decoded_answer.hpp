// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/discard.hpp>
#include <palette/impl/pipeline/answer.hpp>
#include <palette/impl/pipeline/redact.hpp>
#include <palette/impl/wire/decode.hpp>

#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

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

struct NoBody {};

template <class T>
struct AnswerParts {
    using Decoder = wire::Decoder<T>;
    using Decoded = T;
};
template <>
struct AnswerParts<void> {
    using Decoder = NoBody;
    using Decoded = NoBody;
};

// An answer that is decoded as it arrives: a success into a T, a refusal into the service's words. Without
// a T, a success has no body worth reading.
//
// A list that is not taken is discarded, on an executor that is given.
template <class T>
class DecodedAnswer final : public pipeline::Answer {
public:
    DecodedAnswer() = default;
    // A body of a success that is larger than that is `too_large`.
    DecodedAnswer(asio::any_io_executor executor, std::size_t max_bytes, Error too_large)
        : executor_(std::move(executor)),
          max_bytes_(max_bytes),
          too_large_(std::move(too_large)) {}
    DecodedAnswer(const DecodedAnswer&) = delete;
    DecodedAnswer& operator=(const DecodedAnswer&) = delete;
    ~DecodedAnswer() override { discard_list(); }

    void begin() override {
        discard_list();
        received_ = 0;
        response_ = HttpResponse();
        value_.reset();
        words_.reset();
        error_.reset();
    }

    void head(HttpResponse response) override {
        response_ = std::move(response);
        if (pipeline::is_success(response_.status))
            value_.emplace();
        else
            words_.emplace();
    }

    bool body(std::string_view piece) override {
        if (words_) words_->write(piece);
        if (value_ && piece.size() > max_bytes_ - received_) {
            error_ = too_large_;
            return false;
        }
        received_ += piece.size();
        if constexpr (!std::is_void_v<T>) {
            if (value_)
                if (auto written = value_->write(piece); !written) error_ = std::move(written.error());
        }
        return !error_;
    }

    Result<void> finish() override {
        if constexpr (!std::is_void_v<T>) {
            auto decoded = value_->finish();
            if (!decoded) return std::move(decoded.error());
            decoded_.emplace(std::move(*decoded));
        } else if (response_.status != 204) {
            // A page of somebody on the way must not pass for a change that was made.
            return Error(errc::unexpected_status, "the service should have answered with 204")
                .effect(Effect::unknown);
        }
        return {};
    }

    [[nodiscard]] const Error* body_error() const noexcept override { return error_ ? &*error_ : nullptr; }
    [[nodiscard]] const HttpResponse& response() const noexcept override { return response_; }
    [[nodiscard]] pipeline::ServerWords words(const detail::KnownSecrets& known) override {
        return words_ ? words_->finish(known) : pipeline::ServerWords();
    }

    // After a success.
    [[nodiscard]] auto& value() noexcept { return *decoded_; }
    // Of the body, in bytes.
    [[nodiscard]] std::size_t received() const noexcept { return received_; }

private:
    void discard_list() noexcept {
        if constexpr (requires(T list) { list.items; }) {
            if (value_) discard(executor_, std::move(value_->partial().items));
            if (decoded_) discard(executor_, std::move(decoded_->items));
        }
    }

    asio::any_io_executor executor_;
    std::size_t max_bytes_ = std::numeric_limits<std::size_t>::max();
    std::optional<Error> too_large_;
    std::size_t received_ = 0;
    HttpResponse response_;
    std::optional<typename AnswerParts<T>::Decoder> value_;
    std::optional<RefusalWords> words_;
    std::optional<Error> error_;
    std::optional<typename AnswerParts<T>::Decoded> decoded_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
