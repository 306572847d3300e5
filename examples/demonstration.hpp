// SPDX-License-Identifier: BSL-1.0
#pragma once

// What it takes to show in seconds what takes months.

#include <palette/testing/manual_clock.hpp>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

namespace example {

// A clock that goes as the machine's does, and leaps ahead when it is told to.
class LeapingClock {
public:
    LeapingClock() : thread_([this] { run(); }) {}
    LeapingClock(const LeapingClock&) = delete;
    LeapingClock& operator=(const LeapingClock&) = delete;
    ~LeapingClock() {
        is_over_ = true;
        thread_.join();
    }

    // For an emulator, and its clients. A request that is under way during a leap has taken that long.
    [[nodiscard]] const std::shared_ptr<palette::testing::ManualClock>& clock() const noexcept {
        return clock_;
    }

    void leap(std::chrono::milliseconds time) {
        std::lock_guard const lock(mutex_);
        clock_->advance(time);
    }

private:
    void run() {
        auto last = std::chrono::steady_clock::now();
        while (!is_over_) {
            std::this_thread::sleep_for(std::chrono::milliseconds{2});
            auto const passed =
                std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now() - last);
            last += passed;
            leap(passed);
        }
    }

    std::shared_ptr<palette::testing::ManualClock> clock_ = std::make_shared<palette::testing::ManualClock>();
    std::mutex mutex_;
    std::atomic<bool> is_over_ = false;
    std::thread thread_;
};

// A directory of this user alone, which goes with the example.
class ScratchDirectory {
public:
    ScratchDirectory() : path_(std::filesystem::temp_directory_path() / "palette-example-XXXXXX") {
        auto name = path_.string();
        if (::mkdtemp(name.data()) == nullptr) throw std::system_error(errno, std::generic_category(), name);
        path_ = name;
    }
    ScratchDirectory(const ScratchDirectory&) = delete;
    ScratchDirectory& operator=(const ScratchDirectory&) = delete;
    ~ScratchDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::string path() const { return path_.string(); }
    [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

}  // namespace example
