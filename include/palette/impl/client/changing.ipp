// SPDX-License-Identifier: BSL-1.0
#pragma once

// The operations that change something.

#include <palette/impl/client/checks.hpp>
#include <palette/impl/client/operations.hpp>
#include <palette/impl/client/own_key.hpp>
#include <palette/impl/client/requests.hpp>
#include <palette/impl/wire/encode.hpp>
#include <palette/impl/wire/text.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// Whether a key is as it was written: what an edit can change, and what it must not.
inline bool is_as_written(const ApiKey& read, const ApiKey& written) {
    return read.name == written.name && read.description == written.description &&
           read.expiry == written.expiry && read.annotations == written.annotations &&
           read.labels == written.labels;
}

inline Error changed_by_others() {
    return Error(errc::conflict, "the key is not as it was written: somebody else has changed it as well");
}

// A write that was not answered is not sent again blindly: somebody else may have written after it.
class WriteGuard final : public pipeline::Guard {
public:
    WriteGuard(Core& core, pipeline::Call& call, ApiKey before, ApiKey written)
        : core_(core),
          call_(call),
          before_(std::move(before)),
          written_(std::move(written)) {}

    asio::awaitable<Result<bool>> is_applied() override {
        auto read = co_await get_as_of(core_, call_, before_.uid, nullptr);
        if (!read) co_return std::move(read.error());
        if (is_as_written(*read, written_)) {
            read_.emplace(std::move(*read));
            co_return true;
        }
        if (is_as_written(*read, before_)) co_return false;
        conflicts_ = true;
        co_return changed_by_others();
    }

    [[nodiscard]] const ApiKey& written() const noexcept { return written_; }
    [[nodiscard]] bool conflicts() const noexcept { return conflicts_; }
    // The key as it was found to be written.
    [[nodiscard]] std::optional<ApiKey>& read() noexcept { return read_; }

private:
    Core& core_;
    pipeline::Call& call_;
    ApiKey before_;
    ApiKey written_;
    std::optional<ApiKey> read_;
    bool conflicts_ = false;
};

inline Result<void> check_unchanged(const ApiKey& now, const std::shared_ptr<const ApiKey>& seen) {
    if (seen && now != *seen)
        return Error(errc::conflict, "the key is not as it was seen: somebody else has changed it");
    return {};
}

// Makes the edit of a key from the key as it was read, and the service's time then; or says why there is
// none.
using MakeEdit = std::function<Result<ApiKeyEdit>(const ApiKey& before, Instant now)>;

// Reads the key, writes it with the edit, and reads it again.
inline asio::awaitable<Result<ApiKey>> rewrite(Core& core, pipeline::Call& call, std::string uid,
                                               MakeEdit make_edit) {
    auto path = path_of(change_key, uid);
    if (!path) co_return std::move(path.error());
    Instant now;
    auto before = co_await get_as_of(core, call, uid, &now);
    if (!before) co_return before;
    auto edit = make_edit(*before, now);
    if (!edit) co_return std::move(edit.error()).attempts(call.attempts());
    auto body = wire::encode_update(*before, *edit);
    if (!body) co_return std::move(body.error());
    auto written = edit->applied_to(*before);
    // The service checks no condition of a PUT (W6); the guard compares before a repetition.
    WriteGuard guard(core, call, std::move(*before), std::move(written));

    DecodedAnswer<void> answer;
    HttpRequest request("PUT", std::move(*path));
    request.body = std::move(*body);
    auto sent = co_await send(core, call, write_key, request, answer, &guard);
    if (guard.conflicts())
        co_return changed_by_others()
            .effect(Effect::unknown)
            .attempts(call.attempts())
            .earlier(call.failures());
    if (!sent) co_return std::move(sent.error());
    // The guard has read the key back already.
    if (guard.read()) co_return std::move(*guard.read());

    auto after = co_await get_as_of(core, call, std::move(uid), nullptr);
    // The write was answered: only the reading back has failed.
    if (!after) co_return std::move(after.error()).effect(Effect::applied);
    if (!is_as_written(*after, guard.written()))
        co_return changed_by_others().effect(Effect::applied).attempts(call.attempts());
    co_return after;
}

inline Result<void> check_edit(const ApiKeyEdit& edit) {
    if (edit.empty()) return invalid("an edit that changes nothing", "edit");
    if (edit.name())
        if (auto good = check_name(*edit.name()); !good) return good;
    return wire::check_utf8(edit.description().value_or(std::string()), "description");
}

