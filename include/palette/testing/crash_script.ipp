// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/rotation.hpp>
#include <palette/testing/crash_points.ipp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What is explored: the effects of a life without interruption, and what is tried at each of them.

namespace palette::inline PALETTE_KEYS_ABI::testing::crash {

inline constexpr std::string_view create = "POST /v1/apiKeys";

// What an undisturbed run has done, and how far the rotation came in it.
struct PlayedRun {
    std::vector<std::string> effects;
    lifecycle::RotationState state = lifecycle::RotationState::idle;
    bool finds_stale_value = false;
};

// A column of the matrix.
struct Trial {
    // What happens after the process has died, before the next run.
    enum class Meanwhile { nothing, new_key_revoked, old_key_reactivated, lists_lag };

    Interruption interruption;
    Meanwhile meanwhile = Meanwhile::nothing;
    std::string name;
};

// Where the keys of the slot stand before an effect, as the effects before it say.
class Situation {
public:
    void begin_run() {
        last_.clear();
        has_just_revoked_ = false;
    }
    void pass(const std::string& effect) {
        if (effect == create) is_created_ = true;
        if (effect == "stage") is_staged_ = true;
        if (effect == "promote") {
            // The first promotion provisions the slot, and replaces nothing.
            is_created_ = is_staged_ = false;
            is_replaced_ = std::exchange(has_current_, true);
        }
        if (effect.starts_with("PUT ")) is_revoked_ = has_just_revoked_ = is_replaced_;
        if (effect.starts_with("DELETE ") && is_revoked_) is_replaced_ = is_revoked_ = false;
        last_ = effect;
    }

    // The new key is about to become the current one, or the old one is still needed if it does not work.
    [[nodiscard]] bool needs_new_key(const std::string& effect) const {
        if (is_staged_) return has_current_;
        return is_replaced_ && (!is_revoked_ || has_just_revoked_) && !effect.starts_with("DELETE ");
    }
    // What was revoked, and was written down as such: the save that follows a revocation writes it down.
    [[nodiscard]] bool knows_of_revocation(const std::string& effect) const {
        return is_revoked_ && !(effect == "save" && last_.starts_with("PUT "));
    }
    // Likewise of a key that was created, and whose value nobody has yet.
    [[nodiscard]] bool knows_of_new_key(const std::string& effect) const {
        return is_created_ && !is_staged_ && !(effect == "save" && last_ == create);
    }

private:
    std::string last_;  // effect of the run
    bool has_current_ = false;
    bool is_created_ = false;
    bool is_staged_ = false;
    bool is_replaced_ = false;
    bool is_revoked_ = false;
    bool has_just_revoked_ = false;  // in this run
};

// `has_files`: so that the disk may be full.
inline std::vector<Trial> trials_of(const std::string& effect, const Situation& situation, bool has_files,
                                    const std::vector<std::string>& faults) {
    using Way = Interruption::Way;
    using Phase = Interruption::Phase;
    using Meanwhile = Trial::Meanwhile;

    std::vector<Trial> trials;
    auto const add = [&](Way way, Phase phase, std::string name) -> Trial& {
        trials.push_back({{way, phase, 0, {}, {}}, Meanwhile::nothing, std::move(name)});
        return trials.back();
    };
    // One changes nothing, so that it does not matter where within it.
    auto const is_look = effect == "prove";
    add(Way::fails, Phase::before, "fails before");
    if (!is_look) add(Way::fails, Phase::within, "fails within");
    add(Way::fails, Phase::after, "cancelled after");
    add(Way::dies, Phase::before, "dies before");
    if (!is_look) add(Way::dies, Phase::within, "dies within");
    add(Way::dies, Phase::after, "dies after");
    auto const add_meanwhile = [&](Meanwhile what, std::string_view name) {
        add(Way::dies, Phase::before, "dies before, " + std::string(name)).meanwhile = what;
    };
    if (situation.needs_new_key(effect)) add_meanwhile(Meanwhile::new_key_revoked, "new key revoked");
    if (situation.knows_of_revocation(effect))
        add_meanwhile(Meanwhile::old_key_reactivated, "old key re-activated");
    // A list that lags hides the key that the next run searches for.
    if (situation.knows_of_new_key(effect)) add_meanwhile(Meanwhile::lists_lag, "lists lag");
    if (has_files && !is_look) add(Way::full_disk, Phase::before, "full disk");
    // The faults are those of the emulator, which only a request can meet.
    if (is_look || effect.find(" /") != std::string::npos)
        for (auto const& fault : faults)
            add(Way::fault, Phase::before, fault).interruption.fault = fault;
    if (effect == create) {
        // The client looks itself for what it has created, and cannot.
        auto& trial = add(Way::fault, Phase::before, "drop-after, lists refused");
        trial.interruption.fault = "drop-after";
        trial.interruption.later = "GET /v1/apiKeys deny-list";
    }
    return trials;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::testing::crash
