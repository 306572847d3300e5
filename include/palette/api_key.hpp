// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/blocks.hpp>
#include <palette/error.hpp>
#include <palette/expiry.hpp>
#include <palette/secret.hpp>
#include <palette/string_map.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace detail {
// The annotation that carries what the service shows as a key's description.
inline constexpr std::string_view description_annotation = "description";
}  // namespace detail

enum class KeyState {
    active,   // it works
    revoked,  // it was switched off, and can be switched on again
    expired,  // its time has passed; it can be switched on again only after the expiry is extended
};

PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, KeyState state);

// The user whose permissions a key carries.
class Owner {
public:
    Owner() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    explicit Owner(std::string uid_, std::string first = {}, std::string last = {})
        : uid(std::move(uid_)),
          first_name(std::move(first)),
          last_name(std::move(last)) {}

    std::string uid;
    std::string first_name;
    std::string last_name;

    friend bool operator==(const Owner&, const Owner&) = default;
};

// An API key as the service describes it. It never holds the key's value: that is shown once, when
// the key is made (CreatedApiKey), and is kept nowhere afterwards.
class PALETTE_KEYS_DECL ApiKey {
public:
    ApiKey() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    std::string uid;
    std::string name;
    std::string description;
    Owner owner;
    Expiry expiry;
    bool is_active = false;
    std::optional<Instant> created;
    std::optional<Instant> modified;
    std::optional<Instant> deleted;
    StringMap annotations;  // without "description", which has its own member
    StringMap labels;

    // What the key is worth at `now`, which is to be the service's time: KeyList::as_of(). A key that is both
    // revoked and past its expiry is expired.
    template <class Duration>
    [[nodiscard]] KeyState state(std::chrono::sys_time<Duration> now) const noexcept {
        if (expiry.passed(now)) return KeyState::expired;
        return is_active ? KeyState::active : KeyState::revoked;
    }

    friend bool operator==(const ApiKey&, const ApiKey&) = default;
};

// The keys that a list gave, in the service's order, and the service's time when it answered.
//
//     for (const palette::ApiKey& key : keys)
//         if (key.state(keys.as_of()) == palette::KeyState::expired) ...
class KeyList {
public:
    using value_type = ApiKey;
    using iterator = detail::Blocks<ApiKey>::iterator;
    using const_iterator = detail::Blocks<ApiKey>::const_iterator;
    using size_type = std::size_t;

    KeyList() = default;
    KeyList(std::initializer_list<ApiKey> keys, Instant as_of = {})
        : KeyList(keys.begin(), keys.end(), as_of) {}
    explicit KeyList(detail::Blocks<ApiKey> keys, Instant as_of) : keys_(std::move(keys)), as_of_(as_of) {}

    template <std::input_iterator It>
    KeyList(It first, std::sentinel_for<It> auto last, Instant as_of = {}) : as_of_(as_of) {
        for (; first != last; ++first)
            push_back(*first);
    }

    [[nodiscard]] bool empty() const noexcept { return keys_.empty(); }
    [[nodiscard]] size_type size() const noexcept { return keys_.size(); }

    // A temporary list has no iterators, and gives a key away instead of a reference.
    [[nodiscard]] iterator begin() & noexcept { return keys_.begin(); }
    [[nodiscard]] iterator end() & noexcept { return keys_.end(); }
    [[nodiscard]] const_iterator begin() const& noexcept { return keys_.begin(); }
    [[nodiscard]] const_iterator end() const& noexcept { return keys_.end(); }
    void begin() const&& = delete;
    void end() const&& = delete;

    // Preconditions: there is such a key.
    [[nodiscard]] ApiKey& operator[](size_type i) & noexcept { return keys_[i]; }
    [[nodiscard]] const ApiKey& operator[](size_type i) const& noexcept { return keys_[i]; }
    [[nodiscard]] ApiKey operator[](size_type i) && noexcept { return std::move(keys_[i]); }
    void operator[](size_type i) const&& = delete;
    [[nodiscard]] ApiKey& front() & noexcept { return keys_[0]; }
    [[nodiscard]] const ApiKey& front() const& noexcept { return keys_[0]; }
    [[nodiscard]] ApiKey front() && noexcept { return std::move(keys_[0]); }
    void front() const&& = delete;
    [[nodiscard]] ApiKey& back() & noexcept { return keys_[size() - 1]; }
    [[nodiscard]] const ApiKey& back() const& noexcept { return keys_[size() - 1]; }
    [[nodiscard]] ApiKey back() && noexcept { return std::move(keys_[size() - 1]); }
    void back() const&& = delete;

    void push_back(ApiKey key) { keys_.emplace_back(std::move(key)); }

