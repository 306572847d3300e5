// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/expiry.hpp>

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::lifecycle {

/// Names what a plan does to each of its keys.
enum class ActionKind : std::uint8_t {
    revoke,      ///< The keys are revoked.
    reactivate,  ///< The keys are re-activated.
    remove,      ///< The keys are deleted.
    extend,      ///< The keys expire later; never earlier.
    set_expiry,  ///< The keys expire at one time, also if that is earlier.
    edit,        ///< Name, description or expiry of the keys are changed.
};

/// Returns the name of the kind, such as "revoke".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(ActionKind kind) noexcept;
/// Writes the name of the kind.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, ActionKind kind);

/// Describes what a plan does to each of its keys. Every action is idempotent.
///
///     auto sweep = lifecycle::Action::revoke();
///     auto relief = lifecycle::Action::extend(std::chrono::days{7});
class PALETTE_KEYS_DECL Action {
public:
    /// Returns the action that revokes each key. One request a key.
    [[nodiscard]] static Action revoke() { return Action(ActionKind::revoke); }
    /// Returns the action that re-activates each key whose expiry has not passed. One request a key.
    [[nodiscard]] static Action reactivate() { return Action(ActionKind::reactivate); }
    /// Returns the action that deletes each key. One request a key; PlanOptions::quarantine() revokes first.
    [[nodiscard]] static Action remove() { return Action(ActionKind::remove); }
    /// Returns the action that lets each key live for at least `duration` from the service's time of the
    /// plan. A key that lives longer, or for ever, stays as it is. `duration` is greater than zero. Three
    /// requests a key: it is read, written, and read back.
    [[nodiscard]] static Action extend(std::chrono::milliseconds duration) {
        Action action(ActionKind::extend);
        action.duration_ = duration;
        return action;
    }
    /// Returns the action that lets each key expire at `expiry`, also if that is earlier than now; the time
    /// itself has not passed by the service's clock. Three requests a key.
    [[nodiscard]] static Action set_expiry(Expiry expiry) {
        Action action(ActionKind::set_expiry);
        action.changes_.expires(expiry);
        return action;
    }
    /// Returns the action that makes one edit of each key. The edit is not empty. Three requests a key.
    [[nodiscard]] static Action edit(ApiKeyEdit changes) {
        Action action(ActionKind::edit);
        action.changes_ = std::move(changes);
        return action;
    }

    /// Returns what is done.
    [[nodiscard]] ActionKind kind() const noexcept { return kind_; }
    /// Returns how long the keys live at least; zero for all kinds but ActionKind::extend.
    [[nodiscard]] std::chrono::milliseconds duration() const noexcept { return duration_; }
    /// Returns the edit that is made; empty for all kinds but ActionKind::edit and set_expiry.
    [[nodiscard]] const ApiKeyEdit& changes() const& noexcept { return changes_; }
    void changes() const&& = delete;

    /// Returns the action in words, escaped: "revoke", "extend to 86400000 ms from the time of the plan".
    [[nodiscard]] std::string to_string() const;

    /// Compares the kind and what belongs to it.
    friend bool operator==(const Action&, const Action&) = default;

private:
    explicit Action(ActionKind kind) : kind_(kind) {}

    ActionKind kind_;
    std::chrono::milliseconds duration_{0};
    ApiKeyEdit changes_;
};

/// Writes Action::to_string().
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Action& action);

}  // namespace palette::inline PALETTE_KEYS_ABI::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/plans/action.ipp>
#endif
