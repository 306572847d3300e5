// SPDX-License-Identifier: BSL-1.0
#pragma once

// The operations that give the elements of a list to a visitor, and hold none of them.

#include <palette/impl/client/caller.hpp>
#include <palette/impl/client/checks.hpp>
#include <palette/impl/client/operations.hpp>
#include <palette/impl/client/paging.hpp>
#include <palette/impl/client/requests.hpp>
#include <palette/impl/client/visited_answer.hpp>
#include <palette/impl/client/visiting.hpp>

#include <cstddef>
#include <functional>
#include <limits>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// What is not held needs no bound; one element is held, and has that of wire::HandedDocument. That the list
// ends is still seen to.
inline ListLimits limits_of_visits(ListLimits limits) {
    limits.max_bytes = std::numeric_limits<std::size_t>::max();
    limits.max_items = std::numeric_limits<std::size_t>::max();
    return limits;
}

template <class T>
asio::awaitable<Result<Visit>> visit_pages(Core& core, pipeline::Call& call,
                                           const pipeline::RequestKind& kind, std::string first,
                                           typename Visiting<T>::Visitor visitor,
                                           typename Visiting<T>::Wanted wanted) {
    Visiting<T> visiting(std::move(visitor), std::move(wanted));
    VisitedAnswer<T> answer(visiting, std::bind_front(&time_of, std::ref(core)));
    Paging paging(std::move(first), limits_of_visits(core.options().list_limits));
    for (;;) {
        visiting.begin_page();
        HttpRequest request("GET", paging.path());
        auto sent = co_await send(core, call, kind, request, answer);
        if (visiting.error()) co_return Error(*visiting.error()).attempts(call.attempts());
        if (!sent) co_return std::move(sent.error());
        auto more = paging.advance(std::move(answer.next()), 0, 0);
        if (!more) co_return std::move(more.error()).attempts(call.attempts());
        if (*more) continue;
        Visit visit;
        visit.as_of = visiting.as_of();
        visit.count = visiting.count();
        co_return visit;
    }
}

inline FirstRequest check_visitor(bool is_there, const pipeline::RequestKind& first) {
    if (!is_there) return invalid("a visit needs a visitor", "visitor");
    return &first;
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::VisitKeys& visit) {
    return check_visitor(visit.visitor != nullptr, list_keys);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Visit>> perform(Core& core, pipeline::Call& call,
                                                           detail::VisitKeys visit) {
    return visit_pages<ApiKey>(core, call, list_keys, std::string(list_keys.path_template),
                               std::move(visit.visitor), wanted_by(std::move(visit.filter)));
}

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::VisitUsers& visit) {
    return check_visitor(visit.visitor != nullptr, list_users);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Visit>> perform(Core& core, pipeline::Call& call,
                                                           detail::VisitUsers visit) {
    return visit_pages<User>(core, call, list_users, users_path(), std::move(visit.visitor), nullptr);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
