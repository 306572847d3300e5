// SPDX-License-Identifier: BSL-1.0
#pragma once

// What the service tells of its tenant beside the keys: users, the audit log, limits.

#include <palette/expiry.hpp>
#include <palette/impl/emulator/service/answers.hpp>
#include <palette/impl/emulator/service/refusal.hpp>
#include <palette/impl/emulator/service/rendered_list.hpp>
#include <palette/impl/emulator/service/service.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// How many of users or events one answer has.
inline std::uint64_t page_size(const Target& target, const ActiveFaults& faults) {
    constexpr std::uint64_t most = 50;
    auto const asked = number_parameter(target, "limit", most);
    // Zero is as absent: a server written in Go cannot tell them apart.
    auto const limit = asked == 0 ? most : std::min(asked, most);
    auto const* const page = faults.find(ActiveFaults::Kind::page);
    return page == nullptr ? limit : std::min(limit, page->number());
}

PALETTE_KEYS_INLINE Response Service::list_users(const Caller& caller, const Admission& admission) const {
    if (!may_read_tenant(caller.role) && !options_.assumptions.plain_user_may_list_users)
        throw forbidden("your role may not list users");
    if (admission.faults_.has(ActiveFaults::Kind::deny_list)) throw forbidden("users are not to be listed");
    auto const limit = page_size(*admission.target_, admission.faults_);
    return {.body = render_list(
                tenant_.users(), *admission.target_, limit, true, [](const UserRecord&) { return true; },
                append_user)};
}

PALETTE_KEYS_INLINE Response Service::read_user(const Caller& caller, const std::string& uid) const {
    auto const may_read = may_read_tenant(caller.role) || options_.assumptions.plain_user_may_list_users;
    // Before it is looked for: who may not read users does not learn whether there is one.
    if (!may_read && uid != caller.uid) throw forbidden("your role may not read other users");
    auto const* const user = tenant_.find_record(uid);
    if (user == nullptr) throw not_found("there is no user with this uid");
    Response response;
    append_user(response.body, *user);
    return response;
}

inline std::optional<Instant> time_parameter(const Target& target, std::string_view name) {
    auto const text = target.parameter(name);
    if (!text || text->empty()) return std::nullopt;
    auto const time = Expiry::parse(*text);
    if (!time || time->is_never())
        throw bad_request("the parameter " + std::string(name) + ": a time is expected");
    return time->instant();
}

// What a request wants to see of the audit log. Empty is as absent.
struct WantedEvents {
    explicit WantedEvents(const Target& target)
        : begin(time_parameter(target, "startTime")),
          end(time_parameter(target, "endTime")),
          user_uid(target.parameter("userUid").value_or("")),
          kind(target.parameter("resourceKind").value_or("")),
          resource_uid(target.parameter("resourceUid").value_or("")),
          action(target.parameter("actionType").value_or("")) {
        static constexpr std::string_view actions[] = {"create", "update",   "delete", "publish",
                                                       "deploy", "activity", "action"};
        // A type that is misspelt would give an empty list, which looks like a good answer.
        if (!action.empty() && std::ranges::find(actions, action) == std::end(actions))
            throw bad_request("the parameter actionType: one of the types of actions is expected");
    }

    bool operator()(const AuditEvent& event) const {
        auto const is = [](const std::string& wanted, const std::string& text) {
            return wanted.empty() || wanted == text;
        };
        return (!begin || event.created >= begin) && (!end || event.created <= end) &&
               is(user_uid, event.actor.user_uid) && is(kind, event.resource.kind) &&
               is(resource_uid, event.resource.uid) && is(action, event.action);
    }

    std::optional<Instant> begin;
    std::optional<Instant> end;
    std::string user_uid;
    std::string kind;
    std::string resource_uid;
    std::string action;
};

PALETTE_KEYS_INLINE Response Service::list_audits(const Caller& caller, const Admission& admission) const {
    if (!may_read_tenant(caller.role)) throw forbidden("your role may not read the audit log");
    if (admission.faults_.has(ActiveFaults::Kind::deny_list))
        throw forbidden("the audit log is not to be read");
    auto const& target = *admission.target_;
    return {.body = render_list(tenant_.events(), target, page_size(target, admission.faults_), true,
                                WantedEvents(target), append_event)};
}

PALETTE_KEYS_INLINE Response Service::read_limits(const Caller& caller, const std::string& tenant_uid) const {
    if (!may_read_tenant(caller.role)) throw forbidden("your role may not read the limits of the tenant");
    // Not 404: whether another tenant exists is not told.
    if (tenant_uid != tenant_.uid()) throw forbidden("this is another tenant");
    // A tenant may raise the number of keys of a user up to ten thousand.
    constexpr std::size_t most = 10'000;
    Response response{.body = "{\"resources\":["};
    append_limit(response.body, "user", "Users", 1'000, most);
    response.body += ',';
    append_limit(response.body, "apiKey", "API keys", options_.quota, std::max(most, options_.quota));
    response.body += "]}";
    return response;
}

PALETTE_KEYS_INLINE void Service::note(const Caller& caller, std::string_view action, const ApiKey& key) {
    if (!options_.assumptions.key_operations_audited) return;
    AuditEvent event;
    event.action = action;
    event.action_message = std::string(action) + " API key " + key.name;
    event.resource.uid = key.uid;
    event.resource.kind = "apiKey";
    event.resource.name = key.name;
    event.actor.type = "user";
    event.actor.user_uid = caller.uid;
    // The event is written without a name when the owner of the key has been removed (orphans_usable).
    if (auto const* const user = tenant_.find_record(caller.uid)) {
        event.actor.email = user->email;
        event.actor.first_name = user->first_name;
        event.actor.last_name = user->last_name;
    }
    add_event(std::move(event));
}

PALETTE_KEYS_INLINE std::string Service::add_event(AuditEvent event) {
    // 24 digits, as the uids of the vendor have.
    if (event.uid.empty()) event.uid = random_hex(12);
    if (!event.created) event.created = now();
    return tenant_.add_event(std::move(event)).uid;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
