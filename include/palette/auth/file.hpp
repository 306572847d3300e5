// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>

#include <memory>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::auth {

/// Configures auth::file().
///
/// Setter and getter have one name. Of a const object, `options.allow_symlink()` is the getter; of any other
/// it is the setter.
class FileOptions {
public:
    /// Constructs the defaults.
    FileOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Allows the path to be a symbolic link, as it is where secrets are mounted into a container. The target
    /// is judged as any other file. Default: not allowed.
    FileOptions& allow_symlink(bool on = true) & noexcept {
        allow_symlink_ = on;
        return *this;
    }
    /// Same, on a temporary.
    FileOptions allow_symlink(bool on = true) && noexcept { return allow_symlink(on); }

    /// Returns whether the path may be a symbolic link.
    [[nodiscard]] bool allow_symlink() const noexcept { return allow_symlink_; }

private:
    bool allow_symlink_ = false;
};

/// Returns a provider of the API key in a file, read whenever the client asks, so that a key that was
/// replaced there is used from then on. write_secret_file() writes such files. Blanks around the key and one
/// line end after it are dropped.
///
///     options.auth = auth::file("/etc/acme/palette.key");
///
/// The file must be a regular file of at most 64 KiB, belong to the user or to root, and give group and
/// others no access. The file is judged after it has been opened, so that nobody can exchange it in between.
///
/// The uid of the key is not known, for the file may hold another key at any time: a client with this
/// provider refuses to revoke or delete any active key of its own user; see ChangeOptions::allow_own_key().
///
/// Errors, when the client asks: errc::auth_provider, which names the file and the reason, and never quotes
/// the content.
///
/// Threads: may be shared by any number of clients.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<AuthProvider> file(std::string path,
                                                                   FileOptions options = FileOptions());

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/file.ipp>
#endif
