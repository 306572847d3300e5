// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the service does about keys, and for who logs in.

#include <palette/detail/string_map_builder.hpp>
#include <palette/impl/emulator/service/answers.hpp>
#include <palette/impl/emulator/service/refusal.hpp>
#include <palette/impl/emulator/service/rendered_list.hpp>
#include <palette/impl/emulator/service/service.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// Annotations that the server keeps, whatever a client sends.
inline constexpr std::string_view server_annotations[] = {"ownerUid", "permissions", "scope",
                                                          "scopeVisibility", "tenantUid"};

inline bool is_server_annotation(std::string_view name) noexcept {
    return std::ranges::find(server_annotations, name) != std::end(server_annotations);
}

// As the vendor's sample of a key shows them.
inline StringMap make_server_annotations(std::string_view owner_uid, std::string_view tenant_uid) {
    return {{"ownerUid", owner_uid},
            {"permissions",
             "apiKey.create,apiKey.delete,apiKey.get,apiKey.list,apiKey.update,tag.create,tag.update"},
            {"scope", "tenant"},
            {"scopeVisibility", "20"},
            {"tenantUid", tenant_uid}};
}

// The service stores a key once more after it has made it: `modified != created` says nothing about an edit.
inline constexpr std::chrono::milliseconds stored_again_after{400};

// `before` with the entries of `wanted`, which count where both have one.
template <class Wanted>
StringMap with_texts(const StringMap& before, const StringMap& wanted, const char* field, Wanted is_wanted) {
    StringMapBuilder merged;  // of equal names the first counts
    for (auto const [name, value] : wanted)
        if (is_wanted(name)) merged.add(name, value);
    for (auto const [name, value] : before)
        merged.add(name, value);
    auto result = merged.finish();
    // After the merge: where updates keep what they omit, a key would grow with every one.
    if (result.size() > max_texts) throw too_many_texts(field);
    return result;
}

// What a client may say about a key goes into it; the description and the server's own annotations
// have their own places.
inline void take_metadata(ApiKey& key, const KeyBody& body, const ActiveFaults& faults) {
    constexpr auto description = palette::detail::description_annotation;
    auto const is_kept = !faults.has(ActiveFaults::Kind::strip_annotations);
    key.name = body.name;
    // W5: the description comes as an annotation.
    if (auto const found = body.annotations.find(description); found != body.annotations.end())
        key.description = found->second;
    key.annotations = with_texts(
        key.annotations, body.annotations, "metadata.annotations",
        [&](std::string_view name) { return is_kept && !is_server_annotation(name) && name != description; });
    key.labels =
        with_texts(key.labels, body.labels, "metadata.labels", [](std::string_view) { return true; });
}

PALETTE_KEYS_INLINE Response Service::list_keys(const Caller& caller, const Admission& admission) const {
    if (caller.role == Role::user && !options_.assumptions.plain_user_may_list)
        throw forbidden("your role may not list API keys");
    if (admission.faults_.has(ActiveFaults::Kind::deny_list))
        throw forbidden("API keys are not to be listed");
    auto const everyone = reach_of(caller.role, Operation::list_keys) == Reach::everyone;
    // The service documents no pages for keys, and gives them all; the fault makes it page all the same
    // (W11).
    auto const* const page = admission.faults_.find(ActiveFaults::Kind::page);
    auto const* const lag = admission.faults_.find(ActiveFaults::Kind::list_lag);
    // Lists of the service may lag behind its keys: a search for a new key must not take absence for proof.
    auto const newest = now() - std::chrono::milliseconds(lag == nullptr ? 0 : lag->number());
    auto const is_shown = [&](const KeyRecord& record) {
        return (everyone || record.key.owner.uid == caller.uid) &&
               (lag == nullptr || record.key.created <= newest);
    };
    return {.body = render_list(tenant_.keys(), *admission.target_, page == nullptr ? ~0ull : page->number(),
                                page != nullptr, is_shown,
                                [](std::string& out, const KeyRecord& r) { append_key(out, r.key); })};
}

