// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/watch.hpp>
#include <palette/result.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// Decides which events are due: no I/O and no clock. It is told what each look at the keys has seen.
//
// Of a key that is near its end it remembers the expiry, and a floor: thresholds below are still to be
// reported, the others were, or were never passed.
class WatchMachine {
public:
    using Event = palette::lifecycle::ExpiryEvent;

    explicit WatchMachine(std::vector<std::chrono::milliseconds> thresholds);

    // The greatest of the thresholds: keys that live longer need not be seen.
    [[nodiscard]] std::chrono::milliseconds horizon() const noexcept { return thresholds_.front(); }

    // All keys whose life ends within the horizon, or has ended.
    void saw(const KeyList& keys);

    [[nodiscard]] bool has_event() const noexcept { return !due_.empty(); }
    [[nodiscard]] const Event& event() const noexcept { return due_.front(); }
    // The event was handled.
    void settle();
    // The event could not be handled: a later look may find it again, with the later ones of its key.
    void defer();

    // What is to be known after a restart, as one line of JSON; and the way back.
    [[nodiscard]] std::string to_text() const;
    Result<void> restore(std::string_view text);

private:
    struct Watched {
        Instant expiry{};
        std::chrono::milliseconds floor{};
        std::uint64_t last_look = 0;
    };

    [[nodiscard]] std::chrono::milliseconds floor_of_new(const ApiKey& key, Instant now) const;
    [[nodiscard]] std::chrono::milliseconds floor_of_changed(const ApiKey& key, const Watched& before,
                                                             Instant now) const;
    void add_events(const ApiKey& key, const Watched& watched, Instant now);
    void forget(Instant now);

    std::vector<std::chrono::milliseconds> thresholds_;  // the greatest first
    std::map<std::string, Watched, std::less<>> keys_;
    std::optional<Instant> last_seen_;
    std::uint64_t looks_ = 0;
    std::deque<Event> due_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/watch/watch_machine.ipp>
#endif
