// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/rotation/rotation_record.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <limits>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

namespace json = boost::json;

inline json::value to_json(const std::optional<Instant>& time) {
    return time ? json::value(time->time_since_epoch().count()) : json::value(nullptr);
}

inline json::value to_json(const std::optional<palette::lifecycle::Receipt>& receipt) {
    if (!receipt) return nullptr;
    return json::object{{"generation", receipt->generation},
                        {"rotationId", receipt->rotation_id},
                        {"keyUid", receipt->key_uid},
                        {"expiry", receipt->expiry.to_string()}};
}

inline json::value to_json(const Leftover& left) {
    return json::object{{"uid", left.uid},
                        {"nonce", left.nonce},
                        {"name", left.name},
                        {"ownerUid", left.owner_uid},
                        {"nextAt", to_json(left.next_at)},
                        {"looks", left.looks},
                        {"isRevoked", left.is_revoked}};
}

PALETTE_KEYS_INLINE std::string to_text(const RotationRecord& record) {
    json::array leftovers;
    for (auto const& left : record.leftovers)
        leftovers.push_back(to_json(left));
    json::object const all{
        {"schema", RotationRecord::schema},
        {"slot", record.slot},
        {"tenantUid", record.tenant_uid},
        {"userUid", record.user_uid},
        {"orgName", record.org_name},
        {"state", json::string(palette::lifecycle::to_string(record.state))},
        {"rotationId", record.rotation_id},
        {"nonce", record.nonce},
        {"oldUid", record.old_uid},
        {"oldExpiry", record.old_expiry.to_string()},
        {"keyName", record.key_name},
        {"ownerUid", record.owner_uid},
        {"newUid", record.new_uid},
        {"receipt", to_json(record.receipt)},
        {"expectedCurrent",
         record.expected_current ? json::value(*record.expected_current) : json::value(nullptr)},
        {"provenAt", to_json(record.proven_at)},
        {"brokenUid", record.broken_uid},
        {"hookDone", record.hook_done},
        {"hasRevokedOld", record.has_revoked_old},
        {"overlapUntil", to_json(record.overlap_until)},
        {"quarantineUntil", to_json(record.quarantine_until)},
        {"proofsFailed", record.proofs_failed},
        {"due", to_json(record.due)},
        {"failures", record.failures},
        {"retryAt", to_json(record.retry_at)},
        {"leftovers", std::move(leftovers)},
    };
    return json::serialize(all);
}

// Reads the fields of an object, each of which has to be there. The first that is wrong is kept.
class FieldReader {
public:
    explicit FieldReader(const json::object& object) : object_(object) {}

