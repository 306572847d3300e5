// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/atomic_file.hpp>
#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/files.hpp>
#include <palette/write_secret_file.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {
namespace impl::files {

inline Error cannot_write(std::string_view path, std::string_view what, int number) {
    return system_error(errc::system, path, what, number);
}

inline Error not_written(std::string_view path, const char* what) {
    return error(errc::invalid_argument, path, what);
}

inline constexpr const char* no_file = "is neither a file nor a link to one, and is not replaced";

// The entry that is to be made or replaced: a name in a directory, and no symbolic link.
struct Target {
    Descriptor directory{-1};
    std::string name;
};

// The text of a symbolic link; nothing, and errno, if it cannot be read.
inline std::optional<std::string> text_of_link(int directory, const std::string& name) {
    std::string text(4'096, '\0');  // PATH_MAX
    auto const size = ::readlinkat(directory, name.c_str(), text.data(), text.size());
    if (size < 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(size));
    return text;
}

// Follows symbolic links to the entry that they lead to. `exists`: whether the system finds a file there.
// Links as in /proc/self/fd lead to files that their text does not name. Others may replace the file
// meanwhile.
inline Result<Target> follow(const std::string& path, Target at, bool exists) {
    for (int links = 0; links <= 40; ++links) {
        struct stat found{};
        if (::fstatat(at.directory.number(), at.name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
            if (!exists || links == 0) return at;
            return not_written(path, "is not written: the file that the link leads to has no such name");
        }
        if (S_ISREG(found.st_mode)) return at;
        if (!S_ISLNK(found.st_mode)) return not_written(path, no_file);
        auto const text = text_of_link(at.directory.number(), at.name);
        if (!text) return cannot_write(path, "cannot be written: the link cannot be read", errno);
        auto place = place_of(*text);
        if (place.name.empty() || place.name == "." || place.name == "..")
            return not_written(path, "leads to a directory");
        auto next = open(at.directory.number(), place.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (!next)
            return cannot_write(
                path, "cannot be written: the directory that the link leads to cannot be opened", errno);
        at.directory = std::move(next);
        at.name = std::move(place.name);
    }
    return not_written(path, "is not written: too many links lead to each other");
}

// What exists and is not a regular file is never replaced: a path like /dev/null is a mistake that would take
// a device from the machine, and /dev/stdout is a link to one.
inline Result<Target> target_of(const std::string& path) {
    auto place = place_of(path);
    Target at;
    at.directory = open(AT_FDCWD, place.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    at.name = std::move(place.name);
    if (!at.directory) return cannot_write(path, "cannot be written: its directory cannot be opened", errno);
    if (at.name.empty() || at.name == "." || at.name == "..") return not_written(path, "is a directory");
    struct stat found{};
    if (::fstatat(at.directory.number(), at.name.c_str(), &found, 0) != 0) {
        if (errno != ENOENT) return cannot_write(path, "cannot be written", errno);
        return follow(path, std::move(at), false);
    }
    if (S_ISDIR(found.st_mode)) return not_written(path, "is a directory");
    if (!S_ISREG(found.st_mode)) return not_written(path, no_file);
    return follow(path, std::move(at), true);
}

}  // namespace impl::files

PALETTE_KEYS_INLINE Result<void> write_secret_file(const std::string& path, const Secret& secret) {
    using namespace impl::files;
    if (auto fault = path_error(errc::invalid_argument, path)) return *std::move(fault);
    if (secret.empty()) return error(errc::invalid_argument, path, "is not written: the secret is empty");

    auto const target = target_of(path);
    if (!target) return target.error();
    auto const& directory = target->directory;

    auto name = unique_temporary_name();
    if (name.empty()) return cannot_write(path, "cannot be written: no randomness", errno);
    Temporary temporary(directory.number(), std::move(name));
    if (!temporary.exists())
        return cannot_write(path, "cannot be written: no file can be made in its directory", errno);
    if (!temporary.hold(secret.expose())) return cannot_write(path, "cannot be written", errno);
    if (!temporary.take_name(target->name)) return cannot_write(path, "cannot be replaced", errno);

    // EINVAL: a file system that does not know it of directories.
    if (::fsync(directory.number()) != 0 && errno != EINVAL)
        return cannot_write(path, "is written, but may be lost in a crash", errno).effect(Effect::applied);
    return {};
}

}  // namespace palette::inline PALETTE_KEYS_ABI
