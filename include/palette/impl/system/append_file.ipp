// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/append_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

PALETTE_KEYS_INLINE Result<AppendFile> AppendFile::open(const Directory& directory, const std::string& name) {
    auto path = directory.path_of(name);
    auto file =
        files::open(directory.number(), name,
                    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
    if (!file && errno == ELOOP) return error(errc::invalid_argument, path, "is a symbolic link");
    if (!file) return system_error(errc::system, path, "cannot be opened", errno);
    struct stat found{};
    if (::fstat(file.number(), &found) != 0)
        return system_error(errc::system, path, "cannot be examined", errno);
    if (!S_ISREG(found.st_mode))
        return error(errc::invalid_argument, path, "is not a regular file, and is not touched");
    if (!directory.flush())
        return system_error(errc::system, path, "is made, but may be lost in a crash", errno);
    return AppendFile(std::move(file), std::move(path));
}

PALETTE_KEYS_INLINE Result<std::string> AppendFile::read(std::size_t max_size) const {
    std::string text;
    std::array<char, 16'384> buffer{};
    for (;;) {
        auto const size =
            ::pread(file_.number(), buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return system_error(errc::system, path_, "cannot be read", errno);
        if (size == 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(size));
        if (text.size() > max_size)
            return error(errc::too_large, path_, "is larger than " + std::to_string(max_size) + " bytes");
    }
}

PALETTE_KEYS_INLINE Result<void> AppendFile::truncate(std::size_t size) {
    if (::ftruncate(file_.number(), static_cast<off_t>(size)) != 0)
        return system_error(errc::system, path_, "cannot be cut", errno);
    return flush();
}

PALETTE_KEYS_INLINE Result<void> AppendFile::append(std::string_view text) {
    while (!text.empty()) {
        auto const written = ::write(file_.number(), text.data(), text.size());
        if (written > 0)
            text.remove_prefix(static_cast<std::size_t>(written));
        else if (written == 0 || errno != EINTR)
            return system_error(errc::system, path_, "cannot be written", errno);
    }
    return {};
}

PALETTE_KEYS_INLINE Result<void> AppendFile::flush() {
    if (::fdatasync(file_.number()) == 0) return {};
    return system_error(errc::system, path_, "is written, but may be lost in a crash", errno);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files
