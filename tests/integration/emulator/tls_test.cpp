// SPDX-License-Identifier: BSL-1.0
#include "support/raw_http.hpp"

#include <palette/error.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace tls_test {

using palette::testing::Emulator;
using palette::testing::RateLimit;

template <auto free>
struct FreedWith {
    void operator()(auto* object) const noexcept { free(object); }
};
using TlsContext = std::unique_ptr<SSL_CTX, FreedWith<SSL_CTX_free>>;
using TlsSession = std::unique_ptr<SSL_SESSION, FreedWith<SSL_SESSION_free>>;
using ParsedCertificate = std::unique_ptr<X509, FreedWith<X509_free>>;
using Bytes = std::unique_ptr<BIO, FreedWith<BIO_free_all>>;

ParsedCertificate parsed(const std::string& pem) {
    Bytes const memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    ParsedCertificate certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
    REQUIRE(certificate);
    return certificate;
}

// Who trusts these authorities and nobody else.
TlsContext trusting(const std::string& ca_pem) {
    TlsContext context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    if (!ca_pem.empty())
        REQUIRE(X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), parsed(ca_pem).get()) == 1);
    return context;
}

// A TLS connection that was tried.
class Tried {
public:
    Tried(SSL_CTX* context, const std::string& address, std::uint16_t port, const std::string& name,
          SSL_SESSION* session = nullptr)
        : stream_(BIO_new_ssl_connect(context)) {
        ERR_clear_error();
        BIO_set_conn_hostname(stream_.get(), (address + ':' + std::to_string(port)).c_str());
        auto* const parameters = SSL_get0_param(ssl());
        if (X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str()) != 1) {
            X509_VERIFY_PARAM_set1_host(parameters, name.c_str(), 0);
            SSL_set_tlsext_host_name(ssl(), name.c_str());
        }
        if (session != nullptr) SSL_set_session(ssl(), session);
        ERR_clear_error();
        succeeded_ = BIO_do_handshake(stream_.get()) == 1;
        if (!succeeded_) reason_ = ERR_GET_REASON(ERR_peek_error());
    }
    Tried(const Emulator& emulator, SSL_CTX* context, const std::string& name = "127.0.0.1",
          SSL_SESSION* session = nullptr)
        : Tried(context, "127.0.0.1", emulator.port(), name, session) {}

    [[nodiscard]] bool succeeded() const { return succeeded_; }
    [[nodiscard]] int reason() const { return reason_; }
    [[nodiscard]] long verification() const { return SSL_get_verify_result(ssl()); }
    [[nodiscard]] SSL* ssl() const {
        SSL* found = nullptr;
        BIO_get_ssl(stream_.get(), &found);
        REQUIRE(found != nullptr);
        return found;
    }

    // The status line of the answer to a request.
    [[nodiscard]] std::string status_line(raw::Headers headers = {}) const {
        auto const request = raw::request("GET", "/v1/users/info", headers);
        BIO_write(stream_.get(), request.data(), static_cast<int>(request.size()));
        char bytes[4096];
        auto const size = BIO_read(stream_.get(), bytes, sizeof bytes);
        std::string const answer(bytes, size > 0 ? static_cast<std::size_t>(size) : 0);
        return answer.substr(0, answer.find("\r\n"));
    }

private:
    Bytes stream_;
    bool succeeded_ = false;
    int reason_ = 0;
};

const std::string unauthorized_line = "HTTP/1.1 401 Unauthorized";

// Unsigned, for names as in "DNS:localhost,IP:127.0.0.1".
ParsedCertificate certificate_for(const std::string& names) {
    ParsedCertificate certificate(X509_new());
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, nullptr, certificate.get(), nullptr, nullptr, 0);
    auto* const extension = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, names.c_str());
    REQUIRE(extension != nullptr);
    X509_set_version(certificate.get(), X509_VERSION_3);
    X509_add_ext(certificate.get(), extension, -1);
    X509_EXTENSION_free(extension);
    X509_check_purpose(certificate.get(), -1, 0);  // finds the names, where the check below looks for them
    return certificate;
}

