// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/create_machine.hpp>

#include <algorithm>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

namespace create_times {
inline constexpr CreateMachine::Time first_wait{100};
inline constexpr CreateMachine::Time max_wait{500};
inline constexpr CreateMachine::Time min_for_post{100};  // one with less is likely to be lost as well
}  // namespace create_times

inline bool has(const std::vector<int>& suffixes, int suffix) {
    return std::ranges::find(suffixes, suffix) != suffixes.end();
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::begin() const {
    return {.what = Do::identify};
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::identified(bool known, Now now) {
    if (now.stopped) return fail(Blame::stop);
    if (!known) return fail(Blame::step);
    // Where the service drops marks, nothing can be found by one.
    return settings_.look_first && settings_.marks_persist ? Action{.what = Do::list} : post_next(now);
}

// A key that bears the nonce already may be one whose value was delivered before the program was started
// anew: the search for a lost key of this create would take the one for the other.
PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::looked_first(Listed outcome, bool is_used, Now now) {
    if (now.stopped) return fail(Blame::stop);
    if (outcome != Listed::complete) return fail(Blame::step);
    return is_used ? fail(Blame::nonce) : post_next(now);
}

// What is reserved of the time is for looking for the key, should the answer be lost.
PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::post_next(Now now) {
    return {.what = Do::post, .suffix = ++posts_, .time = std::min(settings_.settle_time, now.left / 2)};
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::posted(Posted outcome, std::string uid, Now now) {
    switch (outcome) {
        case Posted::value:
            has_value_ = true;
            uid_ = std::move(uid);
            doubtful_.clear();  // the credential is good
            if (now.stopped) return deliver();
            if (uid_.empty()) return confirm_by_list();
            return {.what = Do::read, .uid = uid_};
        case Posted::no_value:
            // Not deleted by its uid, which may be the user's (W8).
            lost_.push_back(posts_);
            return fail(Blame::step, Effect::applied, std::move(uid));
        case Posted::refused:
            return fail(now.stopped ? Blame::stop : Blame::step);
        case Posted::unknown:
            lost_.push_back(posts_);
            if (now.stopped) return fail(Blame::stop);
            // Without marks no key may be deleted, since none is surely this create's.
            if (!settings_.marks_persist) return fail(Blame::post);
            return search(now);
    }
    return fail(Blame::step);
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::search(Now now) {
    search_began_ = now.left;
    // Who creates again needs time for that.
    search_time_ = std::min(settings_.settle_time, settings_.retry_when_unseen ? now.left / 2 : now.left);
    next_wait_ = create_times::first_wait;
    looked_ = false;
    return {.what = Do::list};
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::listed(Listed outcome, std::vector<Match> matches,
                                                                Now now) {
    if (posts_ == 0) return looked_first(outcome, !matches.empty(), now);
    if (has_value_) {
        // Only the last POST delivered a value; keys of earlier ones have other suffixes.
        std::erase_if(matches, [&](const Match& m) { return m.suffix != posts_; });
        if (outcome != Listed::complete || matches.size() != 1) return deliver();
        uid_ = std::move(matches.front().uid);
        // Made for another user than was asked for.
        if (!matches.front().owned) return now.stopped ? revoked() : Action{.what = Do::revoke, .uid = uid_};
        confirmed_ = true;
        return deliver();
    }
    if (outcome == Listed::complete) {
        looked_ = true;
        // A complete list without the key shows that the 404 was true.
        std::erase_if(doubtful_, [&](int suffix) {
            return std::ranges::none_of(matches, [&](const Match& m) { return m.suffix == suffix; });
        });
    }
    if (now.stopped) return fail(Blame::stop);
    if (outcome == Listed::refused) return fail(Blame::post);
    // Only what is surely this user's and without a value is deleted.
    std::erase_if(matches, [&](const Match& m) { return !m.owned || !has(lost_, m.suffix); });
    to_remove_ = std::move(matches);
    return to_remove_.empty() ? unseen(now) : remove_next();
}

// Not to be seen proves nothing: the list may lag, the request may still arrive.
PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::unseen(Now now) {
    auto const over = search_time_ - (search_began_ - now.left);
    if (over.count() > 0 && now.left.count() > 0) {
        auto const wait = std::min({next_wait_, over, now.left});
        next_wait_ = std::min(2 * next_wait_, create_times::max_wait);
        return {.what = Do::wait, .time = wait};
    }
    auto const again = settings_.retry_when_unseen && looked_ && may_post_again(now);
    return again ? post_next(now) : fail(Blame::post);
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::waited(Now now) {
    if (now.stopped) return fail(Blame::stop);
    return {.what = Do::list};
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::remove_next() const {
    return {.what = Do::remove, .uid = to_remove_.back().uid};
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::removed(Removed outcome, Now now) {
    auto const [uid, suffix, owned] = to_remove_.back();
    // The key stays, and nobody has its value: the error names it.
    if (outcome == Removed::refused) return fail(Blame::step, Effect::applied, uid);
    if (outcome == Removed::unknown)
        return fail(now.stopped ? Blame::stop : Blame::step, Effect::unknown, uid);
    to_remove_.pop_back();
    // A 404 may be the refusal of a credential (W12): the key is not known to be gone.
    if (outcome == Removed::not_there && !has(doubtful_, suffix)) doubtful_.push_back(suffix);
    // A proxy that sends a request twice makes two keys of one POST.
    auto const is_last =
        std::ranges::none_of(to_remove_, [s = suffix](const Match& m) { return m.suffix == s; });
    if (is_last) std::erase(lost_, suffix);
    if (now.stopped) return fail(Blame::stop);
    return to_remove_.empty() ? after_removal(now) : remove_next();
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::after_removal(Now now) {
    // It was that of an earlier POST, which has come late.
    if (has(lost_, posts_)) return unseen(now);
    return may_post_again(now) ? post_next(now) : fail(Blame::post);
}

PALETTE_KEYS_INLINE bool CreateMachine::may_post_again(Now now) const noexcept {
    return posts_ < settings_.max_posts && now.left >= create_times::min_for_post;
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::confirm_by_list() const {
    return settings_.marks_persist ? Action{.what = Do::list} : deliver();
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::read(Read outcome, Now now) {
    switch (outcome) {
        case Read::ours:
        case Read::ours_unmarked:
            settings_.marks_persist = outcome == Read::ours;
            confirmed_ = true;
            return deliver();
        case Read::others:
            return now.stopped ? revoked() : Action{.what = Do::revoke, .uid = uid_};
        case Read::not_it:
            // W8: the uid was not that of a key.
            return now.stopped ? deliver() : confirm_by_list();
        // The value is delivered, unconfirmed: losing it would be worse.
        case Read::failed:
            break;
    }
    return deliver();
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::revoked() const {
    return fail(Blame::owner, Effect::applied, uid_);
}

PALETTE_KEYS_INLINE std::vector<int> CreateMachine::pending() const {
    auto all = lost_;
    for (int const suffix : doubtful_)
        if (!has(all, suffix)) all.push_back(suffix);
    std::ranges::sort(all);
    return all;
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::deliver() const {
    return {.what = Do::deliver, .uid = uid_, .confirmed = confirmed_};
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::fail(Blame blame) const {
    return fail(blame, lost_.empty() && doubtful_.empty() ? Effect::not_applied : Effect::unknown);
}

PALETTE_KEYS_INLINE CreateMachine::Action CreateMachine::fail(Blame blame, Effect effect,
                                                              std::string uid) const {
    return {.what = Do::fail, .uid = std::move(uid), .blame = blame, .effect = effect};
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
