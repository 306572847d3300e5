// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>

#include <chrono>
#include <compare>
#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// What the next step of a create is, decided without doing any of it: no request, no timer, no clock.
// Whoever does the steps says what came of each, and how much time is left.
//
// What it sees to, whatever comes: at most one value is delivered; a key whose value was delivered is
// neither deleted nor revoked; every other key that may exist is among pending(), or is the uid that the
// error names; and it ends.
//
// Every POST marks its key with the operation's nonce and a suffix of its own, 1, 2, ...: only a key with the
// suffix of a POST that is known to have brought no value is ever deleted (W7).
class CreateMachine {
public:
    using Time = std::chrono::milliseconds;

    struct Settings {
        int max_posts = 4;
        Time settle_time{2000};
        bool retry_when_unseen = false;
        bool look_first = false;    // the nonce was given, and may have been used before
        bool marks_persist = true;  // as far as is known
        auto operator<=>(const Settings&) const = default;
    };

    enum class Do {
        identify,  // whose credential it is, and so whose key it will be
        post,      // with the mark of `suffix`, leaving `time` of the call unused
        list,      // all keys that bear the nonce, as the same user
        wait,      // for `time`
        remove,    // the key `uid`
        read,      // the key `uid`
        revoke,    // the key `uid`
        deliver,   // the value, with `uid`, `confirmed` and pending()
        fail,      // with the error of `blame`, `effect` and pending()
    };

    enum class Blame {
        step,   // the one just done
        post,   // the last POST, whose outcome is unknown
        stop,   // whatever stopped the call
        owner,  // the key is another's than was asked for; `uid` names it
        nonce,  // keys bear it already
    };

    struct Action {
        Do what;
        int suffix = 0;
        Time time{};
        std::string uid{};
        bool confirmed = false;
        Blame blame = Blame::step;
        Effect effect = Effect::not_applied;
        auto operator<=>(const Action&) const = default;
    };

    // What came of a step. `left`: of the call's time. `stopped`: nothing more can be done.
    struct Now {
        Time left{};
        bool stopped = false;
    };

    enum class Posted { value, no_value, refused, unknown };
    enum class Listed { complete, failed, refused };
    enum class Removed { gone, not_there, refused, unknown };
    enum class Read {
        ours,
        ours_unmarked,  // the uid and the name are right, and no mark was kept
        others,         // ours, but of another owner than was asked for
        not_it,         // there is no such key, or it is another one
        failed,
    };

    // A key that a list showed with the nonce. `owned`: by whom it was asked for.
    struct Match {
        std::string uid{};
        int suffix = 0;
        bool owned = true;
        auto operator<=>(const Match&) const = default;
    };

    explicit CreateMachine(Settings settings) noexcept : settings_(settings) {}

    [[nodiscard]] Action begin() const;
    Action identified(bool known, Now now);
    Action posted(Posted outcome, std::string uid, Now now);
    Action listed(Listed outcome, std::vector<Match> matches, Now now);
    Action waited(Now now);
    Action removed(Removed outcome, Now now);
    Action read(Read outcome, Now now);
    [[nodiscard]] Action revoked() const;

    // The suffixes of POSTs without a value whose keys may exist, in order.
    [[nodiscard]] std::vector<int> pending() const;

    [[nodiscard]] bool has_value() const noexcept { return has_value_; }
    [[nodiscard]] bool marks_persist() const noexcept { return settings_.marks_persist; }

    auto operator<=>(const CreateMachine&) const = default;

private:
    Action post_next(Now now);
    Action looked_first(Listed outcome, bool is_used, Now now);
    Action search(Now now);
    Action unseen(Now now);
    Action remove_next() const;
    Action after_removal(Now now);
    Action confirm_by_list() const;
    [[nodiscard]] bool may_post_again(Now now) const noexcept;
    [[nodiscard]] Action deliver() const;
    [[nodiscard]] Action fail(Blame blame) const;
    [[nodiscard]] Action fail(Blame blame, Effect effect, std::string uid = {}) const;

    Settings settings_;
    int posts_ = 0;
    bool has_value_ = false;
    bool confirmed_ = false;
    std::string uid_;               // of the key with the value
    std::vector<int> lost_;         // POSTs whose key may exist
    std::vector<int> doubtful_;     // whose key was not there when it was to be deleted: a refused
                                    // credential can look like that (W12)
    std::vector<Match> to_remove_;  // valueless keys that were seen
    Time search_began_{};           // what was left then
    Time search_time_{};
    Time next_wait_{};
    bool looked_ = false;  // this search had a complete list
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/client/create_machine.ipp>
#endif
