// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>

#include <memory>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::auth {

class FileOptions {
public:
    FileOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    // The path may be a symbolic link, as it is where secrets are mounted into a container. What it leads
    // to is judged as any other file.
    FileOptions& allow_symlink(bool on = true) & noexcept {
        allow_symlink_ = on;
        return *this;
    }
    FileOptions allow_symlink(bool on = true) && noexcept { return allow_symlink(on); }

    [[nodiscard]] bool allow_symlink() const noexcept { return allow_symlink_; }

private:
    bool allow_symlink_ = false;
};

// The API key in a file, read whenever the client asks: a key that was replaced there is taken up.
// write_secret_file() makes such files. Blanks around the key and one line end behind it do not belong to
// it.
//
//     options.auth = auth::file("/etc/acme/palette.key");
//
// The file must be a regular one of at most 64 KiB, belong to the user or to root, and give group and
// others no access. It is judged after it was opened, so that nobody can exchange it in between.
//
// The key's uid is not known: a client with this provider does not notice that it revokes or deletes its own
// key.
//
// Errors, when the client asks: errc::auth_provider, which names the file and what is wrong with it, and
// never what is in it.
// Threads: may be shared by any number of clients.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<AuthProvider> file(std::string path,
                                                                   FileOptions options = FileOptions());

}  // namespace palette::inline PALETTE_KEYS_ABI::auth

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/auth/file.ipp>
#endif
