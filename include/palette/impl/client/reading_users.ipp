// SPDX-License-Identifier: BSL-1.0
#pragma once

// The operations that read users.

#include <palette/impl/client/checks.hpp>
#include <palette/impl/client/discard.hpp>
#include <palette/impl/client/operations.hpp>
#include <palette/impl/client/pages.hpp>
#include <palette/impl/client/requests.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/impl/values/uid.hpp>
#include <palette/impl/wire/text.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// Checks a user who has the address, beside the one that was found before. A user who was moved to a later
// page while the pages were read comes twice.
inline Result<void> check_match(const std::optional<User>& before, const User& user) {
    if (auto const* const fault = detail::fault_of_uid(user.uid))
        return Error(errc::bad_value, fault).path("metadata.uid");
    if (before && before->uid != user.uid)
        return Error(errc::conflict, "several users of the tenant have this e-mail address")
            .path("email")
            .advice("use the uid of the user who is meant");
    return {};
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::FindUser& find) {
    if (find.email.empty()) return Error(errc::invalid_argument, "an e-mail address is needed").path("email");
    if (auto good = wire::check_utf8(find.email, "email"); !good) return std::move(good.error());
    return &list_users;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<User>> perform(Core& core, pipeline::Call& call,
                                                          detail::FindUser find) {
    Pages<wire::UserPage> pages(core, call, list_users, users_path());
    std::optional<User> match;
    for (;;) {
        auto more = co_await pages.next();
        if (!more) co_return std::move(more.error());
        for (auto& user : pages.items()) {
            // The search goes on after a match, through all pages: an address must be one user's.
            if (!detail::equals_ignoring_case(user.email, find.email)) continue;
            if (auto good = check_match(match, user); !good)
                co_return std::move(good.error()).attempts(call.attempts());
            match.emplace(std::move(user));
        }
        if (*more) continue;
        if (match) co_return std::move(*match);
        co_return Error(errc::not_found, "no user of the tenant has this e-mail address")
            .advice("check the address; the credential may not see every user")
            .attempts(call.attempts());
    }
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::ListUsers& /*list*/) {
    return &list_users;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<UserList>> perform(Core& core, pipeline::Call& call,
                                                              detail::ListUsers /*list*/) {
    Pages<wire::UserPage> pages(core, call, list_users, users_path());
    Kept<User> kept(core.base());
    // A user who is moved to a later page while the pages are read comes twice, and one who is moved to an
    // earlier page does not come: only different users count towards a complete list.
    std::unordered_set<std::string_view> uids;
    std::optional<std::size_t> total;
    for (;;) {
        auto more = co_await pages.next();
        if (!more) co_return std::move(more.error());
        // The largest: users who were removed meanwhile must not make up for others who were missed.
        if (auto const& said = pages.page().total) total = std::max(total.value_or(0), *said);
        std::size_t number = 0;
        for (auto& user : pages.items()) {
            uids.insert(kept.elements.emplace_back(std::move(user)).uid);
            if (++number % elements_per_turn != 0) continue;
            co_await asio::post(asio::use_awaitable);
            if (call.is_stopped()) co_return call.stopped(Effect::not_applied, {});
        }
        if (*more) continue;
        auto const is_complete = !total || uids.size() >= *total;
        co_return UserList(ListOf<User>(std::move(kept.elements), pages.as_of()), total, is_complete);
    }
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::GetUser& get) {
    if (auto good = check_uid(get.user_uid); !good) return std::move(good.error());
    return &read_user;
}

PALETTE_KEYS_INLINE asio::awaitable<Result<User>> perform(Core& core, pipeline::Call& call,
                                                          detail::GetUser get) {
    auto request = request_of("GET", read_user, get.user_uid);
    if (!request) co_return std::move(request.error());
    DecodedAnswer<User> answer;
    auto good = co_await send(core, call, read_user, *request, answer);
    if (good) good = check_subject(answer, get.user_uid, read_user, call);
    if (!good) co_return std::move(good.error());
    co_return std::move(answer.value());
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
