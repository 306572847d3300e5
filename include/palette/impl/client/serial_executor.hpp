// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/serial.hpp>

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>

#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// The executor of a Serial.
class SerialExecutor {
public:
    explicit SerialExecutor(std::shared_ptr<Serial> serial) noexcept : serial_(std::move(serial)) {}
    SerialExecutor(const SerialExecutor& other) noexcept
        : serial_(other.serial_),
          may_run_now_(other.may_run_now_),
          is_work_(other.is_work_) {
        if (is_work_) serial_->work_continues();
    }
    SerialExecutor(SerialExecutor&& other) noexcept
        : serial_(std::move(other.serial_)),
          may_run_now_(other.may_run_now_),
          is_work_(std::exchange(other.is_work_, false)) {}
    SerialExecutor& operator=(SerialExecutor other) noexcept {
        std::swap(serial_, other.serial_);
        std::swap(may_run_now_, other.may_run_now_);
        std::swap(is_work_, other.is_work_);
        return *this;
    }
    ~SerialExecutor() {
        if (is_work_) serial_->work_finished();
    }

    template <class F>
    void execute(F&& f) const {
        serial_->execute(std::forward<F>(f), may_run_now_);
    }

    [[nodiscard]] asio::execution_context& query(asio::execution::context_t) const noexcept {
        return serial_->context();
    }
    [[nodiscard]] asio::execution::blocking_t query(asio::execution::blocking_t) const noexcept {
        if (may_run_now_) return asio::execution::blocking_t::possibly;
        return asio::execution::blocking_t::never;
    }
    [[nodiscard]] asio::execution::outstanding_work_t query(
        asio::execution::outstanding_work_t) const noexcept {
        if (is_work_) return asio::execution::outstanding_work_t::tracked;
        return asio::execution::outstanding_work_t::untracked;
    }

    [[nodiscard]] SerialExecutor require(asio::execution::blocking_t::possibly_t) const noexcept {
        return with(true, *this);
    }
    [[nodiscard]] SerialExecutor require(asio::execution::blocking_t::never_t) const noexcept {
        return with(false, *this);
    }
    [[nodiscard]] SerialExecutor require(asio::execution::outstanding_work_t::tracked_t) const {
        auto executor = *this;
        if (!is_work_) serial_->work_started();
        executor.is_work_ = true;
        return executor;
    }
    [[nodiscard]] SerialExecutor require(asio::execution::outstanding_work_t::untracked_t) const noexcept {
        SerialExecutor executor(serial_);
        executor.may_run_now_ = may_run_now_;
        return executor;
    }

    friend bool operator==(const SerialExecutor& a, const SerialExecutor& b) noexcept {
        return a.serial_ == b.serial_;
    }

private:
    static SerialExecutor with(bool may_run_now, SerialExecutor executor) noexcept {
        executor.may_run_now_ = may_run_now;
        return executor;
    }

    std::shared_ptr<Serial> serial_;
    bool may_run_now_ = true;
    bool is_work_ = false;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
