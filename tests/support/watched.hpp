// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>

#include <doctest/doctest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>

#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace support {

/// Returns whether an operation succeeded: its result without the value.
template <class T>
palette::Result<void> outcome(const palette::Result<T>& result) {
    return result ? palette::Result<void>() : palette::Result<void>(result.error());
}

/// Keeps how one operation ends, and can cancel it.
///
///     Watched<KeyList> list;
///     client.async_list(list.handler());
///     scene.run_until_end_of(list);
///     CHECK(list.result());
///
/// A Watched<> accepts a result of any type and drops its value. A second completion fails the test where it
/// happens. The handler shares what it writes to, so that an operation may outlive its Watched.
template <class T = void>
class Watched {
    struct Kept {
        std::optional<palette::Result<T>> result;
        int completions = 0;
    };

public:
    /// Returns a handler for one operation, bound to this object's cancellation slot.
    auto handler() {
        auto const keep = [kept = kept_](auto result) {
            CHECK_MESSAGE(++kept->completions == 1, "an operation completed twice");
            if constexpr (std::is_void_v<T>)
                kept->result.emplace(outcome(result));
            else
                kept->result.emplace(std::move(result));
        };
        return boost::asio::bind_cancellation_slot(signal_->slot(), keep);
    }

    /// Cancels the operation. The signal is destroyed right after emit(), as a caller's may be.
    void cancel(boost::asio::cancellation_type type = boost::asio::cancellation_type::terminal) {
        signal_->emit(type);
        signal_.reset();
    }

    /// Returns how often the operation has completed.
    [[nodiscard]] int completions() const { return kept_->completions; }
    [[nodiscard]] bool has_ended() const { return kept_->completions > 0; }
    /// Returns whether the operation has completed once, and with a value.
    [[nodiscard]] bool is_good() const { return kept_->completions == 1 && kept_->result->has_value(); }
    /// Returns whether the operation has completed once, and with `code`.
    [[nodiscard]] bool has_failed_with(palette::errc code) const {
        return kept_->completions == 1 && !*kept_->result && kept_->result->error().code() == code;
    }
    [[nodiscard]] bool is_aborted() const { return has_failed_with(palette::errc::operation_aborted); }
    /// Returns whether the operation has destroyed its handler.
    [[nodiscard]] bool is_let_go() const { return kept_.use_count() == 1; }

    /// Returns the result. Fails the test if the operation has not ended.
    [[nodiscard]] palette::Result<T>& result() const {
        REQUIRE_MESSAGE(kept_->result.has_value(), "the operation has not ended");
        return *kept_->result;
    }
    /// Returns the error. Fails the test if the operation has not failed.
    [[nodiscard]] const palette::Error& error() const {
        REQUIRE_MESSAGE(!result().has_value(), "the operation has not failed");
        return kept_->result->error();
    }
    /// Returns the effect that the error tells; Effect::not_applied for an operation that has not failed.
    [[nodiscard]] palette::Effect effect() const {
        return kept_->result && !*kept_->result ? kept_->result->error().effect()
                                                : palette::Effect::not_applied;
    }

private:
    std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
    std::optional<boost::asio::cancellation_signal> signal_{std::in_place};
};

}  // namespace support
