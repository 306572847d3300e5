// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/clock.hpp>
#include <palette/instant.hpp>
#include <palette/testing/manual_clock.hpp>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <thread>

// What the processes of a test have in common, in a file that all of them map.
struct SharedState {
    std::int64_t speed = 1;                // of the clock, as a multiple of real time
    std::atomic<std::int64_t> ahead{0};    // milliseconds by which the clock was moved
    std::atomic<bool> is_over{false};      // the programs end
    std::array<std::atomic<int>, 2> go{};  // what the racers begin: the number of a race
};
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

// The shared state, as long as this object lives.
class SharedFile {
public:
    // Opens the file that another process has made.
    explicit SharedFile(const std::string& path) : SharedFile(path, O_RDWR) {}

    static SharedFile make(const std::string& path, std::int64_t speed) {
        SharedFile made(path, O_RDWR | O_CREAT | O_EXCL);
        new (made.state_) SharedState();
        made.state_->speed = speed;
        return made;
    }

    SharedFile(SharedFile&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    SharedFile& operator=(SharedFile&&) = delete;
    ~SharedFile() {
        if (state_ != nullptr) ::munmap(state_, sizeof *state_);
    }

    SharedState& operator*() const noexcept { return *state_; }
    SharedState* operator->() const noexcept { return state_; }

private:
    SharedFile(const std::string& path, int flags) {
        auto const file = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
        if (file < 0) throw std::system_error(errno, std::generic_category(), path);
        auto const is_long_enough = ::ftruncate(file, sizeof(SharedState)) == 0;
        auto* const mapped =
            ::mmap(nullptr, sizeof(SharedState), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        ::close(file);
        if (!is_long_enough || mapped == MAP_FAILED)
            throw std::system_error(errno, std::generic_category(), path);
        state_ = static_cast<SharedState*>(mapped);
    }

    SharedState* state_ = nullptr;
};

// A clock that is the same in all processes, runs faster than time, and can be moved ahead.
class SharedClock final : public palette::Clock {
public:
    explicit SharedClock(const SharedState& state) : state_(state) {
        inner_.set(now());
        ticker_ = std::jthread([this](const std::stop_token& stop) {
            using namespace std::chrono_literals;
            while (!stop.stop_requested()) {
                std::this_thread::sleep_for(1ms);
                inner_.set(now());
            }
        });
    }

    [[nodiscard]] palette::Instant now() const noexcept override {
        using std::chrono::milliseconds;
        constexpr palette::Instant start = std::chrono::sys_days{std::chrono::year{2030} / 1 / 1};
        auto const passed = std::chrono::floor<std::chrono::microseconds>(
            std::chrono::steady_clock::now().time_since_epoch());
        return start + std::chrono::floor<milliseconds>(passed * state_.speed) + milliseconds(state_.ahead);
    }

    [[nodiscard]] std::shared_ptr<void> call_after(std::chrono::milliseconds delay,
                                                   std::function<void()> ring) override {
        // The other clock shows the time of the last tick.
        return inner_.call_after(delay + (now() - inner_.now()), std::move(ring));
    }

private:
    const SharedState& state_;
    palette::testing::ManualClock inner_;
    std::jthread ticker_;
};
