// SPDX-License-Identifier: BSL-1.0
#pragma once

// What earlier attempts have left behind: when it is cleaned up, and what stands in the way until then.

#include <palette/expiry.hpp>
#include <palette/impl/lifecycle/rotation/rotation_machine.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

PALETTE_KEYS_INLINE bool RotationMachine::find_leftover() {
    auto const is_current = [this](const Leftover& left) {
        return !left.uid.empty() && contents_.current && contents_.current->key_uid == left.uid;
    };
    // What consumers use is never deleted, whoever wrote it down.
    if (std::erase_if(record_.leftovers, is_current) > 0) is_dirty_ = true;
    for (leftover_ = 0; leftover_ < record_.leftovers.size(); ++leftover_) {
        auto const& left = leftover();
        // Once in a run: what cannot be deleted now would be tried without an end.
        auto const& id = left.uid.empty() ? left.nonce : left.uid;
        // In the hour after a create that was not answered each run looks: a list may lag for a while.
        auto const is_due = left.next_at <= now_ || (left.uid.empty() && left.looks == 1);
        if (is_due && std::ranges::find(cleaned_, id) == cleaned_.end()) return true;
    }
    return false;
}

PALETTE_KEYS_INLINE void RotationMachine::cleaned(bool is_gone) {
    using namespace std::chrono_literals;
    auto& left = record_.leftovers[leftover_];
    cleaned_.push_back(left.uid.empty() ? left.nonce : left.uid);
    is_dirty_ = true;
    // A look before its time leaves the next one where it is.
    if (left.next_at > now_) return decide();
    if (is_gone && left.uid.empty() && ++left.looks < 3) {
        // A request that was under way may still make a key: an hour and a day later nothing is.
        left.next_at = now_ + (left.looks == 1 ? 1h : 24h);
    } else if (is_gone) {
        record_.leftovers.erase(record_.leftovers.begin() + static_cast<std::ptrdiff_t>(leftover_));
    } else {
        left.next_at = now_ + 1h;
    }
    decide();
}

PALETTE_KEYS_INLINE void RotationMachine::leftover_is_revoked() {
    record_.leftovers[leftover_].is_revoked = true;
    is_dirty_ = true;
}

PALETTE_KEYS_INLINE void RotationMachine::found_leftovers(const std::vector<std::string>& uids) {
    for (auto const& uid : uids) {
        auto const is_it = [&uid](const Leftover& left) { return left.uid == uid; };
        if (std::ranges::any_of(record_.leftovers, is_it)) continue;
        // Its deletion was just refused.
        Leftover left;
        left.uid = uid;
        left.next_at = now_ + std::chrono::hours(1);
        record_.leftovers.push_back(std::move(left));
        is_dirty_ = true;
    }
}

PALETTE_KEYS_INLINE void RotationMachine::go_on_without_stale() {
    contents_.pending.reset();
    begin_or_wait();
}

// A slot has two active keys at most: while one that nobody uses may be left, no other is created.
PALETTE_KEYS_INLINE bool RotationMachine::has_key_left() const {
    // After the first look for a nonce nothing waits for it: the later looks are for a request that was still
    // under way, and a rotation that is due does not wait a day for that.
    return std::ranges::any_of(record_.leftovers, [](const Leftover& left) {
        return !left.is_revoked && (!left.uid.empty() || left.looks == 0);
    });
}

PALETTE_KEYS_INLINE void RotationMachine::say_leftovers() {
    for (auto const& left : record_.leftovers) {
        if (!left.uid.empty())
            left_.push_back("delete the key " + left.uid + ", which nobody uses");
        else if (left.looks == 0)
            left_.push_back("look for keys of the create " + left.nonce + ", whose value nobody has");
        // Said by each run that looks. What calls once an hour looks anyway, and has nothing for a person.
        else if (std::ranges::find(cleaned_, left.nonce) != cleaned_.end())
            left_.push_back("run this again after " + Expiry::at(left.next_at).to_string() + ": the create " +
                            left.nonce + " did not come to its end, and may still make a key");
    }
    if (record_.state == State::overlap && options().hook() && !record_.hook_done)
        left_.emplace_back("call the hook, which has not succeeded yet");
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
