// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/caller.hpp>
#include <palette/client.hpp>
#include <palette/impl/lifecycle/plans/apply_journal.hpp>
#include <palette/impl/lifecycle/plans/apply_machine.hpp>
#include <palette/impl/lifecycle/run_end.hpp>
#include <palette/lifecycle/apply.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// What of the options cannot be used; before anything is read.
std::optional<Error> check(const Plan& plan, const ApplyOptions& options);

// The answers that have come, and who waits for them.
class ApplyInbox;

// Does what the machine decides, with the client and the journal: one run of a plan.
class ApplyDriver {
public:
    // The client outlives the driver.
    ApplyDriver(ApiKeyClient& client, Plan plan, ApplyOptions options, std::shared_ptr<const RunEnd> end);
    ApplyDriver(const ApplyDriver&) = delete;
    ApplyDriver& operator=(const ApplyDriver&) = delete;

    boost::asio::awaitable<Result<BulkReport>> run();

private:
    Result<void> restore();
    boost::asio::awaitable<Result<void>> prepare();
    boost::asio::awaitable<Result<void>> list();
    boost::asio::awaitable<void> confirm_missing();
    boost::asio::awaitable<void> tell_time();
    boost::asio::awaitable<void> run_steps();
    boost::asio::awaitable<bool> run_step();
    [[nodiscard]] bool begin(const std::vector<ApplyStep>& steps);
    void start(const ApplyStep& step);
    [[nodiscard]] ChangeOptions change_options(const ApplyStep& step) const;
    void take_news();
    void tell_decided();
    bool stop_if_ended();
    void keep(Result<void> written);

    ApiKeyClient& client_;
    const Plan plan_;
    const ApplyOptions options_;
    std::shared_ptr<const RunEnd> end_;
    ApplyMachine machine_;
    std::optional<ApplyJournal> journal_;
    std::shared_ptr<ApplyInbox> inbox_;
    boost::asio::cancellation_type cancelled_by_ = boost::asio::cancellation_type::none;
    Caller caller_;
    Instant now_{};
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/plans/apply_driver.ipp>
#endif