bool is_critical(X509* certificate, int nid) {
    auto const place = X509_get_ext_by_NID(certificate, nid, -1);
    REQUIRE(place >= 0);
    CHECK(X509_get_ext_by_NID(certificate, nid, place) < 0);
    return X509_EXTENSION_get_critical(X509_get_ext(certificate, place)) == 1;
}

void check_lasts_a_day_at_most(X509* certificate) {
    auto const* const begin = X509_get0_notBefore(certificate);
    auto const* const end = X509_get0_notAfter(certificate);
    CHECK(X509_cmp_current_time(begin) < 0);
    CHECK(X509_cmp_current_time(end) > 0);
    int days = 0;
    int seconds = 0;
    REQUIRE(ASN1_TIME_diff(&days, &seconds, begin, end) == 1);
    CHECK(days * 86'400 + seconds <= 86'400);
    REQUIRE(ASN1_TIME_diff(&days, &seconds, nullptr, end) == 1);
    CHECK(days * 86'400 + seconds > 23 * 3'600);
}

TEST_CASE("TLS: the chain and the names are good with the authority and not without it") {
    Emulator const emulator;
    Emulator const another;
    auto const context = trusting(emulator.ca_pem());
    for (std::string const name : {"localhost", "127.0.0.1", "::1"}) {
        CAPTURE(name);
        Tried const connection(emulator, context.get(), name);
        REQUIRE(connection.succeeded());
        CHECK(connection.verification() == X509_V_OK);
        CHECK(connection.status_line() == unauthorized_line);

        for (auto const& stranger : {std::string(), another.ca_pem()}) {
            Tried const distrusted(emulator, trusting(stranger).get(), name);
            CHECK_FALSE(distrusted.succeeded());
            CHECK(distrusted.reason() == SSL_R_CERTIFICATE_VERIFY_FAILED);
        }
    }
    for (std::string const name : {"evil.test", "palette-emulator", "localhost.evil.test", "x.localhost",
                                   "127.0.0.2", "::2", "10.0.0.1", "acme.test"}) {
        CAPTURE(name);
        Tried const connection(emulator, context.get(), name);
        CHECK_FALSE(connection.succeeded());
        CHECK((connection.verification() == X509_V_ERR_HOSTNAME_MISMATCH ||
               connection.verification() == X509_V_ERR_IP_ADDRESS_MISMATCH));
    }
}

TEST_CASE("TLS: another loopback address that is listened on is among the names") {
    Emulator const emulator({.listen = "127.0.0.7"});
    CHECK(emulator.url().starts_with("https://127.0.0.7:"));
    auto const context = trusting(emulator.ca_pem());
    for (std::string const name : {"127.0.0.7", "localhost", "127.0.0.1"})
        CHECK(Tried(context.get(), "127.0.0.7", emulator.port(), name).succeeded());
    CHECK_FALSE(Tried(context.get(), "127.0.0.7", emulator.port(), "127.0.0.8").succeeded());
}

TEST_CASE("TLS: the IPv6 loopback is spoken to under its own name") {
    std::unique_ptr<Emulator> emulator;
    try {
        emulator = std::make_unique<Emulator>(palette::testing::EmulatorOptions{.listen = "::1"});
    } catch (const palette::Exception& e) {
        MESSAGE("skipped: " << e.what());
        return;
    }
    CHECK(emulator->url() == "https://[::1]:" + std::to_string(emulator->port()));
    auto const context = trusting(emulator->ca_pem());
    Tried const connection(context.get(), "[::1]", emulator->port(), "::1");
    CHECK(connection.succeeded());
    CHECK(connection.status_line() == unauthorized_line);
    CHECK(emulator->requests().front().source == "::1");
}

