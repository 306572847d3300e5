// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/credential.hpp>
#include <palette/impl/client/service_time.hpp>
#include <palette/user.hpp>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// What one create learns, and others of the same client need not ask again. On the strand.
class CreateMemory {
public:
    using Shared = std::shared_ptr<const Credential>;

    // Whose `credential` is; null if that was not asked for, or another one since.
    [[nodiscard]] const Identity* identity_of(const Shared& credential) const noexcept {
        return credential && credential == credential_.lock() ? &identity_ : nullptr;
    }
    void remember(const Shared& credential, Identity identity) {
        credential_ = credential;
        identity_ = std::move(identity);
    }

    // As the last answer about an identity has shown it.
    ServiceTime service_time;

    // Whether the service keeps the mark of a create, as the last confirming read has shown.
    bool marks_persist = true;

    // False: a create with that nonce is under way, or has delivered its key, which the search for a lost one
    // of the same nonce would take for it; or it has left one pending, and whoever cleans up after it would
    // delete the key of this one.
    bool take_nonce(const std::string& nonce) {
        if (std::ranges::find(nonces_, nonce) != nonces_.end()) return false;
        constexpr std::size_t most = 1'024;
        if (nonces_.size() == most) nonces_.pop_front();
        nonces_.push_back(nonce);
        return true;
    }
    // Nothing was made with it.
    void give_back_nonce(const std::string& nonce) { std::erase(nonces_, nonce); }

    // The key of that uid was made with `credential`, and so is not the key of that credential. The last ones
    // are kept, as far as there is memory.
    void remember_made(const Shared& credential, const std::string& uid) noexcept {
        try {
            if (credential != made_with_.lock()) made_.clear();
            made_with_ = credential;
            if (made_.size() == most_made) made_.pop_front();
            made_.push_back(uid);
        } catch (...) {  // NOLINT(bugprone-empty-catch): then the key is judged as others are
        }
    }
    [[nodiscard]] bool has_made(const Shared& credential, std::string_view uid) const noexcept {
        return credential && credential == made_with_.lock() && std::ranges::find(made_, uid) != made_.end();
    }

private:
    static constexpr std::size_t most_made = 1'024;

    std::weak_ptr<const Credential> made_with_;
    std::deque<std::string> made_;
    std::weak_ptr<const Credential> credential_;  // how long it is kept is not decided here
    Identity identity_;
    std::deque<std::string> nonces_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
