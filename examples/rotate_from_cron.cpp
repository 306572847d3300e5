// SPDX-License-Identifier: BSL-1.0
//
// One run of a rotation, as cron or a systemd timer starts it once an hour. It does what is due now, prints
// the report, and ends. Killed anywhere, or started twice, it does no harm: the next run goes on from there.
//
// Run it: rotate_from_cron [--force] SLOT FILE DIRECTORY, with PALETTE_HOST and PALETTE_API_KEY set. The
// value of the key is in FILE; DIRECTORY has the record of what is being done. Both have to lie where nobody
// else may write. --force replaces the key at once, also one that was revoked: for an incident, by hand.
//
//     status 0   what was due is done, or nothing was due
//     status 75  not now: another run works on the slot, or what failed may pass; the next run takes it up
//     status 1   look at it: a person has to do something
//
// Without arguments it plays a month of a slot, against an emulator of its own whose clock leaps.
#include "demonstration.hpp"

#include <palette/api_keys.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/testing/emulator.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace asio = boost::asio;
using palette::lifecycle::Promotion;
using palette::lifecycle::RotateOptions;
using palette::lifecycle::Rotation;
using palette::lifecycle::RotationState;
using palette::lifecycle::Slot;

namespace {

constexpr int done = 0;
constexpr int look_at_it = 1;
constexpr int try_again = 75;  // EX_TEMPFAIL

int status_of(const palette::Result<Rotation>& rotation) {
    auto const of_error = [](const palette::Error& error) {
        return is_retryable(error) ? try_again : look_at_it;
    };
    if (!rotation) return of_error(rotation.error());
    auto const outcome = rotation->outcome;
    if (outcome == Rotation::Outcome::busy || outcome == Rotation::Outcome::lost_race) return try_again;
    if (rotation->problem) return of_error(*rotation->problem);
    return rotation->left.empty() ? done : look_at_it;
}

void print(const std::string& slot, const palette::Result<Rotation>& rotation) {
    if (!rotation) {  // nothing was done
        std::cerr << slot << ": " << rotation.error() << '\n';
        return;
    }
    std::cout << slot << ": " << rotation->outcome << ", " << rotation->state << '\n';
    for (auto const& what : rotation->done)
        std::cout << "    " << what << '\n';
    if (rotation->next_due)
        std::cout << "    more is to be done at " << palette::Expiry::at(*rotation->next_due) << '\n';
    // cron mails what is written here.
    if (rotation->problem) std::cerr << slot << ": failed: " << *rotation->problem << '\n';
    for (auto const& what : rotation->left)
        std::cerr << slot << ": to do: " << what << '\n';
}

// Called once the new value is in FILE: a program that reads it only at its start is to be restarted here.
// The old key works until this has succeeded, and for an hour at least.
asio::awaitable<palette::Result<void>> tell_consumers(Promotion promotion) {
    std::cout << "    (hook) " << promotion.slot << ": read the file again\n";
    co_return palette::Result<void>();
}

palette::Result<Rotation> run_once(const palette::ClientOptions& options, const Slot& slot, bool is_forced) {
    palette::BlockingApiKeyClient client(options);
    auto rotation = rotate(client, slot, RotateOptions().force(is_forced).hook(tell_consumers));
    print(slot.name(), rotation);
    return rotation;
}

// --- without arguments -------------------------------------------------------------------------------------

struct Scene {
    std::string_view title;
    std::chrono::milliseconds later;
    Rotation::Outcome outcome;
    RotationState state;
    std::size_t keys;  // of the slot, revoked ones included
};

// Whether the service accepts what a consumer reads.
void use_file(palette::ClientOptions options, const std::string& file) {
    options.auth = palette::auth::file(file);
    palette::BlockingApiKeyClient consumer(std::move(options));
    static_cast<void>(consumer.whoami().value());
}

void play_a_month() {
    using namespace std::chrono_literals;
    using std::chrono::days;
    using enum Rotation::Outcome;
    static constexpr Scene scenes[] = {
        {"an empty slot is provisioned", 0s, completed, RotationState::idle, 1},
        {"a day later", days{1}, not_due, RotationState::idle, 1},
        {"after two thirds of the key's life", days{19}, in_progress, RotationState::overlap, 2},
        {"half an hour later", 30min, in_progress, RotationState::overlap, 2},
        {"after the overlap", 31min, in_progress, RotationState::quarantine, 2},
        {"after the quarantine", days{7}, completed, RotationState::idle, 1},
    };

    example::LeapingClock time;
    palette::testing::Emulator const emulator({.clock = time.clock()});
    auto const options = emulator.client_options(palette::testing::Role::tenant_admin);
    auto const keys_before = emulator.keys().size();
    example::ScratchDirectory const directory;
    auto const file = directory.file("palette.key");
    Slot const slot("ci", palette::lifecycle::file_sink(file),
                    palette::lifecycle::file_store(directory.path()));

    for (auto const& scene : scenes) {
        time.leap(scene.later);
        std::cout << '\n' << palette::Expiry::at(time.clock()->now()) << ", " << scene.title << ":\n";
        auto const rotation = run_once(options, slot, false);
        use_file(options, file);
        auto const keys = emulator.keys().size() - keys_before;
        std::cout << "    the value in the file works; the slot has " << keys << " key(s)\n";
        if (status_of(rotation) != done || rotation->outcome != scene.outcome ||
            rotation->state != scene.state || keys != scene.keys)
            throw std::runtime_error("that should not have happened");
    }
}

}  // namespace

int main(int argc, char** argv) try {
    std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.empty()) {
        play_a_month();
        return done;
    }
    bool const is_forced = arguments.front() == "--force";
    if (is_forced) arguments.erase(arguments.begin());
    if (arguments.size() != 3) {
        std::cerr << "usage: rotate_from_cron [--force] SLOT FILE DIRECTORY\n";
        return look_at_it;
    }
    Slot const slot(arguments[0], palette::lifecycle::file_sink(arguments[1]),
                    palette::lifecycle::file_store(arguments[2]));
    return status_of(run_once(palette::ClientOptions::from_environment().value(), slot, is_forced));
} catch (const std::exception& e) {
    std::cerr << "rotate_from_cron: " << e.what() << '\n';
    return look_at_it;
}
