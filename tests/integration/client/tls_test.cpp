// SPDX-License-Identifier: BSL-1.0
#include "support/environment.hpp"
#include "support/one_attempt.hpp"
#include "support/process.hpp"
#include "support/temporary_folder.hpp"
#include "support/tls_server.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/impl/net/tls.hpp>
#include <palette/testing/emulator.hpp>

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <openssl/conf.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace tls_test {

using namespace std::chrono_literals;
using namespace palette;
using Greeting = tls::ServerOptions::Greeting;

// What every attempt has sent.
class SentBytes final : public Observer {
public:
    void on_attempt(const AttemptEvent& event) noexcept override {
        ++attempts;
        bytes += event.report.bytes_sent;
        any = any || event.report.sent;
    }
    int attempts = 0;
    std::uint64_t bytes = 0;
    bool any = false;
};

ClientOptions options_for(const tls::Server& server, const std::string& ca_pem,
                          const std::string& host = "127.0.0.1") {
    ClientOptions options = one_attempt();
    options.endpoint = server.endpoint(host);
    options.tls.ca_pem = ca_pem;
    options.auth = auth::api_key(Secret("hunter2hunter2"), "the-own-key");
    return options;
}

tls::ServerOptions shows(tls::Identity identity) {
    tls::ServerOptions options;
    options.identity = std::move(identity);
    return options;
}

// Asks for a change, the only thing whose effect could be in doubt.
std::optional<Error> refusal(const ClientOptions& options) {
    BlockingApiKeyClient client(options);
    auto const result = client.revoke("5f1b2c3d4e5f6a7b8c9d0e1f");
    if (result) return std::nullopt;
    return result.error();
}

bool connects(const ClientOptions& options) {
    BlockingApiKeyClient client(options);
    auto const result = client.list();
    if (!result) MESSAGE(result.error());
    return result.has_value();
}

void check_refused(ClientOptions options, const tls::Server& server, const std::string& sentence,
                   errc code = errc::untrusted) {
    CAPTURE(sentence);
    auto const sent = std::make_shared<SentBytes>();
    options.observer = sent;
    auto const error = refusal(options);
    REQUIRE(error);
    CHECK(error->what() == sentence);
    CHECK(error->code() == code);
    CHECK(error->effect() == Effect::not_applied);
    CHECK(sent->attempts == 1);
    CHECK_FALSE(sent->any);
    CHECK(sent->bytes == 0);
    auto const seen = server.seen_when_over(1);
    CHECK(seen.size() == 1);
    CHECK(seen.front().requests.find("HTTP") == std::string::npos);
}

struct Authorities {
    tls::Authority trusted;
    tls::Authority stranger;
};

TEST_CASE_FIXTURE(Authorities, "client: a certificate that is not good is refused, with the reason") {
    struct Row {
        const char* host;
        tls::CertificateOptions certificate;
        bool is_of_stranger;
        std::string sentence;
    };
    std::string const another_host = " is for another host";
    Row const rows[] = {
        {"localhost", {.names = "DNS:palette.test"}, false, another_host},
        {"localhost", {.names = "DNS:localhost.palette.test"}, false, another_host},
        {"localhost", {.names = "DNS:local*"}, false, another_host},
        {"localhost", {.names = "DNS:*"}, false, another_host},
        {"localhost", {.names = "IP:127.0.0.1"}, false, another_host},
        {"localhost", {.names = "", .common_name = "localhost"}, false, another_host},
        {"localhost", {.names = "IP:127.0.0.1", .common_name = "localhost"}, false, another_host},
        {"127.0.0.1", {.names = "", .common_name = "127.0.0.1"}, false, another_host},
        {"127.0.0.1", {.names = "DNS:localhost"}, false, another_host},
        {"127.0.0.1", {.names = "DNS:127.0.0.1"}, false, another_host},
        {"127.0.0.1", {.names = "IP:127.0.0.2"}, false, another_host},
        {"127.0.0.1", {}, true, " is signed by an authority that is not trusted"},
        {"127.0.0.1", {.begins = -2h, .ends = -1h}, false, " has expired"},
        {"127.0.0.1", {.begins = 1h}, false, " is not valid yet"},
        {"127.0.0.1", {.purpose = "clientAuth"}, false, " is not accepted: unsuitable certificate purpose"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.certificate.names);
        auto const& issuer = row.is_of_stranger ? stranger : trusted;
        for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
            auto server_options = shows(issuer.issue(row.certificate));
            server_options.oldest = server_options.newest = version;
            tls::Server const server(server_options);
            check_refused(options_for(server, trusted.pem(), row.host), server,
                          "the certificate of " + std::string(row.host) + row.sentence);
        }
    }
}

