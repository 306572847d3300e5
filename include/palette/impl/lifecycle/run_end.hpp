// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>

#include <boost/asio/cancellation_type.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// Whether an operation of this layer has to end before it is done, and why: it looks between its requests,
// and nothing more is begun then. What is under way has been cancelled; a step that must not be interrupted
// hides that from the coroutine's own state, and comes too late to be told a second time.
class RunEnd {
public:
    enum class Why : std::uint8_t { none, cancelled, client, deadline };

    // How often the client of the operation was cancelled: once more is an end.
    explicit RunEnd(std::shared_ptr<const std::atomic<std::uint64_t>> cancellations)
        : cancellations_(std::move(cancellations)),
          before_(*cancellations_) {}

    // From any thread. The first reason counts.
    void come(Why why, boost::asio::cancellation_type type) noexcept {
        // A deadline that passes while a cancellation is under way does not change what the caller is told.
        auto none = Why::none;
        why_.compare_exchange_strong(none, why);
        type_ |= static_cast<unsigned>(type);
    }

    [[nodiscard]] bool has_come() const noexcept { return why() != Why::none; }
    [[nodiscard]] bool is_deadline() const noexcept { return why() == Why::deadline; }
    // How what is under way ends: `total`, if that alone was asked for, lets a change that was sent come to
    // its answer.
    [[nodiscard]] boost::asio::cancellation_type type() const noexcept {
        using boost::asio::cancellation_type;
        // A cancellation of the client ends what is under way at once, whatever else was asked for.
        auto const of_client = is_client_cancelled() ? cancellation_type::terminal : cancellation_type::none;
        return static_cast<cancellation_type>(type_.load()) | of_client;
    }

    // In words, of an operation such as "rotation".
    [[nodiscard]] std::string words(const char* operation) const {
        switch (why()) {
            case Why::deadline:
                return "the deadline passed";
            case Why::client:
                return "the client was cancelled";
            default:
                return std::string("the ").append(operation).append(" was cancelled");
        }
    }
    [[nodiscard]] Error error(const char* operation) const {
        return Error(is_deadline() ? errc::timeout : errc::operation_aborted, words(operation));
    }

private:
    // Counted by the client: its cancellation may come before the strand hears of it, or between two
    // requests.
    [[nodiscard]] bool is_client_cancelled() const noexcept { return *cancellations_ != before_; }
    [[nodiscard]] Why why() const noexcept {
        auto const told = why_.load();
        return told == Why::none && is_client_cancelled() ? Why::client : told;
    }

    std::shared_ptr<const std::atomic<std::uint64_t>> cancellations_;
    std::uint64_t before_;
    std::atomic<Why> why_ = Why::none;
    std::atomic<unsigned> type_ = 0;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
