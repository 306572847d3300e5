// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/certificates.hpp>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

typedef struct ssl_ctx_st SSL_CTX;
typedef struct ssl_st SSL;

namespace bench {

// How a connection ends once its one answer is sent: as TLS means it, or by a reset.
enum class Ending { orderly, abrupt };

struct TlsOffer {
    int version;   // TLS1_2_VERSION or TLS1_3_VERSION
    bool resumes;  // sessions
    Ending ending;
};

// A service over TLS that answers one request on each connection, one connection after another, in a
// thread of its own.
class TlsService {
public:
    TlsService(const palette::impl::emulation::HostIdentity& identity, TlsOffer offer);
    TlsService(const TlsService&) = delete;
    TlsService& operator=(const TlsService&) = delete;
    ~TlsService();

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

    // Connections that have ended, and those of them that went on with an earlier session.
    [[nodiscard]] unsigned ended() const noexcept { return ended_; }
    [[nodiscard]] unsigned resumed() const noexcept { return resumed_; }

    // Until so many connections have ended.
    void wait_for(unsigned ended) const;

private:
    void serve();
    void serve(int connection);

    TlsOffer offer_;
    std::string answer_;
    SSL_CTX* context_;
    std::uint16_t port_ = 0;
    int listener_;
    std::atomic<unsigned> ended_ = 0;
    std::atomic<unsigned> resumed_ = 0;
    std::thread thread_;
};

}  // namespace bench
