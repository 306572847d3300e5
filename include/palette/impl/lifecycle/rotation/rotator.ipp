// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/run_end.hpp>
#include <palette/impl/lifecycle/started.hpp>
#include <palette/lifecycle/rotator.hpp>

#include <algorithm>
#include <functional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

// How long until the next run, by what the last one has said.
class RotatorPace {
public:
    explicit RotatorPace(std::chrono::milliseconds longest) noexcept : longest_(longest) {}

    std::chrono::milliseconds wait_after(const Result<palette::lifecycle::Rotation>& last) {
        using namespace std::chrono_literals;
        if (last && !last->problem) {
            failures_ = 0;
            if (!last->next_due) return longest_;
            // Both times are the service's, so that a wrong local clock does no harm. A second at least, for
            // a time that has passed would make the loop spin.
            return std::min<std::chrono::milliseconds>(
                std::max<std::chrono::milliseconds>(*last->next_due - last->as_of, 1s), longest_);
        }
        // The rotation's own backoff is in the record; this one is for what comes before there is one.
        // The seventh pause, of 32 minutes, is the longest, and keeps the shift in its range.
        failures_ = std::min(failures_ + 1, 7);
        return std::min<std::chrono::milliseconds>(30s * (1 << (failures_ - 1)), longest_);
    }

private:
    std::chrono::milliseconds longest_;
    int failures_ = 0;
};

// Whether a run may have changed something.
inline bool may_have_acted(const Result<palette::lifecycle::Rotation>& run) noexcept {
    using Outcome = palette::lifecycle::Rotation::Outcome;
    if (!run) return run.error().effect() != Effect::not_applied;
    return run->outcome != Outcome::not_due && run->outcome != Outcome::busy;
}

// An error of a rotator that has run for months is no proof that it has changed nothing.
inline Error end_of_rotator(Error error, bool has_acted) {
    if (!has_acted) return error;
    return std::move(error)
        .effect(Effect::unknown)
        .advice("start the rotator again: its next run goes on with what was begun, or takes it back");
}

inline asio::awaitable<Result<void>> run_rotator(ApiKeyClient& client, palette::lifecycle::Slot slot,
                                                 palette::lifecycle::RotateOptions options,
                                                 palette::lifecycle::Rotator::Listener listener,
                                                 std::chrono::milliseconds longest_pause,
                                                 std::shared_ptr<const RunEnd> end) {
    RotatorPace pace(longest_pause);
    bool has_acted = false;
    for (;;) {
        auto rotation = co_await palette::lifecycle::async_rotate(client, slot, options);
        has_acted = has_acted || may_have_acted(rotation);
        if (listener) listener(rotation);
        if (end->has_come()) co_return end_of_rotator(end->error("rotator"), has_acted);
        if (!rotation) {
            auto const code = rotation.error().code();
            // A client that was cancelled, or an argument, stays as it is. All else may pass.
            if (code == errc::operation_aborted || code == errc::invalid_argument)
                co_return end_of_rotator(std::move(rotation.error()), has_acted);
        }
        // What was asked for once is begun once, whatever becomes of it.
        auto const has_begun = rotation && rotation->outcome != palette::lifecycle::Rotation::Outcome::busy;
        if (has_begun) options.force(false);
        auto const wait = pace.wait_after(rotation);
        auto const waited = co_await client.async_wait(wait);
        if (end->has_come()) co_return end_of_rotator(end->error("rotator"), has_acted);
        if (!waited) co_return end_of_rotator(waited.error(), has_acted);
    }
}

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE Rotator::Rotator(ApiKeyClient& client, Slot slot, RotateOptions options)
    : client_(&client),
      slot_(std::move(slot)),
      options_(std::move(options)) {}

PALETTE_KEYS_INLINE void Rotator::on_rotation(Listener listener) {
    listener_ = std::move(listener);
}

PALETTE_KEYS_INLINE void Rotator::longest_pause(std::chrono::milliseconds time) {
    if (time.count() <= 0)
        throw Exception(
            Error(errc::invalid_argument, "a pause between two looks is positive").path("longest_pause"));
    longest_pause_ = time;
}

PALETTE_KEYS_INLINE std::shared_ptr<AuthProvider> Rotator::provider(std::chrono::milliseconds recheck) const {
    return sink_provider(slot_.sink(), recheck);
}

PALETTE_KEYS_INLINE void Rotator::start(boost::asio::any_completion_handler<void(Result<void>)> handler) {
    auto const started = std::make_shared<impl::lifecycle::Started<void>>(*client_, std::move(handler),
                                                                          std::nullopt, Effect::unknown);
    started->spawn(std::bind_front(&impl::lifecycle::run_rotator, std::ref(*client_), slot_, options_,
                                   listener_, longest_pause_, started->end()));
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
