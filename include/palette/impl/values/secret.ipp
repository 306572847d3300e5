// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/wipe.hpp>
#include <palette/secret.hpp>

#include <openssl/crypto.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <limits>
#include <new>

namespace palette::inline PALETTE_KEYS_ABI {
namespace detail {

inline std::size_t whole_pages(std::size_t size) {
    auto const page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    // The sum below must not wrap round to a small size.
    if (size > std::numeric_limits<std::size_t>::max() - page) throw std::bad_alloc();
    return (size + page - 1) / page * page;
}

// Whole pages of one owner: advice to the kernel is per page, and must not touch a neighbour's data.
inline char* map_secret_pages(std::size_t capacity) {
    void* const pages = ::mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
#if defined(MADV_DONTDUMP)
    // The result is ignored: the program has to run on a kernel that does not know the advice.
    ::madvise(pages, capacity, MADV_DONTDUMP);
#elif defined(MADV_NOCORE)
    ::madvise(pages, capacity, MADV_NOCORE);
#endif
    return static_cast<char*>(pages);
}

inline void wipe_and_unmap(char* data, std::size_t size, std::size_t capacity) noexcept {
    if (data == nullptr) return;
    // The kernel clears pages before others get them, but not at once.
    detail::wipe(data, size);
    ::munmap(data, capacity);
}

}  // namespace detail

PALETTE_KEYS_INLINE Secret::Secret(std::string_view text) {
    append(text);
}

PALETTE_KEYS_INLINE Secret Secret::take(std::string& source) {
    // Copied first: without memory it throws, and the source is as it was.
    Secret secret{std::string_view(source)};
    // A string that was longer once still holds the rest of its text behind its end.
    source.resize(source.capacity());
    detail::wipe(source.data(), source.size());
    source.clear();
    return secret;
}

PALETTE_KEYS_INLINE Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

PALETTE_KEYS_INLINE Secret& Secret::operator=(Secret&& other) noexcept {
    // A self-move would wipe the secret.
    if (this != &other) {
        release();
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
        capacity_ = std::exchange(other.capacity_, 0);
    }
    return *this;
}

PALETTE_KEYS_INLINE Secret::~Secret() {
    release();
}

PALETTE_KEYS_INLINE void Secret::append(std::string_view text) {
    if (text.empty()) return;
    // So far from the end that neither the sum nor the double of it overflows below.
    if (text.size() > std::numeric_limits<std::size_t>::max() / 4 - size_) throw std::bad_alloc();
    if (auto const needed = size_ + text.size(); needed > capacity_) {
        // Doubled, so that a secret that is read in pieces is not copied with each of them.
        auto const capacity = detail::whole_pages(needed > 2 * capacity_ ? needed : 2 * capacity_);
        char* const data = detail::map_secret_pages(capacity);
        if (size_ != 0) std::memcpy(data, data_, size_);
        std::memcpy(data + size_, text.data(), text.size());  // before the old pages go: text may lie in them
        detail::wipe_and_unmap(data_, size_, capacity_);
        data_ = data;
        capacity_ = capacity;
    } else {
        std::memcpy(data_ + size_, text.data(), text.size());
    }
    size_ += text.size();
}

PALETTE_KEYS_INLINE void Secret::clear() noexcept {
    // The pages stay: what is behind `size_` was never written, or has been wiped.
    if (size_ != 0) detail::wipe(data_, size_);
    size_ = 0;
}

PALETTE_KEYS_INLINE void Secret::release() noexcept {
    detail::wipe_and_unmap(data_, size_, capacity_);
    data_ = nullptr;
    size_ = capacity_ = 0;
}

PALETTE_KEYS_INLINE bool operator==(const Secret& a, const Secret& b) noexcept {
    return a.size_ == b.size_ && (a.size_ == 0 || CRYPTO_memcmp(a.data_, b.data_, a.size_) == 0);
}

}  // namespace palette::inline PALETTE_KEYS_ABI
