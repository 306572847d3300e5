// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/faults/faulty_answers.hpp>
#include <palette/impl/emulator/service/refusal.hpp>
#include <palette/impl/emulator/service/service.hpp>
#include <palette/impl/values/text.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

PALETTE_KEYS_INLINE Service::Service(const testing::EmulatorOptions& options, std::vector<std::string> hosts)
    : options_(options),
      hosts_(std::move(hosts)),
      tenant_(options.org),
      tokens_(tenant_.uid(), options.token_lifetime),
      limiter_(options.rate_limit),
      log_(options.requests_kept) {}

PALETTE_KEYS_INLINE Instant Service::now() const {
    if (options_.clock) return options_.clock->now();
    // The service writes times in milliseconds: finer ones would not be equal to what a client reads.
    return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

PALETTE_KEYS_INLINE std::string Service::add_key(ApiKey key, std::string creator_uid) {
    auto value = random_letters(32);
    tenant_.add_key(std::move(key), value, std::move(creator_uid));
    return value;
}

PALETTE_KEYS_INLINE Service::Admission Service::admit(const Request& request) {
    Admission admission;
    admission.target_ = parse_target(request.target);
    // First of all: requests that are refused are in the log as well.
    admission.number_ = log_.add(request, admission.target_);
    try {
        if (!admission.target_) throw bad_request("the request's target is malformed");
        auto const& target = *admission.target_;
        pass_guards(request, target);
        pass_rate_limit(request, target);
        try {
            // Without a route the request goes on, for faults may be asked for on any path. What a guard or
            // the rate limit refuses meets no fault, and uses up no rule.
            admission.route_ = find_route(request.method, target);
        } catch (const Refusal& refusal) {
            admission.refused_ = refusal.response();
        }
        auto const* const operation = admission.route_ ? &admission.route_->operation : nullptr;
        admission.faults_ = faults_.inject(request.method, target.path, operation);
        log_faults(request, admission);
    } catch (const Refusal& refusal) {
        admission.refused_ = refusal.response();
    }
    return admission;
}

// What a fault does instead of the service does not find out who asks.
PALETTE_KEYS_INLINE void Service::log_faults(const Request& request, const Admission& admission) {
    auto* const entry = log_.find(admission.number_);
    if (entry == nullptr || admission.faults_.empty()) return;
    entry->faults = admission.faults_.names();
    try {
        authenticate_and_log(request, admission);
    } catch (const Refusal&) {  // nobody who is known
    }
}

// Web pages are not among the clients: neither one that calls directly, nor one whose host name has
// been made to point here.
PALETTE_KEYS_INLINE void Service::pass_guards(const Request& request, const Target& target) const {
    auto const host = request.header("Host");
    // HTTP/1.1 demands exactly one. header() gives nothing for two.
    if (!host && !(request.is_http_1_0 && request.count_headers("Host") == 0))
        throw bad_request("one Host header is expected");
    // Both: a target in absolute form has a host of its own, which counts more than the header.
    for (auto const authority : {std::string_view(target.authority), host.value_or("")}) {
        auto const name = host_of(authority);
        auto const is_it = [&](const std::string& known) {
            return detail::equals_ignoring_case(known, name);
        };
        if (!authority.empty() && !is_loopback_name(name) && std::ranges::none_of(hosts_, is_it))
            throw forbidden("the Host is not one of this machine");
    }
    // Browsers send it with every request whose answer a page may read, or that changes something.
    if (request.count_headers("Origin") != 0) throw forbidden("requests of web pages are not served");
}

PALETTE_KEYS_INLINE void Service::pass_rate_limit(const Request& request, const Target& target) {
    auto const wait = limiter_.take(request.source, rate_limit_prefix(target), now());
    if (wait.count() == 0) return;
    // The service documents no Retry-After (W14), and clients have to do without.
    auto refusal = Refusal(429, "TooManyRequests", "too many requests; slow down");
    if (!options_.send_retry_after) throw Refusal(refusal);
    // Rounded up: a client that waits for less would be refused once more.
    auto const seconds = std::chrono::ceil<std::chrono::seconds>(wait);
    throw Refusal(std::move(refusal).header("Retry-After", std::to_string(seconds.count())));
}

PALETTE_KEYS_INLINE Response Service::answer(const Request& request, const Admission& admission) {
    Response response;
    try {
        if (auto answered = answer_of_fault(request, admission))
            response = std::move(*answered);
        else
            response = perform(request, admission);
    } catch (const Refusal& refusal) {
        response = refusal.response();
    }
    // Behind all that can refuse: an error can be spoilt too, and the request was applied or not as without
    // the fault.
    if (auto const* const fault = admission.faults_.answer()) spoil(response, *fault);
    return response;
}

PALETTE_KEYS_INLINE void Service::log_status(const Admission& admission, int status) {
    if (auto* const entry = log_.find(admission.number_)) entry->status = status;
}

PALETTE_KEYS_INLINE std::optional<testing::ReceivedRequest> Service::logged(const Admission& admission) {
    auto const* const entry = log_.find(admission.number_);
    return entry == nullptr ? std::nullopt : std::optional(*entry);
}

PALETTE_KEYS_INLINE std::optional<Response> Service::answer_of_fault(const Request& request,
                                                                     const Admission& admission) const {
    auto const* const fault = admission.faults_.answer();
    if (fault == nullptr) return std::nullopt;
    // In the path of a refresh, this is a credential that the fault may repeat.
    auto const token = admission.route_ ? std::string_view(admission.route_->parameter) : std::string_view();
    return answer_in_place(*fault, request, token, now());
}

PALETTE_KEYS_INLINE Response Service::perform(const Request& request, const Admission& admission) {
    if (admission.refused_) return *admission.refused_;
    auto const& route = *admission.route_;
    auto const& faults = admission.faults_;
    // These two prove who asks by what they carry, and a credential that has ended must not get in their way.
    if (route.operation == Operation::log_in) return log_in(request);
    if (route.operation == Operation::refresh) return refresh(route.parameter);

    auto const caller = authenticate_and_log(request, admission);
    // Also when the operation is refused below: the key has been used.
    note_use(caller);
    switch (route.operation) {
        case Operation::list_keys:
            return list_keys(caller, admission);
        case Operation::create_key:
            return create_key(caller, request, faults);
        case Operation::read_key:
            return read_key(permitted_key(caller, route));
        case Operation::update_key:
            return update_key(caller, permitted_key(caller, route), request, faults);
        case Operation::patch_key:
        case Operation::set_state:
            return set_active(caller, permitted_key(caller, route), request);
        case Operation::delete_key:
            return delete_key(caller, permitted_key(caller, route), faults);
        case Operation::list_users:
            return list_users(caller, admission);
        case Operation::read_user:
            return read_user(caller, route.parameter);
        case Operation::list_audits:
            return list_audits(caller, admission);
        case Operation::read_limits:
            return read_limits(caller, route.parameter);
        default:
            return who_am_i(caller);
    }
}

PALETTE_KEYS_INLINE Service::Caller Service::authenticate(const Request& request) {
    for (auto const* const name : {"ApiKey", "Authorization"})
        if (request.count_headers(name) > 1)
            throw bad_request(std::string("more than one ") + name + " header");
    // Of both, this one counts, and a bad one is not made good by the other.
    if (auto const key = request.header("ApiKey")) return owner_of(*key);
    if (auto const token = request.header("Authorization")) return bearer_of(*token);
    throw unauthorized();
}

PALETTE_KEYS_INLINE Service::Caller Service::authenticate_and_log(const Request& request,
                                                                  const Admission& admission) {
    auto caller = authenticate(request);
    if (auto* const entry = log_.find(admission.number_)) {
        entry->user_uid = caller.uid;
        entry->credential = caller.credential;
    }
    return caller;
}

PALETTE_KEYS_INLINE void Service::note_use(const Caller& caller) {
    if (!options_.assumptions.key_use_moves_last_sign_in) return;
    if (caller.credential != testing::ReceivedRequest::Credential::api_key) return;
    if (auto* const user = tenant_.find_user(caller.uid)) user->last_sign_in = now();
}

PALETTE_KEYS_INLINE Service::Caller Service::owner_of(std::string_view key_value) {
    auto const* const record = tenant_.find_key_by_value(key_value);
    auto const time = now();
    // Unknown, revoked, expired and not usable yet (W16) are one answer: nobody learns that a value was good
    // once.
    if (record == nullptr || record->key.state(time) != KeyState::active || time < record->usable_from)
        throw unauthorized();
    auto const* const owner = tenant_.find_user(record->key.owner.uid);
    if (owner == nullptr && !options_.assumptions.orphans_usable) throw unauthorized();
    // A disabled user's keys end with the account, and work again with it.
    if (owner != nullptr && !owner->is_active) throw unauthorized();
    // The role is read with each request: a key has the permissions that its owner has now.
    auto role = owner == nullptr ? Role::user : owner->role;
    if (options_.assumptions.key_has_creators_permissions) {
        // The creator has to exist: theirs are the permissions that count here, whatever becomes of the
        // owner.
        auto const* const creator = tenant_.find_user(record->creator_uid);
        if (creator == nullptr) throw unauthorized();
        role = creator->role;
    }
    return {record->key.owner.uid, role, testing::ReceivedRequest::Credential::api_key};
}

PALETTE_KEYS_INLINE Service::Caller Service::bearer_of(std::string_view token) {
    auto const uid = tokens_.verify(token, now());
    auto const* const user = uid ? tenant_.find_user(*uid) : nullptr;
    // The signature alone is not enough: the user may have been removed or disabled since.
    if (user == nullptr || !user->is_active) throw unauthorized();
    return {user->uid, user->role, testing::ReceivedRequest::Credential::token};
}

PALETTE_KEYS_INLINE KeyRecord& Service::permitted_key(const Caller& caller, const Route& route) {
    auto* const record = tenant_.find_key(route.parameter);
    // Before the role is asked: an unknown uid is 404 for everybody.
    if (record == nullptr) throw not_found("there is no API key with this uid");
    auto const reach = reach_of(caller.role, route.operation);
    if (reach == Reach::nobody) throw forbidden("your role may not do this");
    if (reach == Reach::own && record->key.owner.uid != caller.uid) {
        auto const& [status, code] = options_.assumptions.others_key_refusal;
        throw Refusal(status, code, "this API key is somebody else's");
    }
    return *record;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