    void read(const char* name, std::string& to) {
        auto const* const value = find(name);
        if (value == nullptr) return;
        if (auto const* const text = value->if_string())
            to.assign(text->data(), text->size());
        else
            fail(name, "is no text");
    }
    void read(const char* name, bool& to) {
        auto const* const value = find(name);
        if (value == nullptr) return;
        if (auto const* const flag = value->if_bool())
            to = *flag;
        else
            fail(name, "is neither true nor false");
    }
    void read(const char* name, int& to) {
        std::int64_t number = 0;
        read(name, number);
        if (number < 0 || number > std::numeric_limits<int>::max()) return fail(name, "is out of range");
        to = static_cast<int>(number);
    }
    void read(const char* name, std::int64_t& to) {
        auto const* const value = find(name);
        if (value == nullptr) return;
        if (auto const* const number = value->if_int64())
            to = *number;
        else
            fail(name, "is no number");
    }
    void read(const char* name, std::uint64_t& to) {
        std::int64_t number = 0;
        read(name, number);
        if (number < 0) return fail(name, "is out of range");
        to = static_cast<std::uint64_t>(number);
    }
    void read(const char* name, Instant& to) {
        std::int64_t number = 0;
        read(name, number);
        Instant const time{std::chrono::milliseconds(number)};
        // No other time has a text.
        if (time != palette::detail::clamp(time)) return fail(name, "is no time");
        to = time;
    }
    void read(const char* name, Expiry& to) {
        std::string text;
        read(name, text);
        if (error_) return;
        if (auto const parsed = Expiry::parse(text))
            to = *parsed;
        else
            fail(name, "is no expiry");
    }
    template <class T>
    void read(const char* name, std::optional<T>& to) {
        auto const* const value = find(name);
        if (value == nullptr || value->is_null()) return;
        to.emplace();
        read(name, *to);
    }
    void read(const char* name, palette::lifecycle::Receipt& to) {
        auto const* const value = find(name);
        if (value == nullptr) return;
        auto const* const object = value->if_object();
        if (object == nullptr) return fail(name, "is no object");
        FieldReader fields(*object);
        fields.read("generation", to.generation);
        fields.read("rotationId", to.rotation_id);
        fields.read("keyUid", to.key_uid);
        fields.read("expiry", to.expiry);
        take_error_of(fields);
    }
    void read(const char* name, std::vector<Leftover>& to) {
        auto const* const value = find(name);
        if (value == nullptr) return;
        auto const* const array = value->if_array();
        if (array == nullptr) return fail(name, "is no list");
        for (auto const& element : *array) {
            auto const* const object = element.if_object();
            if (object == nullptr) return fail(name, "holds what is no object");
            Leftover left;
            FieldReader fields(*object);
            fields.read("uid", left.uid);
            fields.read("nonce", left.nonce);
            fields.read("name", left.name);
            fields.read("ownerUid", left.owner_uid);
            fields.read("nextAt", left.next_at);
            fields.read("looks", left.looks);
            fields.read("isRevoked", left.is_revoked);
            take_error_of(fields);
            to.push_back(std::move(left));
        }
    }
    void read(const char* name, palette::lifecycle::RotationState& to) {
        using palette::lifecycle::RotationState;
        std::string text;
        read(name, text);
        if (error_) return;
        for (int i = 0; i <= static_cast<int>(RotationState::quarantine); ++i) {
            to = static_cast<RotationState>(i);
            if (palette::lifecycle::to_string(to) == text) return;
        }
        fail(name, "is no state of a rotation");
    }

    void fail(const char* name, const char* what) {
        if (!error_) error_ = Error(errc::bad_value, std::string("the record's field ") + what).path(name);
    }
    [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

private:
    const json::value* find(const char* name) {
        auto const* const value = object_.if_contains(name);
        if (value == nullptr) fail(name, "is missing");
        return value;
    }
    void take_error_of(const FieldReader& inner) {
        if (!error_) error_ = inner.error_;
    }

    const json::object& object_;
    std::optional<Error> error_;
};

PALETTE_KEYS_INLINE Result<RotationRecord> parse_record(std::string_view text) {
    boost::system::error_code ec;
    auto const parsed = json::parse({text.data(), text.size()}, ec);
    auto const* const object = ec ? nullptr : parsed.if_object();
    if (object == nullptr)
        return Error(errc::bad_value, "the record of the slot is damaged: it is no object of JSON");

    FieldReader fields(*object);
    int schema = 0;
    fields.read("schema", schema);
    if (!fields.error() && schema != RotationRecord::schema)
        return Error(errc::bad_value, "the record of the slot has schema " + std::to_string(schema) +
                                          ", and this version of the library knows schema 1 alone")
            .path("schema")
            .advice("use the version that wrote it, or a newer one");
    RotationRecord record;
    fields.read("slot", record.slot);
    fields.read("tenantUid", record.tenant_uid);
    fields.read("userUid", record.user_uid);
    fields.read("orgName", record.org_name);
    fields.read("state", record.state);
    fields.read("rotationId", record.rotation_id);
    fields.read("nonce", record.nonce);
    fields.read("oldUid", record.old_uid);
    fields.read("oldExpiry", record.old_expiry);
    fields.read("keyName", record.key_name);
    fields.read("ownerUid", record.owner_uid);
    fields.read("newUid", record.new_uid);
    fields.read("receipt", record.receipt);
    fields.read("expectedCurrent", record.expected_current);
    fields.read("provenAt", record.proven_at);
    fields.read("brokenUid", record.broken_uid);
    fields.read("hookDone", record.hook_done);
    fields.read("hasRevokedOld", record.has_revoked_old);
    fields.read("overlapUntil", record.overlap_until);
    fields.read("quarantineUntil", record.quarantine_until);
    fields.read("proofsFailed", record.proofs_failed);
    fields.read("due", record.due);
    fields.read("failures", record.failures);
    fields.read("retryAt", record.retry_at);
    fields.read("leftovers", record.leftovers);
    if (fields.error()) return *fields.error();
    return record;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
