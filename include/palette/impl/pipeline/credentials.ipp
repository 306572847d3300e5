// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/credentials.hpp>
#include <palette/impl/pipeline/emit.hpp>
#include <palette/impl/pipeline/renewal.hpp>
#include <palette/impl/values/error_of_exception.hpp>
#include <palette/impl/values/text.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

// One question to the provider, and those who wait for the answer.
struct Credentials::Refresh {
    Refresh(const boost::asio::any_io_executor& executor, const timing::TimeSource& time)
        : answered(executor, boost::asio::steady_timer::time_point::max()),
          alarm(executor, time) {}

    std::optional<Result<Shared>> answer;  // none although it has ended: there was no memory for one
    bool has_ended = false;
    bool in_background = false;  // it goes on although nobody waits
    int waiting = 0;
    boost::asio::steady_timer answered;  // cancelled when it has ended
    boost::asio::cancellation_signal signal;
    timing::Alarm alarm;  // of one in the background
};

class Credentials::State : public std::enable_shared_from_this<State> {
public:
    State(boost::asio::any_io_executor executor, std::shared_ptr<AuthProvider> provider,
          std::shared_ptr<Transport> transport, timing::TimeSource time,
          std::shared_ptr<detail::KnownSecrets> known, std::chrono::milliseconds background_time)
        : executor_(std::move(executor)),
          provider_(std::move(provider)),
          transport_(std::move(transport)),
          time_(std::move(time)),
          known_(std::move(known)),
          background_time_(background_time) {}

    [[nodiscard]] Shared at_hand() const {
        return current_ && renewal_.state(time_.now()) != Renewal::State::ended ? current_ : nullptr;
    }

    Shared take() {
        auto good = at_hand();
        // The credential is still good: the operation goes on with it and does not wait.
        if (good && renewal_.state(time_.now()) == Renewal::State::due) renew();
        return good;
    }

    boost::asio::awaitable<Result<Shared>> get() {
        if (auto good = take()) co_return good;
        co_return co_await refreshed(current_ ? CredentialRequest::Reason::expiring
                                              : CredentialRequest::Reason::first);
    }

    boost::asio::awaitable<Result<Shared>> get_other_than(Shared rejected) {
        // Another operation met the same 401, and has brought a newer one.
        if (current_ && current_ != rejected) co_return current_;
        co_return co_await refreshed(CredentialRequest::Reason::rejected);
    }

    void stop_renewal() {
        if (!refresh_) return;
        // Held here: the cancellation may reset refresh_.
        auto const refresh = refresh_;
        refresh->in_background = false;
        drop_if_unwanted(refresh);
    }

private:
    using Reason = CredentialRequest::Reason;
    using RefreshPtr = std::shared_ptr<Refresh>;

    // Ends a question with the coroutine that asks it, in whichever way that goes.
    class Ends {
    public:
        Ends(State& state, Refresh& refresh) noexcept : state_(state), refresh_(refresh) {}
        Ends(const Ends&) = delete;
        Ends& operator=(const Ends&) = delete;
        ~Ends() { state_.end(refresh_); }

    private:
        State& state_;
        Refresh& refresh_;
    };

    // The operation that finds it due does without: a failure here is not its failure.
    void renew() noexcept {
        if (refresh_ || !provider_ || !renewal_.may_ask(time_.steady())) return;
        try {
            auto const refresh = std::make_shared<Refresh>(executor_, time_);
            refresh->in_background = true;
            // It must not keep an event loop that has nothing else to do, nor hold the next one up.
            refresh->alarm.set(background_time_, [self = weak_from_this(), r = std::weak_ptr(refresh)] {
                auto const state = self.lock();
                auto const late = r.lock();
                if (!state || !late) return;
                late->in_background = false;
                if (state->drop_if_unwanted(late)) state->renewal_.failed(state->time_.steady());
            });
            start(refresh, Reason::expiring);
        } catch (...) {
            renewal_.failed(time_.steady());
        }
    }

    boost::asio::awaitable<Result<Shared>> refreshed(Reason reason) {
        if (!provider_)
            co_return Error(errc::auth_provider,
                            "no credential is configured: ClientOptions::auth is not set");
        auto refresh = refresh_;
        if (!refresh) {
            refresh = std::make_shared<Refresh>(executor_, time_);
            start(refresh, reason);
        }
        ++refresh->waiting;
        std::exception_ptr thrown;
        try {
            while (!refresh->has_ended) {
                auto const state = co_await boost::asio::this_coro::cancellation_state;
                if (state.cancelled() != boost::asio::cancellation_type::none) break;
                co_await refresh->answered.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
            }
        } catch (...) {
            thrown = std::current_exception();
        }
        --refresh->waiting;
        // Before the exception goes on, since nobody else counts this waiter.
        drop_if_unwanted(refresh);
        if (thrown) std::rethrow_exception(thrown);
        if (!refresh->has_ended) co_return Error(errc::operation_aborted, "it was cancelled");
        if (!refresh->answer)
            co_return detail::out_of_memory();  // over which the coroutine that asked was lost
        co_return *refresh->answer;
    }

