// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/core.hpp>
#include <palette/impl/client/decoded_answer.hpp>
#include <palette/impl/pipeline/answer.hpp>
#include <palette/impl/values/uid.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// The requests that there are.
inline constexpr pipeline::RequestKind list_keys{"/v1/apiKeys", pipeline::Safety::read};
inline constexpr pipeline::RequestKind create_key{"/v1/apiKeys", pipeline::Safety::once};
inline constexpr pipeline::RequestKind read_key{"/v1/apiKeys/{uid}", pipeline::Safety::read};
// All of the key: what somebody else has written meanwhile would be lost.
inline constexpr pipeline::RequestKind write_key{"/v1/apiKeys/{uid}", pipeline::Safety::checked};
inline constexpr pipeline::RequestKind change_key{"/v1/apiKeys/{uid}", pipeline::Safety::change};
inline constexpr pipeline::RequestKind change_state{"/v1/apiKeys/{uid}/state", pipeline::Safety::change};
inline constexpr pipeline::RequestKind read_identity{"/v1/users/info", pipeline::Safety::read};
inline constexpr pipeline::RequestKind list_users{"/v1/users", pipeline::Safety::read};
inline constexpr pipeline::RequestKind read_user{"/v1/users/{uid}", pipeline::Safety::read, "user"};
inline constexpr pipeline::RequestKind list_audits{"/v1/audits", pipeline::Safety::read};
inline constexpr pipeline::RequestKind read_limits{"/v1/tenants/{tenantUid}/resourceLimits",
                                                   pipeline::Safety::read, "tenant"};

// The first page of users, as long as a page can be.
inline std::string users_path() {
    return std::string(list_users.path_template) + "?limit=50";
}

// errc::invalid_argument for what is no uid.
inline Result<void> check_uid(std::string_view uid) {
    if (auto const* const fault = detail::fault_of_uid(uid))
        return Error(errc::invalid_argument, fault).path("uid");
    return {};
}

// "/v1/apiKeys/{uid}" with a uid in the place of what is in braces. errc::invalid_argument for what is no
// uid.
inline Result<std::string> path_of(const pipeline::RequestKind& kind, std::string_view uid) {
    if (auto good = check_uid(uid); !good) return std::move(good.error());
    auto const at = kind.path_template.find('{');
    auto const end = kind.path_template.find('}') + 1;
    std::string path;
    path.reserve(kind.path_template.size() - (end - at) + uid.size());
    path.append(kind.path_template, 0, at).append(uid).append(kind.path_template, end);
    return path;
}

// A request for what has that uid, without a body.
inline Result<HttpRequest> request_of(const char* method, const pipeline::RequestKind& kind,
                                      std::string_view uid) {
    auto path = path_of(kind, uid);
    if (!path) return std::move(path.error());
    return HttpRequest(method, std::move(*path));
}

// Checks that an answer is about what was asked for, by its uid. What was read of another key, or of none,
// must not be written to this one.
template <class T>
Result<void> check_subject(DecodedAnswer<T>& answer, std::string_view asked,
                           const pipeline::RequestKind& kind, const pipeline::Call& call) {
    std::string const& answered = answer.value().uid;
    if (answered == asked) return {};
    auto const subject = std::string(kind.subject);
    auto what = answered.empty() ? "the answer does not say which " + subject + " it is about"
                                 : "the answer is about another " + subject + " than the one asked for";
    return Error(errc::bad_value, std::move(what))
        .path("metadata.uid")
        .status(answer.response().status)
        .attempts(call.attempts());
}

// Sends a request of that kind and gives what was answered. All of it outlives the coroutine.
inline asio::awaitable<Result<void>> send(Core& core, pipeline::Call& call, const pipeline::RequestKind& kind,
                                          HttpRequest& request, pipeline::Answer& answer,
                                          const pipeline::Conditions& conditions = pipeline::no_conditions) {
    return core.pipeline().send(call, kind, request, answer, conditions);
}

// Of a request that takes the key away from whoever uses it: the client's own stays, unless that is meant.
// `guard`: judges where the client does not know which key is its own.
inline pipeline::Conditions taking_away(const pipeline::Call& call, std::string_view uid,
                                        pipeline::Guard* guard = nullptr) {
    pipeline::Conditions conditions;
    if (call.options().allow_own_key) return conditions;
    conditions.takes_away = uid;
    conditions.guard = guard;
    return conditions;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