TEST_CASE_FIXTURE(Authorities, "client: a service that does not speak TLS is refused with the reason") {
    struct Row {
        Greeting greeting;
        int newest;
        std::string sentence;
        errc code;
    };
    Row const rows[] = {
        {Greeting::tls, TLS1_1_VERSION, "127.0.0.1 offers no TLS 1.2 or newer", errc::untrusted},
        {Greeting::plain, 0, "127.0.0.1 does not speak TLS: is this an http port?", errc::untrusted},
        {Greeting::closes, 0, "127.0.0.1 closed the connection during the TLS handshake", errc::transport},
        {Greeting::silent, 0, "the TLS handshake with 127.0.0.1 did not end within 50 ms", errc::timeout},
    };
    for (auto const& row : rows) {
        auto server_options = shows(trusted.issue());
        server_options.greeting = row.greeting;
        server_options.newest = row.newest;
        server_options.security_level = row.newest == 0 ? -1 : 0;
        tls::Server const server(server_options);
        auto options = options_for(server, trusted.pem());
        if (row.greeting == Greeting::silent) options.timeouts.handshake = 50ms;
        check_refused(options, server, row.sentence, row.code);
    }
}

TEST_CASE_FIXTURE(Authorities, "client: TLS where plain HTTP was expected is an error") {
    testing::Emulator const emulator;
    ClientOptions options = one_attempt();
    options.endpoint = Endpoint::parse("http://127.0.0.1:" + std::to_string(emulator.port())).value();
    options.auth = auth::api_key(Secret("hunter2hunter2"), "the-own-key");
    BlockingApiKeyClient client(options);
    auto const list = client.list();
    REQUIRE_FALSE(list);
    CHECK(list.error().code() == errc::transport);
    CHECK(list.error().effect() == Effect::not_applied);
    CHECK(list.error().what() == "the service closed the connection without an answer");
}

// A TCP connection and a handshake over it.
class Handshake {
public:
    Handshake(SSL_CTX* context, std::uint16_t port)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
          ssl_(SSL_new(context), &SSL_free) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        SSL_set_fd(ssl_.get(), socket_);
        version_ = SSL_connect(ssl_.get()) == 1 ? SSL_version(ssl_.get()) : 0;
    }
    Handshake(const Handshake&) = delete;
    Handshake& operator=(const Handshake&) = delete;
    ~Handshake() { ::close(socket_); }

    // 0: it failed.
    [[nodiscard]] int version() const noexcept { return version_; }

private:
    int socket_;
    std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
    int version_;
};

TEST_CASE_FIXTURE(Authorities, "client: TLS 1.1 is refused by the library itself, at any security level") {
    auto server_options = shows(trusted.issue());
    server_options.newest = TLS1_1_VERSION;
    server_options.security_level = 0;
    tls::Server const server(server_options);
    TlsOptions options;
    options.ca_pem = trusted.pem();
    auto const made = impl::net::make_tls_context(options);
    REQUIRE(made);
    auto* const context = (*made)->native_handle();
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0");
    CHECK(SSL_CTX_get_min_proto_version(context) == TLS1_2_VERSION);
    CHECK(Handshake(context, server.port()).version() == 0);
    SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
    CHECK(Handshake(context, server.port()).version() == TLS1_1_VERSION);
}

std::string policy_file(const TemporaryFolder& folder, const std::string& name, const std::string& lines) {
    return folder.file("openssl.cnf", name +
                                          " = modules\n[modules]\nssl_conf = names\n"
                                          "[names]\nsystem_default = policy\n[policy]\n" +
                                          lines + '\n');
}

