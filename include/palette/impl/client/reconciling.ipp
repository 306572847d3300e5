// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/client/caller.hpp>
#include <palette/impl/client/checks.hpp>
#include <palette/impl/client/operations.hpp>
#include <palette/impl/client/valueless_keys.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

PALETTE_KEYS_INLINE FirstRequest check(const Core& /*core*/, const detail::ReconcileCreate& /*reconcile*/) {
    return nullptr;
}

// Neither deleted nor passed over: either the record has the wrong owner, or the mark was copied.
inline Error foreign_key(const pipeline::Call& call, const ApiKey& key, std::string_view owner,
                         const std::vector<std::string>& not_removed) {
    auto const uid = detail::printable(key.uid);
    auto const of =
        key.owner.uid.empty() ? "nobody that the service names" : detail::printable(key.owner.uid);
    auto what = "the key " + uid + " bears the nonce of this create and belongs to " + of + ", not to " +
                detail::printable(owner);
    for (auto const& other : not_removed)
        what += "; the service refused to delete " + detail::printable(other);
    return Error(errc::conflict, std::move(what))
        .key_uid(uid)
        .advice("read that key; if this create made it, reconcile with a record that names its owner")
        .attempts(call.attempts());
}

// Success would say that there is nothing left.
inline Error unmarked_keys(const pipeline::Call& call, std::string_view name) {
    return Error(errc::bad_value,
                 "the service does not keep the annotations of keys, so that a key of this "
                 "create cannot be told from others")
        .path("metadata.annotations")
        .advice("find the keys named " + detail::in_quotes(name) + ", and delete those that nobody has the " +
                "value of")
        .attempts(call.attempts());
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
    // Keys of another owner that bear the mark are not deleted, but told.
    Wanted bears_mark = [&](const ApiKey& key, Instant /*as_of*/) {
        return pending.matches(key.annotations[detail::create_annotation]);
    };
    auto keys = co_await list_wanted(core, call, std::move(bears_mark));
    if (!keys) co_return std::move(keys.error());

    std::vector<std::string> removed;
    std::vector<std::string> left;
    const ApiKey* foreign = nullptr;
    for (auto const& key : *keys) {
        if (key.owner.uid != owner) {
            if (foreign == nullptr) foreign = &key;
            continue;
        }
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
    if (foreign != nullptr)
        co_return foreign_key(call, *foreign, owner, left)
            .effect(removed.empty() ? Effect::not_applied : Effect::applied);
    if (removed.empty() && left.empty() && !core.creates().marks_persist)
        co_return unmarked_keys(call, pending.name());
    co_return Reconciliation(std::move(removed), std::move(left));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
