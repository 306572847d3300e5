// SPDX-License-Identifier: BSL-1.0
#include "support/ask.hpp"
#include "support/environment.hpp"
#include "support/fake_transport.hpp"
#include "support/printed.hpp"
#include "support/sanitized.hpp"
#include "support/temporary_folder.hpp"

#include <palette/auth/api_key.hpp>
#include <palette/auth/file.hpp>
#include <palette/auth/login.hpp>
#include <palette/options.hpp>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace options_test {

using namespace palette;
using asking::ask;
using asking::Reason;

static_assert(std::is_nothrow_move_constructible_v<ClientOptions>);

// A getter has the name of its setter: of a const object it gives the value; of any other the name is the
// setter, whose result cannot be taken for the value.
template <class Options, class Ask>
inline constexpr bool reads_when_const =
    std::is_same_v<std::invoke_result_t<Ask, const Options&>, bool> &&
    std::is_same_v<std::invoke_result_t<Ask, Options&>, Options&> &&
    std::is_same_v<std::invoke_result_t<Ask, Options>, Options> && !std::is_constructible_v<bool, Options&>;

#define READS_WHEN_CONST(Options, name)                                               \
    static_assert(reads_when_const<Options, decltype([](auto&& o) -> decltype(auto) { \
                                       return static_cast<decltype(o)>(o).name();     \
                                   })>)

READS_WHEN_CONST(ChangeOptions, verify);
READS_WHEN_CONST(ChangeOptions, allow_past_expiry);
READS_WHEN_CONST(ChangeOptions, allow_shorter);
READS_WHEN_CONST(CallOptions, allow_own_key);
READS_WHEN_CONST(CreateOptions, retry_when_unseen);
READS_WHEN_CONST(auth::LoginOptions, use_refresh);
READS_WHEN_CONST(auth::FileOptions, allow_symlink);

struct Fixture {
    EnvironmentVariable host{"PALETTE_HOST"};
    EnvironmentVariable key{"PALETTE_API_KEY"};
    EnvironmentVariable other_key{"SPECTROCLOUD_APIKEY"};
    EnvironmentVariable key_uid{"PALETTE_API_KEY_UID"};
    EnvironmentVariable ca_file{"PALETTE_CA_FILE"};
    EnvironmentVariable upper_proxy{"HTTPS_PROXY"};
    EnvironmentVariable lower_proxy{"https_proxy"};
    EnvironmentVariable upper_exceptions{"NO_PROXY"};
    EnvironmentVariable lower_exceptions{"no_proxy"};
    FakeTransport transport;

    Error refusal() {
        auto const options = ClientOptions::from_environment();
        REQUIRE_FALSE(options);
        CHECK(options.error().code() == errc::invalid_argument);
        CHECK(options.error().effect() == Effect::not_applied);
        CHECK_FALSE(contains(options.error().message(), "hunter2"));
        return options.error();
    }
};

bool can_make_set_uid_programs(const TemporaryFolder& folder) {
    struct statvfs found{};
    REQUIRE(::statvfs(folder.path().c_str(), &found) == 0);
    return ::geteuid() == 0 && (found.f_flag & ST_NOSUID) == 0;
}

// Of a program that nobody hears.
int exit_status_of(std::string program, std::string argument) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    char* const argv[] = {program.data(), argument.data(), nullptr};
    pid_t id = 0;
    REQUIRE(::posix_spawn(&id, program.c_str(), &actions, nullptr, argv, environ) == 0);
    ::posix_spawn_file_actions_destroy(&actions);
    int how = 0;
    REQUIRE(::waitpid(id, &how, 0) == id);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

TEST_CASE_FIXTURE(Fixture,
                  "ClientOptions: a key in the environment is enough, and the rest is as by default") {
    key.set("hunter2\n");
    auto const options = ClientOptions::from_environment().value();
    CHECK(options.endpoint == Endpoint());
    CHECK(options.tls.ca_file.empty());
    CHECK_FALSE(options.tls.insecure_skip_verification);
    CHECK_FALSE(options.transport);
    CHECK_FALSE(options.observer);
    CHECK_FALSE(options.clock);
    CHECK(options.proxy.url.empty());
    REQUIRE(options.auth);
    auto const credential = ask(options.auth, transport).value();
    CHECK(credential->kind() == Credential::Kind::api_key);
    CHECK(credential->value().expose() == "hunter2");
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: host and authorities come from the environment too") {
    host.set(" https://palette.acme.com:8443/login ");
    key.set("hunter2");
    TemporaryFolder const folder;
    auto const authority = folder.file("ca.pem", "a certificate");
    ca_file.set(authority);
    auto const options = ClientOptions::from_environment().value();
    CHECK(options.endpoint.to_string() == "https://palette.acme.com:8443");
    CHECK(options.tls.ca_file == authority);
    CHECK_FALSE(options.tls.insecure_skip_verification);
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: PALETTE_API_KEY goes before SPECTROCLOUD_APIKEY") {
    other_key.set("second");
    CHECK(ask(ClientOptions::from_environment().value().auth, transport).value()->value().expose() ==
          "second");
    key.set("first");
    CHECK(ask(ClientOptions::from_environment().value().auth, transport).value()->value().expose() ==
          "first");
}