TEST_CASE("TLS: the authority signs for this machine alone, for a day, and no other authority") {
    Emulator const emulator;
    auto const authority = parsed(emulator.ca_pem());
    auto* const c = authority.get();
    CHECK(X509_check_ca(c) == 1);
    CHECK(X509_get_pathlen(c) == 0);
    CHECK(is_critical(c, NID_basic_constraints));
    CHECK(is_critical(c, NID_key_usage));
    CHECK((X509_get_key_usage(c) & ~static_cast<std::uint32_t>(KU_CRL_SIGN)) == KU_KEY_CERT_SIGN);
    CHECK(X509_verify(c, X509_get0_pubkey(c)) == 1);
    check_lasts_a_day_at_most(c);

    CHECK(is_critical(c, NID_name_constraints));
    std::unique_ptr<NAME_CONSTRAINTS, FreedWith<NAME_CONSTRAINTS_free>> const constraints(
        static_cast<NAME_CONSTRAINTS*>(X509_get_ext_d2i(c, NID_name_constraints, nullptr, nullptr)));
    REQUIRE(constraints);
    for (std::string const good : {"DNS:localhost", "IP:127.0.0.1", "IP:127.255.255.255", "IP:::1"}) {
        CAPTURE(good);
        CHECK(NAME_CONSTRAINTS_check(certificate_for(good).get(), constraints.get()) == X509_V_OK);
    }
    for (std::string const bad : {"DNS:evil.test", "DNS:localhost.evil.test", "DNS:evillocalhost", "DNS:com",
                                  "IP:128.0.0.1", "IP:126.255.255.255", "IP:10.0.0.1", "IP:0.0.0.0",
                                  "IP:::", "IP:::2", "IP:::ffff:127.0.0.1", "DNS:localhost,DNS:evil.test"}) {
        CAPTURE(bad);
        CHECK(NAME_CONSTRAINTS_check(certificate_for(bad).get(), constraints.get()) ==
              X509_V_ERR_PERMITTED_VIOLATION);
    }
}

TEST_CASE("TLS: of the authority there is the certificate and nothing else") {
    Emulator const emulator;
    auto const& pem = emulator.ca_pem();
    CHECK(pem.starts_with("-----BEGIN CERTIFICATE-----\n"));
    CHECK(pem.ends_with("-----END CERTIFICATE-----\n"));
    CHECK(pem.find("-----BEGIN", 1) == std::string::npos);
    CHECK(pem.find("PRIVATE") == std::string::npos);
    Emulator const without({.plain_http = true});
    CHECK(without.ca_pem().empty());
}

TEST_CASE("TLS: the host certificate is for three names, for servers, and for a day") {
    Emulator const emulator;
    auto const context = trusting(emulator.ca_pem());
    Tried const connection(emulator, context.get());
    REQUIRE(connection.succeeded());
    ParsedCertificate const host(SSL_get1_peer_certificate(connection.ssl()));
    auto* const c = host.get();
    REQUIRE(c != nullptr);
    CHECK(X509_check_ca(c) == 0);
    CHECK(X509_get_extended_key_usage(c) == XKU_SSL_SERVER);
    check_lasts_a_day_at_most(c);
    std::unique_ptr<GENERAL_NAMES, FreedWith<GENERAL_NAMES_free>> const names(
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(c, NID_subject_alt_name, nullptr, nullptr)));
    REQUIRE(names);
    CHECK(sk_GENERAL_NAME_num(names.get()) == 3);
    CHECK(X509_check_host(c, "localhost", 0, 0, nullptr) == 1);
    CHECK(X509_check_ip_asc(c, "127.0.0.1", 0) == 1);
    CHECK(X509_check_ip_asc(c, "::1", 0) == 1);

    auto const authority = parsed(emulator.ca_pem());
    CHECK(X509_verify(c, X509_get0_pubkey(authority.get())) == 1);
    CHECK(EVP_PKEY_eq(X509_get0_pubkey(c), X509_get0_pubkey(authority.get())) != 1);
    CHECK(ASN1_INTEGER_cmp(X509_get0_serialNumber(c), X509_get0_serialNumber(authority.get())) != 0);
}