// What the administrator of this machine has set for all programs, until the scope ends.
class SystemPolicy {
public:
    explicit SystemPolicy(const std::string& lines) {
        auto const file = policy_file(folder_, "palette", lines);
        REQUIRE(CONF_modules_load_file(file.c_str(), "palette", 0) == 1);
    }
    SystemPolicy(const SystemPolicy&) = delete;
    SystemPolicy& operator=(const SystemPolicy&) = delete;
    ~SystemPolicy() { CONF_modules_finish(); }

private:
    TemporaryFolder folder_;
};

TEST_CASE("client: the system's policy on versions of TLS is raised to 1.2, and never lowered") {
    struct Row {
        const char* policy;
        int oldest;
    };
    static constexpr Row rows[] = {
        {"TLSv1", TLS1_2_VERSION},
        {"TLSv1.2", TLS1_2_VERSION},
        {"TLSv1.3", TLS1_3_VERSION},
    };
    for (auto const& row : rows) {
        CAPTURE(row.policy);
        SystemPolicy const policy(std::string("MinProtocol = ") + row.policy);
        auto const made = impl::net::make_tls_context(TlsOptions());
        REQUIRE(made);
        CHECK(SSL_CTX_get_min_proto_version((*made)->native_handle()) == row.oldest);
    }
}

// Ciphers of TLS 1.2 that ask for no certificate of anybody.
constexpr const char* anonymous = "CipherString = aNULL:@SECLEVEL=0\nMaxProtocol = TLSv1.2";

// Under such a policy, of both sides: the handshake is completed, and nothing is sent behind it.
void check_that_nothing_is_sent_without_certificate(const Authorities& authorities) {
    for (auto const* const host : {"localhost", "127.0.0.1"}) {
        tls::Server const server(shows(authorities.trusted.issue()));
        auto options = options_for(server, authorities.trusted.pem(), host);
        check_refused(options, server, std::string(host) + " has shown no certificate");
        CHECK(server.seen().front().is_shaken);

        // With what the first connection may have left to be resumed.
        BlockingApiKeyClient client(options);
        for (int i = 0; i < 3; ++i) {
            auto const result = client.list();
            REQUIRE_FALSE(result);
            CHECK(result.error().code() == errc::untrusted);
        }
        for (auto const& connection : server.seen_when_over(4))
            CHECK(connection.requests.empty());

        options.tls.insecure_skip_verification = true;
        CHECK(connects(options));
    }
}

TEST_CASE_FIXTURE(Authorities, "client: a policy that needs no certificates gets no credential without one") {
    SystemPolicy const policy(anonymous);
    check_that_nothing_is_sent_without_certificate(*this);
}

// OPENSSL_CONF is read when a program starts, so the test runs itself in another one.
TEST_CASE_FIXTURE(Authorities, "client: nor does one that OPENSSL_CONF names") {
    constexpr const char* marks_child = "PALETTE_KEYS_TESTS_CHILD";
    if (std::getenv(marks_child) != nullptr) {
        check_that_nothing_is_sent_without_certificate(*this);
        return;
    }
    TemporaryFolder const folder;
    EnvironmentVariable const named("OPENSSL_CONF", policy_file(folder, "openssl_conf", anonymous));
    EnvironmentVariable const marked(marks_child, "1");
    child::Process program("/proc/self/exe",
                           {.arguments = {"--test-case=client: nor does one that OPENSSL_CONF names"}});
    auto const end = program.wait_for_end();
    REQUIRE(end);
    CAPTURE(end->output);
    CHECK(end->status == 0);
    CHECK(end->output.find("1 passed") != std::string::npos);
}

TEST_CASE_FIXTURE(Authorities, "client: TLS 1.2 and 1.3 are spoken") {
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        auto server_options = shows(trusted.issue());
        server_options.oldest = server_options.newest = version;
        tls::Server const server(server_options);
        CHECK(connects(options_for(server, trusted.pem())));
        CHECK(server.seen().front().version == version);
    }
}

