// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/expiry.hpp>
#include <palette/impl/system/file_lock.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

// Without a lock, for it names the holder and decides nothing.
inline std::string holder_in(const Descriptor& file) {
    std::array<char, 128> text{};
    auto const size = ::pread(file.number(), text.data(), text.size(), 0);
    std::string_view holder(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    holder = holder.substr(0, holder.find('\n'));
    // For a moment after it is locked, the file names nobody.
    return holder.empty() ? "another process" : detail::printable(holder);
}

inline void name_holder(const Descriptor& file) {
    auto const now =
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    auto const text =
        "process " + std::to_string(::getpid()) + " since " + Expiry::at(now).to_string() + '\n';
    // A name that cannot be written, as on a full disk, leaves the lock as good as it was.
    if (::ftruncate(file.number(), 0) == 0)
        static_cast<void>(::pwrite(file.number(), text.data(), text.size(), 0) < 0);
}

// Whether the name still leads to this file: what is removed or replaced locks nobody out any more.
inline bool has_name(const Descriptor& file, const Directory& directory, const std::string& name) noexcept {
    struct stat ours{};
    struct stat named{};
    return ::fstat(file.number(), &ours) == 0 &&
           ::fstatat(directory.number(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

inline Error held(const std::string& path, const std::string& holder) {
    if (!holder.starts_with("process " + std::to_string(::getpid()) + ' '))
        return error(errc::conflict, path, "is locked by " + holder);
    // Two names that lead to the same files are a mistake that no later call mends.
    return error(errc::conflict, path, "is locked by " + holder + ", which is this process")
        .advice("look whether a slot and the file of its sink have the same name in one directory");
}

PALETTE_KEYS_INLINE FileLock::~FileLock() {
    // A child that was forked meanwhile shares the lock, so closing the file is not enough.
    if (!file_) return;
    static_cast<void>(::ftruncate(file_.number(), 0) == 0);
    struct flock none{};
    none.l_type = F_UNLCK;
    none.l_whence = SEEK_SET;
    static_cast<void>(::fcntl(file_.number(), F_OFD_SETLK, &none));
}

PALETTE_KEYS_INLINE Result<FileLock> FileLock::try_lock(const Directory& directory, const std::string& name) {
    auto const path = directory.path_of(name);
    for (int tries = 0; tries < 100; ++tries) {
        auto file = open(directory.number(), name,
                         O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0600);
        if (!file) return system_error(errc::system, path, "cannot be opened to lock it", errno);
        struct stat found{};
        if (::fstat(file.number(), &found) != 0)
            return system_error(errc::system, path, "cannot be examined", errno);
        if (!S_ISREG(found.st_mode))
            return error(errc::invalid_argument, path, "is not a regular file, and cannot be locked");

        struct flock whole{};
        whole.l_type = F_WRLCK;
        whole.l_whence = SEEK_SET;
        if (::fcntl(file.number(), F_OFD_SETLK, &whole) != 0) {
            if (errno == EAGAIN || errno == EACCES) return held(path, holder_in(file));
            return system_error(errc::system, path, "cannot be locked", errno);
        }
        if (!has_name(file, directory, name)) continue;
        name_holder(file);
        return FileLock(std::move(file));
    }
    return error(errc::conflict, path, "is replaced by another process again and again");
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files
