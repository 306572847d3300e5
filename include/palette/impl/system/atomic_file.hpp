// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/files.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

// A private file that has no reader yet, removed again unless it takes the name of another.
class Temporary {
public:
    // A file that is there already is not taken. errno says why the new one does not exist().
    Temporary(int directory, std::string name);
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary();

    [[nodiscard]] bool exists() const noexcept { return exists_; }

    // Each returns false, and errno, if it failed.
    [[nodiscard]] bool hold(std::string_view text) noexcept;
    [[nodiscard]] bool take_name(const std::string& name) noexcept;

private:
    bool write(std::string_view text) noexcept;

    int directory_;
    std::string name_;
    Descriptor file_{-1};
    bool exists_ = false;
};

// A name that nobody else uses; empty, and errno, if the system has no randomness to give.
std::string unique_temporary_name();

// The functions below work in a directory whose files are changed under a lock: one process at a time. Each
// change survives a crash of the machine when it returns. errc::system says what the operating system
// refused; errc::invalid_argument names what is there and is no regular file, such as a symbolic link.

// The name of the temporary file that replace_file() makes. It is left over if the process is killed; the
// next call for the same name removes it.
std::string temporary_name(const std::string& name);

// Makes `text` the content of a file of mode 0600. Who opens it meanwhile reads all of the old content or all
// of the new. Effect::applied: it is written, but may be lost in a crash of the machine.
Result<void> replace_file(const Directory& directory, const std::string& name, std::string_view text);

// Gives a file the name of another, which is replaced in one step. Effect::applied: as above.
Result<void> rename_file(const Directory& directory, const std::string& from, const std::string& to);

// Removes a file; does nothing if there is none. Effect::applied: as above.
Result<void> remove_file(const Directory& directory, const std::string& name);

// The content of a file, nothing if there is none. errc::too_large for more than `max_size` bytes.
Result<std::optional<Secret>> read_file(const Directory& directory, const std::string& name,
                                        std::size_t max_size);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/system/atomic_file.ipp>
#endif