    // The service's time when it answered, to the second; this machine's time if the answer has no Date, or
    // one outside of 2020 to 2199.
    [[nodiscard]] Instant as_of() const noexcept { return as_of_; }

    friend bool operator==(const KeyList&, const KeyList&) = default;

private:
    detail::Blocks<ApiKey> keys_;
    Instant as_of_{};
};

// A key to be made. Setters chain, on a temporary and on a variable alike.
//
//     NewApiKey("ci").description("nightly build").expires(Expiry::in(days{30})).for_user(uid)
//
// Without expires() and lives_for() it lives thirty days; without for_user() it is the caller's own. A length
// of life counts by the service's clock, from when the key is asked for; expires() is the instant itself,
// and Expiry::in() counts by this machine's clock. What cannot be sent is refused when it is sent, not here.
class PALETTE_KEYS_DECL NewApiKey {
public:
    explicit NewApiKey(std::string name) : name_(std::move(name)) {}

    NewApiKey& description(std::string text) &;
    NewApiKey& expires(Expiry expiry) & noexcept;
    /// Lets the key live for `duration`, by the service's clock: this machine's may be wrong. To the second,
    /// and not longer. Of this and expires(), the last one counts. A duration that is not positive is
    /// refused.
    NewApiKey& lives_for(std::chrono::milliseconds duration) & noexcept;
    /// Makes the key that user's. An empty uid is refused when it is sent, and does not mean yourself.
    NewApiKey& for_user(std::string uid) &;

    // The annotation "description" is the description.
    NewApiKey& annotate(std::string_view key, std::string_view value) &;
    NewApiKey& label(std::string_view key, std::string_view value) &;

    NewApiKey description(std::string text) && { return std::move(description(std::move(text))); }
    NewApiKey expires(Expiry expiry) && noexcept { return std::move(expires(expiry)); }
    NewApiKey lives_for(std::chrono::milliseconds duration) && noexcept {
        return std::move(lives_for(duration));
    }
    NewApiKey for_user(std::string uid) && { return std::move(for_user(std::move(uid))); }
    NewApiKey annotate(std::string_view k, std::string_view v) && { return std::move(annotate(k, v)); }
    NewApiKey label(std::string_view k, std::string_view v) && { return std::move(label(k, v)); }

    [[nodiscard]] const std::string& name() const& noexcept { return name_; }
    [[nodiscard]] std::string name() const&& { return name_; }
    [[nodiscard]] const std::string& description() const& noexcept { return description_; }
    [[nodiscard]] std::string description() const&& { return description_; }
    [[nodiscard]] const std::optional<Expiry>& expiry() const& noexcept { return expiry_; }
    [[nodiscard]] std::optional<Expiry> expiry() const&& { return expiry_; }
    [[nodiscard]] std::optional<std::chrono::milliseconds> lifetime() const noexcept { return lifetime_; }
    /// Gives the expiry that is sent when the service's clock shows `now`.
    [[nodiscard]] Expiry expiry_at(Instant now) const noexcept;
    [[nodiscard]] const std::string& user_uid() const& noexcept { return user_uid_; }  // empty: yourself
    [[nodiscard]] std::string user_uid() const&& { return user_uid_; }
    /// Whether for_user() was called. An empty uid of a user is refused, and does not mean yourself.
    [[nodiscard]] bool names_user() const noexcept { return names_user_; }
    [[nodiscard]] const StringMap& annotations() const& noexcept { return annotations_; }
    [[nodiscard]] StringMap annotations() const&& { return annotations_; }
    [[nodiscard]] const StringMap& labels() const& noexcept { return labels_; }
    [[nodiscard]] StringMap labels() const&& { return labels_; }

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

// What to change of a key: its name, its description, its expiry. Nothing else can be changed, and
// what is not named stays. An empty description clears it.
//
//     ApiKeyEdit().description("").expires(Expiry::in(days{30}))
class PALETTE_KEYS_DECL ApiKeyEdit {
public:
    ApiKeyEdit() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    ApiKeyEdit& name(std::string text) &;
    ApiKeyEdit& description(std::string text) &;
    ApiKeyEdit& expires(Expiry expiry) & noexcept;

    ApiKeyEdit name(std::string text) && { return std::move(name(std::move(text))); }
    ApiKeyEdit description(std::string text) && { return std::move(description(std::move(text))); }
    ApiKeyEdit expires(Expiry expiry) && noexcept { return std::move(expires(expiry)); }

    // Nothing: not edited.
    [[nodiscard]] const std::optional<std::string>& name() const& noexcept { return name_; }
    [[nodiscard]] std::optional<std::string> name() const&& { return name_; }
    [[nodiscard]] const std::optional<std::string>& description() const& noexcept { return description_; }
    [[nodiscard]] std::optional<std::string> description() const&& { return description_; }
    [[nodiscard]] const std::optional<Expiry>& expiry() const& noexcept { return expiry_; }
    [[nodiscard]] std::optional<Expiry> expiry() const&& { return expiry_; }

