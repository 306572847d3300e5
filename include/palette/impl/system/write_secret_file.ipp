// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/files.hpp>
#include <palette/write_secret_file.hpp>

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <optional>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {
namespace impl::files {

// A path taken apart: what is done in the directory is done through its descriptor, so that all of it
// happens in the same one.
struct Place {
    std::string directory;
    std::string name;
};

inline Place place_of(const std::string& path) {
    auto const slash = path.rfind('/');
    if (slash == std::string::npos) return {".", path};
    return {path.substr(0, slash + 1), path.substr(slash + 1)};
}

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

// A private file with a name that nobody else uses, removed again unless it takes the name of another.
class Temporary {
public:
    explicit Temporary(int directory) : directory_(directory) {
        std::array<unsigned char, 16> bytes{};
        if (::RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
            errno = EIO;
            return;
        }
        for (unsigned const byte : bytes) {
            char digits[3];
            std::snprintf(digits, sizeof digits, "%02x", byte);
            name_ += digits;
        }
        file_ = open(directory_, name_, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        exists_ = static_cast<bool>(file_);
    }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary() {
        if (exists_) ::unlinkat(directory_, name_.c_str(), 0);
    }

    [[nodiscard]] bool exists() const noexcept { return exists_; }

    // Each says by errno why not.
    bool hold(std::string_view text) noexcept {
        // The umask may have taken even the owner's rights.
        return ::fchmod(file_.number(), 0600) == 0 && write(text) && ::fsync(file_.number()) == 0 &&
               file_.close();
    }
    bool take_name(const std::string& name) noexcept {
        exists_ = ::renameat(directory_, name_.c_str(), directory_, name.c_str()) != 0;
        return !exists_;
    }

private:
    bool write(std::string_view text) noexcept {
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

    int directory_;
    std::string name_ = ".palette-key.";
    Descriptor file_{-1};
    bool exists_ = false;
};

}  // namespace impl::files

PALETTE_KEYS_INLINE Result<void> write_secret_file(const std::string& path, const Secret& secret) {
    using namespace impl::files;
    if (auto fault = path_error(errc::invalid_argument, path)) return *std::move(fault);
    if (secret.empty()) return error(errc::invalid_argument, path, "is not written: the secret is empty");

    auto const target = target_of(path);
    if (!target) return target.error();
    auto const& directory = target->directory;

    Temporary temporary(directory.number());
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
