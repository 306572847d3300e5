// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/system/files.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

PALETTE_KEYS_INLINE bool Descriptor::close() noexcept {
    return number_ < 0 || ::close(std::exchange(number_, -1)) == 0;
}

PALETTE_KEYS_INLINE Descriptor open(int directory, const std::string& path, int flags,
                                    unsigned mode) noexcept {
    int number;
    do {
        number = ::openat(directory, path.c_str(), flags, mode);
    } while (number < 0 && errno == EINTR);
    return Descriptor(number);
}

PALETTE_KEYS_INLINE std::string shown(std::string_view path) {
    // Longer than other texts that are shown: the end of a path is what tells one from another.
    constexpr std::size_t most = 256;
    return detail::in_quotes(path, most);
}

PALETTE_KEYS_INLINE Error error(errc code, std::string_view path, std::string_view what) {
    return Error(code, shown(path) + ' ' + std::string(what));
}

PALETTE_KEYS_INLINE Error system_error(errc code, std::string_view path, std::string_view what, int number) {
    std::error_code const cause(number, std::generic_category());
    return error(code, path, std::string(what) + " (" + cause.message() + ')').cause(cause);
}

PALETTE_KEYS_INLINE std::optional<Error> path_error(errc code, std::string_view path) {
    if (path.empty()) return Error(code, "the path of the file is empty");
    if (path.find('\0') != std::string_view::npos) return error(code, path, "is not a path: it has a NUL");
    return std::nullopt;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files
