// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/time/sleep.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

// Runs a phase whose only way to be late is to be closed from outside.
class PhaseTimeout {
public:
    PhaseTimeout(const boost::asio::any_io_executor& executor, std::chrono::milliseconds time,
                 boost::asio::ip::tcp::socket& socket)
        : alarm_(executor, timing::TimeSource()) {
        alarm_.set(time, [this, &socket] {
            late_ = true;
            boost::system::error_code ignored;
            socket.close(ignored);
        });
    }
    [[nodiscard]] bool is_late() const noexcept { return late_; }

private:
    mutable bool late_ = false;  // changed while the one that waits has it as const
    timing::Alarm alarm_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
