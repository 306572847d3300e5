// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/decoded_answer.hpp>
#include <palette/impl/client/visiting.hpp>
#include <palette/impl/pipeline/answer.hpp>
#include <palette/impl/wire/handed.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// One page of a list, whose elements go to a visitor while they arrive. A turn of the event loop brings as
// many as one read of the connection does, a few hundred at most.
template <class T>
class VisitedAnswer final : public pipeline::Answer {
public:
    // `time_of`: gives the service's time of an answer.
    VisitedAnswer(Visiting<T>& visiting, std::function<Instant(const HttpResponse&)> time_of)
        : visiting_(visiting),
          time_of_(std::move(time_of)) {}
    VisitedAnswer(const VisitedAnswer&) = delete;
    VisitedAnswer& operator=(const VisitedAnswer&) = delete;
    ~VisitedAnswer() override = default;

    void begin() override {
        visiting_.begin_attempt();
        response_ = HttpResponse();
        page_.reset();
        words_.reset();
        error_.reset();
    }

    void head(HttpResponse response) override {
        response_ = std::move(response);
        if (!pipeline::is_success(response_.status)) {
            words_.emplace();
            return;
        }
        visiting_.heard(time_of_(response_));
        page_.emplace();
        page_->partial().items.to(std::bind_front(&Visiting<T>::take, &visiting_));
    }

    bool body(std::string_view piece) override {
        if (words_) words_->write(piece);
        if (page_)
            if (auto written = page_->write(piece); !written) error_ = std::move(written.error());
        if (visiting_.error()) error_ = stopped();
        return !error_;
    }

    Result<void> finish() override {
        auto decoded = page_->finish();
        if (!decoded) return std::move(decoded.error());
        decoded->items.hand_on();
        visiting_.end_attempt();
        if (visiting_.error()) return stopped();
        next_ = std::move(decoded->next);
        return {};
    }

    [[nodiscard]] const Error* body_error() const noexcept override { return error_ ? &*error_ : nullptr; }
    [[nodiscard]] const HttpResponse& response() const noexcept override { return response_; }
    [[nodiscard]] pipeline::ServerWords words(const detail::KnownSecrets& known) override {
        return words_ ? words_->finish(known) : pipeline::ServerWords();
    }

    // After a success: the token of the following page.
    [[nodiscard]] std::string& next() noexcept { return next_; }

private:
    // Stands for the error of the visit, whose code may be one after which a read is sent again.
    static Error stopped() { return Error(errc::operation_aborted, "the visit has ended"); }

    Visiting<T>& visiting_;
    std::function<Instant(const HttpResponse&)> time_of_;
    HttpResponse response_;
    std::optional<wire::Decoder<wire::HandedPage<T>>> page_;
    std::optional<RefusalWords> words_;
    std::optional<Error> error_;
    std::string next_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
