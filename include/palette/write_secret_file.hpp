// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <string>

namespace palette::inline PALETTE_KEYS_ABI {

// Writes a secret to a file that only its owner can read and write (0600, whatever the umask), exactly as
// it is, without a line end. Who reads the path finds the old content or the new one, never a part of it,
// even after a crash; when the call returns, the new one is on the disk. auth::file reads such files.
//
//     if (auto written = write_secret_file("/etc/acme/palette.key", created.secret()); !written)
//         log(written.error().message());
//
// The file at the path is replaced and not written to: a file with several names is replaced under this one
// name alone, another user's file by one of this user. Symbolic links are followed, also into other
// directories, and the file that they lead to is made or replaced there; the links stay. Whatever exists and
// is not a regular file is refused: a directory, a device, a pipe, and a link to one of these, such as
// /dev/stdout. The directory of the file must exist, and be one that this user may read and write. A process
// that is killed half-way can leave a file named ".palette-key.<random>" there, as private as the other.
//
// Errors: errc::invalid_argument for an empty secret and for a path that cannot be a file's; errc::system for
// what the operating system refuses: a full disk, a missing directory, no permission. Each names the file and
// what is wrong, and never the secret. The old file is as it was (Effect::not_applied), except when nothing
// but the directory could not be brought to the disk (Effect::applied).
// Threads: may be called from any thread; it blocks for the disk. Of two that write one path at a time, one
// comes last, and its content stays.
PALETTE_KEYS_DECL Result<void> write_secret_file(const std::string& path, const Secret& secret);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/system/write_secret_file.ipp>
#endif
