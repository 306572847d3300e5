// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth/file.hpp>
#include <palette/impl/system/files.hpp>
#include <palette/impl/system/private_file.hpp>
#include <palette/impl/values/key_text.hpp>

#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::auth {

class KeyInFile final : public AuthProvider {
public:
    KeyInFile(std::string path, FileOptions options) : path_(std::move(path)), options_(options) {}

    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) override {
        // Read each time, so that a rotated key is taken up without a restart.
        auto key = read_key();
        if (!key) co_return std::move(key).error();
        co_return detail::same_or_new_key(request.previous(), *std::move(key));
    }

private:
    [[nodiscard]] Result<Secret> read_key() const {
        auto text = impl::files::read_private_file(path_, options_.allow_symlink());
        if (!text) return text;
        return detail::usable_value(detail::value_of_line(text->expose()),
                                    "the key in " + impl::files::shown(path_));
    }

    std::string path_;
    FileOptions options_;
};

PALETTE_KEYS_INLINE std::shared_ptr<AuthProvider> file(std::string path, FileOptions options) {
    return std::make_shared<KeyInFile>(std::move(path), options);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::auth
