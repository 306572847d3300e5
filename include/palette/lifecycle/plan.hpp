// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/call_options.hpp>
#include <palette/client.hpp>
#include <palette/detail/start.hpp>
#include <palette/expiry.hpp>
#include <palette/instant.hpp>
#include <palette/lifecycle/action.hpp>
#include <palette/lifecycle/selection.hpp>
#include <palette/result.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

class BlockingApiKeyClient;

namespace lifecycle {

/// Names why a key of a plan is not changed unless ApplyOptions::include() says so.
enum class Guard : std::uint8_t {
    own_key,           ///< It is the key that the client itself uses.
    possible_own_key,  ///< It may be: the client uses a key of this user, and does not know which.
    last_user_key,     ///< Its user would have no working key left.
    last_admin_key,    ///< The tenant's administrators would have no working key left.
    protected_key,     ///< It has the annotation "protect".
};

/// Returns the name of the guard, such as "own_key".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(Guard guard) noexcept;
/// Writes the name of the guard.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, Guard guard);

/// Describes a key of a plan, as it was seen, and what is planned for it.
class PlanItem {
public:
    /// Tells what is planned for the key.
    enum class Step : std::uint8_t {
        change,   ///< It is changed.
        already,  ///< It is as the action would make it, and is not touched.
        skip,     ///< The action cannot change it, as the reason says, and it is not touched.
    };

    /// Constructs an item without content.
    PlanItem() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Identifies the key.
    std::string uid;
    /// Names the key.
    std::string name;
    /// Identifies the user whose permissions the key carries.
    Owner owner;
    /// Tells whether the key had not been revoked.
    bool is_active = false;
    /// Tells when the key expires.
    Expiry expiry;
    /// Tells when the key was last modified; nothing if the service does not say.
    std::optional<Instant> modified;
    /// Tells what is planned for the key.
    Step step = Step::change;
    /// Tells until when the key is extended; nothing for every other action.
    std::optional<Expiry> target;
    /// Says why the key is in the plan, in words.
    std::string reason;
    /// Lists the guards that speak for the key, in the order of the enumeration.
    std::vector<Guard> guards;

    /// Compares all members.
    friend bool operator==(const PlanItem&, const PlanItem&) = default;
};

/// Returns the name of the step, such as "change".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(PlanItem::Step step) noexcept;

/// Holds what is to be done to which keys, for review and for async_apply(). Contains no secret.
///
///     keep(plan.to_text());                            // for a pull request
///     auto reviewed = lifecycle::Plan::parse(text);    // what came back from it
class PALETTE_KEYS_DECL Plan {
public:
    /// Constructs a plan that does nothing, of no tenant.
    Plan() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Identifies the tenant.
    std::string tenant_uid;
    /// Names the organisation of the tenant.
    std::string org_name;
    /// Identifies the user who made the plan, and who alone may apply it.
    std::string actor_uid;
    /// Tells the service's time when the plan was made.
    Instant as_of{};
    /// Tells how long the plan may be applied from then on; what was begun by then may be finished later.
    std::chrono::milliseconds time_to_live{0};
    /// Tells what is done to each key.
    Action action = Action::revoke();
    /// Tells how long a key stays revoked before it is deleted; nothing without a quarantine.
    std::optional<std::chrono::milliseconds> quarantine;
    /// Says which keys were selected, in words.
    std::string selection;
    /// Counts the keys that the actor saw in the tenant, selected or not.
    std::size_t keys_in_tenant = 0;
    /// Says what could not be judged, and which parts of the selection no key has.
    std::vector<std::string> notes;
    /// Lists the keys, ordered by uid.
    std::vector<PlanItem> items;

    /// Returns the number of keys that are to be changed, those with a guard included.
    [[nodiscard]] std::size_t changes() const noexcept;

    /// Returns the plan as one JSON document, which is stable: the same plan has the same bytes, with one
    /// line for each value. It contains the SHA-256 of all the rest. What cannot be seen in a text, and what
    /// would turn its direction, is escaped.
    [[nodiscard]] std::string to_text() const;

    /// Returns the SHA-256 that to_text() contains, in hexadecimal digits.
    [[nodiscard]] std::string digest() const;

    /// Parses what to_text() returns, byte for byte.
    ///
    /// Errors: errc::bad_value for a text that was cut, edited or reformatted, or that is of a newer version
    /// of this library; Error::path() names the field, where there is one.
    [[nodiscard]] static Result<Plan> parse(std::string_view text);