PALETTE_KEYS_INLINE void Service::check_name(std::string_view name, std::string_view owner_uid,
                                             const KeyRecord* except) const {
    if (name.empty()) throw bad_request("metadata.name: a name is expected");
    if (!options_.assumptions.names_unique) return;
    for (auto const& [number, record] : tenant_.keys())
        // An update may keep the name of its own key.
        if (&record != except && record.key.owner.uid == owner_uid && record.key.name == name)
            throw Refusal(409, "ApiKeyNameTaken", "the user has an API key of this name");
}

// Of a create, or of an update of the key `before`.
PALETTE_KEYS_INLINE Expiry Service::checked_expiry(std::optional<Expiry> wanted,
                                                   const KeyRecord* before) const {
    if (options_.assumptions.expiry_required && (!wanted || wanted->is_never()))
        throw bad_request("spec.expiry: an expiry is expected");
    auto const expiry = wanted.value_or(Expiry::never());
    // An expired key can still be renamed: the update sends the expiry that it has.
    auto const unchanged = before != nullptr && before->key.expiry == expiry;
    if (expiry.passed(now()) && !unchanged && !options_.assumptions.past_expiry_accepted)
        throw bad_request("spec.expiry: it has passed already");
    // A policy of the tenant shortens in silence: only the key tells what became of the expiry.
    auto const most = options_.assumptions.max_lifetime;
    return most.count() > 0 ? std::min(expiry, Expiry::in(most, now())) : expiry;
}

PALETTE_KEYS_INLINE Response Service::create_key(const Caller& caller, const Request& request,
                                                 const ActiveFaults& faults) {
    auto const reach = reach_of(caller.role, Operation::create_key);
    if (reach == Reach::nobody) throw forbidden("your role may not create API keys");
    auto const body = read_new_key_body(request.body);
    // An empty uid is as an absent one, for servers written in Go cannot tell them apart (W1).
    auto const owner_uid = body.user_uid.empty() ? caller.uid : body.user_uid;
    // Before the owner is looked up: the answer does not tell whether there is such a user.
    if (reach == Reach::own && owner_uid != caller.uid)
        throw forbidden("your role may not create API keys for others");
    auto const* const owner = tenant_.find_user(owner_uid);
    if (owner == nullptr) throw not_found("spec.userUid: there is no such user");
    check_name(body.name, owner_uid, nullptr);
    auto const expiry = checked_expiry(body.expiry, nullptr);
    if (tenant_.count_keys_of(owner_uid) >= options_.quota) {
        auto const& [status, code] = options_.assumptions.quota_refusal;
        throw Refusal(status, code, "the user has as many API keys as a user may have");
    }

    ApiKey key;
    key.uid = random_hex(12);
    key.owner = Owner(owner->uid, owner->first_name, owner->last_name);
    // First these: what the client sends is merged into them and cannot replace them.
    key.annotations = make_server_annotations(owner->uid, tenant_.uid());
    take_metadata(key, body, faults);
    key.expiry = expiry;
    key.is_active = true;
    key.created = now();
    key.modified = *key.created + stored_again_after;
    // Kept here, for the key moves into the tenant.
    auto const uid = key.uid;
    auto const value = add_key(std::move(key), caller.uid);
    if (auto const* const late = faults.find(ActiveFaults::Kind::late_activation))
        tenant_.find_key(uid)->usable_from = now() + std::chrono::milliseconds(late->number());
    note(caller, "create", tenant_.find_key(uid)->key);

    Response response{.status = 201, .body = "{"};
    // The only place where the value leaves the service. Older ones left it out, and `uid` may be the user's
    // (W8).
    if (!faults.has(ActiveFaults::Kind::legacy_create)) response.body += "\"apiKey\":\"" + value + "\",";
    response.body += "\"uid\":\"" + (faults.has(ActiveFaults::Kind::uid_is_user) ? owner->uid : uid) + "\"}";
    return response;
}

PALETTE_KEYS_INLINE Response Service::read_key(const KeyRecord& record) const {
    Response response;
    append_key(response.body, record.key);
    return response;
}

