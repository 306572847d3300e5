// SPDX-License-Identifier: BSL-1.0
#pragma once

// How the new key of a rotation is proved: by use, with the value that consumers read.

#include <palette/impl/lifecycle/guarded.hpp>
#include <palette/impl/lifecycle/rotation/rotation_driver.hpp>
#include <palette/impl/seams/auth_provider.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// The value as a consumer reads it, or, where nobody can read it, as it was given to the sink.
PALETTE_KEYS_INLINE asio::awaitable<Result<Secret>> RotationDriver::new_value() {
    auto const& record = machine_->record();
    if (!slot_.sink()->capabilities().readable) {
        if (value_.empty())
            co_return Error(errc::rejected,
                            "the sink cannot be read, and the value is not in memory any more");
        co_return Secret(value_.expose());
    }
    auto const& contents = machine_->contents();
    // After a kill that hid the promotion, the record has no receipt, and the sink has.
    auto const is_current = contents.current && contents.current->rotation_id == record.rotation_id;
    auto receipt = is_current ? *contents.current : record.receipt.value_or(palette::lifecycle::Receipt());
    auto value = co_await guarded(&palette::lifecycle::SecretSink::read_back, slot_.sink(), receipt);
    // Something else writes to the sink, or the sink changes what it is given. Consumers would read that.
    if (value && !value_.empty() && *value != value_)
        co_return Error(errc::conflict, "the sink reads back another value than was stored")
            .advice("nothing was promoted; look what else writes to the sink");
    co_return value;
}

// Two successful requests on two new connections, at least a second apart. A new key may be refused for a
// moment after it was created (W16).
PALETTE_KEYS_INLINE asio::awaitable<Result<ApiKey>> RotationDriver::prove() {
    using namespace std::chrono_literals;
    auto const& record = machine_->record();
    auto value = co_await new_value();
    if (has_ended()) co_return ended();
    if (!value) {
        // After a kill, the value of a sink that cannot be read is gone; what is promoted already is proved
        // by its state alone, which RotateOptions::unproven_ok() accepts.
        auto const is_promoted = record.state == palette::lifecycle::RotationState::overlap ||
                                 record.state == palette::lifecycle::RotationState::revoked;
        if (value.error().code() == errc::rejected && is_promoted) {
            auto key = co_await client_.async_get(record.new_uid);
            if (key && key->state(now_) != KeyState::active)
                co_return Error(errc::conflict, "the new key is revoked or has expired").key_uid(key->uid);
            co_return key;
        }
        // As a conflict, which is final: a key that is not promoted, and whose value is lost, is given up.
        if (value.error().code() == errc::rejected) co_return Error(errc::conflict, value.error().message());
        co_return std::move(value.error());
    }
    auto const give_up = client_.now() + 120s;
    std::optional<ApiKey> key;
    int successes = 0;
    std::chrono::milliseconds wait = 1s;
    for (;;) {
        auto tried = co_await try_new_key(*value);
        if (tried) {
            key = std::move(*tried);
            if (++successes == 2) co_return std::move(*key);
            wait = 1s;
        } else {
            auto const code = tried.error().code();
            // A part of the service may not know the new key yet, and says 401 or 404 (W16).
            auto const may_change =
                is_retryable(code) || code == errc::unauthorized || code == errc::not_found;
            if (!may_change || client_.now() + wait > give_up) co_return std::move(tried.error());
            // In a row, for each request may meet another part of the service.
            successes = 0;
        }
        if (has_ended()) co_return ended();
        auto const waited = co_await client_.async_wait(wait);
        if (has_ended()) co_return ended();
        if (!waited) co_return waited.error();
        wait = std::min<std::chrono::milliseconds>(wait * 2, 16s);
    }
}

PALETTE_KEYS_INLINE asio::awaitable<Result<ApiKey>> RotationDriver::try_new_key(const Secret& value) {
    auto const& record = machine_->record();
    // A client of its own has a connection of its own.
    auto as_new =
        client_.with_auth(detail::always(Credential::api_key(Secret(value.expose()), record.new_uid)));
    auto who = co_await as_new.async_whoami();
    if (has_ended()) co_return ended();
    if (!who) co_return std::move(who.error());
    // A value that works may still be another's key, which somebody has put into the sink.
    if (who->tenant_uid != record.tenant_uid || who->user_uid != record.owner_uid)
        co_return Error(errc::conflict, "the stored value is a key of another user or tenant than asked for");
    auto key = co_await as_new.async_get(record.new_uid);
    // A user may use a key without the permission to read it.
    if (!key && !has_ended() && key.error().code() == errc::forbidden)
        key = co_await client_.async_get(record.new_uid);
    co_return key;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
