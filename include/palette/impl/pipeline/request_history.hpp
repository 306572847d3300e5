// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/impl/pipeline/call.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

// What was found out about a request over all of its attempts.
class RequestHistory {
public:
    explicit RequestHistory(const Call& call) noexcept : call_(call) {}

    // `of_attempt`: it is that of the last one among the call's failures.
    void add(const Error& error, bool of_attempt) {
        maybe_applied_ = maybe_applied_ || error.effect() == Effect::unknown;
        last_ = error;
        own_ = of_attempt ? call_.failures().size() : 0;
    }

    [[nodiscard]] Error stopped() const { return call_.stopped(effect_of(Effect::not_applied)); }

    // Why it is not sent this time.
    [[nodiscard]] Error not_sent(Error error) const {
        auto const effect = effect_of(error.effect());
        return std::move(error).effect(effect).attempts(call_.attempts());
    }

    // Why no attempt was made is of interest only if there was none before.
    [[nodiscard]] Error given_up(const Error& otherwise) const {
        return last_ ? given_up() : not_sent(otherwise).earlier(call_.failures());
    }
    // The error of the last attempt. Precondition: there was one.
    [[nodiscard]] Error given_up() const {
        auto error = *last_;
        auto earlier = call_.failures();
        if (own_ > 0) earlier.erase(earlier.begin() + static_cast<std::ptrdiff_t>(own_) - 1);
        auto const effect = effect_of(error.effect());
        return std::move(error).effect(effect).attempts(call_.attempts()).earlier(std::move(earlier));
    }

private:
    // A refusal says nothing about an attempt before it.
    [[nodiscard]] Effect effect_of(Effect last) const noexcept {
        return maybe_applied_ ? Effect::unknown : last;
    }

    const Call& call_;
    bool maybe_applied_ = false;
    std::optional<Error> last_;
    std::size_t own_ = 0;  // its place among the call's failures, from 1 on; 0: it is not among them
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
