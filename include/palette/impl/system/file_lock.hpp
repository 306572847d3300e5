// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/system/directory.hpp>
#include <palette/impl/system/files.hpp>
#include <palette/result.hpp>

#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

// A lock of the open file description: it excludes other processes, and other locks of this one; it ends with
// this object or the process. The file stays, and names the holder while there is one.
class FileLock {
public:
    FileLock(FileLock&&) noexcept = default;
    FileLock& operator=(FileLock&&) = delete;
    ~FileLock();

    // Does not wait. errc::conflict if the lock is held: the message names the process, and since when it
    // holds the lock.
    static Result<FileLock> try_lock(const Directory& directory, const std::string& name);

private:
    explicit FileLock(Descriptor file) noexcept : file_(std::move(file)) {}

    Descriptor file_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/system/file_lock.ipp>
#endif
