// SPDX-License-Identifier: BSL-1.0
#pragma once

// The operations that read keys, or nothing.

#include <palette/impl/client/caller.hpp>
#include <palette/impl/client/discard.hpp>
#include <palette/impl/client/operations.hpp>
#include <palette/impl/client/pages.hpp>
#include <palette/impl/client/requests.hpp>
#include <palette/impl/client/service_time.hpp>
#include <palette/impl/time/sleep.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::GetKey& get) {
    if (auto good = check_uid(get.uid); !good) return std::move(good.error());
    return &read_key;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<ApiKey>> get_as_of(Core& core, pipeline::Call& call,
                                                              std::string uid, Instant* as_of) {
    auto request = request_of("GET", read_key, uid);
    if (!request) co_return std::move(request.error());
    DecodedAnswer<ApiKey> answer;
    auto good = co_await send(core, call, read_key, *request, answer);
    if (good) good = check_subject(answer, uid, read_key, call);
    if (!good) co_return std::move(good.error());
    // By the service's clock (W19), as far as it tells.
    if (as_of != nullptr) *as_of = time_of(core, answer.response());
    co_return std::move(answer.value());
}

PALETTE_KEYS_INLINE asio::awaitable<Result<ApiKey>> perform(Core& core, pipeline::Call& call,
                                                            detail::GetKey get) {
    return get_as_of(core, call, std::move(get.uid), nullptr);
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::ListKeys& /*list*/) {
    return &list_keys;
}

PALETTE_KEYS_INLINE Wanted wanted_by(ListFilter filter) {
    if (filter == ListFilter()) return nullptr;
    return
        [filter = std::move(filter)](const ApiKey& key, Instant as_of) { return filter.matches(key, as_of); };
}

PALETTE_KEYS_INLINE asio::awaitable<Result<KeyList>> perform(Core& core, pipeline::Call& call,
                                                             detail::ListKeys list) {
    return list_wanted(core, call, wanted_by(std::move(list.filter)));
}

// A page may have more keys than one turn of the event loop can look at without holding up others.
PALETTE_KEYS_INLINE asio::awaitable<Result<KeyList>> list_wanted(Core& core, pipeline::Call& call,
                                                                 Wanted wanted) {
    Pages<wire::KeyPage> pages(core, call, list_keys, std::string(list_keys.path_template));
    Kept<ApiKey> kept(core.base());
    for (;;) {
        auto more = co_await pages.next();
        if (!more) co_return std::move(more.error());
        auto const as_of = pages.as_of();
        // A single page of which everything is wanted is not copied key by key.
        if (kept.elements.empty() && !*more && !wanted) co_return KeyList(std::move(pages.items()), as_of);
        std::size_t number = 0;
        for (auto& key : pages.items()) {
            if (!wanted || wanted(key, as_of)) kept.elements.emplace_back(std::move(key));
            if (++number % elements_per_turn != 0) continue;
            co_await asio::post(asio::use_awaitable);
            if (call.is_stopped()) co_return call.stopped(Effect::not_applied, {});
        }
        if (!*more) co_return KeyList(std::move(kept.elements), as_of);
    }
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::FindKey& find) {
    if (auto good = check_name(find.wanted); !good) return std::move(good.error());
    return &list_keys;
}

// The rule of FindUser: the one that there is, or an error for none and for several.
PALETTE_KEYS_INLINE asio::awaitable<Result<ApiKey>> perform(Core& core, pipeline::Call& call,
                                                            detail::FindKey find) {
    auto found = co_await perform(core, call, detail::ListKeys(std::move(find.filter)));
    if (!found) co_return std::move(found.error());
    if (found->size() == 1) co_return std::move(found->front());
    if (found->empty())
        co_return Error(errc::not_found, "no key has this name")
            .advice("check the name; the credential may not see every key")
            .attempts(call.attempts());
    co_return Error(errc::conflict, std::to_string(found->size()) + " keys have this name")
        .path("name")
        .advice("use the uid of the key that is meant")
        .attempts(call.attempts());
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::WhoAmI& /*whoami*/) {
    return &read_identity;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Identity>> perform(Core& core, pipeline::Call& call,
                                                              detail::WhoAmI /*whoami*/) {
    return ask_identity(core, call, nullptr);
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::DescribeCaller& /*describe*/) {
    return &read_identity;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Caller>> perform(Core& core, pipeline::Call& call,
                                                            detail::DescribeCaller /*describe*/) {
    // Not the one in use by now: the answer is about the one that it was asked with.
    std::shared_ptr<const Credential> credential;
    auto identity = co_await ask_identity(core, call, nullptr, &credential);
    if (!identity) co_return std::move(identity.error());
    Caller caller;
    caller.identity = std::move(*identity);
    caller.kind = credential->kind();
    caller.key_uid = credential->key_uid();
    co_return caller;
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::TellServiceTime& /*tell*/) {
    return nullptr;  // perhaps it is known
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Instant>> perform(Core& core, pipeline::Call& call,
                                                             detail::TellServiceTime /*tell*/) {
    if (!knows_service_time(core)) {
        auto caller = co_await ask_identity(core, call, nullptr);
        if (!caller) co_return std::move(caller.error());
    }
    co_return core.creates().service_time.now(core.pipeline().time().steady());
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::Wait& /*wait*/) {
    return nullptr;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call,
                                                          detail::Wait wait) {
    if (!call.is_stopped() && wait.duration.count() > 0)
        co_await timing::sleep(core.pipeline().time(), timing::bounded(wait.duration));
    if (call.is_stopped()) co_return call.stopped(Effect::not_applied);
    co_return Result<void>();
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::WaitForEnd& /*wait*/) {
    return nullptr;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call,
                                                          detail::WaitForEnd /*wait*/) {
    auto const& time = core.pipeline().time();
    if (auto const deadline = call.options().deadline; deadline && !call.is_stopped()) {
        co_await timing::sleep(time, timing::bounded(deadline->remaining(time.now())));
    } else if (!call.is_stopped()) {
        // Not by a given clock: to that, nothing waits here.
        asio::steady_timer never(core.strand(), asio::steady_timer::time_point::max());
        co_await never.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (!call.is_stopped()) call.stop(pipeline::Call::Stop::deadline);
    co_return call.stopped(Effect::not_applied);
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::CloseClient& /*close*/) {
    return nullptr;
}

// Every work has its deadline, so that this ends.
PALETTE_KEYS_INLINE asio::awaitable<Result<void>> perform(Core& core, pipeline::Call& call,
                                                          detail::CloseClient /*close*/) {
    core.refuse_new();
    co_await core.wait_for_work(call);
    if (call.is_stopped()) co_return call.stopped(Effect::not_applied);
    // A renewal in the background is no operation's, and would keep the event loop running.
    core.pipeline().stop_renewal();
    core.transport().close();
    co_return Result<void>();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
