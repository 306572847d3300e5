// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/requests.hpp>
#include <palette/impl/client/service_time.hpp>
#include <palette/impl/pipeline/guard.hpp>
#include <palette/impl/values/uid.hpp>
#include <palette/user.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

inline Result<void> check_identity(const Identity& identity, const pipeline::Pipeline& pipeline) {
    auto const bad = [](const char* what, const char* field) {
        return Error(errc::bad_value, what).path(field);
    };
    if (identity.user_uid.empty()) return bad("the service does not say whose the credential is", "userUid");
    if (identity.tenant_uid.empty())
        return bad("the service does not say of which tenant the credential is", "tenantUid");
    if (auto const* const fault = detail::fault_of_uid(identity.user_uid)) return bad(fault, "userUid");
    if (auto const* const fault = detail::fault_of_uid(identity.tenant_uid)) return bad(fault, "tenantUid");
    // A PendingCreate carries both, and programs write it to their disks.
    if (pipeline.has_secret(identity.user_uid)) return bad("the uid has a part of a secret", "userUid");
    if (pipeline.has_secret(identity.tenant_uid)) return bad("the uid has a part of a secret", "tenantUid");
    return {};
}

// Asks whose a credential is: `credential`, or the one in use if that is null. Remembers the answer and the
// service's time. `sent_with` becomes the credential that the answer is about.
inline asio::awaitable<Result<Identity>> ask_identity(
    Core& core, pipeline::Call& call, std::shared_ptr<const Credential> credential,
    std::shared_ptr<const Credential>* sent_with = nullptr) {
    pipeline::Conditions conditions;
    conditions.credential = std::move(credential);
    DecodedAnswer<Identity> answer;
    HttpRequest request("GET", std::string(read_identity.path_template));
    auto sent = co_await send(core, call, read_identity, request, answer, conditions);
    if (!sent) co_return std::move(sent.error());
    auto& identity = answer.value();
    if (auto good = check_identity(identity, core.pipeline()); !good)
        co_return std::move(good.error()).status(answer.response().status).attempts(call.attempts());
    core.creates().remember(request.credential, identity);
    if (sent_with != nullptr) *sent_with = request.credential;
    auto const& time = core.pipeline().time();
    core.creates().service_time.heard(date_of(answer.response()), time.now(), time.steady());
    co_return std::move(identity);
}

// Whose the credential is that the next request is sent with: asked for once for each credential.
inline asio::awaitable<Result<Identity>> identify(Core& core, pipeline::Call& call) {
    if (auto const* const known = core.creates().identity_of(core.pipeline().credential())) co_return *known;
    co_return co_await ask_identity(core, call, nullptr);
}

inline bool knows_service_time(Core& core) noexcept {
    auto const& time = core.pipeline().time();
    return core.creates().service_time.is_fresh(time.now(), time.steady());
}

// The service's time when it gave an answer. Without a Date: as far as it is known from another answer, and
// otherwise this machine's.
inline Instant time_of(Core& core, const HttpResponse& response) noexcept {
    if (auto const date = date_of(response)) return *date;
    return knows_service_time(core) ? core.creates().service_time.now(core.pipeline().time().steady())
                                    : core.now();
}

inline bool is_same_caller(const Identity& caller, std::string_view tenant_uid, std::string_view user_uid) {
    return (tenant_uid.empty() || caller.tenant_uid == tenant_uid) &&
           (user_uid.empty() || caller.user_uid == user_uid);
}

// What one user asked for, no other looks for or deletes.
inline Error other_caller(const pipeline::Call& call) {
    return Error(errc::auth_provider, "the credential is another user's than the one who asked for the key")
        .attempts(call.attempts())
        .earlier(call.failures());
}

/// Lets a call send nothing but with credentials that were found to be one user's.
class PinnedCaller final : public pipeline::Guard {
public:
    PinnedCaller(Core& core, pipeline::Call& call, Identity caller)
        : core_(core),
          call_(call),
          caller_(std::move(caller)) {}

    asio::awaitable<Result<void>> before_sending(std::shared_ptr<const Credential> credential) override {
        if (auto const* const known = core_.creates().identity_of(credential))
            co_return is_same(*known) ? Result<void>() : other_caller(call_);
        auto now = co_await ask_identity(core_, call_, std::move(credential));
        if (!now) co_return std::move(now.error());
        co_return is_same(*now) ? Result<void>() : other_caller(call_);
    }

private:
    [[nodiscard]] bool is_same(const Identity& now) const {
        return is_same_caller(now, caller_.tenant_uid, caller_.user_uid);
    }

    Core& core_;
    pipeline::Call& call_;
    Identity caller_;
};

// From now on, every request of the call is sent as that user.
inline void pin_caller(Core& core, pipeline::Call& call, Identity caller) {
    call.set_guard(std::make_unique<PinnedCaller>(core, call, std::move(caller)));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