TEST_CASE("TLS: 1.2 and 1.3 are spoken, and nothing older") {
    Emulator const emulator;
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        CAPTURE(version);
        auto const context = trusting(emulator.ca_pem());
        SSL_CTX_set_min_proto_version(context.get(), version);
        SSL_CTX_set_max_proto_version(context.get(), version);
        Tried const connection(emulator, context.get());
        REQUIRE(connection.succeeded());
        CHECK(SSL_version(connection.ssl()) == version);
        CHECK(connection.status_line() == unauthorized_line);
    }
    for (int const version : {TLS1_VERSION, TLS1_1_VERSION}) {
        CAPTURE(version);
        auto const context = trusting(emulator.ca_pem());
        SSL_CTX_set_security_level(context.get(), 0);
        SSL_CTX_set_cipher_list(context.get(), "ALL:@SECLEVEL=0");
        SSL_CTX_set_min_proto_version(context.get(), version);
        SSL_CTX_set_max_proto_version(context.get(), version);
        Tried const connection(emulator, context.get());
        CHECK_FALSE(connection.succeeded());
        CHECK(connection.reason() == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION);
    }
    Tried const modern(emulator, trusting(emulator.ca_pem()).get());
    CHECK(modern.status_line() == unauthorized_line);
}

TEST_CASE("TLS: a session is resumed") {
    Emulator const emulator;
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        CAPTURE(version);
        auto const context = trusting(emulator.ca_pem());
        SSL_CTX_set_min_proto_version(context.get(), version);
        SSL_CTX_set_max_proto_version(context.get(), version);
        TlsSession session;
        {
            Tried const first(emulator, context.get());
            REQUIRE(first.succeeded());
            CHECK(SSL_session_reused(first.ssl()) == 0);
            // With 1.3, the session comes along with what is read.
            CHECK(first.status_line() == unauthorized_line);
            session.reset(SSL_get1_session(first.ssl()));
            SSL_shutdown(first.ssl());
        }
        REQUIRE(SSL_SESSION_is_resumable(session.get()) == 1);
        Tried const second(emulator, context.get(), "127.0.0.1", session.get());
        REQUIRE(second.succeeded());
        CHECK(SSL_session_reused(second.ssl()) == 1);
        CHECK(second.status_line() == unauthorized_line);

        Emulator const another;
        Tried const elsewhere(another, trusting(another.ca_pem()).get(), "127.0.0.1", session.get());
        CHECK(SSL_session_reused(elsewhere.ssl()) == 0);
    }
}

TEST_CASE("TLS: a connection that is to close is closed properly") {
    Emulator const emulator;
    Tried const connection(emulator, trusting(emulator.ca_pem()).get());
    CHECK(connection.status_line({{"Connection", "close"}}) == unauthorized_line);
    char bytes[100];
    CHECK(SSL_read(connection.ssl(), bytes, sizeof bytes) <= 0);
    CHECK((SSL_get_shutdown(connection.ssl()) & SSL_RECEIVED_SHUTDOWN) != 0);
}