TEST_CASE_FIXTURE(Authorities, "client: names are asked for and addresses are not") {
    tls::Server const server(shows(trusted.issue()));
    CHECK(connects(options_for(server, trusted.pem(), "localhost")));
    CHECK(server.seen().back().server_name == "localhost");
    CHECK(connects(options_for(server, trusted.pem(), "127.0.0.1")));
    CHECK(server.seen().back().server_name == "");
    CHECK(server.seen().size() == 2);
}

TEST_CASE_FIXTURE(Authorities, "client: the service may have an IPv6 address and a certificate for it") {
    auto server_options = shows(trusted.issue({.names = "IP:::1"}));
    server_options.address = "::1";
    std::optional<tls::Server> server;
    try {
        server.emplace(server_options);
    } catch (const std::system_error& e) {
        MESSAGE("skipped: " << std::string(e.what()));
        return;
    }
    CHECK(connects(options_for(*server, trusted.pem(), "[::1]")));
    auto const seen = server->seen();
    REQUIRE(seen.size() == 1);
    CHECK(seen.front().server_name == "");
    CHECK(seen.front().requests.find("Host: [::1]:" + std::to_string(server->port())) != std::string::npos);
    auto const error = refusal(options_for(*server, stranger.pem(), "[::1]"));
    REQUIRE(error);
    CHECK(error->what() == "the certificate of ::1 is signed by an authority that is not trusted");
}

TEST_CASE_FIXTURE(Authorities, "client: an authority is trusted by file, directory, text, or the system") {
    TemporaryFolder const folder;
    tls::Server const server(shows(trusted.issue()));
    auto options = options_for(server, {});
    EnvironmentVariable const directory("SSL_CERT_DIR", folder.path("none"));
    EnvironmentVariable const file("SSL_CERT_FILE", folder.file("other.pem", stranger.pem()));
    CHECK(refusal(options));

    options.tls.ca_file = folder.file("ca.pem", "a comment\n" + stranger.pem() + trusted.pem());
    CHECK(connects(options));
    options.tls = TlsOptions();
    static_cast<void>(folder.file(trusted.file_name(), trusted.pem()));
    options.tls.ca_directory = folder.path();
    CHECK(connects(options));
    options.tls = TlsOptions();
    options.tls.ca_pem = stranger.pem() + trusted.pem();
    CHECK(connects(options));

    file.set(folder.path("ca.pem"));
    options.tls = TlsOptions();
    CHECK(connects(options));
    options.tls.ca_pem = stranger.pem();
    CHECK(refusal(options));  // the system's authorities do not count any more
    options.tls.insecure_skip_verification = true;
    CHECK(connects(options));
}

TEST_CASE_FIXTURE(Authorities, "client: verification that is skipped is skipped for all that it would find") {
    for (auto const& certificate : {tls::CertificateOptions{.names = "DNS:palette.test"},
                                    tls::CertificateOptions{.begins = -2h, .ends = -1h}}) {
        tls::Server const server(shows(stranger.issue(certificate)));
        auto options = options_for(server, trusted.pem(), "localhost");
        CHECK(refusal(options));
        options.tls.insecure_skip_verification = true;
        CHECK(connects(options));
        CHECK(server.seen().back().server_name == "localhost");
    }
}

