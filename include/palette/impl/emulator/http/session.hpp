// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/connection.hpp>
#include <palette/impl/emulator/http/idle_connections.hpp>
#include <palette/impl/emulator/http/request_reader.hpp>
#include <palette/impl/emulator/http/shared_service.hpp>
#include <palette/impl/emulator/service/answer_bytes.hpp>
#include <palette/testing/emulator_options.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// What goes over one connection: requests in, answers out, and the misbehaviour that was asked for.
class Session {
public:
    Session(SharedService& service, const testing::EmulatorOptions& options, IdleConnections& idle,
            Connection& connection, std::string source, std::uint64_t number)
        : service_(service),
          options_(options),
          idle_(idle),
          connection_(connection),
          reader_(connection, options, idle),
          source_(std::move(source)),
          number_(number) {}

    asio::awaitable<void> run();

private:
    enum class After { keep, close, drop };

    asio::awaitable<bool> shake_hands();
    asio::awaitable<After> serve(Request request);
    asio::awaitable<After> leave_unanswered(Request request, Service::Admission admission);
    asio::awaitable<After> deliver(const Response& response, const Request& request,
                                   const testing::FaultRule* fault);
    asio::awaitable<bool> write(AnswerBytes& bytes, std::uint64_t most = ~std::uint64_t{0});
    asio::awaitable<bool> drip(AnswerBytes& bytes, std::chrono::milliseconds pace);
    asio::awaitable<void> wait_for_end();
    void tell(const Service::Admission& admission);
    AnswerBytes bytes_of_answer(const Response& response, const Request& request, After after);

    SharedService& service_;
    const testing::EmulatorOptions& options_;
    IdleConnections& idle_;
    Connection& connection_;
    RequestReader reader_;
    std::string source_;
    std::uint64_t number_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/http/session.ipp>
#endif
