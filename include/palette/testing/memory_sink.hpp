// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/secret_sink.hpp>

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::testing {

/// A sink that lives in memory and fails where a test wants it to. For tests of programs that rotate keys.
///
///     auto sink = std::make_shared<palette::testing::MemorySink>();
///     sink->fail_call(2, MemorySink::When::after_effect);  // the second call from now on
///     lifecycle::Slot slot("ci", sink, lifecycle::file_store(directory));
///
/// It keeps the contract of SecretSink, apart from what it was told, and keeps values as plain text.
///
/// Threads: may be used by several at once.
class MemorySink final : public lifecycle::SecretSink {
public:
    /// Tells at which point of a call it fails.
    enum class When {
        before_effect,  ///< Nothing has happened yet.
        after_effect,   ///< What was asked for is done, and the caller does not learn it.
    };
    /// Tells how a call fails.
    enum class How {
        by_error,      ///< It returns an error.
        by_exception,  ///< It throws std::runtime_error.
    };

    /// Makes the nth call from now on fail; 1 is the next one, whichever function it is. Several may be set.
    /// Precondition: n > 0.
    void fail_call(std::size_t n, When when, How how = How::by_error, errc code = errc::unavailable) {
        std::lock_guard const lock(mutex_);
        faults_.push_back(Fault(calls_.size() + n, when, how, code));
    }
    /// Makes read_back() return `value` instead of what is stored; nothing: the truth again.
    void lie_on_read_back(std::optional<std::string> value) {
        std::lock_guard const lock(mutex_);
        lie_ = std::move(value);
    }
    /// Makes promote() fail with errc::conflict, as if somebody else were faster.
    void refuse_promote(bool on = true) {
        std::lock_guard const lock(mutex_);
        refuses_promote_ = on;
    }
    /// Makes the sink one that cannot be read.
    void write_only(bool on = true) {
        std::lock_guard const lock(mutex_);
        write_only_ = on;
    }
    /// Puts a value there as somebody else would: it is the current one, of generation 0.
    void put_current(std::string value) {
        std::lock_guard const lock(mutex_);
        current_.emplace(lifecycle::Receipt(), std::move(value));
    }

    /// Returns the calls so far, those that failed included: "stage r1", "read 1", "promote 1", "discard 1",
    /// "contents", with the rotation_id or the generation.
    [[nodiscard]] std::vector<std::string> calls() const {
        std::lock_guard const lock(mutex_);
        return calls_;
    }
    /// Returns the value that consumers would read; nothing if there is none.
    [[nodiscard]] std::optional<std::string> current_value() const { return value_of(&MemorySink::current_); }
    /// Returns the value that is staged and not promoted; nothing if there is none.
    [[nodiscard]] std::optional<std::string> pending_value() const { return value_of(&MemorySink::pending_); }
    /// Returns the value that the current one has replaced; nothing if there is none.
    [[nodiscard]] std::optional<std::string> previous_value() const {
        return value_of(&MemorySink::previous_);
    }

    /// Same as for every sink, apart from the faults.
    boost::asio::awaitable<Result<lifecycle::Receipt>> stage(std::string rotation_id, std::string key_uid,
                                                             Expiry expiry, const Secret& secret) override {
        std::lock_guard const lock(mutex_);
        auto const fault = begin("stage " + rotation_id);
        if (fault.is(When::before_effect)) co_return fault.raise();
        std::string value(secret.expose());
        lifecycle::Receipt receipt(0, std::move(rotation_id), std::move(key_uid), expiry);
        if (!pending_ || !is_repeated(*pending_, receipt, value)) {
            receipt.generation = ++last_generation_;
            pending_.emplace(receipt, std::move(value));
        }
        if (fault.is(When::after_effect)) co_return fault.raise();
        co_return pending_->receipt;
    }
    /// Same.
    boost::asio::awaitable<Result<Secret>> read_back(lifecycle::Receipt receipt) override {
        std::lock_guard const lock(mutex_);
        auto const fault = begin("read " + std::to_string(receipt.generation));
        if (fault.is_set()) co_return fault.raise();
        if (write_only_) co_return Error(errc::rejected, "the sink cannot be read");
        for (auto const* const place : {&current_, &pending_, &previous_})
            if (*place && is_same((*place)->receipt, receipt))
                co_return Secret(lie_ ? *lie_ : (*place)->value);
        co_return Error(errc::not_found, "the sink does not hold the value");
    }
    /// Same.
    boost::asio::awaitable<Result<void>> promote(lifecycle::Receipt receipt,
                                                 std::optional<std::uint64_t> expected_current) override {
        std::lock_guard const lock(mutex_);
        auto const fault = begin("promote " + std::to_string(receipt.generation));
        if (fault.is(When::before_effect)) co_return fault.raise();
        if (refuses_promote_) co_return Error(errc::conflict, "another value is current");
        if (!current_ || !is_same(current_->receipt, receipt)) {
            auto const found =
                current_ ? std::optional(current_->receipt.generation) : std::optional<std::uint64_t>();
            if (found != expected_current) co_return Error(errc::conflict, "another value is current");
            if (!pending_ || !is_same(pending_->receipt, receipt))
                co_return Error(errc::not_found, "the value is not pending");
            previous_ = std::exchange(current_, std::exchange(pending_, std::nullopt));
        }
        if (fault.is(When::after_effect)) co_return fault.raise();
        co_return Result<void>();
    }
    /// Same.
    boost::asio::awaitable<Result<void>> discard(lifecycle::Receipt receipt) override {
        std::lock_guard const lock(mutex_);
        auto const fault = begin("discard " + std::to_string(receipt.generation));
        if (fault.is(When::before_effect)) co_return fault.raise();
        if (current_ && is_same(current_->receipt, receipt))
            co_return Error(errc::conflict, "the value is the current one");
        for (auto* const place : {&pending_, &previous_})
            if (*place && is_same((*place)->receipt, receipt)) place->reset();
        if (fault.is(When::after_effect)) co_return fault.raise();
        co_return Result<void>();
    }
    /// Same.
    boost::asio::awaitable<Result<lifecycle::SinkContents>> contents() override {
        std::lock_guard const lock(mutex_);
        auto const fault = begin("contents");
        if (fault.is_set()) co_return fault.raise();
        lifecycle::SinkContents contents;
        if (current_) contents.current = current_->receipt;
        if (pending_) contents.pending = pending_->receipt;
        if (previous_) contents.previous = previous_->receipt;
        co_return contents;
    }
    /// Returns whether the sink can be read, and that it can do everything else.
    [[nodiscard]] lifecycle::SinkCapabilities capabilities() const noexcept override {
        std::lock_guard const lock(mutex_);
        lifecycle::SinkCapabilities capabilities;
        capabilities.readable = !write_only_;
        return capabilities;
    }

private:
    struct Stored {
        Stored(lifecycle::Receipt receipt_, std::string value_)
            : receipt(std::move(receipt_)),
              value(std::move(value_)) {}

        lifecycle::Receipt receipt;
        std::string value;
    };
    using Place = std::optional<Stored>;

    // What goes wrong in the call of a number; 0: nothing does.
    class Fault {
    public:
        Fault() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
        Fault(std::size_t call, When when, How how, errc code)
            : call_(call),
              when_(when),
              how_(how),
              code_(code) {}

        [[nodiscard]] std::size_t call() const noexcept { return call_; }
        [[nodiscard]] bool is_set() const noexcept { return call_ != 0; }
        [[nodiscard]] bool is(When when) const noexcept { return is_set() && when_ == when; }
        [[nodiscard]] Error raise() const {
            auto const is_before = when_ == When::before_effect;
            std::string const what = is_before ? "the sink fails before it does anything"
                                               : "the sink has done it, and fails nevertheless";
            if (how_ == How::by_exception) throw std::runtime_error(what);
            return Error(code_, what).effect(is_before ? Effect::not_applied : Effect::unknown);
        }

    private:
        std::size_t call_ = 0;
        When when_ = When::before_effect;
        How how_ = How::by_error;
        errc code_ = errc::unavailable;
    };

    static bool is_same(const lifecycle::Receipt& a, const lifecycle::Receipt& b) noexcept {
        return a.generation == b.generation && a.rotation_id == b.rotation_id;
    }
    static bool is_repeated(const Stored& held, const lifecycle::Receipt& receipt, const std::string& value) {
        return held.value == value && held.receipt.rotation_id == receipt.rotation_id &&
               held.receipt.key_uid == receipt.key_uid && held.receipt.expiry == receipt.expiry;
    }

    Fault begin(std::string call) {
        calls_.push_back(std::move(call));
        for (auto const& fault : faults_)
            if (fault.call() == calls_.size()) return fault;
        return {};
    }

    std::optional<std::string> value_of(Place MemorySink::* place) const {
        std::lock_guard const lock(mutex_);
        auto const& found = this->*place;
        return found ? std::optional(found->value) : std::nullopt;
    }

    mutable std::mutex mutex_;
    std::vector<std::string> calls_;
    std::vector<Fault> faults_;
    std::uint64_t last_generation_ = 0;
    Place current_, pending_, previous_;
    std::optional<std::string> lie_;
    bool refuses_promote_ = false;
    bool write_only_ = false;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
