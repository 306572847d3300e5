// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/files.hpp>
#include <palette/result.hpp>

#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

// A path taken apart: what is done in the directory is done through its descriptor, so that all of it
// happens in the same one.
struct Place {
    std::string directory;
    std::string name;
};

Place place_of(const std::string& path);

// A directory that is open.
class Directory {
public:
    Directory(Descriptor descriptor, std::string path)
        : descriptor_(std::move(descriptor)),
          path_(std::move(path)) {}

    [[nodiscard]] int number() const noexcept { return descriptor_.number(); }

    // The path of a file in it, for messages.
    [[nodiscard]] std::string path_of(const std::string& name) const;

    // Makes what was done to its entries outlive a crash; false, and errno, if that failed.
    [[nodiscard]] bool flush() const noexcept;

private:
    Descriptor descriptor_;
    std::string path_;
};

// Opens a directory that belongs to this user or root, and in which nobody else can make, replace or remove
// files: neither its group nor others, sticky or not. errc::invalid_argument names the rule that is broken;
// errc::system says why it cannot be opened.
Result<Directory> open_private_directory(const std::string& path);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/system/directory.ipp>
#endif
