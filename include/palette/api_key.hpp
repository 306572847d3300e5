// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/expiry.hpp>
#include <palette/list_of.hpp>
#include <palette/secret.hpp>
#include <palette/string_map.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace detail {
// The annotation in which the service stores the description of a key.
inline constexpr std::string_view description_annotation = "description";
}  // namespace detail

/// Tells whether a key works.
enum class KeyState {
    active,   ///< The service accepts the key.
    revoked,  ///< The key was revoked, and can be re-activated.
    expired,  ///< The expiry has passed. Extending it makes the key work again, unless it was revoked.
};

/// Returns the name of the state: "active", "revoked" or "expired".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(KeyState state) noexcept;
/// Writes the name of the state, such as "active".
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, KeyState state);

/// Identifies the user whose permissions a key carries.
class Owner {
public:
    /// Constructs an owner with empty names.
    Owner() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    /// Constructs an owner from uid and names.
    explicit Owner(std::string uid_, std::string first = {}, std::string last = {})
        : uid(std::move(uid_)),
          first_name(std::move(first)),
          last_name(std::move(last)) {}

    /// Identifies the user.
    std::string uid;
    /// Gives the first name; may be empty.
    std::string first_name;
    /// Gives the last name; may be empty.
    std::string last_name;

    /// Compares all members.
    friend bool operator==(const Owner&, const Owner&) = default;
};

/// Describes an API key, as the service does. The value of the key is never part of it: the service shows the
/// value once, when the key is created (CreatedApiKey).
class PALETTE_KEYS_DECL ApiKey {
public:
    /// Constructs a key without content.
    ApiKey() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Identifies the key; never changes.
    std::string uid;
    /// Names the key. Names are not unique.
    std::string name;
    /// Describes the key; may be empty.
    std::string description;
    /// Identifies the user whose permissions the key carries.
    Owner owner;
    /// Tells when the key stops working.
    Expiry expiry;
    /// Tells whether the key has not been revoked. An expired key may be active; see state().
    bool is_active = false;
    /// Tells when the key was created; nothing if the service does not say.
    std::optional<Instant> created;
    /// Tells when the key was last modified; nothing if the service does not say.
    std::optional<Instant> modified;
    /// Tells when the key was deleted; nothing if the service does not say.
    std::optional<Instant> deleted;
    /// Holds the annotations, except "description", which has its own member.
    StringMap annotations;
    /// Holds the labels.
    StringMap labels;

    /// Returns the state of the key at the time `now`. Pass the service's time: KeyList::as_of(). A key that
    /// is both revoked and past its expiry is expired, and is_active is false: extending its expiry does not
    /// make it work, until it is re-activated. An expired key whose is_active is true works again once its
    /// expiry is extended.
    template <class Duration>
    [[nodiscard]] KeyState state(std::chrono::sys_time<Duration> now) const noexcept {
        if (expiry.passed(now)) return KeyState::expired;
        return is_active ? KeyState::active : KeyState::revoked;
    }

    /// Compares all members.
    friend bool operator==(const ApiKey&, const ApiKey&) = default;
};

/// Holds the keys of a list, in the service's order, and the service's time when it answered. A range of
/// ApiKey with random access.
///
///     for (const palette::ApiKey& key : keys)
///         if (key.state(keys.as_of()) == palette::KeyState::expired) log(key.name);
class KeyList : public ListOf<ApiKey> {
public:
    using ListOf::ListOf;

    /// Compares the keys, in their order, and as_of().
    friend bool operator==(const KeyList&, const KeyList&) = default;
};

/// Describes a key to be created, for ApiKeyClient::async_create(). Setters chain, on a temporary and on a
/// variable alike.
///
///     auto key = NewApiKey("ci").description("nightly build").expires(Expiry::in(days{30})).for_user(uid);
///
/// Without expires() and lives_for() the key lives for thirty days. Without for_user() it is the caller's
/// own. A length of life is counted by the service's clock, from when the key is requested; expires() sets
/// the instant itself, and Expiry::in() counts by this machine's clock.
///
/// Values that cannot be sent are refused by the operation, not by the setters.
class PALETTE_KEYS_DECL NewApiKey {
public:
    /// Constructs the request for a key of that name. A name is not empty, at most 253 bytes, and has no
    /// control characters.
    explicit NewApiKey(std::string name) : name_(std::move(name)) {}

