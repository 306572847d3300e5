// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/audit/auditor.hpp>
#include <palette/impl/lifecycle/blocking.hpp>
#include <palette/impl/lifecycle/gone.hpp>
#include <palette/impl/lifecycle/run_end.hpp>
#include <palette/impl/lifecycle/started.hpp>
#include <palette/lifecycle/audit.hpp>
#include <palette/visit.hpp>

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

// What of a policy cannot be used; nothing if all can.
inline std::optional<Error> check(const palette::lifecycle::AuditPolicy& policy) {
    using std::chrono::milliseconds;
    // A century: what is taken from the service's time stays a time that can be written.
    constexpr milliseconds longest = std::chrono::days{36'500};
    auto const bad = [](const char* what, const char* field) {
        return Error(errc::invalid_argument, what).path(field);
    };
    for (auto const& [time, field] :
         {std::pair(policy.expiring_within(), "expiring_within"), std::pair(policy.max_life(), "max_life"),
          std::pair(policy.max_age(), "max_age"), std::pair(policy.revoked_for(), "revoked_for"),
          std::pair(policy.idle_for(), "idle_for"), std::pair(policy.inactive_sign_in(), "inactive_sign_in")})
        if (time < milliseconds(0) || time > longest)
            return bad("a time of a policy is not negative, and a century at most", field);
    // In this form the condition refuses a NaN as well.
    if (!(policy.quota_share() >= 0 && policy.quota_share() <= 1))
        return bad("a share of the limit is from 0 to 1", "quota_share");
    if (policy.roster() && policy.roster()->empty())
        return bad("an empty roster would make an orphan of every key", "roster");
    return std::nullopt;
}

// Reads what an auditor is to judge.
class AuditDriver {
public:
    using Report = palette::lifecycle::AuditReport;
    using Rule = palette::lifecycle::AuditRule;
    using Policy = palette::lifecycle::AuditPolicy;

    AuditDriver(ApiKeyClient& client, Policy policy, CallOptions options, std::shared_ptr<const RunEnd> end)
        : client_(client),
          policy_(std::move(policy)),
          options_(of_requests(options)),
          list_options_(of_lists(std::move(options))),
          end_(std::move(end)) {}

    asio::awaitable<Result<Report>> run() {
        if (has_ended()) co_return ended();
        auto caller = co_await client_.async_whoami(options_);
        if (has_ended()) co_return ended();
        if (!caller) co_return std::move(caller.error());
        auto const now = co_await client_.async_service_time(options_);
        if (has_ended()) co_return ended();
        if (!now) co_return now.error();
        // Keys come last: each is judged as it arrives, by what is known of its owner, and by one time for
        // all.
        auditor_.emplace(policy_, *std::move(caller), *now);
        // A read that is refused does not end the audit, so a cancelled one has to be told from it.
        if (needs_users()) co_await read_users();
        if (has_ended()) co_return ended();
        if (policy_.judges(Rule::quota)) co_await read_limit();
        if (has_ended()) co_return ended();
        if (policy_.read_events() && policy_.judges(Rule::idle)) co_await read_events(*now);
        if (has_ended()) co_return ended();
        // A part of the keys is no audit: a report of it would look clean where nobody has looked.
        auto const read = co_await read_keys();
        if (!read) co_return has_ended() ? ended() : read.error();
        co_await ask_for_absent_owners();
        // What is known of the keys by then is reported, and that the owners were not asked for.
        if (has_ended() && !end_->is_deadline()) co_return ended();
        co_return auditor_->finish();
    }

private:
    // The deadline is that of the audit, which ends each request by then. A large list takes longer than what
    // the client gives to other operations.
    static CallOptions of_requests(const CallOptions& options) {
        CallOptions each;
        each.traceparent(options.traceparent());
        return each;
    }
    static CallOptions of_lists(CallOptions options) {
        if (options.deadline())
            options.deadline(std::chrono::days{36'500});
        else
            options.deadline(std::chrono::minutes{10});
        return options;
    }

    [[nodiscard]] bool has_ended() const noexcept { return end_->has_come(); }
    [[nodiscard]] Error ended() const { return end_->error("audit"); }

    [[nodiscard]] bool needs_users() const noexcept {
        return policy_.read_users() && (policy_.judges(Rule::orphaned) ||
                                        policy_.judges(Rule::inactive_owner) || policy_.judges(Rule::idle));
    }

    // What these three cannot read costs the rules that need it, and not the audit: a credential may read
    // keys, and neither users, limits nor events.
    asio::awaitable<void> read_users() {
        auto const users = co_await client_.async_list_users(list_options_);
        if (!users) {
            auditor_->users_failed(users.error());
            co_return;
        }
        for (auto const& user : *users)
            auditor_->add_user(user);
        auditor_->end_users(users->is_complete(), users->total());
    }

    asio::awaitable<void> read_limit() {
        auto const limit = co_await client_.async_key_limit(options_);
        if (limit)
            auditor_->limit_is(limit->limit);
        else
            auditor_->limit_failed(limit.error());
    }

    asio::awaitable<void> read_events(Instant now) {
        // What is older does not make a key look used.
        auto filter = AuditEventFilter().from(now - policy_.idle_for());
        auto const events = co_await client_.async_list_audit_events(std::move(filter), list_options_);
        if (!events) {
            auditor_->events_failed(events.error());
            co_return;
        }
        for (auto const& event : *events)
            auditor_->add_event(event.actor.user_uid);
        auditor_->end_events();
    }

    // Each key is judged while the list still arrives, and then is gone, unless something is to be said of
    // it.
    asio::awaitable<Result<void>> read_keys() {
        KeyVisitor visitor = std::bind_front(&AuditDriver::judge, this);
        auto const visited = co_await client_.async_visit(ListFilter(), std::move(visitor), list_options_);
        if (!visited) co_return visited.error();
        co_return Result<void>();
    }
    Result<void> judge(ApiKey&& key) {
        auditor_->add_key(std::move(key));
        // A server that sends keys without an end would fill the memory by what is kept of each.
        if (auditor_->keys() <= policy_.max_keys()) return {};
        return Error(errc::too_large, "the tenant has more keys than AuditPolicy::max_keys() allows (" +
                                          std::to_string(policy_.max_keys()) + ")")
            .advice("check that the host is the Palette API, or raise that option of the policy");
    }

    // A 404 is also what some servers say when they do not accept a credential (W12), and what a service says
    // for a while that has lost its data: it counts only between two reads that find another user than the
    // caller.
    asio::awaitable<void> ask_for_absent_owners() {
        // Twenty owners share a control: it adds a twentieth to the requests, and spoils no more than these
        // if it fails.
        constexpr std::size_t batch = 20;
        auto const owners = auditor_->absent_owners();
        if (owners.empty()) co_return;
        auto before = co_await read_control();
        for (std::size_t begin = 0; begin < owners.size(); begin += batch) {
            auto const end = std::min(begin + batch, owners.size());
            std::vector<std::string> not_found;
            for (auto i = begin; i < end; ++i)
                co_await ask_for(owners[i], not_found);
            auto after = co_await read_control();
            if (before && after)
                for (auto const& uid : not_found)
                    auditor_->owner_is_gone(uid);
            else
                auditor_->control_failed(not_found.size(), before ? after.error() : before.error());
            // The control that ends one batch begins the next.
            before = std::move(after);
        }
    }

    asio::awaitable<void> ask_for(const std::string& uid, std::vector<std::string>& not_found) {
        if (has_ended()) co_return auditor_->owner_is_unknown(uid, ended());
        auto const user = co_await client_.async_get_user(uid, options_);
        if (user)
            auditor_->owner_exists(*user);
        else if (has_ended())
            auditor_->owner_is_unknown(uid, ended());
        else if (says_gone(user.error()))
            not_found.push_back(uid);
        else  // also a 404 of something in between, such as a proxy, which says nothing of users
            auditor_->owner_is_unknown(uid, user.error());
    }

    asio::awaitable<Result<void>> read_control() {
        auto const& uid = auditor_->listed_user();
        if (uid.empty()) co_return Error(errc::not_found, "the list has nobody but the caller");
        if (has_ended()) co_return ended();
        auto const user = co_await client_.async_get_user(uid, options_);
        if (user) co_return Result<void>();
        co_return has_ended() ? ended() : user.error();
    }

    ApiKeyClient& client_;
    const Policy policy_;
    const CallOptions options_;
    const CallOptions list_options_;
    std::shared_ptr<const RunEnd> end_;
    std::optional<Auditor> auditor_;
};

inline asio::awaitable<Result<palette::lifecycle::AuditReport>> run_audit(
    ApiKeyClient& client, palette::lifecycle::AuditPolicy policy, CallOptions options,
    std::shared_ptr<const RunEnd> end) {
    if (auto fault = check(policy)) co_return fault->operation("audit");
    AuditDriver driver(client, std::move(policy), std::move(options), std::move(end));
    auto result = co_await driver.run();
    if (!result && result.error().operation().empty()) result.error().operation("audit");
    co_return result;
}

}  // namespace impl::lifecycle

namespace detail {

PALETTE_KEYS_INLINE void start_audit(ApiKeyClient& client, Handler<lifecycle::AuditReport> handler,
                                     lifecycle::AuditPolicy policy, CallOptions options) {
    auto const started = std::make_shared<impl::lifecycle::Started<lifecycle::AuditReport>>(
        client, std::move(handler), options.deadline());
    started->spawn(std::bind_front(&impl::lifecycle::run_audit, std::ref(client), std::move(policy),
                                   std::move(options), started->end()));
}

}  // namespace detail

namespace lifecycle {

PALETTE_KEYS_INLINE Result<AuditReport> audit(BlockingApiKeyClient& client, const AuditPolicy& policy,
                                              const CallOptions& options) {
    return impl::lifecycle::wait_for<AuditReport>(
        client, [&](ApiKeyClient& inner) { return async_audit(inner, policy, options); });
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