// All of them read the key first.
inline FirstRequest check_rewrite(std::string_view uid, Result<void> good) {
    if (good) good = check_uid(uid);
    if (!good) return std::move(good.error());
    return &read_key;
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::UpdateKey& update) {
    return check_rewrite(update.uid, check_edit(update.edit));
}

PALETTE_KEYS_INLINE asio::awaitable<Result<ApiKey>> perform(Core& core, pipeline::Call& call,
                                                            detail::UpdateKey update) {
    MakeEdit make_edit = [&](const ApiKey& before, Instant now) -> Result<ApiKeyEdit> {
        if (auto good = check_unchanged(before, update.seen); !good) return std::move(good.error());
        auto const expiry = update.edit.expiry().value_or(Expiry::never());
        if (auto good = check_expiry(expiry, now, call.options()); !good) return std::move(good.error());
        return update.edit;
    };
    co_return co_await rewrite(core, call, std::move(update.uid), std::move(make_edit));
}

// The edit that lets a key live until `expiry`, unless its life would be cut short by that.
inline Result<ApiKeyEdit> extension(const ApiKey& before, const Expiry& expiry, Instant now,
                                    const detail::CallSettings& options) {
    if (auto good = check_expiry(expiry, now, options); !good) return std::move(good.error());
    // A renewal must not shorten a life by mistake, least of all an unlimited one.
    if (expiry < before.expiry && !options.allow_shorter)
        return Error(errc::conflict,
                     (before.expiry.is_never() ? std::string("the key never expires")
                                               : "the key expires " + before.expiry.to_string()) +
                         ", and the renewal would let it expire earlier, " + expiry.to_string())
            .path("expiry")
            .advice("allow_shorter() in the call's options lets it expire earlier");
    ApiKeyEdit edit;
    edit.expires(expiry);
    return edit;
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::RenewKey& renew) {
    Result<void> good;
    if (renew.duration.count() <= 0) good = invalid("a key is renewed for a time from now on", "duration");
    return check_rewrite(renew.uid, std::move(good));
}

PALETTE_KEYS_INLINE asio::awaitable<Result<ApiKey>> perform(Core& core, pipeline::Call& call,
                                                            detail::RenewKey renew) {
    MakeEdit make_edit = [&call, duration = renew.duration, seen = std::move(renew.seen)](
                             const ApiKey& before, Instant now) -> Result<ApiKeyEdit> {
        if (auto good = check_unchanged(before, seen); !good) return std::move(good.error());
        return extension(before, Expiry::in(duration, now), now, call.options());
    };
    return rewrite(core, call, std::move(renew.uid), std::move(make_edit));
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::RenewKeyUntil& renew) {
    return check_rewrite(renew.uid, {});
}

PALETTE_KEYS_INLINE asio::awaitable<Result<ApiKey>> perform(Core& core, pipeline::Call& call,
                                                            detail::RenewKeyUntil renew) {
    MakeEdit make_edit = [&call, expiry = renew.expiry, seen = std::move(renew.seen)](
                             const ApiKey& before, Instant now) -> Result<ApiKeyEdit> {
        if (auto good = check_unchanged(before, seen); !good) return std::move(good.error());
        return extension(before, expiry, now, call.options());
    };
    return rewrite(core, call, std::move(renew.uid), std::move(make_edit));
}

// What a change of a key is checked by, if that is asked for.
inline asio::awaitable<Result<void>> verify_state(Core& core, pipeline::Call& call, std::string uid,
                                                  bool is_active) {
    if (!call.options().verify) co_return Result<void>();
    auto read = co_await get_as_of(core, call, std::move(uid), nullptr);
    if (!read) co_return std::move(read.error()).effect(Effect::applied);
    if (read->is_active != is_active)
        co_return Error(errc::conflict, is_active ? "the service accepted, but shows the key as revoked"
                                                  : "the service accepted, but shows the key as active")
            .effect(Effect::applied)
            .attempts(call.attempts());
    co_return Result<void>();
}