    /// Sets the description. Default: empty.
    NewApiKey& description(std::string text) &;
    /// Sets the expiry. Of this and lives_for(), the last call counts.
    NewApiKey& expires(Expiry expiry) & noexcept;
    /// Sets the length of life, counted by the service's clock, since this machine's may be wrong: to the
    /// second, and not longer. Of this and expires(), the last call counts. A duration that is not positive
    /// is refused.
    NewApiKey& lives_for(std::chrono::milliseconds duration) & noexcept;
    /// Sets the owner of the key. An empty uid is refused; it does not mean the caller.
    NewApiKey& for_user(std::string uid) &;

    /// Adds an annotation, or changes its value. The annotation "description" is the description.
    NewApiKey& annotate(std::string_view key, std::string_view value) &;
    /// Adds a label, or changes its value.
    NewApiKey& label(std::string_view key, std::string_view value) &;

    /// Same, on a temporary.
    NewApiKey description(std::string text) && { return std::move(description(std::move(text))); }
    /// Same, on a temporary.
    NewApiKey expires(Expiry expiry) && noexcept { return std::move(expires(expiry)); }
    /// Same, on a temporary.
    NewApiKey lives_for(std::chrono::milliseconds duration) && noexcept {
        return std::move(lives_for(duration));
    }
    /// Same, on a temporary.
    NewApiKey for_user(std::string uid) && { return std::move(for_user(std::move(uid))); }
    /// Same, on a temporary.
    NewApiKey annotate(std::string_view k, std::string_view v) && { return std::move(annotate(k, v)); }
    /// Same, on a temporary.
    NewApiKey label(std::string_view k, std::string_view v) && { return std::move(label(k, v)); }

