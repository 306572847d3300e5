// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/credentials.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::pipeline {

// One question to the provider, and those who wait for the answer.
struct Credentials::Refresh {
    explicit Refresh(const boost::asio::any_io_executor& executor)
        : answered(executor, boost::asio::steady_timer::time_point::max()) {}

    std::optional<Result<Shared>> answer;
    int waiting = 0;
    boost::asio::steady_timer answered;  // cancelled when there is an answer
    boost::asio::cancellation_signal signal;
};

class Credentials::State : public std::enable_shared_from_this<State> {
public:
    State(boost::asio::any_io_executor executor, std::shared_ptr<AuthProvider> provider,
          std::shared_ptr<Transport> transport, timing::TimeSource time,
          std::shared_ptr<detail::KnownSecrets> known)
        : executor_(std::move(executor)),
          provider_(std::move(provider)),
          transport_(std::move(transport)),
          time_(std::move(time)),
          known_(std::move(known)) {}

    [[nodiscard]] Shared at_hand() const {
        return current_ && !ends_within(*current_, renewed_before_end) ? current_ : nullptr;
    }

    boost::asio::awaitable<Result<Shared>> get() {
        if (auto good = at_hand()) co_return good;
        if (!current_) co_return co_await refreshed(CredentialRequest::Reason::first);
        auto const held = current_;
        auto other = co_await refreshed(CredentialRequest::Reason::expiring);
        // While a login fails, what is good still is used on.
        if (!other && !ends_within(*held, std::chrono::milliseconds::zero())) co_return held;
        co_return other;
    }

    boost::asio::awaitable<Result<Shared>> get_other_than(Shared rejected) {
        if (current_ && current_ != rejected) co_return current_;
        co_return co_await refreshed(CredentialRequest::Reason::rejected);
    }

private:
    static constexpr std::chrono::seconds renewed_before_end{60};

    [[nodiscard]] bool ends_within(const Credential& credential, std::chrono::milliseconds time) const {
        return credential.ends() && time_.now() + time >= *credential.ends();
    }

    boost::asio::awaitable<Result<Shared>> refreshed(CredentialRequest::Reason reason) {
        if (!provider_)
            co_return Error(errc::auth_provider,
                            "no credential is configured: ClientOptions::auth is not set");
        auto const refresh = refresh_ ? refresh_ : start(reason);
        ++refresh->waiting;
        while (!refresh->answer) {
            auto const state = co_await boost::asio::this_coro::cancellation_state;
            if (state.cancelled() != boost::asio::cancellation_type::none) break;
            co_await refresh->answered.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        }
        // Nobody is left to whom the answer matters.
        if (--refresh->waiting == 0 && !refresh->answer) {
            if (refresh_ == refresh) refresh_ = nullptr;
            refresh->signal.emit(boost::asio::cancellation_type::terminal);
        }
        if (!refresh->answer) co_return Error(errc::operation_aborted, "it was cancelled");
        co_return *refresh->answer;
    }

    // It may have its answer before this returns.
    std::shared_ptr<Refresh> start(CredentialRequest::Reason reason) {
        auto const refresh = std::make_shared<Refresh>(executor_);
        refresh_ = refresh;
        // The signal outlives the coroutine's frame: the handler here holds it.
        boost::asio::co_spawn(executor_, ask(shared_from_this(), refresh, reason),
                              boost::asio::bind_cancellation_slot(refresh->signal.slot(),
                                                                  [refresh](const std::exception_ptr&) {}));
        return refresh;
    }

    static boost::asio::awaitable<void> ask(std::shared_ptr<State> self, std::shared_ptr<Refresh> refresh,
                                            CredentialRequest::Reason reason) {
        std::optional<Result<Shared>> answer;
        try {
            CredentialRequest request(reason, self->current_, *self->transport_, self->time_.now(),
                                      self->hides());
            answer.emplace(co_await self->provider_->credential(std::move(request)));
        } catch (const std::exception& e) {
            answer.emplace(
                Error(errc::auth_provider, std::string("the provider of credentials failed: ") + e.what()));
        } catch (...) {
            answer.emplace(Error(errc::auth_provider, "the provider of credentials failed"));
        }
        if (*answer && !**answer)
            answer.emplace(Error(errc::auth_provider, "the provider of credentials gave none"));
        else if (*answer && !fits_header((**answer)->value().expose()))
            answer.emplace(Error(errc::auth_provider,
                                 "the provider gave a credential that is empty or has a control character"));
        if (*answer) self->use(**answer);
        if (self->refresh_ == refresh) self->refresh_ = nullptr;
        refresh->answer = std::move(answer);
        refresh->answered.cancel();
    }

    // Holds what it tells: a request may outlive the client.
    [[nodiscard]] std::function<void(const Secret&)> hides() const {
        return [known = known_](const Secret& secret) {
            if (secret.size() >= min_hidden_size)
                known->add(detail::KnownSecrets::Kind::provided, secret.expose());
        };
    }

    static bool fits_header(std::string_view value) noexcept {
        return !value.empty() && std::ranges::none_of(value, [](char c) {
            return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
        });
    }

    void use(Shared credential) {
        if (credential == current_) return;
        known_->add(detail::KnownSecrets::Kind::credential, credential->value().expose());
        current_ = std::move(credential);
    }

    boost::asio::any_io_executor executor_;
    std::shared_ptr<AuthProvider> provider_;
    std::shared_ptr<Transport> transport_;
    timing::TimeSource time_;
    std::shared_ptr<detail::KnownSecrets> known_;
    Shared current_;
    std::shared_ptr<Refresh> refresh_;  // under way
};

PALETTE_KEYS_INLINE Credentials::Credentials(boost::asio::any_io_executor executor,
                                             std::shared_ptr<AuthProvider> provider,
                                             std::shared_ptr<Transport> transport, timing::TimeSource time,
                                             std::shared_ptr<detail::KnownSecrets> known)
    : state_(std::make_shared<State>(std::move(executor), std::move(provider), std::move(transport),
                                     std::move(time), std::move(known))) {}

PALETTE_KEYS_INLINE Credentials::~Credentials() = default;

PALETTE_KEYS_INLINE Credentials::Shared Credentials::at_hand() const {
    return state_->at_hand();
}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<Credentials::Shared>> Credentials::get() {
    return state_->get();
}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<Credentials::Shared>> Credentials::get_other_than(
    Shared rejected) {
    return state_->get_other_than(std::move(rejected));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::pipeline
