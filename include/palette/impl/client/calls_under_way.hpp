// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/pipeline/call.hpp>

#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// The calls of a client that are under way. To come and to go allocates nothing, and a call goes with its
// Entry, however its coroutine ends. On the strand.
class CallsUnderWay {
    class Link {
    public:
        explicit Link(pipeline::Call* call = nullptr) noexcept : call_(call) {}
        Link(const Link&) = delete;
        Link& operator=(const Link&) = delete;
        ~Link() { leave(); }

        void move_before(Link& other) noexcept {
            leave();
            previous_ = std::exchange(other.previous_, this);
            next_ = &other;
            previous_->next_ = this;
        }
        void leave() noexcept {
            previous_->next_ = next_;
            next_->previous_ = previous_;
            previous_ = next_ = this;
        }
        [[nodiscard]] Link& next() const noexcept { return *next_; }
        [[nodiscard]] pipeline::Call* call() const noexcept { return call_; }

    private:
        pipeline::Call* call_;  // null: a mark between calls
        Link* previous_ = this;
        Link* next_ = this;
    };

public:
    class Entry : Link {
    public:
        Entry(CallsUnderWay& calls, pipeline::Call& call) noexcept : Link(&call) { move_before(calls.ends_); }
        using Link::leave;
    };

    CallsUnderWay() = default;
    CallsUnderWay(const CallsUnderWay&) = delete;
    CallsUnderWay& operator=(const CallsUnderWay&) = delete;
    ~CallsUnderWay() = default;

    // Calls `f` for each that is there now, and not for what comes meanwhile. `f` may make any of them go.
    template <class F>
    void for_each(F f) {
        Link end;
        end.move_before(ends_);
        Link here;
        here.move_before(ends_.next());
        while (&here.next() != &end) {
            auto* const call = here.next().call();
            here.move_before(here.next().next());
            if (call != nullptr) f(*call);
        }
    }

private:
    Link ends_;  // before the first, and after the last
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