PALETTE_KEYS_INLINE Response Service::update_key(const Caller& caller, KeyRecord& record,
                                                 const Request& request, const ActiveFaults& faults) {
    auto const body = read_key_body(request.body);
    auto key = record.key;  // as it is until nothing can be refused any more
    check_name(body.name, key.owner.uid, &record);
    auto const expiry = checked_expiry(body.expiry, &record);
    // W6: PUT replaces the resource. What the server owns stays.
    if (!options_.assumptions.update_keeps_omitted) {
        StringMap kept;
        for (auto const name : server_annotations)
            kept.set(name, key.annotations[name]);
        key.annotations = std::move(kept);
        key.description.clear();
        key.labels.clear();
    }
    take_metadata(key, body, faults);
    key.expiry = expiry;
    record.key = std::move(key);
    touch(record.key);
    note(caller, "update", record.key);
    return {.status = 204};
}

// The time of a change is later than that of the one before, though that may lie ahead of the clock.
PALETTE_KEYS_INLINE void Service::touch(ApiKey& key) const {
    auto const next = key.modified.value_or(Instant::min()) + std::chrono::milliseconds{1};
    key.modified = std::max(now(), next);
}

PALETTE_KEYS_INLINE Response Service::set_active(const Caller& caller, KeyRecord& record,
                                                 const Request& request) {
    auto const is_active = read_is_active(request.body);
    // Only in this direction: an expired key can still be revoked, so that a later expiry does not revive it.
    if (is_active && record.key.expiry.passed(now())) {
        auto const& [status, code] = options_.assumptions.reactivation_refusal;
        throw Refusal(status, code, "the expiry of this API key has passed; extend it first");
    }
    record.key.is_active = is_active;
    touch(record.key);
    note(caller, "update", record.key);
    return {.status = 204};
}

PALETTE_KEYS_INLINE Response Service::delete_key(const Caller& caller, const KeyRecord& record,
                                                 const ActiveFaults& faults) {
    if (faults.has(ActiveFaults::Kind::deny_delete)) throw forbidden("API keys are not to be deleted");
    // Before: the record ends with the removal.
    note(caller, "delete", record.key);
    tenant_.remove_key(record);
    return {.status = 204};
}

inline std::string token_body(std::string_view token, bool needs_second_factor) {
    std::string body = "{\"Authorization\":\"";
    body += token;
    body += needs_second_factor ? "\",\"isMfa\":true}" : "\",\"isMfa\":false}";
    return body;
}

PALETTE_KEYS_INLINE Response Service::log_in(const Request& request) {
    auto const body = read_log_in_body(request.body);
    auto* const user = tenant_.find_user_by_email(body.email);
    // Compared in any case, so that the time does not tell whether there is such a user.
    auto const good_password = same(sha256(body.password), user == nullptr ? Digest{} : user->password);
    auto const good_org = body.org.empty() || body.org == tenant_.org();
    // One answer for all reasons, as who asks has proved nothing yet.
    if (user == nullptr || user->single_sign_on || !user->is_active || !good_password || !good_org)
        throw unauthorized();
    if (user->mfa)
        // The service answers 200 here, with a token that opens nothing: only `isMfa` tells the client.
        return {.body = token_body(tokens_.issue(user->uid, now(), Tokens::Kind::needs_second_factor), true)};
    user->last_sign_in = now();
    return {.body = token_body(tokens_.issue(user->uid, now()), false)};
}

PALETTE_KEYS_INLINE Response Service::refresh(const std::string& token) {
    // The token itself is the credential, and it stands in the path: logs must not show this path.
    return {.body = token_body(tokens_.issue(bearer_of(token).uid, now()), false)};
}

PALETTE_KEYS_INLINE Response Service::who_am_i(const Caller& caller) const {
    Response response{.body = "{\"userUid\":\"" + caller.uid + "\",\"tenantUid\":\"" + tenant_.uid() +
                              "\",\"orgName\":"};
    append_text(response.body, tenant_.org());
    response.body += '}';
    return response;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
