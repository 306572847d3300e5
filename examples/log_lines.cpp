// SPDX-License-Identifier: BSL-1.0
//
// An observer that writes a line for every request and every operation: for a log, or to see where time
// goes. Nothing in it is secret, and paths are templates.
//
// Run it: log_lines. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service, otherwise to an
// emulator of its own. It makes a key, edits it, and removes it.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>

namespace {

double in_ms(std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>(time).count();
}

// Called on the client's executor, so that lines do not mix. Functions are short and do not throw: who
// sends metrics over a network hands them to a thread of its own.
class LogLines final : public palette::Observer {
public:
    explicit LogLines(std::ostream& out) : out_(out) {}

    void on_attempt(const palette::AttemptEvent& event) noexcept override {
        out_ << '[' << event.operation_id << "]   " << event.method << ' ' << event.path_template << " -> ";
        if (event.status != 0) out_ << event.status;
        if (event.error) out_ << ' ' << *event.error;
        out_ << ", " << in_ms(event.duration) << " ms, " << event.report.bytes_sent << " bytes out, "
             << event.report.bytes_received << " in";
        if (event.report.handshake) out_ << ", TLS in " << in_ms(*event.report.handshake) << " ms";
        out_ << '\n';
    }

    void on_operation(const palette::OperationEvent& event) noexcept override {
        out_ << '[' << event.operation_id << "] " << event.operation << ": " << event.attempts
             << (event.attempts == 1 ? " request, " : " requests, ") << in_ms(event.duration) << " ms";
        if (event.error) out_ << ", " << *event.error << ", " << event.effect;
        out_ << '\n';
    }

private:
    std::ostream& out_;
};

}  // namespace

int main() try {
    example::Service const service;
    auto options = service.options();
    options.observer = std::make_shared<LogLines>(std::cout);
    palette::BlockingApiKeyClient client(options);

    auto const created = client.create(palette::NewApiKey("example-log")).value();
    auto const edited = client.update(created.uid(), palette::ApiKeyEdit().description("seen in the log"));
    client.remove(created.uid()).value();
    if (!edited) throw palette::Exception(edited.error());

    // What fails has its lines, too: there is no such key any more.
    auto const again = client.remove(created.uid());
    if (again) throw std::runtime_error("the key could be removed twice");
} catch (const std::exception& e) {
    std::cerr << "log_lines: " << e.what() << '\n';
    return 1;
}
