// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/pause.hpp>
#include <palette/impl/emulator/http/session.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <variant>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

PALETTE_KEYS_INLINE asio::awaitable<void> Session::run() {
    auto after = co_await shake_hands() ? After::keep : After::drop;
    while (after == After::keep) {
        auto read = co_await reader_.next();
        if (auto* const request = std::get_if<Request>(&read)) {
            after = co_await serve(std::move(*request));
        } else if (auto const* const malformed = std::get_if<Response>(&read)) {
            // Nobody knows where a next request would begin: the connection ends with this answer.
            Request nobodys;
            nobodys.keep_alive = false;
            after = co_await deliver(*malformed, nobodys, nullptr);
        } else {
            after = After::drop;
        }
    }
    if (after == After::close) co_await connection_.finish();
    // Whatever ended it: the socket is closed here, and a second drop() does nothing.
    connection_.drop();
}

PALETTE_KEYS_INLINE asio::awaitable<bool> Session::shake_hands() {
    // A handshake counts as idle: who connects and says nothing must not keep others out.
    IdleConnections::Entry const idle(idle_, connection_);
    connection_.allow(options_.request_timeout);
    co_return co_await connection_.handshake();
}

constexpr bool leaves_unanswered(testing::FaultKind kind) noexcept {
    using Kind = testing::FaultKind;
    return kind == Kind::drop_before || kind == Kind::reset || kind == Kind::stall ||
           kind == Kind::apply_late;
}

// By then this connection is long gone; the service is there as long as coroutines are.
inline asio::awaitable<void> apply_after(SharedService& service, std::shared_ptr<Clock> clock,
                                         std::chrono::milliseconds time, Request request,
                                         Service::Admission admission) {
    co_await pause(std::move(clock), time);
    service.with([&](Service& s) { return s.answer(request, admission); });
}

PALETTE_KEYS_INLINE asio::awaitable<Session::After> Session::serve(Request request) {
    request.source = source_;
    request.connection = number_;
    auto admission = service_.with([&](Service& service) { return service.admit(request); });
    auto const* const fault = admission.delivery();
    if (fault != nullptr && leaves_unanswered(fault->kind())) {
        tell(admission);
        // Told before, since a stalled request may never come to an end.
        co_return co_await leave_unanswered(std::move(request), std::move(admission));
    }
    auto const is_lost = fault != nullptr && fault->kind() == testing::FaultKind::drop_after;
    auto const response = service_.with([&](Service& service) {
        auto made = service.answer(request, admission);
        // Under the same lock as the change: who has seen the change sees the status in the log. Status 0
        // stands for an answer that nobody got.
        if (!is_lost) service.log_status(admission, made.status);
        return made;
    });
    tell(admission);
    if (is_lost) co_return After::drop;
    co_return co_await deliver(response, request, fault);
}

PALETTE_KEYS_INLINE asio::awaitable<Session::After> Session::leave_unanswered(Request request,
                                                                              Service::Admission admission) {
    using Kind = testing::FaultKind;
    auto const& fault = *admission.delivery();
    if (fault.kind() == Kind::reset) connection_.reset();
    if (fault.kind() == Kind::stall) co_await wait_for_end();
    if (fault.kind() == Kind::apply_late) {
        // Read before the admission, which holds the fault, moves away.
        std::chrono::milliseconds const time(fault.number());
        auto const executor = co_await asio::this_coro::executor;
        asio::co_spawn(executor,
                       apply_after(service_, options_.clock, time, std::move(request), std::move(admission)),
                       asio::detached);
    }
    co_return After::drop;
}

PALETTE_KEYS_INLINE asio::awaitable<Session::After> Session::deliver(const Response& response,
                                                                     const Request& request,
                                                                     const testing::FaultRule* fault) {
    using Kind = testing::FaultKind;
    auto const kind = fault == nullptr ? std::optional<Kind>() : fault->kind();
    std::chrono::milliseconds const time(fault == nullptr ? 0 : fault->number());
    if (kind == Kind::delay) {
        connection_.allow_forever();
        co_await pause(options_.clock, time);
    }

    auto after = request.keep_alive ? After::keep : After::close;
    auto bytes = bytes_of_answer(response, request, after);
    if (kind == Kind::truncate) {
        auto const half =
            // Without a body half of the head is sent, or the answer would be complete.
            bytes.body_size() > 0 ? bytes.head_size() + bytes.body_size() / 2 : bytes.head_size() / 2;
        // What the header promises and the body lacks is what makes the client notice.
        co_await write(bytes, half);
        co_return After::drop;
    }
    if (kind == Kind::close_idle) after = After::close;  // which the answer does not tell
    bool sent = false;
    if (kind == Kind::drip)
        sent = co_await drip(bytes, time);
    else
        sent = co_await write(bytes);
    co_return sent ? after : After::drop;
}

PALETTE_KEYS_INLINE void Session::tell(const Service::Admission& admission) {
    if (!options_.on_request) return;
    // The callback gets a copy, outside of the lock: it may call the emulator, for example to add a fault.
    auto const request = service_.with([&](Service& service) { return service.logged(admission); });
    if (request) options_.on_request(*request);
}

PALETTE_KEYS_INLINE AnswerBytes Session::bytes_of_answer(const Response& response, const Request& request,
                                                         After after) {
    auto const now = service_.with([](Service& service) { return service.now(); });
    // By the service's clock, which may differ from the client's: clients judge expiries by this header
    // (W19).
    auto const date = http_date(std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
    // What the version of the protocol implies is not said.
    auto const connection = after == After::close ? "close" : request.is_http_1_0 ? "keep-alive" : "";
    return {render_head(response, connection, date), response,
            response.has_body() && request.method != "HEAD"};
}

PALETTE_KEYS_INLINE asio::awaitable<bool> Session::write(AnswerBytes& bytes, std::uint64_t most) {
    constexpr std::uint64_t max_at_once = 64 * 1024;
    while (most > 0) {
        auto const piece = bytes.next(static_cast<std::size_t>(std::min(most, max_at_once)));
        if (piece.empty()) break;
        most -= piece.size();
        // Anew for each piece: the bound is on a client that stops reading, and an answer may have terabytes.
        connection_.allow(options_.write_timeout);
        if (!co_await connection_.write(asio::buffer(piece))) co_return false;
    }
    co_return true;
}

PALETTE_KEYS_INLINE asio::awaitable<bool> Session::drip(AnswerBytes& bytes, std::chrono::milliseconds pace) {
    while (!bytes.at_end()) {
        // With the co_await in the condition of the loop, g++ 12 leaves out what the loop does.
        auto const sent = co_await write(bytes, 1);
        if (!sent) co_return false;
        connection_.allow_forever();
        co_await pause(options_.clock, pace);
    }
    co_return true;
}

PALETTE_KEYS_INLINE asio::awaitable<void> Session::wait_for_end() {
    connection_.allow_forever();
    // What comes is read and dropped: only a read notices that the client has gone.
    std::array<char, 256> ignored;
    while (co_await connection_.read_some(asio::buffer(ignored)) > 0) {
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
