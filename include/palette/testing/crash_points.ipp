// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/testing/crash_witness.ipp>
#include <palette/testing/emulator.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::testing::crash {

// Where a run is interrupted, and how.
struct Interruption {
    enum class Way { none, fails, dies, full_disk, fault };
    enum class Phase { before, within, after };

    Way way = Way::none;
    Phase phase = Phase::before;
    std::size_t effect = 0;  // of the run, from 0 on
    std::string fault;       // of the request
    std::string later;       // a rule for the requests after it, until the run ends
};

// The status of a process that died as it was told to.
inline constexpr int died_as_told = 17;

// Hears of each effect of a run, and of each proof of a key, and interrupts one.
class Interrupter {
public:
    using Way = Interruption::Way;
    using Phase = Interruption::Phase;

    Interrupter(Interruption interruption, Emulator& emulator, Witness witness_)
        : witness(std::move(witness_)),
          interruption_(std::move(interruption)),
          emulator_(&emulator) {}

    Witness witness;

    // What a run has done so far.
    [[nodiscard]] const std::vector<std::string>& effects() const noexcept { return effects_; }
    [[nodiscard]] bool has_interrupted() const noexcept { return has_interrupted_; }
    // Is called when the run is to be cancelled.
    void on_cancel(std::function<void()> cancel) { cancel_ = std::move(cancel); }

    // Around each call of what is explored, so that the clock stands still meanwhile.
    class UnderWay {
    public:
        explicit UnderWay(Interrupter& of) noexcept : of_(&of) { ++of_->under_way_; }
        UnderWay(const UnderWay&) = delete;
        UnderWay& operator=(const UnderWay&) = delete;
        ~UnderWay() { --of_->under_way_; }

    private:
        Interrupter* of_;
    };
    [[nodiscard]] int under_way() const noexcept { return under_way_; }

    // Before what only looks.
    // A death after an effect comes here, at whatever the process does next: by then the caller of the effect
    // has gone on.
    void look() const {
        if (dies_next_) ::_exit(died_as_told);
    }

    // Before an effect, as it has been done, and as its caller is about to hear of that.
    void begin(std::string name) {
        look();
        is_chosen_ = effects_.size() == interruption_.effect && interruption_.way != Way::none;
        effects_.push_back(std::move(name));
        if (is_chosen_ && interruption_.way == Way::full_disk) fill_disk();
        at(Phase::before);
    }
    // Within means that it is done, and that its caller does not hear of that.
    void done() { at(Phase::within); }
    void heard() {
        if (!is_chosen_ || interruption_.phase != Phase::after) return;
        has_interrupted_ = true;
        is_chosen_ = false;
        if (interruption_.way == Way::dies) dies_next_ = true;
        if (interruption_.way == Way::fails && cancel_) cancel_();
    }

    // The next request to `target` meets the fault.
    void misbehave(const std::string& method, const std::string& target) {
        if (!is_chosen_ || interruption_.way != Way::fault) return;
        has_interrupted_ = true;
        emulator_->faults().add(method + ' ' + target.substr(0, target.find('?')) + ' ' +
                                interruption_.fault + " x1");
        if (!interruption_.later.empty()) emulator_->faults().add(interruption_.later);
    }

private:
    void at(Phase phase) {
        if (!is_chosen_ || interruption_.phase != phase) return;
        // No destructor runs and nothing is flushed, as after a kill.
        if (interruption_.way == Way::dies) ::_exit(died_as_told);
        if (interruption_.way != Way::fails) return;
        has_interrupted_ = true;
        is_chosen_ = false;
        throw std::runtime_error("the explorer interrupts this");
    }

    // From now on no file of this process can be longer than some bytes: what is written is cut, as on a full
    // disk.
    void fill_disk() {
        has_interrupted_ = true;
        // By default the signal ends the process, and no write fails.
        std::signal(SIGXFSZ, SIG_IGN);
        rlimit const small{16, 16};
        ::setrlimit(RLIMIT_FSIZE, &small);
    }

    Interruption interruption_;
    Emulator* emulator_;
    std::function<void()> cancel_;
    std::vector<std::string> effects_;
    int under_way_ = 0;
    bool is_chosen_ = false;
    bool has_interrupted_ = false;
    bool dies_next_ = false;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing::crash
