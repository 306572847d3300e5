// SPDX-License-Identifier: BSL-1.0
//
// Several hosts, one slot: each of them runs the same rotation at the same moment, as cron does, and the key
// is replaced once. Meanwhile a consumer goes on calling, and no call fails.
//
// Run it: fleet. Each host is a process of its own. The records are in etcd if PALETTE_ETCD_URL names one,
// such as http://127.0.0.1:2379, and otherwise in files, which the processes of one machine share. The
// service is an emulator in this program, whose clock leaps, for it takes weeks; those of the hosts do not
// leap, and nothing depends on them.
#include "demonstration.hpp"

#include <palette/api_keys.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/lifecycle/rotator.hpp>
#include <palette/testing/emulator.hpp>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace lifecycle = palette::lifecycle;

namespace {

constexpr int hosts = 4;

// A fleet needs a store that all hosts reach, and that compares before it sets.
std::shared_ptr<lifecycle::RotationStore> make_store(const std::string& directory) {
    auto const* const url = std::getenv("PALETTE_ETCD_URL");
    if (url == nullptr || *url == '\0') return lifecycle::file_store(directory);
    return lifecycle::etcd_store({palette::Endpoint::parse(url).value()},
                                 "/palette-example" + directory + '/');
}

// And a sink that all hosts reach: on one machine, a file; elsewhere a vault or a cluster, by command_sink().
lifecycle::Slot make_slot(const std::string& directory) {
    return {"fleet", lifecycle::file_sink(directory + "/palette.key"), make_store(directory)};
}

// --- a host ------------------------------------------------------------------------------------------------

// One run of a rotation. Whichever host comes first does what is due.
int run_host(const std::string& name, const std::string& directory) {
    palette::BlockingApiKeyClient client(palette::ClientOptions::from_environment().value());
    auto const rotation = lifecycle::rotate(client, make_slot(directory));
    std::ostringstream line;  // written as a whole, for others write too
    if (!rotation)
        line << "    host " << name << ": " << rotation.error() << '\n';
    else if (rotation->problem)  // that another host works on the slot, for one
        line << "    host " << name << ": " << rotation->outcome << ": " << *rotation->problem << '\n';
    else
        line << "    host " << name << ": " << rotation->outcome << ", " << rotation->state << '\n';
    std::cout << line.str() << std::flush;
    return rotation && rotation->outcome != lifecycle::Rotation::Outcome::failed ? 0 : 1;
}

class HostProcess {
public:
    HostProcess(int number, const std::string& directory, const std::vector<std::string>& settings) {
        std::vector<std::string> arguments{"fleet", "host", std::to_string(number), directory};
        std::vector<std::string> environment(settings);
        for (char** variable = environ; *variable != nullptr; ++variable)
            environment.emplace_back(*variable);
        auto const error = ::posix_spawn(&id_, "/proc/self/exe", nullptr, nullptr, pointers(arguments).data(),
                                         pointers(environment).data());
        if (error != 0) throw std::system_error(error, std::generic_category(), "a host cannot be started");
    }

    // Returns whether it has ended well.
    [[nodiscard]] bool wait() const {
        int status = 0;
        while (::waitpid(id_, &status, 0) < 0)
            if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "waitpid");
        return status == 0;
    }

private:
    static std::vector<char*> pointers(std::vector<std::string>& texts) {
        std::vector<char*> out;
        for (auto& text : texts)
            out.push_back(text.data());
        out.push_back(nullptr);
        return out;
    }

    pid_t id_ = 0;
};

// --- all of them -------------------------------------------------------------------------------------------

// A program that uses the key, and knows nothing of rotations but where the key lies.
class Consumer {
public:
    Consumer(palette::ClientOptions options, const lifecycle::Slot& slot) {
        options.auth = lifecycle::sink_provider(slot.sink(), std::chrono::milliseconds{200});
        thread_ = std::thread([this, options = std::move(options)]() mutable { run(std::move(options)); });
    }
    Consumer(const Consumer&) = delete;
    Consumer& operator=(const Consumer&) = delete;
    ~Consumer() { stop(); }

    void stop() {
        is_over_ = true;
        if (thread_.joinable()) thread_.join();
    }
    [[nodiscard]] int calls() const noexcept { return calls_; }
    [[nodiscard]] int failed_calls() const noexcept { return failed_calls_; }

private:
    void run(palette::ClientOptions options) {
        palette::BlockingApiKeyClient client(std::move(options));
        while (!is_over_) {
            auto const me = client.whoami();
            ++calls_;
            if (!me) {
                ++failed_calls_;
                std::cerr << "a call failed: " << me.error() << '\n';
            }
            std::this_thread::sleep_for(std::chrono::milliseconds{150});
        }
    }

    std::atomic<bool> is_over_ = false;
    std::atomic<int> calls_ = 0, failed_calls_ = 0;
    std::thread thread_;
};

class Fleet {
public:
    // Lets time pass, starts all hosts at once, and waits for them.
    void run_all(std::string_view title, std::chrono::milliseconds later, std::size_t keys) {
        time_.leap(later);
        std::cout << palette::Expiry::at(time_.clock()->now()) << ", " << title << ":\n" << std::flush;
        std::vector<HostProcess> running;
        for (int i = 1; i <= hosts; ++i)
            running.emplace_back(i, directory_.path(), settings_);
        bool is_good = true;
        for (auto const& host : running)
            is_good = host.wait() && is_good;
        auto const found = emulator_.keys().size() - keys_before_;
        std::cout << "    the slot has " << found << " key(s)\n";
        if (!is_good || found != keys) throw std::runtime_error("that should not have happened");
    }

    void run() {
        using namespace std::chrono_literals;
        using std::chrono::days;
        run_all("an empty slot is provisioned", 0s, 1);

        auto options = emulator_.client_options(palette::testing::Role::tenant_admin);
        options.clock = nullptr;
        Consumer consumer(std::move(options), make_slot(directory_.path()));
        run_all("after two thirds of the key's life", days{20}, 2);
        run_all("after the overlap", 61min, 2);
        run_all("after the quarantine", days{7}, 1);
        consumer.stop();

        std::cout << "meanwhile " << consumer.calls() << " calls, " << consumer.failed_calls() << " failed\n";
        if (consumer.calls() == 0 || consumer.failed_calls() > 0) throw std::runtime_error("calls failed");
    }

private:
    // What the service is to a host.
    std::vector<std::string> settings() const {
        auto const authorities = directory_.file("ca.pem");
        std::ofstream(authorities) << emulator_.ca_pem();
        auto const& admin = emulator_.user(palette::testing::Role::tenant_admin);
        return {"PALETTE_HOST=" + emulator_.url(), "PALETTE_CA_FILE=" + authorities,
                "PALETTE_API_KEY=" + std::string(admin.api_key.expose()),
                "PALETTE_API_KEY_UID=" + admin.api_key_uid};
    }

    example::LeapingClock time_;
    // Four hosts at once, again and again: what a service's limit does about that is not what is shown here.
    palette::testing::Emulator emulator_{
        {.rate_limit = palette::testing::RateLimit::off(), .clock = time_.clock()}};
    std::size_t keys_before_ = emulator_.keys().size();
    example::ScratchDirectory directory_;
    std::vector<std::string> settings_ = settings();
};

}  // namespace

int main(int argc, char** argv) try {
    if (argc == 4 && argv[1] == std::string_view("host")) return run_host(argv[2], argv[3]);
    Fleet().run();
} catch (const std::exception& e) {
    std::cerr << "fleet: " << e.what() << '\n';
    return 1;
}
