// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/expiry.hpp>
#include <palette/pending_create.hpp>
#include <palette/user.hpp>

#include <chrono>
#include <optional>
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

struct PALETTE_KEYS_DECL ListKeys {
    using Value = KeyList;
    static constexpr std::string_view name = "list";
    explicit ListKeys(ListFilter chosen) : filter(std::move(chosen)) {}
    ListFilter filter;
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

struct PALETTE_KEYS_DECL UpdateKey : OfKey<ApiKey> {
    static constexpr std::string_view name = "update";
    UpdateKey(std::string key, ApiKeyEdit change) : OfKey(std::move(key)), edit(std::move(change)) {}
    UpdateKey(ApiKey key, ApiKeyEdit change)
        : OfKey(key.uid),
          edit(std::move(change)),
          seen(std::move(key)) {}
    ApiKeyEdit edit;
    std::optional<ApiKey> seen;
};

struct PALETTE_KEYS_DECL RenewKey : OfKey<ApiKey> {
    static constexpr std::string_view name = "renew";
    RenewKey(std::string key, std::chrono::milliseconds time) : OfKey(std::move(key)), duration(time) {}
    std::chrono::milliseconds duration;
};

struct PALETTE_KEYS_DECL RenewKeyUntil : OfKey<ApiKey> {
    static constexpr std::string_view name = "renew";
    RenewKeyUntil(std::string key, Expiry end) : OfKey(std::move(key)), expiry(end) {}
    Expiry expiry;
};

struct PALETTE_KEYS_DECL RevokeKey : OfKey<void> {
    using OfKey::OfKey;
    static constexpr std::string_view name = "revoke";
};

struct PALETTE_KEYS_DECL ReactivateKey : OfKey<void> {
    using OfKey::OfKey;
    static constexpr std::string_view name = "reactivate";
};

struct PALETTE_KEYS_DECL SetKeyActive : OfKey<void> {
    static constexpr std::string_view name = "set_active";
    SetKeyActive(std::string key, bool active) : OfKey(std::move(key)), is_active(active) {}
    bool is_active;
};

struct PALETTE_KEYS_DECL RemoveKey : OfKey<void> {
    using OfKey::OfKey;
    static constexpr std::string_view name = "remove";
};

struct PALETTE_KEYS_DECL WhoAmI {
    using Value = Identity;
    static constexpr std::string_view name = "whoami";
    WhoAmI() {}  // NOLINT(modernize-use-equals-default): no aggregate
};

struct PALETTE_KEYS_DECL FindUser {
    using Value = User;
    static constexpr std::string_view name = "find_user";
    explicit FindUser(std::string address) : email(std::move(address)) {}
    std::string email;
};

struct PALETTE_KEYS_DECL CloseClient {
    using Value = void;
    static constexpr std::string_view name = "close";
    CloseClient() {}  // NOLINT(modernize-use-equals-default): no aggregate
};

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
