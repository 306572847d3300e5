// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

/// Decides when a credential is exchanged for its successor. Pure: it is told both times, that of day, by
/// which credentials end, and the steady one, by which failed renewals wait.
class Renewal {
public:
    using Milliseconds = std::chrono::milliseconds;
    using Nanoseconds = std::chrono::nanoseconds;

    enum class State {
        good,   // is used
        due,    // is used, while its successor is asked for
        ended,  // is not used any more
    };

    /// A credential was received. One that has ended already by this machine's clock is of a clock that
    /// disagrees: its end is not believed, and the service's 401 tells when it has ended.
    void received(std::optional<Instant> expires_at, Instant now) noexcept {
        failures_ = 0;
        waits_until_ = Nanoseconds::min();
        expires_at_ = expires_at && *expires_at > now ? expires_at : std::nullopt;
        if (expires_at_) margin_ = std::min<Milliseconds>(max_margin, (*expires_at_ - now) / 4);
    }

    /// `max_margin` before its end, or a quarter of the life that it had when it was received, a credential
    /// is due.
    [[nodiscard]] State state(Instant now) const noexcept {
        if (!expires_at_ || now < *expires_at_ - margin_) return State::good;
        return now < *expires_at_ ? State::due : State::ended;
    }

    /// Whether the wait after the last failed renewal is over.
    [[nodiscard]] bool may_ask(Nanoseconds steady) const noexcept { return steady >= waits_until_; }

    /// A renewal failed, or gave the same credential again: the next one waits 1 s, then 2 s, ... then 30 s.
    void failed(Nanoseconds steady) noexcept {
        constexpr int doublings = 5;
        auto const wait =
            std::min<Milliseconds>(max_backoff, initial_backoff * (1 << std::min(failures_, doublings)));
        ++failures_;
        waits_until_ = steady + wait;
    }

private:
    static constexpr std::chrono::seconds max_margin{60};
    static constexpr std::chrono::seconds initial_backoff{1};
    static constexpr std::chrono::seconds max_backoff{30};

    std::optional<Instant> expires_at_;
    Milliseconds margin_{};
    Nanoseconds waits_until_ = Nanoseconds::min();
    int failures_ = 0;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
