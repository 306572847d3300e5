// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/plans/apply_driver.hpp>
#include <palette/impl/values/error_of_exception.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <new>
#include <optional>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

namespace asio = boost::asio;

PALETTE_KEYS_INLINE std::optional<Error> check(const Plan& plan, const ApplyOptions& options) {
    using std::chrono::milliseconds;
    auto const bad = [](const char* what, const char* field) {
        return Error(errc::invalid_argument, what).path(field);
    };
    if (options.stop_after() == 0) return bad("a run stops after one failure at least", "stop_after");
    if (options.max_under_way() == 0 || options.max_under_way() > 1'000)
        return bad("from 1 to 1,000 changes are under way at a time", "max_under_way");
    if (options.item_deadline() && *options.item_deadline() <= milliseconds(0))
        return bad("a change needs time", "item_deadline");
    if (options.includes(Guard::possible_own_key))
        return bad(
            "which key the client uses has to be told by own_key(), or a run might end itself half-way",
            "include");
    // The items of a plan are open to the program, and the machine searches them by uid.
    auto const is_out_of_order = [](const PlanItem& a, const PlanItem& b) { return a.uid >= b.uid; };
    if (std::ranges::adjacent_find(plan.items, is_out_of_order) != plan.items.end())
        return bad("the keys of a plan are in the order of their uids, each once", "items");
    // A century: what is added to the service's time stays a time that can be written.
    constexpr milliseconds most = std::chrono::days{36'500};
    auto const is_bad = [&](milliseconds time) { return time <= milliseconds(0) || time > most; };
    if (is_bad(plan.time_to_live))
        return bad("a plan lives for some time, a century at most", "time_to_live");
    if (plan.quarantine && (is_bad(*plan.quarantine) || plan.action.kind() != ActionKind::remove))
        return bad("a quarantine lasts a century at most, and comes before a deletion", "quarantine");
    if (options.has_journal() && options.journal().empty())
        return bad("a journal needs the name of a file: without_journal() does without", "journal");
    if (plan.quarantine && !options.has_journal())
        return bad("a quarantine needs a journal, which knows when it began", "journal");
    return std::nullopt;
}

// Shared with the handlers, which may come when the run is gone.
class ApplyInbox {
public:
    struct Answer {
        std::size_t item;
        Result<void> result;
    };

    explicit ApplyInbox(const asio::any_io_executor& executor) : executor_(executor), bell_(executor) {}

    // So that no answer is lost for want of memory: as many as changes are under way.
    void reserve(std::size_t number) { answers_.reserve(number); }
    // To cancel the change of the item by, until its answer has come.
    [[nodiscard]] asio::cancellation_slot slot_of(std::size_t item) { return signals_[item].slot(); }
    void cancel_all(asio::cancellation_type type) {
        for (auto& [item, signal] : signals_)
            signal.emit(type);
    }

    void put(std::size_t item, Result<void> result) {
        signals_.erase(item);
        answers_.push_back({item, std::move(result)});
        bell_.cancel();
    }
    [[nodiscard]] std::optional<Answer> take() noexcept {
        if (answers_.empty()) return std::nullopt;
        std::optional<Answer> first(std::move(answers_.front()));
        answers_.erase(answers_.begin());
        return first;
    }
    [[nodiscard]] const asio::any_io_executor& executor() const noexcept { return executor_; }

    // Until there is an answer, or a cancellation.
    asio::awaitable<void> wait() {
        // An answer that came before the wait has rung already.
        if (!answers_.empty()) co_return;
        // Never by itself: the timer serves as a bell, which put() rings by cancelling it.
        bell_.expires_at(std::chrono::steady_clock::time_point::max());
        co_await bell_.async_wait(asio::as_tuple(asio::use_awaitable));
    }

private:
    asio::any_io_executor executor_;
    asio::steady_timer bell_;
    std::vector<Answer> answers_;
    // A map, for a signal must not move while an operation has its slot.
    std::map<std::size_t, asio::cancellation_signal> signals_;
};

// Puts the answer of one change into the inbox, on the strand of the run.
class ApplyAnswer {
public:
    using executor_type = asio::any_io_executor;
    using cancellation_slot_type = asio::cancellation_slot;

    ApplyAnswer(std::shared_ptr<ApplyInbox> inbox, std::size_t item)
        : inbox_(std::move(inbox)),
          item_(item),
          slot_(inbox_->slot_of(item)) {}

    [[nodiscard]] executor_type get_executor() const noexcept { return inbox_->executor(); }
    [[nodiscard]] cancellation_slot_type get_cancellation_slot() const noexcept { return slot_; }
    void operator()(Result<void> result) const { inbox_->put(item_, std::move(result)); }
    void operator()(Result<ApiKey> result) const {
        inbox_->put(item_, result ? Result<void>() : Result<void>(std::move(result.error())));
    }

private:
    std::shared_ptr<ApplyInbox> inbox_;
    std::size_t item_;
    asio::cancellation_slot slot_;
};

PALETTE_KEYS_INLINE ApplyDriver::ApplyDriver(ApiKeyClient& client, Plan plan, ApplyOptions options,
                                             std::shared_ptr<const RunEnd> end)
    : client_(client),
      plan_(std::move(plan)),
      options_(std::move(options)),
      end_(std::move(end)),
      machine_(plan_, options_) {}

PALETTE_KEYS_INLINE asio::awaitable<Result<BulkReport>> ApplyDriver::run() {
    // After a cancellation there is still a report to be made, of what was changed before.
    co_await asio::this_coro::throw_if_cancelled(false);
    if (auto fault = check(plan_, options_)) co_return *std::move(fault);
    auto const executor = co_await asio::this_coro::executor;
    inbox_ = std::make_shared<ApplyInbox>(executor);
    now_ = client_.now();  // until the service has told its own
    // Before the first request: another run that has the journal, or a journal of another plan, ends this
    // one.
    if (auto restored = restore(); !restored) co_return std::move(restored.error());
    auto ready = co_await prepare();
    // An end that comes before the first change has its report as well.
    if (!ready && !stop_if_ended()) co_return std::move(ready.error());
    if (ready && journal_)
        if (auto begun = journal_->begin(); !begun) co_return std::move(begun.error());
    if (ready) co_await run_steps();
    // Without memory for a report nobody learns what was changed.
    try {
        co_return machine_.report(now_);
    } catch (const std::bad_alloc&) {
        co_return detail::out_of_memory().effect(Effect::unknown);
    }
}

PALETTE_KEYS_INLINE Result<void> ApplyDriver::restore() {
    if (!options_.has_journal()) return {};
    auto opened = ApplyJournal::open(options_.journal(), plan_.digest());
    if (!opened) return std::move(opened.error());
    journal_.emplace(std::move(*opened));
    if (auto restored = machine_.restore(journal_->entries()); !restored)
        return in_journal(options_.journal(), restored.error());
    return {};
}

// All that comes before the first change.
PALETTE_KEYS_INLINE asio::awaitable<Result<void>> ApplyDriver::prepare() {
    if (end_->has_come()) co_return end_->error("run");
    auto caller = co_await client_.async_describe_caller();
    if (!caller) co_return std::move(caller.error());
    caller_ = *std::move(caller);
    if (end_->has_come()) co_return end_->error("run");
    auto now = co_await client_.async_service_time();
    if (!now) co_return std::move(now.error());
    now_ = *now;
    if (auto good = machine_.admit(caller_, now_); !good) co_return good;
    if (!machine_.needs_list()) co_return Result<void>();
    if (end_->has_come()) co_return end_->error("run");
    co_return co_await list();
}

PALETTE_KEYS_INLINE asio::awaitable<Result<void>> ApplyDriver::list() {
    // All keys, whatever selected those of the plan: one that has changed may not be selected any more, and
    // is to be found.
    auto keys = co_await client_.async_list();
    if (!keys) co_return std::move(keys.error());
    machine_.compare(*keys);
    co_await confirm_missing();
    co_return Result<void>();
}

// One after the other: a key that a list lacks is rare.
PALETTE_KEYS_INLINE asio::awaitable<void> ApplyDriver::confirm_missing() {
    auto const missing = machine_.missing();
    for (auto const number : missing) {
        if (end_->has_come() || machine_.is_stopped()) co_return;
        auto const read = co_await client_.async_get(plan_.items[number].uid);
        // A read that was cancelled has found nothing out.
        if (!read && end_->has_come()) co_return;
        machine_.confirm(number, read);
    }
}

// Keeps the time of before where the service does not tell it.
PALETTE_KEYS_INLINE asio::awaitable<void> ApplyDriver::tell_time() {
    auto now = co_await client_.async_service_time();
    if (now) now_ = *now;
}

// Whatever is thrown, for want of memory above all: what is under way is waited for, and reported.
PALETTE_KEYS_INLINE asio::awaitable<void> ApplyDriver::run_steps() {
    // Without memory the answers of what is under way have to be waited for all the same. A run that has
    // thrown so often does not come to its end.
    constexpr int most = 1'000;
    int thrown = 0;
    for (bool goes_on = true; goes_on;) {
        try {
            goes_on = co_await run_step();
        } catch (const std::exception& e) {
            if (++thrown == most) throw;
            machine_.stop(detail::is_out_of_memory(e) ? "out of memory" : "an exception");
        }
    }
}

// Whether the run goes on.
PALETTE_KEYS_INLINE asio::awaitable<bool> ApplyDriver::run_step() {
    take_news();
    auto const steps = machine_.next();
    if (!steps.empty()) {
        // Before them, for the last one may be the key that is asked with. That may take a request, while
        // which the run may be cancelled, or come to too many failures.
        co_await tell_time();
        take_news();
        if (machine_.is_stopped() || !begin(steps)) co_return true;
    }
    if (machine_.under_way() > 0) {
        co_await inbox_->wait();
    } else if (machine_.needs_list() && !machine_.is_stopped()) {
        // With nothing under way: what is being changed would be in the list as it was, or as it will be.
        auto listed = co_await list();
        if (!listed && !stop_if_ended()) machine_.stop(listed.error().message());
    } else {
        tell_decided();
        // Results too are on the disk before a report says so.
        if (journal_) keep(journal_->flush());
        co_return false;
    }
    co_return true;
}

// Nothing is sent whose intent is not on the disk.
PALETTE_KEYS_INLINE bool ApplyDriver::begin(const std::vector<ApplyStep>& steps) {
    if (journal_) {
        for (auto const& step : steps)
            journal_->add(machine_.intent_of(step, now_));
        // Once for all of them: the flush is what they wait for.
        keep(journal_->flush());
        if (machine_.is_stopped()) return false;
    }
    inbox_->reserve(machine_.under_way() + steps.size());
    for (auto const& step : steps) {
        start(step);  // no answer comes before it has returned, and none if it throws
        machine_.begun(step);
    }
    return true;
}

// The credential may be replaced while the run goes on, so that the client itself judges which key is its
// own, at each request. Not where the machine has decided that the own key is meant; nor where the uid is not
// known, for then the client would read each key, and would refuse those that the plan has cleared.
PALETTE_KEYS_INLINE ChangeOptions ApplyDriver::change_options(const ApplyStep& step) const {
    auto const is_known = caller_.kind != Credential::Kind::api_key || !caller_.key_uid.empty();
    ChangeOptions options;
    options.allow_own_key(machine_.is_own(step.item) || !is_known);
    if (options_.item_deadline()) options.deadline(*options_.item_deadline());
    return options;
}

PALETTE_KEYS_INLINE void ApplyDriver::start(const ApplyStep& step) {
    auto const& item = plan_.items[step.item];
    ApplyAnswer answer(inbox_, step.item);
    auto options = change_options(step);
    switch (step.kind) {
        case ActionKind::revoke:
            return client_.async_revoke(item.uid, std::move(options), std::move(answer));
        case ActionKind::reactivate:
            return client_.async_reactivate(item.uid, std::move(options), std::move(answer));
        case ActionKind::remove:
            return client_.async_remove(item.uid, std::move(options), std::move(answer));
        case ActionKind::extend:
            // A plan that was made by a program may lack the target: then the key keeps its expiry.
            return client_.async_renew(item.uid, item.target.value_or(item.expiry), std::move(options),
                                       std::move(answer));
        case ActionKind::set_expiry:
        case ActionKind::edit:
            return client_.async_update(item.uid, plan_.action.changes(), std::move(options),
                                        std::move(answer));
    }
}

PALETTE_KEYS_INLINE void ApplyDriver::take_news() {
    stop_if_ended();
    while (auto const answer = inbox_->take()) {
        try {
            machine_.finished(answer->item, answer->result, now_);
        } catch (...) {
            // The answer is gone, so that the key is in doubt. The run is stopped by whoever catches this.
            machine_.lost(answer->item);
            throw;
        }
    }
    tell_decided();
}

// Changes are cancelled, and not waited for: a service that does not answer would keep the run for minutes.
PALETTE_KEYS_INLINE bool ApplyDriver::stop_if_ended() {
    if (!end_->has_come()) return false;
    machine_.stop(end_->words("run"));
    auto const type = end_->type();
    // Once for each kind: a terminal cancellation may follow a total one.
    if (std::exchange(cancelled_by_, type) != type) inbox_->cancel_all(type);
    return true;
}

// Writes down what has come to an outcome, and tells the program.
PALETTE_KEYS_INLINE void ApplyDriver::tell_decided() {
    for (auto const number : machine_.take_withdrawn())
        if (auto const entry = machine_.entry_of(number); entry && journal_) journal_->add(*entry);
    auto const news = machine_.take_decided();
    // Several keys may be decided at once, and the program counts them one by one.
    auto finished = machine_.decided() - news.size();
    for (auto const number : news) {
        ++finished;
        if (journal_)
            if (auto const entry = machine_.entry_of(number)) journal_->add(*entry);
        if (!options_.on_progress()) continue;
        try {
            options_.on_progress()(machine_.item(number), finished, plan_.items.size());
        } catch (const std::exception& e) {
            machine_.stop("the function for progress has thrown: " + detail::one_line(e.what(), 400));
        } catch (...) {
            machine_.stop("the function for progress has thrown");
        }
    }
    // Without a flush: a result that a crash of the machine takes away is found in a list, by its intent.
    if (journal_) keep(journal_->write());
}

PALETTE_KEYS_INLINE void ApplyDriver::keep(Result<void> written) {
    // Its lock stays: no other run may begin before the changes under way have come to their end.
    if (!written) machine_.stop(written.error().message());
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
