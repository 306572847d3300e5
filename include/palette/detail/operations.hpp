// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/audit_event.hpp>
#include <palette/caller.hpp>
#include <palette/expiry.hpp>
#include <palette/key_limit.hpp>
#include <palette/pending_create.hpp>
#include <palette/user.hpp>
#include <palette/visit.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// The operations of a client, as values: the arguments, what the operation completes with, and the name under
// which an observer sees it. What each does is in impl/client. They have constructors, for g++ 12 miscompiles
// aggregate temporaries in a co_await expression.

// An operation on one key, whose uid is its first argument, or its only one.
template <class T>
struct OfKey {
    using Value = T;
    explicit OfKey(std::string key) : uid(std::move(key)) {}
    std::string uid;
};

// The same, where the key may be given as it was seen: then the operation reads it first, and refuses if it
// has changed since.
template <class T>
struct OfSeenKey : OfKey<T> {
    using OfKey<T>::OfKey;
    explicit OfSeenKey(ApiKey key)
        : OfKey<T>(key.uid),
          seen(std::make_shared<const ApiKey>(std::move(key))) {}
    std::shared_ptr<const ApiKey> seen;
};

struct PALETTE_KEYS_DECL ListKeys {
    using Value = KeyList;
    static constexpr std::string_view name = "list";
    explicit ListKeys(ListFilter chosen) : filter(std::move(chosen)) {}
    ListFilter filter;
};

struct PALETTE_KEYS_DECL FindKeys : ListKeys {
    static constexpr std::string_view name = "find";
    explicit FindKeys(std::string text) : ListKeys(ListFilter().name(std::move(text))) {}
};

struct PALETTE_KEYS_DECL FindKey : ListKeys {
    using Value = ApiKey;
    static constexpr std::string_view name = "find_one";
    explicit FindKey(std::string text) : ListKeys(ListFilter().name(text)), wanted(std::move(text)) {}
    std::string wanted;
};

struct PALETTE_KEYS_DECL GetKey : OfKey<ApiKey> {
    using OfKey::OfKey;
    static constexpr std::string_view name = "get";
};

struct PALETTE_KEYS_DECL CreateKey {
    using Value = CreatedApiKey;
    static constexpr std::string_view name = "create";
    explicit CreateKey(NewApiKey wanted) : key(std::move(wanted)) {}
    NewApiKey key;
};

struct PALETTE_KEYS_DECL ReconcileCreate {
    using Value = Reconciliation;
    static constexpr std::string_view name = "reconcile";
    explicit ReconcileCreate(PendingCreate create) : pending(std::move(create)) {}
    PendingCreate pending;
};

struct PALETTE_KEYS_DECL UpdateKey : OfSeenKey<ApiKey> {
    static constexpr std::string_view name = "update";
    template <class Key>
    UpdateKey(Key key, ApiKeyEdit change) : OfSeenKey(std::move(key)),
                                            edit(std::move(change)) {}
    ApiKeyEdit edit;
};

struct PALETTE_KEYS_DECL RenewKey : OfSeenKey<ApiKey> {
    static constexpr std::string_view name = "renew";
    template <class Key>
    RenewKey(Key key, std::chrono::milliseconds time) : OfSeenKey(std::move(key)),
                                                        duration(time) {}
    std::chrono::milliseconds duration;
};

struct PALETTE_KEYS_DECL RenewKeyUntil : OfSeenKey<ApiKey> {
    static constexpr std::string_view name = "renew";
    template <class Key>
    RenewKeyUntil(Key key, Expiry end) : OfSeenKey(std::move(key)),
                                         expiry(end) {}
    Expiry expiry;
};

struct PALETTE_KEYS_DECL RevokeKey : OfSeenKey<void> {
    using OfSeenKey::OfSeenKey;
    static constexpr std::string_view name = "revoke";
};