    /// Compares all members.
    friend bool operator==(const Plan&, const Plan&) = default;
};

/// Writes a summary of the plan on one line, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Plan& plan);

/// Configures async_plan().
///
///     auto scream_test = lifecycle::PlanOptions().quarantine(std::chrono::days{14});
class PlanOptions {
public:
    /// Constructs the default options.
    PlanOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Sets how long the plan may be applied, by the service's clock; what was begun by then may be finished
    /// later. Greater than zero. Default: 1 hour.
    PlanOptions& time_to_live(std::chrono::milliseconds time) & noexcept {
        time_to_live_ = time;
        return *this;
    }
    /// Makes a plan of Action::remove() a scream test: the first async_apply() revokes the keys, and one
    /// after `time` deletes those that nobody has re-activated. Both go by one journal; the time to live
    /// bounds when the first begins. Greater than zero. Default: none; keys are deleted at once.
    PlanOptions& quarantine(std::chrono::milliseconds time) & noexcept {
        quarantine_ = time;
        return *this;
    }
    /// Tells the uid of the key that the client uses, where Credential::key_uid() does not: a credential that
    /// says which key it is has the last word.
    PlanOptions& own_key(std::string uid) & {
        own_key_ = std::move(uid);
        return *this;
    }
    /// Names a role whose users are administrators, by its uid; may be called for several. Default: every
    /// user who shares a role with the actor is taken for one.
    PlanOptions& admin_role(std::string uid) & {
        admin_roles_.push_back(std::move(uid));
        return *this;
    }
    /// Bounds the whole of async_plan(), as CallOptions::deadline() bounds an operation. Default: none; each
    /// of its requests has the bounds of the client.
    PlanOptions& deadline(Deadline when) & noexcept {
        deadline_ = when;
        return *this;
    }
    /// Same, on a temporary.
    PlanOptions time_to_live(std::chrono::milliseconds time) && noexcept {
        return std::move(time_to_live(time));
    }
    /// Same, on a temporary.
    PlanOptions quarantine(std::chrono::milliseconds time) && noexcept { return std::move(quarantine(time)); }
    /// Same, on a temporary.
    PlanOptions own_key(std::string uid) && { return std::move(own_key(std::move(uid))); }
    /// Same, on a temporary.
    PlanOptions admin_role(std::string uid) && { return std::move(admin_role(std::move(uid))); }
    /// Same, on a temporary.
    PlanOptions deadline(Deadline when) && noexcept { return std::move(deadline(when)); }

    /// Returns how long the plan may be applied.
    [[nodiscard]] std::chrono::milliseconds time_to_live() const noexcept { return time_to_live_; }
    /// Returns how long keys stay revoked before they are deleted; nothing without a quarantine.
    [[nodiscard]] std::optional<std::chrono::milliseconds> quarantine() const noexcept { return quarantine_; }
    /// Returns the uid of the client's own key; empty if it was not given.
    [[nodiscard]] const std::string& own_key() const& noexcept { return own_key_; }
    void own_key() const&& = delete;
    /// Returns the roles of administrators; empty for the default.
    [[nodiscard]] const std::vector<std::string>& admin_roles() const& noexcept { return admin_roles_; }
    void admin_roles() const&& = delete;
    /// Returns the deadline; nothing if there is none.
    [[nodiscard]] std::optional<Deadline> deadline() const noexcept { return deadline_; }

private:
    std::chrono::milliseconds time_to_live_ = std::chrono::hours{1};
    std::optional<std::chrono::milliseconds> quarantine_;
    std::string own_key_;
    std::vector<std::string> admin_roles_;
    std::optional<Deadline> deadline_;
};

}  // namespace lifecycle
namespace detail {

PALETTE_KEYS_DECL void start_plan(ApiKeyClient& client, Handler<lifecycle::Plan> handler,
                                  lifecycle::Selection selection, lifecycle::Action action,
                                  lifecycle::PlanOptions options);

}  // namespace detail
namespace lifecycle {

/// Makes a plan: lists the keys, selects those that are meant, and says of each what is to be done and what
/// speaks against it. Changes nothing: the plan is the dry run.
///
///     auto theirs = lifecycle::Selection::owner(uid);
///     auto plan = co_await lifecycle::async_plan(client, theirs, lifecycle::Action::revoke());
///     if (plan) keep(plan->to_text());
///
/// Guards speak for keys that an action takes away from whoever uses them (Guard). Which user is an
/// administrator is told by the list of users; where that cannot be read, Plan::notes says so, and every
/// owner is taken for an existing user.
///
/// Completes with the plan; one without an item if no key is selected.
///
/// Errors: errc::invalid_argument for an action or option that cannot be used; errc::timeout at
/// PlanOptions::deadline(); those of async_describe_caller() and async_list().
///
/// Precondition: `client` outlives the operation.
///
/// Cancellation: ends the operation with errc::operation_aborted, as ApiKeyClient::cancel() does.
///
/// Threads: as an operation of the client. Runs on a strand of the client's executor.
template <palette::detail::TokenFor<Plan> Token = boost::asio::deferred_t>
auto async_plan(ApiKeyClient& client, Selection selection, Action action, PlanOptions options,
                Token&& token = Token()) {  // NOLINT(*-missing-std-forward)
    return boost::asio::async_initiate<Token, void(Result<Plan>)>(
        palette::detail::InitiationOn<&palette::detail::start_plan, Plan, ApiKeyClient>(
            client, client.get_executor()),
        token, std::move(selection), std::move(action), std::move(options));
}
/// Same, with default options.
template <palette::detail::TokenFor<Plan> Token = boost::asio::deferred_t>
auto async_plan(ApiKeyClient& client, Selection selection, Action action, Token&& token = Token()) {
    return async_plan(client, std::move(selection), std::move(action), PlanOptions(),
                      std::forward<Token>(token));
}

/// Does the same as async_plan(), and waits for the result; for programs without an event loop. Any thread
/// but the client's own.
PALETTE_KEYS_DECL Result<Plan> plan(BlockingApiKeyClient& client, Selection selection, Action action,
                                    PlanOptions options = PlanOptions());

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/plans/plan.ipp>
#    include <palette/impl/lifecycle/plans/plan_parse.ipp>
#    include <palette/impl/lifecycle/plans/plan_text.ipp>
#endif
