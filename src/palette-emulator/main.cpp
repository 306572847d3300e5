// SPDX-License-Identifier: BSL-1.0
// palette-emulator: the emulator of palette/testing/emulator.hpp, as a program.
#include "arguments.hpp"

#include <palette/testing/emulator.hpp>
#include <palette/version.hpp>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <exception>
#include <fstream>
#include <future>
#include <iostream>
#include <thread>

namespace {

using palette::testing::Emulator;
using palette::testing::ReceivedRequest;
using palette::testing::Role;

constexpr int bad_arguments = 2;

// What would be written to a standard stream that is not there must not end up in a socket.
void fill_standard_streams() {
    int opened;
    do {
        opened = open("/dev/null", O_RDWR);
    } while (opened >= 0 && opened <= STDERR_FILENO);
    if (opened >= 0) close(opened);
}

// Ready when SIGINT or SIGTERM has come; half a second later the program has ended, whatever it is at.
// Called before there are other threads, so that none of them takes the signals.
std::future<void> await_signals_of_the_end() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::promise<void> came;
    auto future = came.get_future();
    std::thread([signals, came = std::move(came)]() mutable {
        int signal = 0;
        sigwait(&signals, &signal);
        came.set_value();
        std::this_thread::sleep_for(std::chrono::milliseconds{500});
        _exit(0);
    }).detach();
    return future;
}

// Nobody may be reading: then it is lost, rather than waited with.
void say(std::string_view line) {
    pollfd asked{STDERR_FILENO, POLLOUT, 0};
    if (poll(&asked, 1, 0) == 1 && (asked.revents & POLLOUT) != 0) [[maybe_unused]]
        auto const written = write(STDERR_FILENO, line.data(), line.size());
}

void report(const ReceivedRequest& request) {
    std::string line = request.method + ' ' + request.path.substr(0, 1'000) + ' ';
    line += request.status == 0 ? "unanswered" : std::to_string(request.status);
    if (!request.faults.empty()) line += " [" + request.faults + ']';
    say(line + '\n');
}

void write_authority(const Emulator& emulator, const std::string& path) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << emulator.ca_pem() << std::flush;
    if (!file) throw BadArgument("--ca-out: " + shown(path) + ": " + std::strerror(errno));
}

boost::json::object describe(const Emulator& emulator, Role role) {
    auto const& user = emulator.user(role);
    return {{"role", to_string(role)},
            {"email", user.email},
            {"password", user.password.expose()},
            {"uid", user.uid},
            {"api_key", user.api_key.expose()},
            {"api_key_uid", user.api_key_uid}};
}

// The one line on standard output.
void say_ready(const Emulator& emulator, const std::string& ca_file) {
    boost::json::object ready{{"url", emulator.url()}};
    if (ca_file.empty())
        ready["ca_file"] = nullptr;
    else
        ready["ca_file"] = ca_file;
    ready["tenant_uid"] = emulator.tenant_uid();
    ready["org"] = emulator.org();
    auto& users = ready["users"].emplace_array();
    for (auto const role : {Role::tenant_admin, Role::user, Role::tenant_user_admin, Role::tenant_viewer})
        users.push_back(describe(emulator, role));
    std::cout << boost::json::serialize(ready) << '\n' << std::flush;
}

int run(Arguments arguments) {
    auto const end = await_signals_of_the_end();
    if (!arguments.quiet) arguments.options.on_request = report;
    Emulator emulator(std::move(arguments.options));
    for (auto const& rule : arguments.faults)
        emulator.faults().add(rule);
    if (!arguments.ca_out.empty()) write_authority(emulator, arguments.ca_out);
    say_ready(emulator, arguments.ca_out);
    if (!arguments.quiet) std::cerr << "palette-emulator is ready; it ends with Ctrl-C" << '\n' << std::flush;
    end.wait();
    return 0;
}

int fail(const std::string& what, int status) {
    std::cerr << "palette-emulator: " << what << '\n';
    return status;
}

}  // namespace

int main(int argc, char** argv) {
    fill_standard_streams();
    signal(SIGPIPE, SIG_IGN);
    try {
        auto arguments = parse_arguments({argv + 1, argv + argc});
        if (arguments.help) return std::cout << help_text(), 0;
        if (arguments.version) return std::cout << "palette-emulator " PALETTE_KEYS_VERSION "\n", 0;
        return run(std::move(arguments));
    } catch (const BadArgument& error) {
        return fail(error.what(), bad_arguments);
    } catch (const palette::Exception& exception) {
        auto const& error = exception.error();
        return fail(error.what(), error.code() == palette::errc::invalid_argument ? bad_arguments : 1);
    } catch (const std::exception& error) {
        return fail(error.what(), 1);
    }
}
