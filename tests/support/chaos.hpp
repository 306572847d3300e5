// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/random.hpp"
#include "support/rotating_keys.hpp"

#include <palette/client.hpp>
#include <palette/pending_create.hpp>
#include <palette/testing/emulator.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

// Operations of all kinds, so many at a time, on a service that fails at random.
namespace chaos {

namespace asio = boost::asio;

// What came of the operations.
class Seen {
public:
    void add(const palette::Error* error);
    [[nodiscard]] int of_effect(palette::Effect effect) const;

    int ended = 0;
    int good = 0;
    std::map<palette::errc, int> codes;
    std::map<palette::Effect, int> effects;  // of those that failed
};

// How much is under way at once. What takes the machine longer than `read` fails.
struct Pace {
    int lanes;
    std::chrono::seconds read;
};

class Scene {
public:
    using Uids = std::set<std::string>;

    Scene(std::uint64_t seed, int operations, const Pace& pace);

    // Until all have ended, or eight minutes have passed.
    void run();

    // The service is itself again: reconciles what is pending until nothing more comes, and deletes again
    // what may have been deleted.
    void clean_up();

    [[nodiscard]] const Seen& seen() const noexcept { return seen_; }
    [[nodiscard]] double injected_percent() const;
    [[nodiscard]] int rotations() const noexcept { return rotator_->rotations(); }
    [[nodiscard]] std::string summary() const;

    [[nodiscard]] std::size_t pending() const noexcept { return pending_.size(); }
    [[nodiscard]] std::size_t reconciled() const noexcept { return reconciled_; }

    // The keys whose values were delivered and which were not deleted since, and those that there are of
    // all that a create may have made.
    [[nodiscard]] Uids delivered() const;
    [[nodiscard]] Uids live() const;

    // Of the delivered values, how many the service does not take.
    int refused_values();

private:
    class Faults;
    static constexpr std::size_t max_made = 40;

    asio::awaitable<void> lane(int number);
    asio::awaitable<void> read(sample::Random& random, const std::string& own);
    asio::awaitable<void> change(sample::Random& random, const std::string& own);
    asio::awaitable<void> create();
    asio::awaitable<void> remove(sample::Random& random);
    asio::awaitable<void> reconcile();

    template <class T>
    bool note(const palette::Result<T>& result);
    [[nodiscard]] palette::ClientOptions options() const;
    void run_all(std::vector<asio::awaitable<void>> stories);

    std::uint64_t seed_;
    Pace pace_;
    int operations_;
    int left_ = operations_;
    palette::testing::Emulator emulator_;
    asio::io_context context_{2};
    asio::strand<asio::io_context::executor_type> strand_{context_.get_executor()};  // of all that follows
    std::shared_ptr<Faults> faults_;
    std::optional<RotatingKeys> rotator_;
    std::optional<palette::ApiKeyClient> client_;
    std::vector<std::string> own_;  // a key of each lane, that no other one changes
    int names_ = 0;
    std::map<std::string, palette::Secret> values_;  // delivered, by uid
    std::vector<std::string> present_;               // of them, those that were not deleted
    std::vector<std::string> deleted_perhaps_;
    std::vector<palette::PendingCreate> pending_;
    std::size_t reconciled_ = 0;
    std::uint64_t requests_ = 0;
    std::uint64_t injected_ = 0;
    Seen seen_;
};

}  // namespace chaos
