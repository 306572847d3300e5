// SPDX-License-Identifier: BSL-1.0
#include "support/counting_allocator.hpp"

#include <atomic>
#include <cstdlib>
#include <new>

namespace counting {
namespace {

std::atomic<std::size_t> in_use{0};
std::atomic<std::size_t> most{0};

// The size of a block is kept before it, so that giving it back needs no other source.
constexpr std::size_t header = alignof(std::max_align_t);

void* take(std::size_t size, std::size_t offset, void* block) {
    if (block == nullptr) throw std::bad_alloc();
    auto const total = in_use.fetch_add(size) + size;
    for (auto seen = most.load(); total > seen && !most.compare_exchange_weak(seen, total);) {
    }
    auto* const user = static_cast<char*>(block) + offset;
    reinterpret_cast<std::size_t*>(user)[-1] = size;
    return user;
}

void give_back(void* user, std::size_t offset) noexcept {
    if (user == nullptr) return;
    in_use.fetch_sub(static_cast<std::size_t*>(user)[-1]);
    std::free(static_cast<char*>(user) - offset);
}

}  // namespace

std::size_t now() noexcept {
    return in_use;
}
std::size_t peak() noexcept {
    return most;
}
void reset_peak() noexcept {
    most = in_use.load();
}

}  // namespace counting

void* operator new(std::size_t size) {
    return counting::take(size, counting::header, std::malloc(size + counting::header));
}
void operator delete(void* user) noexcept {
    counting::give_back(user, counting::header);
}
void operator delete(void* user, std::size_t) noexcept {
    counting::give_back(user, counting::header);
}

void* operator new(std::size_t size, std::align_val_t alignment) {
    auto const offset = static_cast<std::size_t>(alignment);
    auto const rounded = (size + 2 * offset - 1) / offset * offset;
    return counting::take(size, offset, std::aligned_alloc(offset, rounded));
}
void operator delete(void* user, std::align_val_t alignment) noexcept {
    counting::give_back(user, static_cast<std::size_t>(alignment));
}
void operator delete(void* user, std::size_t, std::align_val_t alignment) noexcept {
    counting::give_back(user, static_cast<std::size_t>(alignment));
}