// Without TLS, to where TLS is spoken. Waits for twenty seconds at most.
class UnencryptedConnection {
public:
    explicit UnencryptedConnection(const Emulator& emulator)
        : stream_(BIO_new_connect(("127.0.0.1:" + std::to_string(emulator.port())).c_str())) {
        REQUIRE(BIO_do_connect(stream_.get()) == 1);
        BIO_get_fd(stream_.get(), &socket_);
        timeval const patience{20, 0};
        setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    void send(const std::string& bytes) const {
        ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        ::shutdown(socket_, SHUT_WR);
    }
    [[nodiscard]] bool comes_to_an_end() const {
        char bytes[4096];
        ssize_t size;
        while ((size = ::recv(socket_, bytes, sizeof bytes, 0)) > 0) {
        }
        return size == 0 || errno == ECONNRESET;
    }

private:
    Bytes stream_;
    int socket_ = -1;
};

TEST_CASE("TLS: bytes that are not TLS end that connection, and no other") {
    using namespace std::string_literals;
    Emulator const emulator({.rate_limit = RateLimit::off()});
    raw::Connection bystander(emulator);
    std::string const texts[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "CONNECT localhost:443 HTTP/1.1\r\n\r\n",
        "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n",
        std::string(100'000, 'x'),
        "\x16\x03\x01\x00\x05hello"s,
        "\x16\x03\x01\xFF\xFF"s + std::string(70'000, '\0'),
        "\x15\x03\x03\x00\x02\x02\x28"s,
        "\x80\x2e\x01\x00\x02"s + std::string(64, '\0'),
        std::string(300, '\0'),
        std::string(300, '\xFF'),
    };
    for (auto const& text : texts) {
        CAPTURE(text.substr(0, 40));
        UnencryptedConnection const connection(emulator);
        connection.send(text);
        CHECK(connection.comes_to_an_end());
        bystander.send(raw::request("GET", "/v1/users/info"));
        CHECK(bystander.receive().status == 401);
    }
    CHECK(emulator.request_count() == std::size(texts));
}

TEST_CASE("TLS: destruction does not wait for handshakes") {
    auto emulator = std::make_unique<Emulator>();
    UnencryptedConnection const silent(*emulator);
    UnencryptedConnection const another(*emulator);
    while (emulator->connections() < 2)
        std::this_thread::yield();
    auto const begin = std::chrono::steady_clock::now();
    emulator.reset();
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{5});
    CHECK(silent.comes_to_an_end());
    CHECK(another.comes_to_an_end());
}

// A file that goes with its scope.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::string& content)
        : path_((std::filesystem::temp_directory_path() / "palette-ca-XXXXXX").string()) {
        auto const file = ::mkstemp(path_.data());
        REQUIRE(file >= 0);
        ::close(file);
        std::ofstream(path_) << content;
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() { std::remove(path_.c_str()); }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

// The exit status of curl, and the HTTP status that it prints.
std::pair<int, std::string> run_curl(const std::string& arguments) {
    auto const command =
        "env -i /usr/bin/curl -q --silent --noproxy '*' --max-time 20 --output /dev/null "
        "--write-out '%{http_code}' " +
        arguments;
    std::FILE* const output = ::popen(command.c_str(), "r");
    REQUIRE(output != nullptr);
    std::string printed;
    for (int c; (c = std::fgetc(output)) != EOF;)
        printed += static_cast<char>(c);
    auto const status = ::pclose(output);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, printed};
}

TEST_CASE("TLS: curl verifies the emulator with the authority in a file and not without it") {
    if (!std::filesystem::exists("/usr/bin/curl")) {
        MESSAGE("skipped: there is no /usr/bin/curl");
        return;
    }
    Emulator const emulator;
    TemporaryFile const authority(emulator.ca_pem());
    auto const trust = "--cacert '" + authority.path() + "' ";
    auto const port = std::to_string(emulator.port());
    using Outcome = std::pair<int, std::string>;
    constexpr int peer_not_verified = 60;
    auto const localhost = "https://localhost:" + port + "/v1/users/info";
    CHECK(run_curl(trust + emulator.url() + "/v1/users/info") == Outcome(0, "401"));
    CHECK(run_curl(trust + "--resolve localhost:" + port + ":127.0.0.1 " + localhost) == Outcome(0, "401"));
    CHECK(run_curl(emulator.url() + "/v1/users/info") == Outcome(peer_not_verified, "000"));
    CHECK(run_curl(trust + "--resolve evil.test:" + port + ":127.0.0.1 https://evil.test:" + port + "/") ==
          Outcome(peer_not_verified, "000"));
    CHECK(emulator.request_count() == 2);
}

}  // namespace tls_test
