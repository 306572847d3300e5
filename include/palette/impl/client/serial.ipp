// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/serial.hpp>
#include <palette/impl/values/insist.hpp>

#include <boost/asio/execution.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

PALETTE_KEYS_INLINE bool Serial::is_inside() const noexcept {
    for (auto const* visit = innermost_; visit != nullptr; visit = visit->outer_)
        if (&visit->serial_ == this) return true;
    return false;
}

PALETTE_KEYS_INLINE void Serial::when_left(std::shared_ptr<Leaver> leaver) noexcept {
    leaver->next_ = std::move(leavers_);
    leavers_ = std::move(leaver);
}

PALETTE_KEYS_INLINE bool Serial::call_when_idle() noexcept {
    if (!is_inside()) return false;
    wants_idle_ = true;
    return true;
}

PALETTE_KEYS_INLINE void Serial::work_started() {
    if (work_.fetch_add(1) > 0) return;
    try {
        keep_work();
    } catch (...) {
        work_.fetch_sub(1);
        throw;
    }
}

PALETTE_KEYS_INLINE void Serial::work_finished() noexcept {
    if (work_.fetch_sub(1) == 1) detail::insist([this] { keep_work(); });
}

PALETTE_KEYS_INLINE asio::execution_context& Serial::context() const noexcept {
    return asio::query(base_, asio::execution::context);
}

PALETTE_KEYS_INLINE Serial::Turn::~Turn() {
    if (serial_ && asking_ != serial_.get()) serial_->end();
}

PALETTE_KEYS_INLINE void Serial::Turn::operator()() {
    auto const serial = std::move(serial_);
    serial->visit([&] { serial->run_ready(); });
}

PALETTE_KEYS_INLINE bool Serial::enter() noexcept {
    std::lock_guard const lock(mutex_);
    return !has_ended_ && !std::exchange(is_busy_, true);
}

// If somebody is inside again, it is done when that one has left.
PALETTE_KEYS_INLINE void Serial::be_idle() {
    if (!wants_idle_ || !enter()) return;
    Visit const inside(*this);
    if (wants_idle_.exchange(false)) on_idle_();
}

PALETTE_KEYS_INLINE std::shared_ptr<Serial::Leaver> Serial::in_order(std::shared_ptr<Leaver> last) noexcept {
    std::shared_ptr<Leaver> first;
    while (last) {
        auto next = std::exchange(last->next_, std::move(first));
        first = std::exchange(last, std::move(next));
    }
    return first;
}

PALETTE_KEYS_INLINE void Serial::call_later(std::shared_ptr<Leaver> leavers) noexcept {
    while (leavers) {
        auto const leaver = std::exchange(leavers, std::move(leavers->next_));
        leaver->on_left_later();
    }
}

// As many as there are now: others of the context have their turn before those that come meanwhile.
PALETTE_KEYS_INLINE void Serial::run_ready() {
    {
        std::lock_guard const lock(mutex_);
        if (ready_.is_empty()) ready_ = waiting_.take();
    }
    while (!ready_.is_empty()) {
        auto task = ready_.pop();
        auto& itself = *task;
        itself.run(std::move(task));
    }
}

PALETTE_KEYS_INLINE void Serial::add(std::unique_ptr<Task> task) noexcept {
    {
        std::lock_guard const lock(mutex_);
        if (has_ended_) return;
        waiting_.push(std::move(task));
        if (std::exchange(is_busy_, true)) return;
    }
    ask();
}

// What a function that threw has left behind is called in turns of its own.
PALETTE_KEYS_INLINE void Serial::leave() noexcept {
    call_later(in_order(std::move(leavers_)));
    {
        std::lock_guard const lock(mutex_);
        is_busy_ = !ready_.is_empty() || !waiting_.is_empty();
        if (!is_busy_) return;
    }
    ask();
}

PALETTE_KEYS_INLINE void Serial::ask() noexcept {
    auto const* const before = std::exchange(asking_, this);
    detail::insist([this] { turns_.execute(Turn(shared_from_this())); });
    asking_ = before;
}

PALETTE_KEYS_INLINE void Serial::end() noexcept {
    {
        std::lock_guard const lock(mutex_);
        has_ended_ = true;
    }
    drop_all();
}

PALETTE_KEYS_INLINE void Serial::drop_all() noexcept {
    Queue ready, waiting;
    {
        std::lock_guard const lock(mutex_);
        ready = ready_.take();
        waiting = waiting_.take();
    }
    // One by one: a long chain of them would be destroyed in a deep recursion.
    for (auto* const queue : {&ready, &waiting})
        while (!queue->is_empty())
            queue->pop();
}

// The context has work as long as any executor is one that has.
PALETTE_KEYS_INLINE void Serial::keep_work() {
    std::optional<asio::any_io_executor> old;
    std::lock_guard const lock(work_mutex_);
    if (work_ == 0)
        old.swap(has_work_);
    else if (!has_work_)
        has_work_.emplace(asio::prefer(base_, asio::execution::outstanding_work_t::tracked));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