// Reads the key, if it was given as it was seen; `as_of` is then the service's time.
inline asio::awaitable<Result<void>> check_still_as_seen(Core& core, pipeline::Call& call,
                                                         std::shared_ptr<const ApiKey> seen, Instant* as_of) {
    if (!seen) co_return Result<void>();
    auto now = co_await get_as_of(core, call, seen->uid, as_of);
    if (!now) co_return std::move(now.error());
    auto good = check_unchanged(*now, seen);
    if (!good) co_return std::move(good.error()).attempts(call.attempts());
    co_return Result<void>();
}

inline asio::awaitable<Result<void>> change(Core& core, pipeline::Call& call,
                                            const pipeline::RequestKind& kind, std::string method,
                                            std::string uid, bool is_active,
                                            std::shared_ptr<const ApiKey> seen = nullptr) {
    auto path = path_of(kind, uid);
    if (!path) co_return std::move(path.error());
    Instant as_of;
    if (auto good = co_await check_still_as_seen(core, call, seen, &as_of); !good) co_return good;
    DecodedAnswer<void> answer;
    HttpRequest request(std::move(method), std::move(*path));
    request.body = wire::encode_state(is_active);
    // Only what takes a key away can lock its user out.
    OwnKeyGuard guard(core, call, uid, std::move(seen), as_of);
    auto const conditions = is_active ? pipeline::Conditions() : taking_away(call, uid, &guard);
    auto sent = co_await send(core, call, kind, request, answer, conditions);
    if (!sent) co_return sent;
    co_return co_await verify_state(core, call, std::move(uid), is_active);
}

inline FirstRequest check_change(const pipeline::RequestKind& kind, std::string_view uid,
                                 bool is_read_first = false) {
    if (auto good = check_uid(uid); !good) return std::move(good.error());
    return is_read_first ? &read_key : &kind;
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::RevokeKey& revoke) {
    return check_change(change_state, revoke.uid, revoke.seen != nullptr);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call,
                                                          detail::RevokeKey revoke) {
    return change(core, call, change_state, "PUT", std::move(revoke.uid), false, std::move(revoke.seen));
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::ReactivateKey& reactivate) {
    return check_change(change_state, reactivate.uid, reactivate.seen != nullptr);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call,
                                                          detail::ReactivateKey reactivate) {
    return change(core, call, change_state, "PUT", std::move(reactivate.uid), true,
                  std::move(reactivate.seen));
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::SetKeyActive& set) {
    return check_change(change_key, set.uid);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call,
                                                          detail::SetKeyActive set) {
    return change(core, call, change_key, "PATCH", std::move(set.uid), set.is_active);
}

// Whether the service still takes a credential: to one that it does not, it may answer as if there were no
// such key (W12).
inline asio::awaitable<bool> is_still_good(Core& core, pipeline::Call& call,
                                           std::shared_ptr<const Credential> credential) {
    DecodedAnswer<Identity> answer;
    HttpRequest request("GET", std::string(read_identity.path_template));
    auto const sent = co_await send(core, call, read_identity, request, answer);
    co_return sent&& request.credential == credential;
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::RemoveKey& remove) {
    return check_change(change_key, remove.uid, remove.seen != nullptr);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call,
                                                          detail::RemoveKey remove) {
    auto const& uid = remove.uid;
    auto path = path_of(change_key, uid);
    if (!path) co_return std::move(path.error());
    Instant as_of;
    if (auto good = co_await check_still_as_seen(core, call, remove.seen, &as_of); !good) co_return good;
    OwnKeyGuard guard(core, call, uid, std::move(remove.seen), as_of);
    DecodedAnswer<void> answer;
    HttpRequest request("DELETE", std::move(*path));
    auto sent = co_await send(core, call, change_key, request, answer, taking_away(call, uid, &guard));
    if (!sent && is_not_found(sent.error()) && sent.error().effect() == Effect::unknown) {
        // An attempt before this one, which was not answered, has perhaps done it.
        auto const good = co_await is_still_good(core, call, request.credential);
        if (good) sent = Result<void>();
    }
    if (!sent || !call.options().verify) co_return sent;
    auto read = co_await get_as_of(core, call, uid, nullptr);
    // The key should be gone, so that here a 404 is the success.
    if (!read && is_not_found(read.error().code())) co_return Result<void>();
    if (!read) co_return std::move(read.error()).effect(Effect::applied);
    co_return Error(errc::conflict, "the service accepted, but still shows the key")
        .effect(Effect::applied)
        .attempts(call.attempts());
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