    // Whether it edits nothing.
    [[nodiscard]] bool empty() const noexcept { return !name_ && !description_ && !expiry_; }

    // The key as it is after this edit.
    [[nodiscard]] ApiKey applied_to(ApiKey key) const;

    friend bool operator==(const ApiKeyEdit&, const ApiKeyEdit&) = default;

private:
    std::optional<std::string> name_;
    std::optional<std::string> description_;
    std::optional<Expiry> expiry_;
};

// Which keys of a list are wanted: those that meet every condition that is set.
//
//     ListFilter().owner(uid).state(KeyState::active).expires_before(now + days{7})
class PALETTE_KEYS_DECL ListFilter {
public:
    ListFilter() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    ListFilter& name(std::string text) &;  // exactly this name; names are not unique
    ListFilter& owner(std::string uid) &;
    ListFilter& state(KeyState state) & noexcept;        // by the service's clock, in a client's list
    ListFilter& expires_before(Expiry time) & noexcept;  // those that never expire do not

    template <class Duration>
    ListFilter& expires_before(std::chrono::sys_time<Duration> t) & noexcept {
        return expires_before(Expiry::at(t));
    }

    ListFilter name(std::string text) && { return std::move(name(std::move(text))); }
    ListFilter owner(std::string uid) && { return std::move(owner(std::move(uid))); }
    ListFilter state(KeyState s) && noexcept { return std::move(state(s)); }
    ListFilter expires_before(Expiry time) && noexcept { return std::move(expires_before(time)); }
    template <class Duration>
    ListFilter expires_before(std::chrono::sys_time<Duration> t) && noexcept {
        return std::move(expires_before(Expiry::at(t)));
    }

    // Whether `key` meets every condition at the time `now`.
    template <class Duration>
    [[nodiscard]] bool matches(const ApiKey& key, std::chrono::sys_time<Duration> now) const noexcept {
        return matches_at(key, detail::to_instant(now));
    }

    friend bool operator==(const ListFilter&, const ListFilter&) = default;
    PALETTE_KEYS_DECL friend std::ostream& operator<<(std::ostream& out, const ListFilter& filter);

private:
    [[nodiscard]] bool matches_at(const ApiKey& key, Instant now) const noexcept;

    std::optional<std::string> name_;
    std::optional<std::string> owner_;
    std::optional<KeyState> state_;
    std::optional<Expiry> expires_before_;
};

// A key that was made, with its value, which the service shows this once. Move-only.
//
//     auto created = (co_await client.async_create(NewApiKey("ci"))).value();
//     write_secret_file("ci.key", created.secret());
class PALETTE_KEYS_DECL CreatedApiKey {
public:
    CreatedApiKey(std::string uid, Secret value, bool confirmed,
                  std::shared_ptr<const PendingCreate> pending = nullptr)
        : uid_(std::move(uid)),
          secret_(std::move(value)),
          confirmed_(confirmed),
          pending_(std::move(pending)) {}

    [[nodiscard]] const std::string& uid() const& noexcept { return uid_; }
    [[nodiscard]] std::string uid() const&& { return uid_; }

    [[nodiscard]] const Secret& secret() const& noexcept { return secret_; }
    void secret() const&& = delete;
    [[nodiscard]] Secret secret() && noexcept { return std::move(secret_); }

    // Whether reading the key has proved that uid() is its uid. If not, find it by its name before
    // changing it: some servers answer with the uid of the user.
    [[nodiscard]] bool confirmed() const noexcept { return confirmed_; }

    // Attempts before this one whose keys were never seen, and may exist: clean up with async_reconcile(),
    // which does not touch this key. Null, unless CallOptions::create_again_when_unseen() was given.
    [[nodiscard]] const std::shared_ptr<const PendingCreate>& pending() const& noexcept {
        return pending_.get();
    }
    [[nodiscard]] std::shared_ptr<const PendingCreate> pending() const&& noexcept { return pending_.get(); }

    friend bool operator==(const CreatedApiKey&, const CreatedApiKey&) = default;

private:
    std::string uid_;
    Secret secret_;
    bool confirmed_;
    detail::SharedPending pending_;
};

// One line each, escaped; the value of a created key is left out.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Owner& owner);
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const ApiKey& key);
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const KeyList& keys);
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const NewApiKey& key);
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const ApiKeyEdit& edit);
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const CreatedApiKey& key);

}  // namespace palette::inline PALETTE_KEYS_ABI

/// Hashes what tells keys, and versions of one key, apart: uid, expiry, is_active and modified. Equal keys
/// have equal hashes.
template <>
struct std::hash<palette::ApiKey> {
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
