// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/caller.hpp>
#include <palette/lifecycle/plan.hpp>
#include <palette/user.hpp>

#include <optional>
#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// What a plan is made of, as it was read.
struct PlanSources {
    Caller caller;
    KeyList keys;
    std::optional<UserList> users;
    std::string users_problem;  // why there are none
};

// Makes a plan out of what was read. Decides all of it, and reads nothing.
class PlanMaker {
public:
    PlanMaker(palette::lifecycle::Selection selection, palette::lifecycle::Action action,
              palette::lifecycle::PlanOptions options)
        : selection_(std::move(selection)),
          action_(std::move(action)),
          options_(std::move(options)) {}

    // What of the arguments cannot be used; before anything is read.
    [[nodiscard]] std::optional<Error> check() const;
    // Whether the guards depend on the list of users.
    [[nodiscard]] bool needs_users() const noexcept;

    Result<palette::lifecycle::Plan> make(const PlanSources& sources) const;

private:
    using Items = std::vector<palette::lifecycle::PlanItem>;

    void select(palette::lifecycle::Plan& plan, const PlanSources& sources) const;
    [[nodiscard]] palette::lifecycle::PlanItem item_of(const ApiKey& key, std::string reason,
                                                       Instant now) const;
    void note_missing(palette::lifecycle::Plan& plan, const PlanSources& sources) const;
    void guard_own_key(palette::lifecycle::Plan& plan, const PlanSources& sources) const;
    void guard_last_keys(palette::lifecycle::Plan& plan, const PlanSources& sources) const;
    void guard_last_admin_key(palette::lifecycle::Plan& plan, const PlanSources& sources) const;
    [[nodiscard]] std::vector<std::string> admins(const PlanSources& sources) const;

    palette::lifecycle::Selection selection_;
    palette::lifecycle::Action action_;
    palette::lifecycle::PlanOptions options_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/plans/plan_maker.ipp>
#endif
