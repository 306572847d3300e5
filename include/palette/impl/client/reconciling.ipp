// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/caller.hpp>
#include <palette/impl/client/checks.hpp>
#include <palette/impl/client/operations.hpp>
#include <palette/impl/client/valueless_keys.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::ReconcileCreate& /*reconcile*/) {
    return nullptr;
}

// One list: what a late request makes afterwards, the next reconciliation finds.
PALETTE_KEYS_INLINE asio::awaitable<Result<Reconciliation>> perform(Core& core, pipeline::Call& call,
                                                                    detail::ReconcileCreate reconcile) {
    auto& pending = reconcile.pending;
    if (pending.user_uid().empty() || pending.tenant_uid().empty())
        co_return invalid("a pending create that does not say who asked for the key", "pending");
    auto caller = co_await identify(core, call);
    if (!caller) co_return std::move(caller.error()).effect(Effect::not_applied);
    if (!is_same_caller(*caller, pending.tenant_uid(), pending.user_uid())) co_return other_caller(call);
    pin_caller(core, call, *caller);
    auto const& owner = pending.owner_uid().empty() ? caller->user_uid : pending.owner_uid();
    Wanted bears_mark = [&](const ApiKey& key, Instant /*as_of*/) {
        return key.owner.uid == owner && pending.matches(key.annotations[detail::create_annotation]);
    };
    auto keys = co_await list_wanted(core, call, std::move(bears_mark));
    if (!keys) co_return std::move(keys.error());

    std::vector<std::string> removed;
    std::vector<std::string> left;
    for (auto const& key : *keys) {
        auto deleted = co_await delete_valueless(core, call, key.uid);
        // A key that is gone is gone, whoever deleted it.
        if (deleted || is_not_found(deleted.error().code())) {
            removed.push_back(key.uid);
        } else if (is_refusal(deleted.error())) {
            // The refusal is about this key; the others are still tried.
            left.push_back(key.uid);
        } else {
            // What may still exist stays pending, so that the caller can try again.
            auto error = std::move(deleted.error());
            if (error.effect() == Effect::not_applied && !removed.empty()) error.effect(Effect::applied);
            co_return std::move(error.pending(std::make_shared<const PendingCreate>(std::move(pending))));
        }
    }
    co_return Reconciliation(std::move(removed), std::move(left));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
