// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>
#include <palette/impl/lifecycle/watch/watch_machine.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <functional>
#include <tuple>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

PALETTE_KEYS_INLINE WatchMachine::WatchMachine(std::vector<std::chrono::milliseconds> thresholds)
    : thresholds_(std::move(thresholds)) {
    std::ranges::sort(thresholds_, std::greater<>());
    auto const [repeated, end] = std::ranges::unique(thresholds_);
    thresholds_.erase(repeated, end);
}

PALETTE_KEYS_INLINE void WatchMachine::saw(const KeyList& keys) {
    auto const now = keys.as_of();
    ++looks_;
    // An event that was not handled is found once more, from the key as it is now.
    due_.clear();
    for (auto const& key : keys) {
        auto const end = key.expiry.instant();
        // Keys without a uid cannot be told apart.
        if (!end || key.uid.empty()) continue;
        auto const [place, is_new] = keys_.try_emplace(key.uid);
        auto& watched = place->second;
        if (!is_new && watched.last_look == looks_) continue;  // twice, on two pages
        if (is_new)
            watched.floor = floor_of_new(key, now);
        else if (watched.expiry != *end)
            watched.floor = floor_of_changed(key, watched, now);
        watched.expiry = *end;
        watched.last_look = looks_;
        if (key.is_active) add_events(key, watched, now);
    }
    forget(now);
    last_seen_ = now;
    // In the order in which the thresholds were passed, whatever the order of the list.
    std::ranges::sort(due_, {}, [](const Event& event) {
        return std::tuple(*event.key.expiry.instant() - event.threshold, std::string_view(event.key.uid));
    });
}

// A key of a week never was a month from its end.
PALETTE_KEYS_INLINE std::chrono::milliseconds WatchMachine::floor_of_new(const ApiKey& key,
                                                                         Instant now) const {
    using std::chrono::milliseconds;
    auto const end = *key.expiry.instant();
    // At the first look of all, the keys that expired some time ago are no news.
    if (!last_seen_ && end <= now) return milliseconds(0);
    return key.created ? end - *key.created : milliseconds::max();
}

// From what it had left, or from what it was given, whichever is more, it came down to what it has.
PALETTE_KEYS_INLINE std::chrono::milliseconds WatchMachine::floor_of_changed(const ApiKey& key,
                                                                             const Watched& before,
                                                                             Instant now) const {
    auto const last = last_seen_.value_or(now);
    auto const changed = key.modified && *key.modified > last && *key.modified <= now ? *key.modified : last;
    return std::max(*key.expiry.instant() - changed, before.expiry - last);
}

PALETTE_KEYS_INLINE void WatchMachine::add_events(const ApiKey& key, const Watched& watched, Instant now) {
    auto const remaining = watched.expiry - now;
    for (auto const threshold : thresholds_) {
        if (threshold >= watched.floor || remaining > threshold) continue;
        // A process that has slept finds several thresholds passed. Each has its event, for a program may act
        // on one of them alone, and `superseded` tells which are old.
        Event event;
        event.key = key;
        event.threshold = threshold;
        event.as_of = now;
        event.superseded = std::ranges::any_of(
            thresholds_, [&](auto lower) { return lower < threshold && remaining <= lower; });
        due_.push_back(std::move(event));
    }
}

// A list may leave a key out for a while: what was reported of it is remembered for as long as it might come
// back with the same expiry.
PALETTE_KEYS_INLINE void WatchMachine::forget(Instant now) {
    constexpr std::chrono::days grace{30};
    std::erase_if(keys_, [&](const auto& entry) {
        return entry.second.last_look != looks_ && entry.second.expiry + grace < now;
    });
}

PALETTE_KEYS_INLINE void WatchMachine::settle() {
    auto const& event = due_.front();
    if (auto const place = keys_.find(event.key.uid); place != keys_.end())
        place->second.floor = std::min(place->second.floor, event.threshold);
    due_.pop_front();
}

PALETTE_KEYS_INLINE void WatchMachine::defer() {
    // With the later events of the key, which a look finds in their order.
    auto const uid = due_.front().key.uid;
    std::erase_if(due_, [&](const Event& event) { return event.key.uid == uid; });
}

PALETTE_KEYS_INLINE std::string WatchMachine::to_text() const {
    // Arrays, for the names of fields would be a large part of a text that is written after each event.
    boost::json::array keys;
    for (auto const& [uid, watched] : keys_)
        keys.push_back(
            boost::json::array{uid, watched.expiry.time_since_epoch().count(), watched.floor.count()});
    boost::json::object state{{"keys", std::move(keys)}};
    if (last_seen_) state["last_seen"] = last_seen_->time_since_epoch().count();
    return boost::json::serialize(state);
}

PALETTE_KEYS_INLINE Result<void> WatchMachine::restore(std::string_view text) {
    auto const fault = [] { return Error(errc::bad_value, "is no state of a watch"); };
    boost::system::error_code ec;
    auto const parsed = boost::json::parse({text.data(), text.size()}, ec);
    auto const* const state = ec ? nullptr : parsed.if_object();
    auto const* const keys = state == nullptr ? nullptr : state->if_contains("keys");
    if (keys == nullptr || !keys->is_array()) return fault();
    // No other time has a text.
    auto const instant_of = [](const boost::json::value& value) -> std::optional<Instant> {
        if (!value.is_int64()) return std::nullopt;
        Instant const time{std::chrono::milliseconds(value.get_int64())};
        return time == detail::clamp(time) ? std::optional(time) : std::nullopt;
    };
    // Into a copy: a text that is damaged leaves the machine as it was.
    std::map<std::string, Watched, std::less<>> found;
    for (auto const& value : keys->get_array()) {
        auto const* const entry = value.if_array();
        if (entry == nullptr || entry->size() != 3 || !entry->at(0).is_string() || !entry->at(2).is_int64())
            return fault();
        auto const expiry = instant_of(entry->at(1));
        if (!expiry) return fault();
        found[std::string(entry->at(0).get_string())] =
            Watched{*expiry, std::chrono::milliseconds(entry->at(2).get_int64()), 0};
    }
    std::optional<Instant> last_seen;
    if (auto const* const time = state->if_contains("last_seen")) {
        last_seen = instant_of(*time);
        if (!last_seen) return fault();
    }
    keys_ = std::move(found);
    last_seen_ = last_seen;
    return {};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
