// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/process.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>

// A request at which the service stops, with its effect there and its answer not sent, until the program that
// asked is dead. How far a program has come when it is killed does then not depend on how fast it is.
class HeldRequest {
public:
    // In the service's thread, for each request that counts.
    void count() {
        std::unique_lock lock(mutex_);
        if (left_ == 0) return;
        if (--left_ > 0) return;
        is_held_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !is_held_; });
    }

    // The nth request from now on.
    void set(int nth) {
        std::lock_guard const lock(mutex_);
        left_ = nth;
    }

    // Kills the program as soon as its request is held, and returns when it is dead.
    void kill(child::Process& process) {
        Release const release{*this};
        REQUIRE_MESSAGE(comes(), "the service did not get so many requests");
        process.send(SIGKILL);
        auto const end = process.wait_for_end();
        REQUIRE(end);
        REQUIRE(end->signal == SIGKILL);
    }

private:
    struct Release {
        HeldRequest& request;
        ~Release() { request.release(); }
    };

    bool comes() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::minutes{1}, [this] { return is_held_; });
    }
    void release() {
        std::lock_guard const lock(mutex_);
        left_ = 0;
        is_held_ = false;
        changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    int left_ = 0;
    bool is_held_ = false;
};
