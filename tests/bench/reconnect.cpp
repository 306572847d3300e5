// SPDX-License-Identifier: BSL-1.0

// Connecting again, when the service has closed the connection: the handshake goes on with an earlier
// session, and costs a part of a full one. The service tells which sessions it has seen again.

#include "bench/measure.hpp"
#include "bench/our_client.hpp"
#include "bench/tls_service.hpp"

#include <palette/observer.hpp>

#include <openssl/ssl.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

namespace {

using namespace bench;
namespace asio = boost::asio;
using palette::impl::emulation::HostIdentity;

// Adds up how long handshakes take.
class Handshakes : public palette::Observer {
public:
    void on_attempt(const palette::AttemptEvent& event) noexcept override {
        seconds += std::chrono::duration<double>(event.report.handshake.value_or(event.duration)).count();
    }

    double seconds = 0;
};

// A client, and a service that closes its connection after every answer.
class Scene {
public:
    Scene(const HostIdentity& identity, TlsOffer offer) : service(identity, offer), client(make(identity)) {}

    // What one handshake takes.
    double reconnect(int times) {
        handshakes_->seconds = 0;
        for (int i = 0; i < times; ++i) {
            run(context_, read());
            service.wait_for(++calls_);
        }
        return handshakes_->seconds / times;
    }

private:
    palette::ApiKeyClient make(const HostIdentity& identity) {
        auto options = options_for(service.port());
        options.endpoint =
            palette::Endpoint::parse("https://127.0.0.1:" + std::to_string(service.port())).value();
        options.tls.ca_pem = identity.authority_pem;
        options.observer = handshakes_;
        return palette::ApiKeyClient(context_, std::move(options));
    }

    asio::awaitable<void> read() {
        auto const key = co_await client.async_get(std::string(key_uid));
        require(key.has_value(), key ? "" : key.error().message());
    }

    std::shared_ptr<Handshakes> handshakes_ = std::make_shared<Handshakes>();
    asio::io_context context_{1};
    unsigned calls_ = 0;

public:
    TlsService service;
    palette::ApiKeyClient client;
};

bool compare_handshakes(Table& table, const HostIdentity& identity, int version, Ending ending) {
    Scene again(identity, {version, true, ending});
    Scene anew(identity, {version, false, ending});
    std::string const what = std::string("TLS ") + (version == TLS1_2_VERSION ? "1.2" : "1.3") +
                             (ending == Ending::orderly ? ", closed in order" : ", reset") +
                             ": a full handshake";
    constexpr int times = 20;
    table.at_most(version == TLS1_2_VERSION ? 0.30 : 0.60, what, microseconds,
                  compare(20, [&] { return again.reconnect(times); }, [&] { return anew.reconnect(times); }));
    auto const resumed = again.service.resumed();
    auto const possible = again.service.ended() - 1;  // the first has nothing to go on with
    bool const all = resumed == possible && anew.service.resumed() == 0;
    std::printf("    %u of %u went on with a session%s\n", resumed, possible, all ? "" : "  MISSED");
    return all;
}

}  // namespace

int main() {
    stay_on_one_core();
    auto const identity = palette::impl::emulation::make_host_identity({});
    Table table("connect again over TLS (the handshake, P-256)");
    bool resumed = true;
    for (auto const version : {TLS1_2_VERSION, TLS1_3_VERSION})
        for (auto const ending : {Ending::orderly, Ending::abrupt})
            resumed = compare_handshakes(table, identity, version, ending) && resumed;
    return resumed ? table.status() : 1;
}
