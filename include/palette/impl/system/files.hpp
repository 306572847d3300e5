// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

// An open file of this process, closed with its scope.
class Descriptor {
public:
    explicit Descriptor(int number) noexcept : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    ~Descriptor() { close(); }

    [[nodiscard]] int number() const noexcept { return number_; }
    explicit operator bool() const noexcept { return number_ >= 0; }

    // Leaves it open, for another owner.
    [[nodiscard]] int release() noexcept { return std::exchange(number_, -1); }

    // Whether all was well: some file systems report only now what a write came to.
    bool close() noexcept;

private:
    int number_;
};

// openat(), again if a signal came between. errno says why there is none.
Descriptor open(int directory, const std::string& path, int flags, unsigned mode = 0) noexcept;

// A path as it is shown: in quotes, shortened and printable.
std::string shown(std::string_view path);

// A sentence on a file: its path, and what is the matter with it.
Error error(errc code, std::string_view path, std::string_view what);

// The same, with the system's words for `number`.
Error system_error(errc code, std::string_view path, std::string_view what, int number);

// What is wrong with a path that no system call would notice; nothing if it can be used.
std::optional<Error> path_error(errc code, std::string_view path);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/system/files.ipp>
#endif
