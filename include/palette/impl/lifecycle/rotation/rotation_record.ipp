// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>
#include <palette/impl/lifecycle/json_fields.hpp>
#include <palette/impl/lifecycle/rotation/rotation_record.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
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
                        {"since", to_json(left.since)},
                        {"isRevoked", left.is_revoked}};
}

// Each field is written, also if it is empty: the reader takes one that is missing for damage, but for three
// that came later.
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
        {"drawnAt", to_json(record.drawn_at)},
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
        {"whyFailed", record.why_failed},
        {"leftovers", std::move(leftovers)},
    };
    return json::serialize(all);
}

inline void read_time(JsonFields& fields, const char* name, std::optional<Instant>& to) {
    std::optional<std::int64_t> number;
    fields.read(name, number);
    if (!number) return to.reset();
    Instant const time{std::chrono::milliseconds(*number)};
    // No other time has a text.
    if (time != palette::detail::clamp(time)) return fields.fail(name, "is no time");
    to = time;
}

inline void read_receipt(JsonFields& fields, const char* name,
                         std::optional<palette::lifecycle::Receipt>& to) {
    auto const* const value = fields.value(name);
    if (value == nullptr || value->is_null()) return;
    fields.read_object(name, *value, [&to](JsonFields& inner) {
        auto& receipt = to.emplace();
        inner.read("generation", receipt.generation);
        inner.read("rotationId", receipt.rotation_id);
        inner.read("keyUid", receipt.key_uid);
        inner.read("expiry", receipt.expiry);
    });
}

inline void read_leftover(JsonFields& fields, Leftover& left) {
    fields.read("uid", left.uid);
    fields.read("nonce", left.nonce);
    fields.read("name", left.name);
    fields.read("ownerUid", left.owner_uid);
    std::optional<Instant> next_at;
    read_time(fields, "nextAt", next_at);
    if (next_at)
        left.next_at = *next_at;
    else
        fields.fail("nextAt", "is no time");
    fields.read("looks", left.looks);
    if (fields.has("since")) read_time(fields, "since", left.since);
    if (left.looks < 0) fields.fail("looks", "is out of range");
    fields.read("isRevoked", left.is_revoked);
}

PALETTE_KEYS_INLINE Result<RotationRecord> parse_record(std::string_view text) {
    boost::system::error_code ec;
    auto const parsed = json::parse({text.data(), text.size()}, ec);
    auto const* const object = ec ? nullptr : parsed.if_object();
    if (object == nullptr)
        return Error(errc::bad_value, "the record of the slot is damaged: it is no object of JSON");

    JsonFields fields(*object, "the record's field");
    int schema = 0;
    fields.read("schema", schema);
    // Before the other fields, of which another schema says nothing.
    if (!fields.fault() && schema != RotationRecord::schema)
        return Error(errc::bad_value, "the record of the slot has schema " + std::to_string(schema) +
                                          ", and this version of the library knows schema 1 alone")
            .path("schema")
            .advice("use the version that wrote it, or a newer one");
    RotationRecord record;
    fields.read("slot", record.slot);
    fields.read("tenantUid", record.tenant_uid);
    fields.read("userUid", record.user_uid);
    fields.read("orgName", record.org_name);
    fields.read_name("state", record.state);
    fields.read("rotationId", record.rotation_id);
    fields.read("nonce", record.nonce);
    if (fields.has("drawnAt")) read_time(fields, "drawnAt", record.drawn_at);
    fields.read("oldUid", record.old_uid);
    fields.read("oldExpiry", record.old_expiry);
    fields.read("keyName", record.key_name);
    fields.read("ownerUid", record.owner_uid);
    fields.read("newUid", record.new_uid);
    read_receipt(fields, "receipt", record.receipt);
    fields.read("expectedCurrent", record.expected_current);
    read_time(fields, "provenAt", record.proven_at);
    fields.read("brokenUid", record.broken_uid);
    fields.read("hookDone", record.hook_done);
    fields.read("hasRevokedOld", record.has_revoked_old);
    read_time(fields, "overlapUntil", record.overlap_until);
    read_time(fields, "quarantineUntil", record.quarantine_until);
    fields.read("proofsFailed", record.proofs_failed);
    read_time(fields, "due", record.due);
    fields.read("failures", record.failures);
    read_time(fields, "retryAt", record.retry_at);
    if (fields.has("whyFailed")) fields.read("whyFailed", record.why_failed);
    fields.read_list("leftovers", [&](const std::string& place, const json::value& element) {
        fields.read_object(place, element, [&record](JsonFields& inner) {
            read_leftover(inner, record.leftovers.emplace_back());
        });
    });
    // The backoff shifts by the count, and a shift by a negative number is undefined.
    if (record.proofs_failed < 0) fields.fail("proofsFailed", "is out of range");
    if (record.failures < 0) fields.fail("failures", "is out of range");
    if (fields.fault()) return *fields.fault();
    return record;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
