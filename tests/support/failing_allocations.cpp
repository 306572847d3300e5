// SPDX-License-Identifier: BSL-1.0
#include "support/failing_allocations.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace failing {
namespace {

std::atomic<std::size_t> fails_at{0};
std::atomic<std::size_t> counted{0};
std::atomic<bool> is_armed{false};
std::atomic<std::size_t> fails_one_in{0};  // 0: those that fail are not random
std::atomic<std::uint64_t> random_seed{0};
std::atomic<std::size_t> failed_at_random{0};
std::atomic<int> new_threads_spared{0};

// Decided by a thread's first allocation.
thread_local bool const is_thread_spared = new_threads_spared > 0;
thread_local int spared = 0;

// The nth number of a generator (splitmix64), without a state that threads would have to share.
std::uint64_t random_number(std::uint64_t seed, std::uint64_t n) noexcept {
    auto z = seed + n * 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
}

bool fails() noexcept {
    if (!is_armed || is_thread_spared || spared > 0) return false;
    auto const number = ++counted;
    if (fails_one_in == 0) return number == fails_at;
    if (random_number(random_seed, number) % fails_one_in != 0) return false;
    ++failed_at_random;
    return true;
}

void* take(std::size_t size) noexcept {
    // The first allocation of a thread decides, armed or not.
    static_cast<void>(is_thread_spared);
    return fails() ? nullptr : std::malloc(size == 0 ? 1 : size);
}

void* take(std::size_t size, std::size_t alignment) noexcept {
    static_cast<void>(is_thread_spared);
    void* block = nullptr;
    return fails() || ::posix_memalign(&block, alignment, size == 0 ? 1 : size) != 0 ? nullptr : block;
}

void* or_throw(void* block) {
    if (block == nullptr) throw std::bad_alloc();
    return block;
}

}  // namespace

void arm(std::size_t nth) noexcept {
    fails_at = nth;
    fails_one_in = 0;
    counted = 0;
    is_armed = true;
}
void arm_at_random(std::size_t one_in, std::uint64_t seed) noexcept {
    fails_at = 0;
    fails_one_in = one_in;
    random_seed = seed;
    counted = failed_at_random = 0;
    is_armed = true;
}
std::size_t disarm() noexcept {
    is_armed = false;
    return counted;
}
bool has_failed() noexcept {
    return fails_at != 0 && counted >= fails_at;
}

std::size_t failures() noexcept {
    return failed_at_random;
}

NewThreadsSpared::NewThreadsSpared() noexcept {
    ++new_threads_spared;
}
NewThreadsSpared::~NewThreadsSpared() {
    --new_threads_spared;
}

Spared::Spared() noexcept {
    ++spared;
}
Spared::~Spared() {
    --spared;
}

}  // namespace failing

void* operator new(std::size_t size) {
    return failing::or_throw(failing::take(size));
}
void* operator new[](std::size_t size) {
    return failing::or_throw(failing::take(size));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return failing::take(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
    return failing::take(size);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return failing::or_throw(failing::take(size, static_cast<std::size_t>(alignment)));
}

// Asio has the frames of coroutines and its operations from here, and not from operator new.
extern "C" void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
    auto* const block = failing::take(size, alignment);
    if (block == nullptr) errno = ENOMEM;
    return block;
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
    return failing::or_throw(failing::take(size, static_cast<std::size_t>(alignment)));
}

void operator delete(void* block) noexcept {
    std::free(block);
}
void operator delete[](void* block) noexcept {
    std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, std::size_t) noexcept {
    std::free(block);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
    std::free(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
    std::free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept {
    std::free(block);
}
