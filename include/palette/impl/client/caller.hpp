// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/requests.hpp>
#include <palette/impl/uid.hpp>
#include <palette/user.hpp>

#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::client {

inline Result<void> check_identity(const Identity& identity) {
    auto const bad = [](const char* what, const char* field) {
        return Error(errc::bad_value, what).path(field);
    };
    if (identity.user_uid.empty()) return bad("the service does not say whose the credential is", "userUid");
    if (identity.tenant_uid.empty())
        return bad("the service does not say of which tenant the credential is", "tenantUid");
    if (auto const* const fault = detail::fault_of_uid(identity.user_uid)) return bad(fault, "userUid");
    if (auto const* const fault = detail::fault_of_uid(identity.tenant_uid)) return bad(fault, "tenantUid");
    return {};
}

// Asks whose the credential is, and remembers the answer and the service's time.
inline asio::awaitable<Result<Identity>> ask_identity(Core& core, pipeline::Call& call) {
    DecodedAnswer<Identity> answer;
    HttpRequest request("GET", std::string(read_identity.path_template));
    auto sent = co_await send(core, call, read_identity, request, answer);
    if (!sent) co_return std::move(sent.error());
    auto& identity = answer.value();
    if (auto good = check_identity(identity); !good)
        co_return std::move(good.error()).status(answer.response().status).attempts(call.attempts);
    core.creates().remember(request.credential, identity);
    auto const& time = core.pipeline().time();
    core.creates().service_time.heard(date_of(answer.response()), time.now(), time.steady());
    co_return std::move(identity);
}

// Whose the credential is that the next request is sent with: asked for once for each credential.
inline asio::awaitable<Result<Identity>> identify(Core& core, pipeline::Call& call) {
    if (auto const* const known = core.creates().identity_of(core.pipeline().credential())) co_return *known;
    co_return co_await ask_identity(core, call);
}

inline bool knows_service_time(Core& core) noexcept {
    auto const& time = core.pipeline().time();
    return core.creates().service_time.is_fresh(time.now(), time.steady());
}

// That it is still the same user's. An error otherwise: what one user asked for, no other looks for or
// deletes.
inline asio::awaitable<Result<void>> check_same_caller(Core& core, pipeline::Call& call,
                                                       std::string tenant_uid, std::string user_uid) {
    auto now = co_await identify(core, call);
    if (!now) co_return std::move(now.error());
    auto const is_same = (tenant_uid.empty() || now->tenant_uid == tenant_uid) &&
                         (user_uid.empty() || now->user_uid == user_uid);
    if (!is_same)
        co_return Error(errc::auth_provider,
                        "the credential is another user's than the one who asked for the key")
            .attempts(call.attempts);
    co_return Result<void>();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::client
