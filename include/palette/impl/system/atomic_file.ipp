// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/atomic_file.hpp>
#include <palette/impl/system/wiped_buffer.hpp>

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

PALETTE_KEYS_INLINE Temporary::Temporary(int directory, std::string name)
    : directory_(directory),
      name_(std::move(name)) {
    file_ = open(directory_, name_, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    exists_ = static_cast<bool>(file_);
}

PALETTE_KEYS_INLINE Temporary::~Temporary() {
    if (exists_) ::unlinkat(directory_, name_.c_str(), 0);
}

PALETTE_KEYS_INLINE bool Temporary::hold(std::string_view text) noexcept {
    // The umask may have taken even the owner's rights.
    return ::fchmod(file_.number(), 0600) == 0 && write(text) && ::fsync(file_.number()) == 0 &&
           file_.close();
}

PALETTE_KEYS_INLINE bool Temporary::take_name(const std::string& name) noexcept {
    exists_ = ::renameat(directory_, name_.c_str(), directory_, name.c_str()) != 0;
    return !exists_;
}

PALETTE_KEYS_INLINE bool Temporary::write(std::string_view text) noexcept {
    while (!text.empty()) {
        auto const written = ::write(file_.number(), text.data(), text.size());
        if (written > 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (written == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

PALETTE_KEYS_INLINE std::string unique_temporary_name() {
    std::array<unsigned char, 16> bytes{};
    if (::RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        errno = EIO;
        return {};
    }
    std::string name = ".palette-key.";
    for (unsigned const byte : bytes) {
        char digits[3];
        std::snprintf(digits, sizeof digits, "%02x", byte);
        name += digits;
    }
    return name;
}

inline Error no_regular_file(const Directory& directory, const std::string& name) {
    return error(errc::invalid_argument, directory.path_of(name),
                 "is not a regular file, and is not touched");
}

inline Error refused(const Directory& directory, const std::string& name, std::string_view what, int number) {
    return system_error(errc::system, directory.path_of(name), what, number);
}

// Whether there is a file of that name; an error if it is something else.
inline Result<bool> has_file(const Directory& directory, const std::string& name) {
    struct stat found{};
    if (::fstatat(directory.number(), name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) return false;
        return refused(directory, name, "cannot be examined", errno);
    }
    if (!S_ISREG(found.st_mode)) return no_regular_file(directory, name);
    return true;
}

inline Result<void> flushed(const Directory& directory, const std::string& name) {
    if (directory.flush()) return {};
    return refused(directory, name, "is changed, but the change may be lost in a crash", errno)
        .effect(Effect::applied);
}

PALETTE_KEYS_INLINE std::string temporary_name(const std::string& name) {
    return name + ".tmp";
}

PALETTE_KEYS_INLINE Result<void> replace_file(const Directory& directory, const std::string& name,
                                              std::string_view text) {
    if (auto const found = has_file(directory, name); !found) return found.error();
    auto const temporary = temporary_name(name);
    // Under the lock, a file of this name is what a killed process has left over.
    auto const left_over = has_file(directory, temporary);
    if (!left_over) return left_over.error();
    if (*left_over && ::unlinkat(directory.number(), temporary.c_str(), 0) != 0)
        return refused(directory, temporary, "cannot be removed", errno);

    Temporary file(directory.number(), temporary);
    if (!file.exists())
        return refused(directory, name, "cannot be written: no file can be made in its directory", errno);
    if (!file.hold(text)) return refused(directory, name, "cannot be written", errno);
    if (!file.take_name(name)) return refused(directory, name, "cannot be replaced", errno);
    return flushed(directory, name);
}

PALETTE_KEYS_INLINE Result<void> rename_file(const Directory& directory, const std::string& from,
                                             const std::string& to) {
    for (auto const* const name : {&from, &to})
        if (auto const found = has_file(directory, *name); !found) return found.error();
    if (::renameat(directory.number(), from.c_str(), directory.number(), to.c_str()) != 0)
        return refused(directory, from, "cannot be renamed", errno);
    return flushed(directory, to);
}

PALETTE_KEYS_INLINE Result<void> remove_file(const Directory& directory, const std::string& name) {
    auto const found = has_file(directory, name);
    if (!found) return found.error();
    if (!*found) return {};
    if (::unlinkat(directory.number(), name.c_str(), 0) != 0)
        return refused(directory, name, "cannot be removed", errno);
    return flushed(directory, name);
}

PALETTE_KEYS_INLINE Result<std::optional<Secret>> read_file(const Directory& directory,
                                                            const std::string& name, std::size_t max_size) {
    auto const file =
        open(directory.number(), name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
    if (!file) {
        if (errno == ENOENT) return std::optional<Secret>();
        if (errno == ELOOP || errno == ENXIO) return no_regular_file(directory, name);
        return refused(directory, name, "cannot be opened", errno);
    }
    struct stat found{};
    if (::fstat(file.number(), &found) != 0) return refused(directory, name, "cannot be examined", errno);
    if (!S_ISREG(found.st_mode)) return no_regular_file(directory, name);

    Secret text;
    WipedBuffer buffer;
    for (;;) {
        auto const size = ::read(file.number(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return refused(directory, name, "cannot be read", errno);
        if (size == 0) return std::optional<Secret>(std::move(text));
        text.append({buffer.data(), static_cast<std::size_t>(size)});
        if (text.size() > max_size)
            return error(errc::too_large, directory.path_of(name),
                         "is larger than " + std::to_string(max_size) + " bytes");
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files
