// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/files.hpp>
#include <palette/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

// A file of mode 0600 that is only ever appended to, but for an end that was cut. One process at a time,
// under a lock. errc::system says what the operating system refused; errc::invalid_argument names what is
// there and is no regular file, such as a symbolic link.
class AppendFile {
public:
    // Opens the file, or makes an empty one, whose name then survives a crash of the machine.
    static Result<AppendFile> open(const Directory& directory, const std::string& name);

    // All of its content. errc::too_large for more than `max_size` bytes.
    [[nodiscard]] Result<std::string> read(std::size_t max_size) const;

    // Takes off what follows the first `size` bytes, before anything is appended.
    Result<void> truncate(std::size_t size);

    // Appends the text. After an error, a part of it may be at the end.
    Result<void> append(std::string_view text);

    // Makes all of the content survive a crash of the machine.
    Result<void> flush();

private:
    AppendFile(Descriptor file, std::string path) noexcept : file_(std::move(file)), path_(std::move(path)) {}

    Descriptor file_;
    std::string path_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/system/append_file.ipp>
#endif
