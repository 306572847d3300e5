// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "support/process.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

// The program palette-emulator and clients that know nothing of it but its ready line.
namespace program {

using namespace std::chrono_literals;

std::string path_of_emulator();

// A TCP connection to where a URL says. Ten seconds without a byte are an end.
class Socket {
public:
    explicit Socket(const std::string& url);

    [[nodiscard]] int number() const noexcept { return descriptor_.number(); }
    void send(std::string_view bytes);
    std::string receive_all();
    void wait_for_a_byte();

private:
    child::Descriptor descriptor_;
};

// The server's certificate is not good.
class Distrusted : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct Answer {
    int status = 0;  // 0: none came
    std::string text;
    [[nodiscard]] std::string body() const;
};

using HeaderLines = std::initializer_list<std::string_view>;

// A request after which the connection is closed.
std::string request(std::string_view method, std::string_view target, HeaderLines headers = {},
                    std::string_view body = {});

// Over TLS if the URL says so, which then trusts the authorities in `ca_file` alone.
Answer ask(const std::string& url, std::string_view request, const std::string& ca_file = {});

// The statuses that come for `count` requests over one connection.
std::vector<int> ask_often(const std::string& url, std::string_view api_key, int count);

class RunningEmulator {
public:
    // Throws what it says for itself, if it does not get ready.
    explicit RunningEmulator(std::vector<std::string> arguments);

    [[nodiscard]] const boost::json::object& ready() const noexcept { return ready_; }
    [[nodiscard]] std::string url() const { return text_of(ready_, "url"); }
    [[nodiscard]] std::string of_user(std::string_view role, std::string_view what) const;
    [[nodiscard]] std::string api_key() const { return of_user("tenant_admin", "api_key"); }

    // As the tenant's administrator.
    [[nodiscard]] Answer ask(std::string_view method, std::string_view target,
                             std::string_view body = {}) const;

    child::Process& process() noexcept { return process_; }

    static std::string text_of(const boost::json::object& object, std::string_view name);

private:
    child::Process process_;
    boost::json::object ready_;
};

// An address of this machine that is no other process's, as long as all do it like this.
std::string own_loopback_address();
std::uint16_t free_port(const std::string& address);
bool has_ipv6_loopback();

class ScratchFolder {
public:
    ScratchFolder();
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder();

    [[nodiscard]] std::string file(const std::string& name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

}  // namespace program
