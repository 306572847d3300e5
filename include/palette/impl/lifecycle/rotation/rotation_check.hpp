// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/stores/slot_check.hpp>
#include <palette/lifecycle/rotation.hpp>

#include <chrono>
#include <optional>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// What of a rotation cannot be used; nothing if all can. Before anything is read or changed.
inline std::optional<Error> check(const palette::lifecycle::Slot& slot,
                                  const palette::lifecycle::RotateOptions& options) {
    using std::chrono::milliseconds;
    auto const bad = [](const char* what, const char* field) {
        return Error(errc::invalid_argument, what).path(field);
    };
    // A century: what is added to the service's time stays a time that can be written.
    constexpr milliseconds most = std::chrono::days{36'500};
    if (!is_slot_name(slot.name()))
        return bad("a slot's name has letters, digits, '.', '_' and '-', 128 at most, and no '.' in front",
                   "slot");
    if (!slot.sink()) return bad("a slot needs a sink", "sink");
    if (!slot.store()) return bad("a slot needs a store", "store");
    if (options.lifetime() <= milliseconds(0) || options.lifetime() > most)
        return bad("a lifetime is more than nothing, and a century at most", "lifetime");
    if (options.overlap() < milliseconds(0)) return bad("an overlap is not negative", "overlap");
    if (options.overlap() >= options.lifetime())
        return bad("an overlap as long as the key's life leaves no time to replace the key", "overlap");
    if (options.quarantine() < milliseconds(0) || options.quarantine() > most)
        return bad("a quarantine is not negative, and a century at most", "quarantine");
    // In this form the condition refuses a NaN as well.
    if (!(options.renew_at() >= 0.1 && options.renew_at() <= 0.95))
        return bad("a rotation is due between 0.1 and 0.95 of the life of a key", "renew_at");
    if (options.hook_timeout() <= milliseconds(0) || options.hook_timeout() > most)
        return bad("a hook needs time", "hook_timeout");
    auto const can = slot.sink()->capabilities();
    if (!can.durable) return bad("the sink does not keep what it is given", "sink");
    if (!can.readable && !options.unproven_ok())
        return bad(
            "the sink cannot be read back, so a key in it cannot be proved: unproven_ok() accepts that",
            "sink");
    return std::nullopt;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