TEST_CASE_FIXTURE(Fixture,
                  "ClientOptions: PALETTE_API_KEY_UID is the uid of the key, and none if it is not set") {
    key.set("hunter2");
    CHECK(ask(ClientOptions::from_environment().value().auth, transport).value()->key_uid().empty());
    key_uid.set("463209768807a774078d86d3");
    CHECK(ask(ClientOptions::from_environment().value().auth, transport).value()->key_uid() ==
          "463209768807a774078d86d3");
    key_uid.set("hunter2 hunter2");
    CHECK(contains(refusal().message(), "PALETTE_API_KEY_UID"));
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: one line end after the host, the key and its uid is dropped") {
    for (auto const* const end : {"\n", "\r\n"}) {
        host.set(std::string("palette.acme.com") + end);
        key.set(std::string("hunter2") + end);
        key_uid.set(std::string("463209768807a774078d86d3") + end);
        auto const options = ClientOptions::from_environment().value();
        CHECK(options.endpoint.to_string() == "https://palette.acme.com");
        auto const credential = ask(options.auth, transport).value();
        CHECK(credential->value().expose() == "hunter2");
        CHECK(credential->key_uid() == "463209768807a774078d86d3");
    }
    key_uid.set("463209768807a774078d86d3\n\n");
    CHECK(contains(refusal().message(), "PALETTE_API_KEY_UID"));
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: a host that is set but empty does not become the public service") {
    key.set("hunter2");
    host.set("");
    CHECK(refusal().path() == "PALETTE_HOST");
    CHECK(contains(refusal().message(), "PALETTE_HOST: is set but empty"));
    host.set("\n");
    CHECK(refusal().path() == "PALETTE_HOST");
}

TEST_CASE_FIXTURE(Fixture,
                  "ClientOptions: a file of authorities that cannot be opened is named with its variable") {
    key.set("hunter2");
    ca_file.set("/nonexistent/ca.pem");
    CHECK(refusal().path() == "PALETTE_CA_FILE");
    CHECK(contains(refusal().message(), "/nonexistent/ca.pem"));
    CHECK(refusal().cause() == std::errc::no_such_file_or_directory);
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: an error of the environment advises whoever starts the program") {
    CHECK(contains(refusal().message(), "environment of the program"));
    key.set("hunter2");
    host.set("palette acme");
    CHECK_FALSE(contains(refusal().message(), "argument"));
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: the environment is read once, so that what was good stays") {
    key.set("before");
    auto const options = ClientOptions::from_environment().value();
    key.set("after");
    auto const first = ask(options.auth, transport).value();
    CHECK(first->value().expose() == "before");
    CHECK(ask(options.auth, transport, Reason::rejected, first).value() == first);
}

TEST_CASE_FIXTURE(Fixture,
                  "ClientOptions: a variable other than the host's that is empty counts as not set") {
    for (auto const* const variable : {&key, &key_uid, &ca_file})
        variable->set("");
    other_key.set("second");
    auto const options = ClientOptions::from_environment().value();
    CHECK(options.endpoint == Endpoint());
    CHECK(options.tls.ca_file.empty());
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: a missing key is an error that names its variables") {
    CHECK(refusal().what() == "neither PALETTE_API_KEY nor SPECTROCLOUD_APIKEY is set");
    key.set("");
    CHECK(refusal().what() == "PALETTE_API_KEY is set but empty");
}