struct PALETTE_KEYS_DECL ReactivateKey : OfSeenKey<void> {
    using OfSeenKey::OfSeenKey;
    static constexpr std::string_view name = "reactivate";
};

struct PALETTE_KEYS_DECL SetKeyActive : OfKey<void> {
    static constexpr std::string_view name = "set_active";
    SetKeyActive(std::string key, bool active) : OfKey(std::move(key)), is_active(active) {}
    bool is_active;
};

struct PALETTE_KEYS_DECL RemoveKey : OfSeenKey<void> {
    using OfSeenKey::OfSeenKey;
    static constexpr std::string_view name = "remove";
};

struct PALETTE_KEYS_DECL WhoAmI {
    using Value = Identity;
    static constexpr std::string_view name = "whoami";
    WhoAmI() {}  // NOLINT(modernize-use-equals-default): no aggregate
};

struct PALETTE_KEYS_DECL DescribeCaller {
    using Value = Caller;
    static constexpr std::string_view name = "describe_caller";
    DescribeCaller() {}  // NOLINT(modernize-use-equals-default): no aggregate
};

struct PALETTE_KEYS_DECL FindUser {
    using Value = User;
    static constexpr std::string_view name = "find_user";
    explicit FindUser(std::string address) : email(std::move(address)) {}
    std::string email;
};

struct PALETTE_KEYS_DECL ListUsers {
    using Value = UserList;
    static constexpr std::string_view name = "list_users";
    ListUsers() {}  // NOLINT(modernize-use-equals-default): no aggregate
};

struct PALETTE_KEYS_DECL GetUser {
    using Value = User;
    static constexpr std::string_view name = "get_user";
    explicit GetUser(std::string user) : user_uid(std::move(user)) {}
    std::string user_uid;  // not `uid`, which is that of a key
};

struct PALETTE_KEYS_DECL ListAuditEvents {
    using Value = AuditEventList;
    static constexpr std::string_view name = "list_audit_events";
    explicit ListAuditEvents(AuditEventFilter chosen) : filter(std::move(chosen)) {}
    AuditEventFilter filter;
};

struct PALETTE_KEYS_DECL TellKeyLimit {
    using Value = KeyLimit;
    static constexpr std::string_view name = "key_limit";
    TellKeyLimit() {}  // NOLINT(modernize-use-equals-default): no aggregate
};

struct PALETTE_KEYS_DECL VisitKeys {
    using Value = Visit;
    static constexpr std::string_view name = "visit";
    VisitKeys(ListFilter chosen, KeyVisitor taker) : filter(std::move(chosen)), visitor(std::move(taker)) {}
    ListFilter filter;
    KeyVisitor visitor;
};

struct PALETTE_KEYS_DECL VisitUsers {
    using Value = Visit;
    static constexpr std::string_view name = "visit_users";
    explicit VisitUsers(UserVisitor taker) : visitor(std::move(taker)) {}
    UserVisitor visitor;
};

struct PALETTE_KEYS_DECL TellServiceTime {
    using Value = Instant;
    static constexpr std::string_view name = "service_time";
    TellServiceTime() {}  // NOLINT(modernize-use-equals-default): no aggregate
};

struct PALETTE_KEYS_DECL Wait {
    using Value = void;
    static constexpr std::string_view name = "wait";
    explicit Wait(std::chrono::milliseconds time) : duration(time) {}
    std::chrono::milliseconds duration;
};

// Ends with the error for which everything that the client does ends: it is cancelled or closed, or the
// deadline of the call passes. For runs of several operations, which have gaps between them.
struct PALETTE_KEYS_DECL WaitForEnd {
    using Value = void;
    static constexpr std::string_view name = "wait_for_end";
    WaitForEnd() {}  // NOLINT(modernize-use-equals-default): no aggregate
};

struct PALETTE_KEYS_DECL CloseClient {
    using Value = void;
    static constexpr std::string_view name = "close";
    CloseClient() {}  // NOLINT(modernize-use-equals-default): no aggregate
};

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
