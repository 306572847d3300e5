// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/random.hpp"

#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/manual_clock.hpp>

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

// Creates, one after another, each with faults of its own that a seed decides.
namespace storm {

struct Totals {
    int creates = 0;
    int delivered = 0;
    int unknown = 0;
    int applied = 0;  // without a value
    int not_applied = 0;
    int others = 0;  // keys that nobody has the value of, when all had landed
    int reconciled = 0;
    std::uint64_t requests = 0;
    std::uint64_t injected = 0;

    Totals& operator+=(const Totals& more);
};

// A service with one client, on a clock that moves when nothing else does.
class Tenant {
public:
    explicit Tenant(std::uint64_t seed);

    void create();

    // What the service does late, is done.
    void let_all_land();

    // Of each create: every key that it made is the delivered one, or is named by what it ended with.
    void check_names();

    void reconcile();

    // The delivered keys, and those of which the service has not kept whose they are.
    void check_what_is_left();

    [[nodiscard]] const Totals& totals() const noexcept { return totals_; }

private:
    struct Made {
        std::string name;
        std::string faults;
        std::optional<palette::Result<palette::CreatedApiKey>> result;

        [[nodiscard]] std::shared_ptr<const palette::PendingCreate> pending() const;
        [[nodiscard]] bool names(const palette::ApiKey& key) const;
    };
    class Watch;

    std::string add_faults();
    // Until `is_done`, letting time pass whenever it is waited for.
    void run_until(const std::function<bool()>& is_done);
    [[nodiscard]] palette::ClientOptions options() const;
    [[nodiscard]] std::vector<palette::ApiKey> keys_of(const Made& made) const;
    [[nodiscard]] bool is_taken(const palette::Secret& value);

    sample::Random random_;
    std::shared_ptr<palette::testing::ManualClock> clock_ = std::make_shared<palette::testing::ManualClock>();
    std::atomic<bool> is_stalled_ = false;  // the last request is never answered
    palette::testing::Emulator emulator_;
    boost::asio::io_context context_{1};
    std::shared_ptr<Watch> watch_;
    palette::ApiKeyClient client_;
    std::vector<Made> made_;
    Totals totals_;
};

}  // namespace storm
