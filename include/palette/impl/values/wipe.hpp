// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <string.h>  // NOLINT(*-deprecated-headers): explicit_bzero is not in <cstring>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// Overwrites memory, also where nothing reads it afterwards. That of the C library, for it takes a tenth of
// wipe() for the buffers of a response.
inline void wipe(void* data, std::size_t size) noexcept {
    ::explicit_bzero(data, size);
}

// Empties a string, and overwrites all that it has room for: also what it held when it was longer, or before
// it was moved from.
inline void wipe(std::string& text) noexcept {
    // Up to its capacity a string does not allocate, so that this cannot throw.
    text.resize(text.capacity());
    wipe(text.data(), text.size());
    text.clear();
}

// A text that is wiped when its scope ends.
class WipedText {
public:
    explicit WipedText(std::string text) noexcept : text_(std::move(text)) {}
    WipedText(const WipedText&) = delete;
    WipedText& operator=(const WipedText&) = delete;
    ~WipedText() { wipe(text_); }

    [[nodiscard]] const std::string& get() const noexcept { return text_; }

private:
    std::string text_;
};

// Memory that is wiped when it is given back.
template <class T>
struct WipingAllocator {
    using value_type = T;

    WipingAllocator() = default;
    template <class U>
    WipingAllocator(const WipingAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor)

    T* allocate(std::size_t n) { return std::allocator<T>().allocate(n); }
    void deallocate(T* p, std::size_t n) noexcept {
        wipe(p, n * sizeof(T));
        std::allocator<T>().deallocate(p, n);
    }
    friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

template <class T>
using WipedVector = std::vector<T, WipingAllocator<T>>;

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
