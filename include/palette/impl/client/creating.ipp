// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/checks.hpp>
#include <palette/impl/client/creation.hpp>
#include <palette/impl/client/operations.hpp>
#include <palette/impl/values/create_mark.hpp>
#include <palette/impl/values/uid.hpp>
#include <palette/impl/wire/encode.hpp>

#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

inline Result<void> check_create(const NewApiKey& key, Instant now, const detail::CallSettings& options) {
    if (auto good = check_name(key.name()); !good) return good;
    if (key.lifetime() && key.lifetime()->count() <= 0)
        return invalid("a key lives for a time from when it is made", "lives_for");
    if (key.names_user())
        if (auto const* const fault = detail::fault_of_uid(key.user_uid())) return invalid(fault, "user_uid");
    if (key.annotations().contains(detail::create_annotation))
        return invalid("the annotation marks what a create has made, and is not for others",
                       "metadata.annotations[\"" + std::string(detail::create_annotation) + "\"]");
    if (options.nonce && !detail::is_nonce(*options.nonce)) return invalid(detail::nonce_form, "nonce");
    // Finds what cannot be encoded. The body that is sent has the owner and the mark as well.
    auto body = wire::encode_create(key, now);
    if (!body) return std::move(body.error());
    return {};
}

// What its first request is depends on what the client knows of the credential's owner by then.
PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::CreateKey& /*create*/) {
    return nullptr;
}

// That of the user, or a new one.
inline Result<std::string> nonce_of(const detail::CallSettings& options) {
    if (options.nonce) return *options.nonce;
    try {
        return PendingCreate::make_nonce();
    } catch (const Exception& e) {
        return e.error();
    }
}

PALETTE_KEYS_INLINE asio::awaitable<Result<CreatedApiKey>> perform(Core& core, pipeline::Call& call,
                                                                   detail::CreateKey create) {
    auto good = check_create(create.key, core.now(), call.options());
    if (!good) co_return std::move(good.error());
    auto const is_given = call.options().nonce.has_value();
    auto const nonce = nonce_of(call.options());
    if (!nonce) co_return nonce.error();
    if (is_given && !core.creates().take_nonce(*nonce))
        co_return invalid("the nonce is another create's, whose key could be taken for a lost one", "nonce");
    Creation creation(core, call, std::move(create.key), *nonce);
    auto result = co_await creation.run();
    // A create that surely made no key leaves its nonce for another try.
    auto const made_none =
        !result && result.error().effect() == Effect::not_applied && !result.error().pending();
    if (is_given && made_none) core.creates().give_back_nonce(*nonce);
    co_return result;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