TEST_CASE_FIXTURE(Authorities, "client: TLS files that cannot be used are refused at once, and named") {
    TemporaryFolder const folder;
    auto const mine = trusted.issue({.purpose = "clientAuth"});
    auto const another = trusted.issue({.purpose = "clientAuth"});
    auto const certificate = folder.file("mine.pem", mine.certificate);
    struct Row {
        std::string TlsOptions::* option;
        std::string value;
        bool is_with_certificate = false;
    };
    Row const rows[] = {
        {&TlsOptions::ca_file, folder.path("missing.pem")},
        {&TlsOptions::ca_file, folder.file("empty.pem", "")},
        {&TlsOptions::ca_file, folder.file("garbage.pem", "no certificate\n")},
        {&TlsOptions::ca_file, folder.file("cut.pem", trusted.pem().substr(0, 200))},
        {&TlsOptions::ca_file, folder.file("key.pem", mine.key)},
        {&TlsOptions::ca_file, folder.path()},
        {&TlsOptions::ca_directory, folder.path("missing")},
        {&TlsOptions::ca_directory, certificate},
        {&TlsOptions::client_certificate_file, folder.path("missing.pem")},
        {&TlsOptions::client_certificate_file, folder.file("empty2.pem", "")},
        {&TlsOptions::client_certificate_file, certificate},  // has no key in it
        {&TlsOptions::client_key_file, folder.path("missing.key"), true},
        {&TlsOptions::client_key_file, folder.file("garbage.key", "no key"), true},
        {&TlsOptions::client_key_file, folder.file("another.key", another.key), true},
        {&TlsOptions::client_key_file, folder.file("mine.key", mine.key)},
    };
    for (auto const& row : rows) {
        CAPTURE(row.value);
        ClientOptions options = one_attempt();
        options.tls.*row.option = row.value;
        if (row.is_with_certificate) options.tls.client_certificate_file = certificate;
        try {
            BlockingApiKeyClient const client(options);
            FAIL_CHECK("it was taken");
        } catch (const Exception& e) {
            CHECK(e.error().code() == errc::invalid_argument);
            CHECK(e.error().effect() == Effect::not_applied);
            CHECK(e.error().path() == "tls");
            CHECK(e.error().what().find(row.value) != std::string::npos);
        }
    }
    for (auto const& text : {std::string("no certificate"), trusted.pem().substr(0, 200),
                             trusted.pem() + stranger.pem().substr(0, 200)}) {
        CAPTURE(text);
        ClientOptions options = one_attempt();
        options.tls.ca_pem = text;
        CHECK_THROWS_AS(BlockingApiKeyClient{options}, Exception);
    }
}

TEST_CASE_FIXTURE(Authorities, "client: a certificate of its own is shown to a service that asks for one") {
    TemporaryFolder const folder;
    auto const mine = trusted.issue({.purpose = "clientAuth"});
    auto const both = folder.file("both.pem", mine.certificate + mine.key);
    auto const certificate = folder.file("mine.pem", mine.certificate);
    auto const key = folder.file("mine.key", mine.key);
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        CAPTURE(version);
        auto server_options = shows(trusted.issue());
        server_options.client_authority = trusted.pem();
        server_options.oldest = server_options.newest = version;
        tls::Server const server(server_options);
        auto options = options_for(server, trusted.pem());
        options.tls.client_certificate_file = both;
        CHECK(connects(options));
        options.tls.client_certificate_file = certificate;
        options.tls.client_key_file = key;
        CHECK(connects(options));
        for (auto const& seen : server.seen_when_over(2))
            CHECK(seen.has_certificate);
    }
}

// With TLS 1.3 the client has done its part, and sent the request, before the service finds out.
TEST_CASE_FIXTURE(Authorities, "client: without the certificate that the service asks for nothing is done") {
    struct Row {
        int version;
        const char* sentence;
        Effect effect;
    };
    static constexpr Row rows[] = {
        {TLS1_2_VERSION, "the TLS handshake with 127.0.0.1 failed: ", Effect::not_applied},
        {TLS1_3_VERSION, "the connection broke before the answer: tlsv13 alert certificate required",
         Effect::unknown},
    };
    for (auto const& row : rows) {
        CAPTURE(row.version);
        auto server_options = shows(trusted.issue());
        server_options.client_authority = trusted.pem();
        server_options.oldest = server_options.newest = row.version;
        tls::Server const server(server_options);
        auto const error = refusal(options_for(server, trusted.pem()));
        REQUIRE(error);
        CHECK(error->code() == errc::transport);
        CHECK(error->what().starts_with(row.sentence));
        CHECK(error->effect() == row.effect);
        auto const seen = server.seen_when_over(1).front();
        CHECK_FALSE(seen.is_shaken);
        CHECK(seen.requests == "");
    }
}

}  // namespace tls_test
