// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): POSIX

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// A new thread has the signal mask of the one that starts it. Handlers of the program are not for ours.
class SignalsBlocked {
public:
    SignalsBlocked() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
};

/// Work that threads of LookupThreads do.
class LookupWork {
public:
    LookupWork() = default;
    LookupWork(const LookupWork&) = delete;
    LookupWork& operator=(const LookupWork&) = delete;
    virtual ~LookupWork() = default;

    /// Does the next piece; false: there is none any more, and this thread does not come back.
    virtual bool do_next() noexcept = 0;
};

/// The lookup threads of the whole process. Nothing can interrupt getaddrinfo(), so a thread is detached, and
/// may outlive its client. At most `max_threads` exist at a time, however many clients come and go: work
/// beyond that waits until a thread is done with other work, first come, first served.
class LookupThreads {
public:
    static constexpr std::size_t max_threads = 16;

    // Never destroyed: a thread may outlive main().
    static LookupThreads& of_process() {
        static auto* const all = new LookupThreads;
        return *all;
    }

    /// Has `work` done by one thread, at once or later. Throws std::system_error or std::bad_alloc if that
    /// cannot be; then nothing has changed.
    void start(const std::shared_ptr<LookupWork>& work) {
        std::lock_guard const lock(mutex_);
        if (threads_ == max_threads) {
            std::erase_if(waiting_, [](auto const& other) { return other.expired(); });
            waiting_.push_back(work);
            return;
        }
        SignalsBlocked const blocked;
        std::thread([this, own = std::shared_ptr(work)]() mutable { run(std::move(own)); }).detach();
        ++threads_;
    }

private:
    LookupThreads() = default;

    void run(std::shared_ptr<LookupWork> work) noexcept {
        while (work) {
            while (work->do_next()) {
            }
            work.reset();  // before the lock: the last owner destroys what is the user's
            work = next();
        }
    }

    std::shared_ptr<LookupWork> next() noexcept {
        std::lock_guard const lock(mutex_);
        while (!waiting_.empty()) {
            auto work = waiting_.front().lock();
            waiting_.pop_front();
            if (work) return work;
        }
        --threads_;
        return nullptr;
    }

    std::mutex mutex_;
    std::size_t threads_ = 0;
    std::deque<std::weak_ptr<LookupWork>> waiting_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
