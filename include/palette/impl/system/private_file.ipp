// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/files.hpp>
#include <palette/impl/system/private_file.hpp>
#include <palette/impl/system/wiped_buffer.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

inline Error file_error(const std::string& path, const char* what) {
    return error(errc::auth_provider, path, what);
}

inline Error opening_error(const std::string& path, int number) {
    switch (number) {
        case ENOENT:
            return file_error(path, "does not exist");
        case EACCES:
            return file_error(path, "cannot be read by this user");
        case ELOOP:
            return file_error(path, "is a symbolic link, which has to be allowed: allow_symlink()");
        case ENXIO:  // a socket
            return file_error(path, "is not a regular file");
        default:
            return system_error(errc::auth_provider, path, "cannot be opened", number);
    }
}

// Null if the file is one to trust.
inline const char* fault_of(const struct stat& found) noexcept {
    if (!S_ISREG(found.st_mode)) return "is not a regular file";
    if (found.st_uid != ::geteuid() && found.st_uid != 0) return "belongs to another user";
    if ((found.st_mode & 077) != 0) return "is open to its group or to others: chmod 600 makes it private";
    return nullptr;
}

inline Result<Secret> read_all(const Descriptor& file, const std::string& path) {
    Secret text;
    WipedBuffer buffer;
    for (;;) {
        auto const size = ::read(file.number(), buffer.data(), buffer.size());
        if (size == 0) return text;
        if (size < 0) {
            if (errno == EINTR) continue;
            return system_error(errc::auth_provider, path, "cannot be read", errno);
        }
        text.append({buffer.data(), static_cast<std::size_t>(size)});
        if (text.size() > max_private_size) return file_error(path, "is larger than 64 KiB");
    }
}

PALETTE_KEYS_INLINE Result<Secret> read_private_file(const std::string& path, bool allow_symlink) {
    if (auto fault = path_error(errc::auth_provider, path)) return *std::move(fault);

    int const flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    auto const file = open(AT_FDCWD, path, allow_symlink ? flags : flags | O_NOFOLLOW);
    if (!file) return opening_error(path, errno);

    struct stat found{};
    if (::fstat(file.number(), &found) != 0)
        return system_error(errc::auth_provider, path, "cannot be examined", errno);
    if (auto const* const fault = fault_of(found)) return file_error(path, fault);
    return read_all(file, path);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files