TEST_CASE_FIXTURE(Fixture,
                  "ClientOptions: a provider of the caller's takes the place of the environment's key") {
    host.set("palette.acme.com");
    auto const provider = auth::api_key(Secret("of the caller"));
    for (auto const* const unused : {"", "hunter2\r\nX: y", "hunter2"}) {
        key.set(unused);
        key_uid.set("no uid");
        auto const options = ClientOptions::from_environment(provider).value();
        CHECK(options.auth == provider);
        CHECK(options.endpoint.to_string() == "https://palette.acme.com");
    }
    host.set("");
    CHECK(ClientOptions::from_environment(provider).error().path() == "PALETTE_HOST");
    host.unset();
    upper_proxy.set("nonsense://");
    auto const error = ClientOptions::from_environment(provider).error();
    CHECK(error.path() == "HTTPS_PROXY");
    CHECK(contains(error.message(), "environment of the program"));
    CHECK(ClientOptions::from_environment(nullptr).error().path() == "auth");
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: a variable that is wrong is named, and a key is not quoted") {
    key.set("hunter2\r\nX: y");
    CHECK(refusal().what().starts_with("PALETTE_API_KEY has a line break"));
    key.set("  ");
    CHECK(refusal().what() == "PALETTE_API_KEY is empty");

    key.set("hunter2");
    for (auto const* const bad :
         {"palette acme", "http://palette.acme.com", "https://user:hunter2@acme.com"}) {
        host.set(bad);
        CHECK(refusal().path() == "PALETTE_HOST");
    }
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: no variable turns verification off or plain HTTP on") {
    key.set("hunter2");
    EnvironmentVariable const insecure("PALETTE_INSECURE", "1");
    EnvironmentVariable const skip("PALETTE_INSECURE_SKIP_VERIFICATION", "true");
    host.set("http://127.0.0.1:8080");
    auto const options = ClientOptions::from_environment().value();
    CHECK_FALSE(options.tls.insecure_skip_verification);
    CHECK_FALSE(options.endpoint.allows_insecure_http());
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: a proxy and its exceptions come from the environment too") {
    key.set("hunter2");
    upper_proxy.set("http://robot:hunter2%3A@proxy.acme.com:3128/");
    upper_exceptions.set("localhost, .acme.com 10.0.0.0/8");
    auto const options = ClientOptions::from_environment().value();
    CHECK(options.proxy.url == "http://proxy.acme.com:3128");
    CHECK(options.proxy.user == "robot");
    REQUIRE(options.proxy.password);
    CHECK(options.proxy.password->expose() == "hunter2:");
    CHECK(options.proxy.bypass == std::vector<std::string>{"localhost", ".acme.com", "10.0.0.0/8"});
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: HTTPS_PROXY and NO_PROXY go before https_proxy and no_proxy") {
    key.set("hunter2");
    lower_proxy.set("http://lower:1");
    lower_exceptions.set("lower");
    auto const lower = ClientOptions::from_environment().value().proxy;
    CHECK(lower.url == "http://lower:1");
    CHECK(lower.bypass == std::vector<std::string>{"lower"});
    upper_proxy.set("");
    CHECK(ClientOptions::from_environment().value().proxy.url == "http://lower:1");
    upper_proxy.set("http://upper:1");
    upper_exceptions.set("upper");
    auto const upper = ClientOptions::from_environment().value().proxy;
    CHECK(upper.url == "http://upper:1");
    CHECK(upper.bypass == std::vector<std::string>{"upper"});
}

TEST_CASE_FIXTURE(Fixture,
                  "ClientOptions: no other variable names a proxy, and exceptions alone mean nothing") {
    key.set("hunter2");
    EnvironmentVariable const http("HTTP_PROXY", "http://proxy:1");
    EnvironmentVariable const lower_http("http_proxy", "http://proxy:1");
    EnvironmentVariable const all("ALL_PROXY", "http://proxy:1");
    EnvironmentVariable const lower_all("all_proxy", "http://proxy:1");
    upper_exceptions.set("10.0.0.0/99");
    auto const options = ClientOptions::from_environment().value();
    CHECK(options.proxy.url.empty());
    CHECK(options.proxy.bypass.empty());
}

TEST_CASE_FIXTURE(Fixture, "ClientOptions: nonsense about a proxy names its variable, and quotes nothing") {
    key.set("hunter2");
    for (auto const* const bad :
         {"https://robot:hunter2@proxy:1", "socks5://hunter2", "http://hunter2:0",
          "http://robot:hunter2%@proxy:1", "robot:hunter2", "http://proxy:1/hunter2"}) {
        CAPTURE(bad);
        upper_proxy.unset();
        lower_proxy.set(bad);
        CHECK(refusal().path() == "https_proxy");
        upper_proxy.set(bad);
        CHECK(refusal().path() == "HTTPS_PROXY");
    }
    upper_proxy.set("http://proxy:1");
    lower_exceptions.set("acme.com,hunter2/33");
    CHECK(refusal().path() == "no_proxy");
    upper_exceptions.set("10.0.0.0/33");
    CHECK(refusal().path() == "NO_PROXY");
}

TEST_CASE("ClientOptions: a set-uid program gets nothing from its environment") {
    constexpr auto const* role = "PALETTE_KEYS_TEST_SET_UID";
    if (std::getenv(role) != nullptr) {
        // The copy of this program, below.
        CHECK(std::getenv("PALETTE_API_KEY") != nullptr);
        CHECK_FALSE(ClientOptions::from_environment());
        return;
    }
    TemporaryFolder const folder;
    if (!can_make_set_uid_programs(folder) || sanitized) return;
    REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
    auto const program = folder.path("program");
    std::filesystem::copy_file("/proc/self/exe", program);
    REQUIRE(::chown(program.c_str(), 65534, 65534) == 0);

    EnvironmentVariable const child(role, "1");
    EnvironmentVariable const key("PALETTE_API_KEY", "hunter2");
    auto const* const name = "--test-case=ClientOptions: a set-uid program gets nothing from its environment";
    REQUIRE(::chmod(program.c_str(), 04755) == 0);
    CHECK(exit_status_of(program, name) == 0);
    // The same, which shows that the copy looks at all.
    REQUIRE(::chmod(program.c_str(), 0755) == 0);
    CHECK(exit_status_of(program, name) != 0);
}

}  // namespace options_test
