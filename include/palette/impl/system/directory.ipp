// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/directory.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

PALETTE_KEYS_INLINE Place place_of(const std::string& path) {
    auto const slash = path.rfind('/');
    if (slash == std::string::npos) return {".", path};
    return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

PALETTE_KEYS_INLINE std::string Directory::path_of(const std::string& name) const {
    if (path_ == ".") return name;
    return path_.ends_with('/') ? path_ + name : path_ + '/' + name;
}

PALETTE_KEYS_INLINE bool Directory::flush() const noexcept {
    // EINVAL: a file system that does not know it of directories.
    return ::fsync(number()) == 0 || errno == EINVAL;
}

PALETTE_KEYS_INLINE Result<Directory> open_private_directory(const std::string& path) {
    if (auto fault = path_error(errc::invalid_argument, path)) return *std::move(fault);
    auto descriptor = open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!descriptor) return system_error(errc::system, path, "cannot be opened as a directory", errno);

    struct stat found{};
    if (::fstat(descriptor.number(), &found) != 0)
        return system_error(errc::system, path, "cannot be examined", errno);
    if (found.st_uid != ::geteuid() && found.st_uid != 0)
        return error(errc::invalid_argument, path, "is a directory of another user");
    if ((found.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return error(errc::invalid_argument, path,
                     "is a directory in which others may write: chmod go-w makes it private");
    return Directory(std::move(descriptor), path);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files
