// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <string>

namespace palette::inline PALETTE_KEYS_ABI {

/// Writes a secret to a file that only its owner can read and write (mode 0600, whatever the umask): exactly
/// its bytes, without a line end. auth::file reads such files.
///
/// The file at the path is replaced in one step. Readers of the path see the old content or the new content,
/// never a part of it, even after a crash; when the call returns, the new content is on the disk.
///
///     if (auto written = write_secret_file("/etc/acme/palette.key", created.secret()); !written)
///         log(written.error().message());
///
/// The old file is replaced, not written to: a file with several names is replaced under this name alone, and
/// another user's file by one of this user. Symbolic links are followed, also into other directories; the
/// target is created or replaced, and the links stay. Anything else than a regular file is refused: a
/// directory, a device, a pipe, and a link to one of these, such as /dev/stdout.
///
/// Preconditions: the directory of the file exists, and this user may read and write it.
///
/// Errors, each of which names the file and the reason and never the secret:
/// - errc::invalid_argument: the secret is empty, or the path cannot be that of a file.
/// - errc::system: the operating system refuses, because of a full disk, a missing directory or permissions.
///
/// Effect on failure: the old file is unchanged (Effect::not_applied), unless only the directory could not be
/// flushed to the disk (Effect::applied). A process that is killed during the call can leave a file named
/// ".palette-key.<random>" in the directory, as private as the result.
///
/// Threads: may be called from any thread; blocks for the disk. Of two concurrent calls for one path, the
/// content of one remains.
PALETTE_KEYS_DECL Result<void> write_secret_file(const std::string& path, const Secret& secret);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/system/write_secret_file.ipp>
#endif
