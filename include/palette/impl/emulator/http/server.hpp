// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/shared_service.hpp>
#include <palette/testing/emulator_options.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

struct HostIdentity;

// The service on a socket, in a thread of its own, from construction to destruction.
class Server {
public:
    // `identity`: none for plain HTTP. Both references outlive the server.
    Server(SharedService& service, const testing::EmulatorOptions& options, const HostIdentity* identity);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::size_t connections() const noexcept;

private:
    class Loop;
    std::unique_ptr<Loop> loop_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/http/server.ipp>
#endif