    /// Returns the name.
    [[nodiscard]] const std::string& name() const& noexcept { return name_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string name() const&& { return name_; }
    /// Returns the description.
    [[nodiscard]] const std::string& description() const& noexcept { return description_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string description() const&& { return description_; }
    /// Returns the expiry that expires() set; nothing otherwise.
    [[nodiscard]] const std::optional<Expiry>& expiry() const& noexcept { return expiry_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::optional<Expiry> expiry() const&& { return expiry_; }
    /// Returns the length of life that lives_for() set; nothing otherwise.
    [[nodiscard]] std::optional<std::chrono::milliseconds> lifetime() const noexcept { return lifetime_; }
    /// Returns the expiry that is sent when the service's clock shows `now`.
    [[nodiscard]] Expiry expiry_at(Instant now) const noexcept;
    /// Returns the uid of the owner; empty without for_user().
    [[nodiscard]] const std::string& user_uid() const& noexcept { return user_uid_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string user_uid() const&& { return user_uid_; }
    /// Returns whether for_user() was called, with an empty uid or another.
    [[nodiscard]] bool names_user() const noexcept { return names_user_; }
    /// Returns the annotations.
    [[nodiscard]] const StringMap& annotations() const& noexcept { return annotations_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] StringMap annotations() const&& { return annotations_; }
    /// Returns the labels.
    [[nodiscard]] const StringMap& labels() const& noexcept { return labels_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] StringMap labels() const&& { return labels_; }

    /// Compares all members.
    friend bool operator==(const NewApiKey&, const NewApiKey&) = default;

private:
    std::string name_;
    std::string description_;
    std::optional<Expiry> expiry_;
    std::optional<std::chrono::milliseconds> lifetime_;
    std::string user_uid_;
    bool names_user_ = false;
    StringMap annotations_;
    StringMap labels_;
};

/// Describes a change of a key, for ApiKeyClient::async_update(). Only name, description and expiry can be
/// changed; those that are not set stay as they are.
///
///     auto edit = ApiKeyEdit().description("").expires(Expiry::in(days{30}));
class PALETTE_KEYS_DECL ApiKeyEdit {
public:
    /// Constructs an edit that changes nothing.
    ApiKeyEdit() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Sets the new name.
    ApiKeyEdit& name(std::string text) &;
    /// Sets the new description; an empty one clears it.
    ApiKeyEdit& description(std::string text) &;
    /// Sets the new expiry.
    ApiKeyEdit& expires(Expiry expiry) & noexcept;

    /// Same, on a temporary.
    ApiKeyEdit name(std::string text) && { return std::move(name(std::move(text))); }
    /// Same, on a temporary.
    ApiKeyEdit description(std::string text) && { return std::move(description(std::move(text))); }
    /// Same, on a temporary.
    ApiKeyEdit expires(Expiry expiry) && noexcept { return std::move(expires(expiry)); }

    /// Returns the new name; nothing if it stays.
    [[nodiscard]] const std::optional<std::string>& name() const& noexcept { return name_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::optional<std::string> name() const&& { return name_; }
    /// Returns the new description; nothing if it stays.
    [[nodiscard]] const std::optional<std::string>& description() const& noexcept { return description_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::optional<std::string> description() const&& { return description_; }
    /// Returns the new expiry; nothing if it stays.
    [[nodiscard]] const std::optional<Expiry>& expiry() const& noexcept { return expiry_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::optional<Expiry> expiry() const&& { return expiry_; }

    /// Returns whether the edit changes nothing.
    [[nodiscard]] bool empty() const noexcept { return !name_ && !description_ && !expiry_; }

    /// Returns the key with this edit applied.
    [[nodiscard]] ApiKey applied_to(ApiKey key) const;

    /// Compares all members.
    friend bool operator==(const ApiKeyEdit&, const ApiKeyEdit&) = default;

private:
    std::optional<std::string> name_;
    std::optional<std::string> description_;
    std::optional<Expiry> expiry_;
};

/// Selects keys of a list: those that meet every condition that is set. A filter without a condition selects
/// all keys. The client applies the filter to the list that the service gives, of which all pages are read: a
/// filter saves memory, and no request.
///
///     auto filter = ListFilter().owner(uid).state(KeyState::active).expires_within(days{7});
class PALETTE_KEYS_DECL ListFilter {
public:
    /// Constructs a filter without a condition.
    ListFilter() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Selects keys with exactly this name. Names are not unique.
    ListFilter& name(std::string text) &;
    /// Selects keys of this user.
    ListFilter& owner(std::string uid) &;
    /// Selects keys in this state; ApiKeyClient::async_list() judges it by the service's clock.
    ListFilter& state(KeyState state) & noexcept;
    /// Selects keys whose expiry is before `time`. Keys that never expire are not selected.
    ListFilter& expires_before(Expiry time) & noexcept;

    /// Selects keys whose remaining life is at most `duration`; ApiKeyClient::async_list() counts it by the
    /// service's clock. Expired keys are selected too, unless state() leaves them out. Keys that never expire
    /// are not selected.
    ListFilter& expires_within(std::chrono::milliseconds duration) & noexcept;

    /// Same as expires_before() for a time of the system clock.
    template <class Duration>
    ListFilter& expires_before(std::chrono::sys_time<Duration> t) & noexcept {
        return expires_before(Expiry::at(t));
    }

    /// Same, on a temporary.
    ListFilter name(std::string text) && { return std::move(name(std::move(text))); }
    /// Same, on a temporary.
    ListFilter owner(std::string uid) && { return std::move(owner(std::move(uid))); }
    /// Same, on a temporary.
    ListFilter state(KeyState s) && noexcept { return std::move(state(s)); }
    /// Same, on a temporary.
    ListFilter expires_before(Expiry time) && noexcept { return std::move(expires_before(time)); }
    /// Same, on a temporary.
    ListFilter expires_within(std::chrono::milliseconds d) && noexcept {
        return std::move(expires_within(d));
    }
    /// Same, on a temporary.
    template <class Duration>
    ListFilter expires_before(std::chrono::sys_time<Duration> t) && noexcept {
        return std::move(expires_before(Expiry::at(t)));
    }

    /// Returns whether `key` meets every condition at the time `now`.
    template <class Duration>
    [[nodiscard]] bool matches(const ApiKey& key, std::chrono::sys_time<Duration> now) const noexcept {
        return matches_at(key, detail::to_instant(now));
    }

    /// Compares all members.
    friend bool operator==(const ListFilter&, const ListFilter&) = default;
    /// Writes the conditions on one line, escaped.
    PALETTE_KEYS_DECL friend std::ostream& operator<<(std::ostream& out, const ListFilter& filter);

private:
    [[nodiscard]] bool matches_at(const ApiKey& key, Instant now) const noexcept;

    std::optional<std::string> name_;
    std::optional<std::string> owner_;
    std::optional<KeyState> state_;
    std::optional<Expiry> expires_before_;
    std::optional<std::chrono::milliseconds> expires_within_;
};

/// Holds the uid and the value of a key that was created. The service shows the value this once. Move-only.
///
///     auto created = (co_await client.async_create(NewApiKey("ci"))).value();
///     if (auto stored = write_secret_file("ci.key", created.secret()); !stored)
///         log(stored.error().message());
class PALETTE_KEYS_DECL CreatedApiKey {
public:
    /// Constructs the result of a create; for the library, and for stand-ins in tests.
    CreatedApiKey(std::string uid, Secret value, bool confirmed,
                  std::shared_ptr<const PendingCreate> pending = nullptr,
                  std::optional<Expiry> expiry = std::nullopt)
        : uid_(std::move(uid)),
          secret_(std::move(value)),
          confirmed_(confirmed),
          expiry_(expiry),
          pending_(std::move(pending)) {}

    /// Returns the uid of the key; see confirmed().
    [[nodiscard]] const std::string& uid() const& noexcept { return uid_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string uid() const&& { return uid_; }

    /// Returns the value of the key. On a temporary, moves the value out.
    [[nodiscard]] const Secret& secret() const& noexcept { return secret_; }
    void secret() const&& = delete;
    /// Same, from a temporary: moves the content out.
    [[nodiscard]] Secret secret() && noexcept { return std::move(secret_); }

    /// Returns whether a read, or a list, has proved that uid() is the uid of the key. If not, find the key
    /// by its name, owner and time before changing it: some servers answer with the uid of the user.
    [[nodiscard]] bool confirmed() const noexcept { return confirmed_; }

    /// Returns when the key expires, as the read shows that has confirmed it; nothing without such a read. A
    /// service may give a shorter life than was asked for.
    [[nodiscard]] const std::optional<Expiry>& expiry() const& noexcept { return expiry_; }
    void expiry() const&& = delete;

    /// Returns the earlier attempts of this create whose keys were never seen and may exist: clean up with
    /// async_reconcile(), which does not touch this key. Null unless CreateOptions::retry_when_unseen() was
    /// given.
    [[nodiscard]] const std::shared_ptr<const PendingCreate>& pending() const& noexcept {
        return pending_.get();
    }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::shared_ptr<const PendingCreate> pending() const&& noexcept { return pending_.get(); }

    /// Compares all members.
    friend bool operator==(const CreatedApiKey&, const CreatedApiKey&) = default;

private:
    std::string uid_;
    Secret secret_;
    bool confirmed_;
    std::optional<Expiry> expiry_;
    detail::SharedPending pending_;
};

/// Writes the object on one line, escaped. The value of a created key is left out.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Owner& owner);
/// Same.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const ApiKey& key);
/// Same.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const KeyList& keys);
/// Same.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const NewApiKey& key);
/// Same.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const ApiKeyEdit& edit);
/// Same.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const CreatedApiKey& key);

}  // namespace palette::inline PALETTE_KEYS_ABI

/// Hashes what tells keys, and versions of one key, apart: uid, expiry, is_active and modified. Equal keys
/// have equal hashes.
template <>
struct std::hash<palette::ApiKey> {
    /// Returns the hash.
    std::size_t operator()(const palette::ApiKey& key) const noexcept {
        std::size_t h = std::hash<std::string>{}(key.uid);
        auto const mix = [&h](std::size_t part) { h ^= part + 0x9e3779b9U + (h << 6U) + (h >> 2U); };
        mix(std::hash<palette::Expiry>{}(key.expiry));
        mix(key.is_active ? 1 : 0);
        if (key.modified) mix(std::hash<palette::Instant::rep>{}(key.modified->time_since_epoch().count()));
        return h;
    }
};

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/api_key.ipp>
#    include <palette/impl/values/key_requests.ipp>
#endif
