// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/client.hpp>
#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/blocking.hpp>
#include <palette/impl/lifecycle/guarded.hpp>
#include <palette/impl/lifecycle/rotation/rotation_check.hpp>
#include <palette/impl/lifecycle/rotation/rotation_driver.hpp>
#include <palette/impl/lifecycle/run_end.hpp>
#include <palette/impl/lifecycle/started.hpp>
#include <palette/lifecycle/rotation.hpp>

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

inline asio::awaitable<Result<palette::lifecycle::Rotation>> run_rotation(
    ApiKeyClient& client, palette::lifecycle::Slot slot, palette::lifecycle::RotateOptions options,
    std::shared_ptr<const RunEnd> end) {
    if (auto fault = check(slot, options)) co_return fault->operation("rotate");
    RotationDriver driver(client, std::move(slot), std::move(options), std::move(end));
    auto result = co_await driver.run();
    if (!result && result.error().operation().empty()) result.error().operation("rotate");
    co_return result;
}

}  // namespace impl::lifecycle

namespace detail {

PALETTE_KEYS_INLINE void start_rotation(ApiKeyClient& client, Handler<lifecycle::Rotation> handler,
                                        lifecycle::Slot slot, lifecycle::RotateOptions options) {
    // An exception may end the coroutine after a change, whose effect is unknown then.
    auto const started = std::make_shared<impl::lifecycle::Started<lifecycle::Rotation>>(
        client, std::move(handler), options.deadline(), Effect::unknown);
    started->spawn(std::bind_front(&impl::lifecycle::run_rotation, std::ref(client), std::move(slot),
                                   std::move(options), started->end()));
}

}  // namespace detail

namespace lifecycle {

PALETTE_KEYS_INLINE Result<Rotation> rotate(BlockingApiKeyClient& client, Slot slot, RotateOptions options) {
    return impl::lifecycle::wait_for<Rotation>(
        client, [&](ApiKeyClient& inner) { return async_rotate(inner, slot, options); });
}

PALETTE_KEYS_INLINE std::string_view to_string(RotationState state) noexcept {
    // Records hold these names, so that they never change.
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
