// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/guarded.hpp>
#include <palette/impl/lifecycle/rotation_driver.hpp>
#include <palette/impl/lifecycle/slot_check.hpp>
#include <palette/impl/values/error_of_exception.hpp>
#include <palette/lifecycle/rotation.hpp>

#include <boost/asio/append.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <array>
#include <atomic>
#include <exception>
#include <ostream>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

// A rotation that has been started: the way to its handler, and the signal that cancels its coroutine.
struct StartedRotation : std::enable_shared_from_this<StartedRotation> {
    StartedRotation(const asio::any_io_executor& executor, palette::detail::RotationHandler to)
        : strand(asio::make_strand(executor)),
          handler(std::move(to)),
          handler_work(asio::get_associated_executor(handler, executor)) {}

    // A signal of the user's may outlive the rotation: its slot holds nothing that keeps it alive.
    void bridge_cancellation() {
        auto slot = asio::get_associated_cancellation_slot(handler);
        if (!slot.is_connected()) return;
        slot.assign([weak = weak_from_this()](asio::cancellation_type type) {
            auto const alive = weak.lock();
            if (!alive) return;
            *alive->is_cancelled = true;
            asio::post(alive->strand, [weak, type] {
                if (auto const still_alive = weak.lock()) still_alive->signal.emit(type);
            });
        });
    }

    void complete(const asio::any_io_executor& executor) {
        asio::post(executor, asio::append(std::move(handler), std::move(*result)));
    }

    asio::strand<asio::any_io_executor> strand;
    asio::cancellation_signal signal;
    palette::detail::RotationHandler handler;
    asio::executor_work_guard<
        asio::associated_executor_t<palette::detail::RotationHandler, asio::any_io_executor>>
        handler_work;
    std::shared_ptr<std::atomic<bool>> is_cancelled = std::make_shared<std::atomic<bool>>(false);
    std::optional<Result<palette::lifecycle::Rotation>> result;
};

inline asio::awaitable<void> run_rotation(std::shared_ptr<StartedRotation> started, ApiKeyClient& client,
                                          palette::lifecycle::Slot slot,
                                          palette::lifecycle::RotateOptions options) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await asio::this_coro::throw_if_cancelled(false);
    if (auto fault = check(slot, options)) {
        started->result = *std::move(fault);
        co_return;
    }
    RotationDriver driver(client, std::move(slot), std::move(options), started->is_cancelled);
    auto result = co_await driver.run();
    if (!result && result.error().operation().empty()) result.error().operation("rotate");
    started->result = std::move(result);
}

inline Error error_of(const std::exception_ptr& thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const Exception& e) {
        return e.error();
    } catch (...) {
        return detail::error_of_exception(errc::system, "a rotation failed");
    }
}

}  // namespace impl::lifecycle

namespace detail {

PALETTE_KEYS_INLINE void start_rotation(ApiKeyClient& client, RotationHandler handler, lifecycle::Slot slot,
                                        lifecycle::RotateOptions options) {
    namespace asio = boost::asio;
    auto const executor = client.get_executor();
    auto const started = std::make_shared<impl::lifecycle::StartedRotation>(executor, std::move(handler));
    started->bridge_cancellation();
    asio::co_spawn(started->strand,
                   impl::lifecycle::run_rotation(started, client, std::move(slot), std::move(options)),
                   asio::bind_cancellation_slot(started->signal.slot(),
                                                [started, executor](const std::exception_ptr& thrown) {
                                                    if (thrown)
                                                        started->result = impl::lifecycle::error_of(thrown);
                                                    started->complete(executor);
                                                }));
}

}  // namespace detail

namespace lifecycle {

PALETTE_KEYS_INLINE Result<Rotation> rotate(BlockingApiKeyClient& client, Slot slot, RotateOptions options) {
    std::optional<Result<Rotation>> rotation;
    auto ran = client.run([&](ApiKeyClient& inner) -> boost::asio::awaitable<Result<void>> {
        rotation = co_await async_rotate(inner, slot, options);
        co_return Result<void>();
    });
    if (!rotation) return std::move(ran.error());
    return *std::move(rotation);
}

PALETTE_KEYS_INLINE std::string_view to_string(RotationState state) noexcept {
    static constexpr std::array<std::string_view, 8> names{"idle",   "planned", "created", "staged",
                                                           "proven", "overlap", "revoked", "quarantine"};
    auto const number = static_cast<std::size_t>(state);
    return number < names.size() ? names[number] : std::string_view();
}

PALETTE_KEYS_INLINE std::string_view to_string(Rotation::Outcome outcome) noexcept {
    static constexpr std::array<std::string_view, 6> names{"not_due", "in_progress", "completed",
                                                           "busy",    "lost_race",   "failed"};
    auto const number = static_cast<std::size_t>(outcome);
    return number < names.size() ? names[number] : std::string_view();
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, RotationState state) {
    return out << to_string(state);
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, Rotation::Outcome outcome) {
    return out << to_string(outcome);
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Rotation& rotation) {
    using palette::detail::printable;
    out << "Rotation{" << rotation.outcome << ", " << rotation.state << ", old "
        << printable(rotation.old_uid) << ", new " << printable(rotation.new_uid);
    if (rotation.next_due) out << ", next due " << Expiry::at(*rotation.next_due).to_string();
    for (auto const& line : rotation.done)
        out << ", " << printable(line, 200);
    for (auto const& line : rotation.left)
        out << ", left: " << printable(line, 200);
    if (rotation.problem) out << ", problem: " << printable(rotation.problem->message(), 400);
    return out << '}';
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
