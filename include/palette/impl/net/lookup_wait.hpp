// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/net/lookup.hpp>
#include <palette/impl/values/error_of_exception.hpp>
#include <palette/impl/values/insist.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// A coroutine that waits for an answer from another thread. The wait ends once: with the answer, a
// cancellation, or the end of the context; whoever comes later finds nothing to do.
class LookupWait : public std::enable_shared_from_this<LookupWait> {
public:
    using Handler = asio::any_completion_handler<void(LookupAnswer)>;

    LookupWait(asio::any_io_executor executor, Handler handler)
        : waiting_(std::make_unique<Waiting>(std::move(executor), std::move(handler))) {}

    [[nodiscard]] bool is_over() const {
        std::lock_guard const lock(mutex_);
        return waiting_ == nullptr || answer_;
    }

    /// The first answer counts. If memory for posting it is lacking, throws, and the wait goes on: the
    /// handler is the coroutine, which would go with what could not be posted.
    void complete(const LookupAnswer& answer) {
        // Held until nothing of the executor is left here: the context's end waits for it in abandon().
        std::lock_guard const lock(mutex_);
        if (waiting_ == nullptr || answer_) return;
        auto const executor = waiting_->executor;
        answer_.emplace(answer);
        try {
            asio::post(executor, [self = shared_from_this()] { self->deliver(); });
        } catch (...) {
            answer_.reset();
            throw;
        }
    }

    /// The same, for one who ends the wait before there is an answer, and whom nobody would call again: with
    /// what `why` gives, or errc::out_of_memory.
    template <class F>
    void end(F why) noexcept {
        auto const answer = detail::unless_out_of_memory([&] { return LookupAnswer(why()); });
        detail::insist([&] { complete(answer); });
    }

    void abandon() {
        std::unique_ptr<Waiting> waiting;  // destroyed after the lock: coroutines are, with their handlers
        std::lock_guard const lock(mutex_);
        waiting_.swap(waiting);
    }

private:
    // On the executor.
    void deliver() {
        std::unique_ptr<Waiting> waiting;
        {
            std::lock_guard const lock(mutex_);
            waiting_.swap(waiting);
        }
        if (waiting) std::move(waiting->handler)(*std::move(answer_));
    }

    // Without a work guard: co_spawn holds one for as long as the coroutine is there.
    struct Waiting {
        Waiting(asio::any_io_executor e, Handler h) : executor(std::move(e)), handler(std::move(h)) {}

        asio::any_io_executor executor;
        Handler handler;
    };

    mutable std::mutex mutex_;
    std::unique_ptr<Waiting> waiting_;
    std::optional<LookupAnswer> answer_;  // posted
};

// The waits of one context, so that they end with it.
class LookupWaits : public asio::execution_context::service {
public:
    static inline asio::execution_context::id id;

    explicit LookupWaits(asio::execution_context& context) : service(context) {}

    void add(const std::shared_ptr<LookupWait>& wait) {
        std::lock_guard const lock(mutex_);
        // A worker that still posts holds its wait, which then stays here.
        std::erase_if(waits_, [](auto const& other) { return other.expired(); });
        waits_.push_back(wait);
    }

private:
    void shutdown() override {
        for (auto const& weak : waits_)  // nobody adds to them now
            if (auto const wait = weak.lock()) wait->abandon();
    }

    std::mutex mutex_;
    std::vector<std::weak_ptr<LookupWait>> waits_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
