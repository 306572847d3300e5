// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/call_options.hpp>
#include <palette/client.hpp>
#include <palette/detail/start.hpp>
#include <palette/lifecycle/bulk_report.hpp>
#include <palette/lifecycle/plan.hpp>
#include <palette/result.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

class BlockingApiKeyClient;

namespace lifecycle {

/// Configures async_apply().
///
///     auto options = lifecycle::ApplyOptions("sweep.journal").include(lifecycle::Guard::last_user_key);
class ApplyOptions {
public:
    /// Is called when a key has come to its outcome, with the number of keys that have, and of all.
    using Progress = std::function<void(const BulkItem& item, std::size_t finished, std::size_t total)>;

    /// Constructs options with a journal in the file `journal`, which is made if it does not exist, and with
    /// which a run that was killed goes on. Its directory belongs to this user or root, and nobody else may
    /// write to it. A lock is kept in `journal`.lock.
    explicit ApplyOptions(std::string journal) : journal_(std::move(journal)) {}
    /// Returns options without a journal: after a kill, a new plan has to be made. Refused for a plan with a
    /// quarantine.
    [[nodiscard]] static ApplyOptions without_journal() {
        ApplyOptions options{std::string()};
        options.has_journal_ = false;
        return options;
    }

    /// Stops the run after so many failures in a row; what is under way is waited for. Greater than zero.
    /// Default: 5.
    ApplyOptions& stop_after(std::size_t failures) & noexcept {
        stop_after_ = failures;
        return *this;
    }
    /// Refuses a plan that changes more keys than that. Default: 1,000.
    ApplyOptions& max_items(std::size_t number) & noexcept {
        max_items_ = number;
        return *this;
    }
    /// Allows to change more than one key that are more than a fifth of those in the tenant. Default:
    /// refused.
    ApplyOptions& allow_large_share(bool on = true) & noexcept {
        allow_large_share_ = on;
        return *this;
    }
    /// Changes keys although this guard speaks for them; call it for each guard. The client's own key is
    /// changed last, alone, and only after every other key has come to a good end: none has failed, is
    /// unknown, was not started, or is guarded; until then it is BulkOutcome::not_started.
    /// Guard::possible_own_key is refused: tell with own_key() which key it is.
    ApplyOptions& include(Guard guard) & {
        included_.insert(guard);
        return *this;
    }
    /// Same as include(Guard::own_key).
    ApplyOptions& allow_own_key() & { return include(Guard::own_key); }
    /// Tells the uid of the key that the client uses, where Credential::key_uid() does not: a credential that
    /// says which key it is has the last word.
    ApplyOptions& own_key(std::string uid) & {
        own_key_ = std::move(uid);
        return *this;
    }
    /// Bounds how many changes are under way at a time, those that wait for the rate limiter included. From 1
    /// to 1,000. Default: 64.
    ApplyOptions& max_under_way(std::size_t number) & noexcept {
        max_under_way_ = number;
        return *this;
    }
    /// Bounds the whole run, as CallOptions::deadline() bounds an operation: by then async_apply() completes,
    /// with its report, and the next run goes on. No change begins later, and those under way are cancelled:
    /// they are BulkOutcome::unknown if they were sent, and else BulkOutcome::not_started. Default: none.
    ApplyOptions& deadline(Deadline when) & noexcept {
        deadline_ = when;
        return *this;
    }
    /// Bounds each change, its wait for the rate limiter included, as CallOptions::deadline(). Greater than
    /// zero. Default: none of its own; those of the client hold.
    ApplyOptions& item_deadline(std::chrono::milliseconds time) & noexcept {
        item_deadline_ = time;
        return *this;
    }
    /// Calls a function for each key that comes to its outcome. An exception stops the run. Default: none.
    /// g++ 12 destroys a temporary function object that holds strings twice if it stands in a co_await
    /// expression: with g++ 12, name a function object that holds strings before the co_await.
    ApplyOptions& on_progress(Progress function) & {
        on_progress_ = std::move(function);
        return *this;
    }
    /// Same, on a temporary.
    ApplyOptions stop_after(std::size_t failures) && noexcept { return std::move(stop_after(failures)); }
    /// Same, on a temporary.
    ApplyOptions max_items(std::size_t number) && noexcept { return std::move(max_items(number)); }
    /// Same, on a temporary.
    ApplyOptions allow_large_share(bool on = true) && noexcept { return std::move(allow_large_share(on)); }
    /// Same, on a temporary.
    ApplyOptions include(Guard guard) && { return std::move(include(guard)); }
    /// Same, on a temporary.
    ApplyOptions allow_own_key() && { return std::move(allow_own_key()); }
    /// Same, on a temporary.
    ApplyOptions own_key(std::string uid) && { return std::move(own_key(std::move(uid))); }
    /// Same, on a temporary.
    ApplyOptions max_under_way(std::size_t number) && noexcept { return std::move(max_under_way(number)); }
    /// Same, on a temporary.
    ApplyOptions deadline(Deadline when) && noexcept { return std::move(deadline(when)); }
    /// Same, on a temporary.
    ApplyOptions item_deadline(std::chrono::milliseconds time) && noexcept {
        return std::move(item_deadline(time));
    }
    /// Same, on a temporary.
    ApplyOptions on_progress(Progress function) && { return std::move(on_progress(std::move(function))); }

