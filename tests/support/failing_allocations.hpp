// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

// Lets allocations of the program fail, with std::bad_alloc: one, once, or some at random. The program that
// includes this links failing_allocations.cpp, which replaces operator new and delete.
namespace failing {

// The allocations of all threads are counted from now on, and the nth one fails; none for 0.
void arm(std::size_t nth) noexcept;

// One in so many fails from now on, as the seed says.
void arm_at_random(std::size_t one_in, std::uint64_t seed) noexcept;

// None fails any more. How many were counted since arm().
std::size_t disarm() noexcept;

// Whether one has failed since arm().
bool has_failed() noexcept;

// How many have failed since arm_at_random().
std::size_t failures() noexcept;

// Runs `test` again and again, until none of its allocations has failed: in run n, the nth one that it makes
// after arm(n) fails. How many have failed so.
template <class Test>
std::size_t fail_each(Test test) {
    for (std::size_t failures = 0;; ++failures) {
        test(failures + 1);
        if (!has_failed()) return failures;
    }
}

// Threads that come to life beside one of these are not counted, whatever they do later: those of a service
// that a test runs beside the client.
class NewThreadsSpared {
public:
    NewThreadsSpared() noexcept;
    NewThreadsSpared(const NewThreadsSpared&) = delete;
    NewThreadsSpared& operator=(const NewThreadsSpared&) = delete;
    ~NewThreadsSpared();
};

// What this thread allocates beside one of these is not counted: what is a test's own.
class Spared {
public:
    Spared() noexcept;
    Spared(const Spared&) = delete;
    Spared& operator=(const Spared&) = delete;
    ~Spared();
};

}  // namespace failing