    // Nobody is left to whom the answer matters: whoever asks next begins anew.
    bool drop_if_unwanted(const RefreshPtr& refresh) {
        if (refresh->has_ended || refresh->in_background || refresh->waiting > 0) return false;
        // Before the signal, which may run whoever asks next.
        if (refresh_ == refresh) refresh_ = nullptr;
        refresh->alarm.cancel();
        emit(refresh->signal, boost::asio::cancellation_type::terminal);
        return true;
    }

    // It may have ended before this returns.
    void start(const RefreshPtr& refresh, Reason reason) {
        refresh_ = refresh;
        try {
            // The signal outlives the coroutine's frame: the handler here holds it.
            boost::asio::co_spawn(executor_, ask(shared_from_this(), refresh, reason),
                                  boost::asio::bind_cancellation_slot(
                                      refresh->signal.slot(), [refresh](const std::exception_ptr&) {}));
        } catch (...) {
            end(*refresh);
            throw;
        }
    }

    static boost::asio::awaitable<void> ask(std::shared_ptr<State> self, RefreshPtr refresh, Reason reason) {
        Ends const ends(*self, *refresh);
        std::optional<Result<Shared>> answer;
        try {
            CredentialRequest request(reason, self->current_, *self->transport_, self->time_.now(),
                                      self->hides());
            answer.emplace(co_await self->provider_->credential(std::move(request)));
        } catch (...) {
            answer.emplace(
                detail::error_of_exception(errc::auth_provider, "the provider of credentials failed"));
        }
        if (*answer && !**answer)
            answer.emplace(Error(errc::auth_provider, "the provider of credentials gave none"));
        else if (*answer && !fits_header((**answer)->value().expose()))
            answer.emplace(Error(errc::auth_provider,
                                 "the provider gave a credential that is empty or has a control character"));
        // One that was given up has been asked for anew since, or will be.
        if (self->refresh_ == refresh) self->take_up(*answer);
        refresh->answer = std::move(answer);
    }

    void end(Refresh& refresh) {
        if (refresh_.get() == &refresh) {
            // No answer means that the coroutine was lost for want of memory: a failure like others.
            if (!refresh.answer) renewal_.failed(time_.steady());
            refresh_ = nullptr;
        }
        refresh.has_ended = true;
        refresh.alarm.cancel();
        refresh.answered.cancel();
    }

    void take_up(const Result<Shared>& answer) {
        auto const is_other = answer && *answer != current_;
        auto const has_ended = renewal_.state(time_.now()) == Renewal::State::ended;
        // Hidden from errors and events before the first request carries it.
        if (is_other) known_->add(detail::KnownSecrets::Kind::credential, (*answer)->value().expose());
        if (is_other) current_ = *answer;
        // The provider gives it again when it has ended: then its end is not believed either.
        if (is_other || (answer && has_ended))
            renewal_.received((*answer)->expires_at(), time_.now());
        else
            renewal_.failed(time_.steady());
    }

    // Holds what it tells: a request may outlive the client.
    [[nodiscard]] std::function<void(const Secret&)> hides() const {
        return [known = known_](const Secret& secret) {
            if (secret.size() >= min_hidden_size)
                known->add(detail::KnownSecrets::Kind::provided, secret.expose());
        };
    }

    static bool fits_header(std::string_view value) noexcept {
        return !value.empty() && !detail::has_control(value);
    }

    boost::asio::any_io_executor executor_;
    std::shared_ptr<AuthProvider> provider_;
    std::shared_ptr<Transport> transport_;
    timing::TimeSource time_;
    std::shared_ptr<detail::KnownSecrets> known_;
    std::chrono::milliseconds background_time_;
    Shared current_;
    Renewal renewal_;
    RefreshPtr refresh_;  // under way
};

PALETTE_KEYS_INLINE Credentials::Credentials(boost::asio::any_io_executor executor,
                                             std::shared_ptr<AuthProvider> provider,
                                             std::shared_ptr<Transport> transport, timing::TimeSource time,
                                             std::shared_ptr<detail::KnownSecrets> known,
                                             std::chrono::milliseconds background_time)
    : state_(std::make_shared<State>(std::move(executor), std::move(provider), std::move(transport),
                                     std::move(time), std::move(known), background_time)) {}

PALETTE_KEYS_INLINE Credentials::~Credentials() = default;

PALETTE_KEYS_INLINE Credentials::Shared Credentials::at_hand() const {
    return state_->at_hand();
}

PALETTE_KEYS_INLINE Credentials::Shared Credentials::take() {
    return state_->take();
}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<Credentials::Shared>> Credentials::get() {
    return state_->get();
}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<Credentials::Shared>> Credentials::get_other_than(
    Shared rejected) {
    return state_->get_other_than(std::move(rejected));
}

PALETTE_KEYS_INLINE void Credentials::stop_renewal() {
    state_->stop_renewal();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
