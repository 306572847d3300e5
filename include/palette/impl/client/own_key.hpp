// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/detail/printable.hpp>
#include <palette/impl/client/caller.hpp>
#include <palette/impl/client/operations.hpp>
#include <palette/impl/pipeline/guard.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// Refuses a request that would take away a key which may be the client's own: one that works and is its own
// user's, where the credential is a key whose uid is not known. The service does not tell which key a request
// came with.
//
// Asks whose the credential is, once for each credential, and whose the key is, unless that was read already;
// once for all attempts of the request. Nothing is kept beyond it: keys come and go.
class OwnKeyGuard final : public pipeline::Guard {
public:
    // `target`: the key as it was just read, at `as_of`; null: it has to be read.
    OwnKeyGuard(Core& core, pipeline::Call& call, std::string uid, std::shared_ptr<const ApiKey> target,
                Instant as_of)
        : core_(core),
          call_(call),
          uid_(std::move(uid)),
          target_(std::move(target)),
          as_of_(as_of) {}

    asio::awaitable<Result<void>> before_sending(std::shared_ptr<const Credential> credential) override {
        if (credential->kind() != Credential::Kind::api_key || !credential->key_uid().empty())
            co_return Result<void>();
        // What was made with a credential is not its own key.
        if (core_.creates().has_made(credential, uid_)) co_return Result<void>();
        if (!target_) {
            auto read = co_await get_as_of(core_, call_, uid_, &as_of_);
            if (!read) co_return std::move(read.error());
            target_ = std::make_shared<const ApiKey>(std::move(*read));
        }
        // A key that was revoked or has expired authenticates nobody.
        if (target_->state(as_of_) != KeyState::active) co_return Result<void>();
        // After the read, for which hundreds of calls queue: by their turn, one of them has asked.
        auto caller = co_await identity_of(std::move(credential));
        if (!caller) co_return std::move(caller.error());
        if (!is_candidate(*caller, *target_, as_of_)) co_return Result<void>();
        co_return co_await refusal(std::move(*caller));
    }

private:
    static bool is_candidate(const Identity& caller, const ApiKey& key, Instant as_of) {
        return key.owner.uid == caller.user_uid && key.state(as_of) == KeyState::active;
    }

    asio::awaitable<Result<Identity>> identity_of(std::shared_ptr<const Credential> credential) {
        if (auto const* const known = core_.creates().identity_of(credential)) co_return *known;
        co_return co_await ask_identity(core_, call_, std::move(credential));
    }

    asio::awaitable<Error> refusal(Identity caller) {
        Wanted is_wanted = std::bind_front(&is_candidate, std::move(caller));
        // The list is for the words alone: without it, the key that was asked for is named.
        auto const candidates = co_await list_wanted(core_, call_, std::move(is_wanted));
        constexpr std::size_t most = 20;
        std::string names;
        std::size_t number = 0;
        if (candidates)
            for (auto const& key : *candidates)
                if (++number <= most)
                    names.append(names.empty() ? "" : ", ").append(detail::printable(key.uid));
        if (number > most) names.append(" and ").append(std::to_string(number - most)).append(" more");
        if (names.empty()) names = uid_;
        co_return Error(errc::own_key, "the key " + detail::in_quotes(uid_) +
                                           " may be the one that this client itself uses, whose uid is not "
                                           "known; it is one of " +
                                           names)
            .advice(
                "give the credential the uid of its key, use another credential, or "
                "ChangeOptions::allow_own_key() if that is meant");
    }

    Core& core_;
    pipeline::Call& call_;
    std::string uid_;
    std::shared_ptr<const ApiKey> target_;
    Instant as_of_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
