// SPDX-License-Identifier: BSL-1.0
#pragma once

// The operations that change something.

#include <palette/impl/client/operations.hpp>
#include <palette/impl/client/requests.hpp>
#include <palette/impl/wire/encode.hpp>
#include <palette/impl/wire/text.hpp>

#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::client {

inline Error invalid(std::string what, std::string path) {
    return Error(errc::invalid_argument, std::move(what)).path(std::move(path));
}

inline Result<void> check_name(std::string_view name) {
    constexpr std::size_t most = 253;
    if (name.empty()) return invalid("a key needs a name", "name");
    if (name.size() > most)
        return invalid("a name of " + std::to_string(name.size()) + " bytes is too long; 253 are the most",
                       "name");
    for (char const c : name)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
            return invalid("a name has no control characters", "name");
    return wire::check_utf8(name, "name");
}

inline Result<void> check_expiry(const Expiry& expiry, Instant now, const CallOptions& options) {
    if (!expiry.passed(now) || options.allows_past_expiry()) return {};
    return invalid(
        "an expiry that has passed already, " + expiry.to_string() + ", would make a key that does not work",
        "expiry");
}

// A key whose value is there is delivered, whatever this finds.
inline asio::awaitable<bool> is_confirmed(Core& core, pipeline::Call& call, std::string uid,
                                          std::string name) {
    if (uid.empty() || call.is_stopped()) co_return false;
    auto read = co_await get(core, call, std::move(uid));
    co_return read && read->name == name;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<CreatedApiKey>> create(Core& core, pipeline::Call& call,
                                                                  NewApiKey key) {
    if (auto good = check_name(key.name()); !good) co_return std::move(good.error());
    if (auto good = check_expiry(key.expiry().value_or(Expiry::never()), core.now(), call.options()); !good)
        co_return std::move(good.error());
    auto body = wire::encode_create(key, core.now());
    if (!body) co_return std::move(body.error());
    DecodedAnswer<CreatedApiKey> answer;
    HttpRequest request("POST", std::string(create_key.path_template));
    request.body = std::move(*body);
    auto sent = co_await send(core, call, create_key, request, answer);
    if (!sent) co_return std::move(sent.error());
    auto uid = answer.value().uid();
    auto const confirmed = co_await is_confirmed(core, call, uid, key.name());
    co_return CreatedApiKey(std::move(uid), std::move(answer.value()).secret(), confirmed);
}

// Whether a key is as it was written: what an edit can change, and what it must not.
inline bool is_as_written(const ApiKey& read, const ApiKey& written) {
    return read.name == written.name && read.description == written.description &&
           read.expiry == written.expiry && read.annotations == written.annotations &&
           read.labels == written.labels;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<ApiKey>> update(Core& core, pipeline::Call& call, std::string uid,
                                                           ApiKeyEdit edit, std::optional<ApiKey> seen) {
    auto path = path_of(change_key, uid);
    if (!path) co_return std::move(path.error());
    if (edit.empty()) co_return invalid("an edit that changes nothing", "edit");
    if (edit.name())
        if (auto good = check_name(*edit.name()); !good) co_return std::move(good.error());
    if (auto good = wire::check_utf8(edit.description().value_or(std::string()), "description"); !good)
        co_return std::move(good.error());
    if (edit.expiry())
        if (auto good = check_expiry(*edit.expiry(), core.now(), call.options()); !good)
            co_return std::move(good.error());

    auto before = co_await get(core, call, uid);
    if (!before) co_return before;
    if (seen && *before != *seen)
        co_return Error(errc::conflict, "the key is not as it was seen: somebody else has changed it")
            .attempts(call.attempts);
    auto body = wire::encode_update(*before, edit);
    if (!body) co_return std::move(body.error());
    auto const written = edit.applied_to(std::move(*before));

    DecodedAnswer<void> answer;
    HttpRequest request("PUT", std::move(*path));
    request.body = std::move(*body);
    auto sent = co_await send(core, call, change_key, request, answer);
    if (!sent) co_return std::move(sent.error());

    auto after = co_await get(core, call, std::move(uid));
    if (!after) co_return std::move(after.error()).effect(Effect::applied);
    if (!is_as_written(*after, written))
        co_return Error(errc::conflict,
                        "the key is not as it was written: somebody else has changed it as well")
            .effect(Effect::applied)
            .attempts(call.attempts);
    co_return after;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<ApiKey>> renew(Core& core, pipeline::Call& call, std::string uid,
                                                          std::chrono::milliseconds duration) {
    if (duration.count() <= 0) co_return invalid("a key is renewed for a time from now on", "duration");
    ApiKeyEdit edit;
    edit.expires(Expiry::in(duration, core.now()));
    co_return co_await update(core, call, std::move(uid), std::move(edit), std::nullopt);
}

// What a change of a key is checked by, if that is asked for.
inline asio::awaitable<Result<void>> verify_state(Core& core, pipeline::Call& call, std::string uid,
                                                  bool is_active) {
    if (!call.options().verifies()) co_return Result<void>();
    auto read = co_await get(core, call, std::move(uid));
    if (!read) co_return std::move(read.error()).effect(Effect::applied);
    if (read->is_active != is_active)
        co_return Error(errc::conflict, is_active ? "the service accepted, but shows the key as revoked"
                                                  : "the service accepted, but shows the key as active")
            .effect(Effect::applied)
            .attempts(call.attempts);
    co_return Result<void>();
}

inline asio::awaitable<Result<void>> change(Core& core, pipeline::Call& call,
                                            const pipeline::RequestKind& kind, std::string method,
                                            std::string uid, bool is_active) {
    auto path = path_of(kind, uid);
    if (!path) co_return std::move(path.error());
    DecodedAnswer<void> answer;
    HttpRequest request(std::move(method), std::move(*path));
    request.body = wire::encode_state(is_active);
    auto sent = co_await send(core, call, kind, request, answer);
    if (!sent) co_return sent;
    co_return co_await verify_state(core, call, std::move(uid), is_active);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> set_state(Core& core, pipeline::Call& call, std::string uid,
                                                            bool is_active) {
    return change(core, call, change_state, "PUT", std::move(uid), is_active);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> set_active(Core& core, pipeline::Call& call,
                                                             std::string uid, bool is_active) {
    return change(core, call, change_key, "PATCH", std::move(uid), is_active);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> remove(Core& core, pipeline::Call& call, std::string uid) {
    auto path = path_of(change_key, uid);
    if (!path) co_return std::move(path.error());
    DecodedAnswer<void> answer;
    HttpRequest request("DELETE", std::move(*path));
    auto sent = co_await send(core, call, change_key, request, answer);
    if (!sent || !call.options().verifies()) co_return sent;
    auto read = co_await get(core, call, std::move(uid));
    if (!read && is_not_found(read.error().code())) co_return Result<void>();
    if (!read) co_return std::move(read.error()).effect(Effect::applied);
    co_return Error(errc::conflict, "the service accepted, but still shows the key")
        .effect(Effect::applied)
        .attempts(call.attempts);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::client