    /// Returns whether there is a journal.
    [[nodiscard]] bool has_journal() const noexcept { return has_journal_; }
    /// Returns the file of the journal; empty without one.
    [[nodiscard]] const std::string& journal() const& noexcept { return journal_; }
    void journal() const&& = delete;
    /// Returns after how many failures in a row the run stops.
    [[nodiscard]] std::size_t stop_after() const noexcept { return stop_after_; }
    /// Returns how many keys a plan may change.
    [[nodiscard]] std::size_t max_items() const noexcept { return max_items_; }
    /// Returns whether more than a fifth of the tenant's keys may be changed.
    [[nodiscard]] bool allow_large_share() const noexcept { return allow_large_share_; }
    /// Returns whether keys are changed for which this guard speaks.
    [[nodiscard]] bool includes(Guard guard) const { return included_.contains(guard); }
    /// Returns the uid of the client's own key; empty if it was not given.
    [[nodiscard]] const std::string& own_key() const& noexcept { return own_key_; }
    void own_key() const&& = delete;
    /// Returns how many changes are under way at a time.
    [[nodiscard]] std::size_t max_under_way() const noexcept { return max_under_way_; }
    /// Returns the deadline of the run; nothing if there is none.
    [[nodiscard]] std::optional<Deadline> deadline() const noexcept { return deadline_; }
    /// Returns the bound of each change; nothing if there is none of its own.
    [[nodiscard]] std::optional<std::chrono::milliseconds> item_deadline() const noexcept {
        return item_deadline_;
    }
    /// Returns the function that is called for each key; empty if there is none.
    [[nodiscard]] const Progress& on_progress() const& noexcept { return on_progress_; }
    void on_progress() const&& = delete;

private:
    std::string journal_;
    bool has_journal_ = true;
    std::size_t stop_after_ = 5;
    std::size_t max_items_ = 1'000;
    bool allow_large_share_ = false;
    std::set<Guard> included_;
    std::string own_key_;
    std::size_t max_under_way_ = 64;
    std::optional<Deadline> deadline_;
    std::optional<std::chrono::milliseconds> item_deadline_;
    Progress on_progress_;
};

}  // namespace lifecycle
namespace detail {

PALETTE_KEYS_DECL void start_apply(ApiKeyClient& client, Handler<lifecycle::BulkReport> handler,
                                   lifecycle::Plan plan, lifecycle::ApplyOptions options);

}  // namespace detail
namespace lifecycle {

/// Applies a plan: changes its keys as fast as the rate limiter allows, and goes on where an earlier run was
/// killed. Does nothing when it is applied again.
///
///     auto report = co_await lifecycle::async_apply(client, plan, lifecycle::ApplyOptions("sweep.journal"));
///     if (report && !report->is_complete()) use(*report);
///
/// Each change is one request, without a read before it; extending and editing take three. What is about to
/// be done is in the journal, on the disk, before it is sent. After a kill, a change that was begun and has
/// no result is looked for in one list: it is found done, or done again, which is harmless as every action is
/// idempotent, or left alone if the key has changed otherwise.
///
/// The keys are listed again before the first change if the plan is older than 30 seconds, after a kill, and
/// at the end of a quarantine. A key that is not as the plan saw it is left alone (BulkOutcome::drifted).
/// One that the list lacks is read, one request for each, and is gone only if that meets HTTP 404. Within the
/// 30 seconds, the plan itself is what was seen.
///
/// Keys with a guard are left alone, unless ApplyOptions::include() names each of their guards. The own-key
/// guard is judged anew by the credential of this client, and once more at each revocation and deletion, for
/// the credential may be replaced meanwhile: the key that is the client's own by then is left alone
/// (BulkOutcome::guarded). Not so if the run began with an API key whose uid the credential does not say:
/// then the plan and own_key() stand until its end.
///
/// Completes with a report, also if keys have failed, and if the run was stopped: by failures in a row, by an
/// HTTP 401, by a journal that cannot be written, by ApplyOptions::deadline(), or by a cancellation.
///
/// A run that was begun while the plan might be applied is finished by a later one with its journal, also
/// after the plan's time to live: what has changed meanwhile is left alone.
///
/// Errors, each before anything is changed:
/// - errc::invalid_argument: an option that cannot be used; a plan whose keys are not in their order; a plan
///   with a quarantine and without a journal; a plan that changes more than ApplyOptions::max_items() keys or
///   more than a fifth of the tenant's.
/// - errc::conflict: the plan is another tenant's, another user's, or too old to be begun (Error::path() is
///   "tenant_uid", "actor_uid" or "as_of"); another process applies a plan with this journal.
/// - errc::bad_value: the journal is another plan's, or damaged. A line that a kill has cut is not damage.
/// - those of async_describe_caller(), async_list(), and of the files.
///
/// Precondition: `client` outlives the operation.
///
/// Cancellation: starts no other change, cancels those under way, and completes with the report; `total` lets
/// changes that were sent come to their answers. ApiKeyClient::cancel() does the same as `terminal`.
///
/// Threads: as an operation of the client. Runs on a strand of the client's executor, and blocks for the
/// disk.
template <palette::detail::TokenFor<BulkReport> Token = boost::asio::deferred_t>
auto async_apply(ApiKeyClient& client, Plan plan, ApplyOptions options,
                 Token&& token = Token()) {  // NOLINT(*-missing-std-forward)
    return boost::asio::async_initiate<Token, void(Result<BulkReport>)>(
        palette::detail::InitiationOn<&palette::detail::start_apply, BulkReport, ApiKeyClient>(
            client, client.get_executor()),
        token, std::move(plan), std::move(options));
}

/// Does the same as async_apply(), and waits for the result; for programs without an event loop. Any thread
/// but the client's own.
PALETTE_KEYS_DECL Result<BulkReport> apply(BlockingApiKeyClient& client, Plan plan, ApplyOptions options);

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/plans/apply.ipp>
#endif
