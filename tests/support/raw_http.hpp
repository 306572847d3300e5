// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/testing/emulator.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// HTTP by hand, over a socket that does what it is told: it owes nothing to the library or the emulator,
// and can see and send what no well-behaved client would.
namespace raw {

using namespace std::chrono_literals;

struct Response {
    int status = 0;                              // 0: no status line came
    std::map<std::string, std::string> headers;  // names in small letters
    std::string body;
    bool complete = false;  // as much body as Content-Length said, or none was due
};

// How reading has ended.
enum class End {
    none,    // it has not: what was asked for came
    closed,  // the other side said so
    reset,   // TCP RST
    late,    // nothing came in time
};

class Connection {
public:
    struct Options {
        std::string source{};                     // an address to come from, such as "127.0.0.2"
        std::chrono::milliseconds timeout = 10s;  // for every read
        int smallest_receive_buffer = 0;          // 0: as the system likes it
    };

    // Speaks TLS where the emulator does, and checks its certificate.
    explicit Connection(const palette::testing::Emulator& emulator) : Connection(emulator, Options()) {}
    Connection(const palette::testing::Emulator& emulator, const Options& options);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // False: the other side takes no more.
    bool send(std::string_view bytes);

    // The next answer, as far as it comes. `to_head`: an answer to HEAD has no body, whatever it says.
    Response receive(bool to_head = false);

    // Everything that comes before the end, or before `timeout` passes without a byte.
    std::string receive_all();

    // One byte or none.
    std::string receive_some(std::size_t most = 65'536);

    [[nodiscard]] End end() const noexcept { return end_; }

    // Says that nothing more will be sent.
    void finish_sending();

private:
    bool read_more();

    struct Tls;
    int socket_ = -1;
    std::unique_ptr<Tls> tls_;
    std::string buffer_;
    End end_ = End::none;
};

using Headers = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// A request with Host, and Content-Length where there is a body.
std::string request(std::string_view method, std::string_view target, Headers headers = {},
                    std::string_view body = {});

inline std::string copy_of(const palette::Secret& secret) {
    return std::string(secret.expose());
}

// Somebody who uses the service with one credential, over one connection as long as it lasts.
class Client {
public:
    // An API key; nobody's if it is empty.
    Client(const palette::testing::Emulator& emulator, std::string_view api_key);
    Client(const palette::testing::Emulator& emulator, std::string_view header, std::string_view value);
    // With a credential that need not last longer than this call.
    Client(const palette::testing::Emulator& emulator, std::string_view header, const palette::Secret& value)
        : Client(emulator, header, value.expose()) {}

    Response get(std::string_view path) { return call("GET", path); }
    Response post(std::string_view path, std::string_view body) { return call("POST", path, body); }
    Response put(std::string_view path, std::string_view body) { return call("PUT", path, body); }
    Response patch(std::string_view path, std::string_view body) { return call("PATCH", path, body); }
    Response remove(std::string_view path) { return call("DELETE", path); }

    Response call(std::string_view method, std::string_view path, std::string_view body = {});

private:
    const palette::testing::Emulator& emulator_;
    std::string header_;
    std::string value_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace raw
