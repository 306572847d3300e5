// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/endpoint.hpp>

#include <openssl/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// A TLS server that does what the emulator never would: old versions, strange certificates, silence. It
// owes nothing to the library.
namespace tls {

using namespace std::chrono_literals;

struct CertificateOptions {
    std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";  // as OpenSSL writes them
    std::chrono::seconds begins = -1h;                        // both from now on
    std::chrono::seconds ends = 24h;
    std::string purpose = "serverAuth";
    std::string common_name{};  // none: one that no other has
};

// A certificate and its key, PEM.
struct Identity {
    std::string certificate;
    std::string key;
};

class Authority {
public:
    Authority();

    [[nodiscard]] const std::string& pem() const noexcept { return pem_; }
    [[nodiscard]] Identity issue(const CertificateOptions& options = {}) const;

    // What OpenSSL looks for in a directory: "1a2b3c4d.0".
    [[nodiscard]] std::string file_name() const;

private:
    std::shared_ptr<EVP_PKEY> key_;
    std::shared_ptr<X509> certificate_;
    std::string pem_;
};

// How a connection ends.
enum class Ending {
    none,
    orderly,  // TLS says so, then TCP
    cut,      // TCP alone
    reset,
};

// What is sent for a request. Each record is one of TLS; together they are one packet.
struct Answer {
    std::vector<std::string> records;
    Ending ending = Ending::none;
};

std::string http_answer(int status, std::string_view body);

// What became of one connection.
struct Seen {
    bool is_shaken = false;  // the handshake was completed
    bool is_resumed = false;
    int version = 0;               // TLS1_2_VERSION
    std::string server_name;       // what the client asked for (SNI)
    bool has_certificate = false;  // the client
    std::uint32_t ticket = 0;      // the one that was offered; 0: none
    std::string requests;          // all that came, once the handshake was over
};

struct ServerOptions {
    enum class Greeting {
        tls,
        plain,   // HTTP in the clear
        closes,  // as soon as something has come
        silent,
    };

    Identity identity{};
    std::string address = "127.0.0.1";
    Greeting greeting = Greeting::tls;
    int oldest = 0;  // versions, such as TLS1_2_VERSION; 0: any
    int newest = 0;
    int security_level = -1;                                   // -1: the usual one
    std::string client_authority{};                            // PEM; set: clients need a certificate of it
    std::function<Answer(std::string_view request)> answer{};  // none: an empty list of keys
};

// It serves from the constructor on until the destructor, each connection in a thread of its own. A
// constructor that cannot listen throws std::system_error.
class Server {
public:
    explicit Server(ServerOptions options);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] palette::Endpoint endpoint(const std::string& host = "127.0.0.1") const;

    // Every connection until now, in the order in which they came.
    [[nodiscard]] std::vector<Seen> seen() const;

    // The same once `count` of them are over. Throws if that takes too long.
    [[nodiscard]] std::vector<Seen> seen_when_over(std::size_t count) const;

    // Sends something on all open connections that nobody has asked for, and may end them. Returns when
    // that is done.
    void say(const Answer& unasked);

private:
    class Machine;
    std::unique_ptr<Machine> machine_;
};

}  // namespace tls
