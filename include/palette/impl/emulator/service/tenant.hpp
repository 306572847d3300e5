// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/audit_event.hpp>
#include <palette/impl/emulator/service/crypto.hpp>
#include <palette/testing/test_user.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

using testing::Role;
using testing::to_string;

struct UserRecord {
    std::string uid;
    std::string email;
    std::string first_name;
    std::string last_name;
    Role role;
    Role role_of_groups;  // single sign-on: the role from the next sign-in on
    bool single_sign_on;
    bool mfa;
    Digest password;  // meaningless for single sign-on
    Instant created;
    std::optional<Instant> last_sign_in{};
    bool is_active = true;
    std::string activation_link{};  // of an account that waits to be activated
    bool is_removed = false;        // only the record is left
};

struct KeyRecord {
    ApiKey key;
    Digest value;
    std::string creator_uid;
    Instant usable_from{};
};

// Users and keys, and what always holds between them. Who may do what is decided elsewhere.
//
// Numbers count up with creation: they give lists their order, and pages a place to go on from.
class Tenant {
public:
    using Number = std::uint64_t;
    using Users = std::map<Number, UserRecord>;
    using Keys = std::map<Number, KeyRecord>;
    using Events = std::map<Number, AuditEvent>;

    explicit Tenant(std::string org) : uid_(random_hex(12)), org_(std::move(org)) {}

    [[nodiscard]] const std::string& uid() const noexcept { return uid_; }
    [[nodiscard]] const std::string& org() const noexcept { return org_; }

    UserRecord& add_user(UserRecord user);
    // With the keys of a local user. `keeps_record`: users and find_record() still have it.
    void remove_user(UserRecord& user, bool keeps_record);
    [[nodiscard]] UserRecord* find_user(std::string_view uid) noexcept;
    // Of a user, or of one who was removed.
    [[nodiscard]] const UserRecord* find_record(std::string_view uid) const noexcept;
    [[nodiscard]] UserRecord* find_user_by_email(std::string_view email) noexcept;
    [[nodiscard]] const Users& users() const noexcept { return users_; }

    // `value` is the key's value in the clear; only its digest stays.
    KeyRecord& add_key(ApiKey key, std::string_view value, std::string creator_uid);
    void remove_key(const KeyRecord& key);
    [[nodiscard]] KeyRecord* find_key(std::string_view uid) noexcept;
    [[nodiscard]] KeyRecord* find_key_by_value(std::string_view value) noexcept;
    [[nodiscard]] std::size_t count_keys_of(std::string_view user_uid) const noexcept;
    [[nodiscard]] const Keys& keys() const noexcept { return keys_; }

    AuditEvent& add_event(AuditEvent event);
    [[nodiscard]] const Events& events() const noexcept { return events_; }

private:
    using Index = std::unordered_map<std::string, Number>;

    template <class Records>
    static auto* look_up(Records& records, const Index& index, std::string_view text) noexcept {
        auto const found = index.find(std::string(text));
        return found == index.end() ? nullptr : &records.at(found->second);
    }

    std::string uid_;
    std::string org_;
    Number last_number_ = 0;
    Users users_;
    Index users_by_uid_;
    Index users_by_email_;
    Keys keys_;
    Index keys_by_uid_;
    std::unordered_map<Digest, Number, DigestHash, SameDigest> keys_by_value_;
    std::unordered_map<std::string, std::size_t> key_counts_;
    Events events_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/service/tenant.ipp>
#endif
