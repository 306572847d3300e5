// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/printed.hpp"
#include "support/tls_server.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/http_transport.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/tls_context.hpp>

#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/verify_context.hpp>

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// A TLS context of the caller's own: what it decides, and what holds all the same.

namespace tls_context_test {

using namespace palette;
namespace ssl = boost::asio::ssl;
using testing::Emulator;
using testing::Role;
using Verify = std::function<bool(bool, ssl::verify_context&)>;

ssl::context trusting(const std::string& ca_pem) {
    ssl::context context(ssl::context::tls_client);
    context.add_certificate_authority(boost::asio::buffer(ca_pem));
    return context;
}

std::shared_ptr<TlsContext> owned(ssl::context context) {
    return std::make_shared<TlsContext>(std::move(context));
}

int depth(ssl::verify_context& at) {
    return X509_STORE_CTX_get_error_depth(at.native_handle());
}

struct Scene {
    tls::Authority trusted;
    tls::Authority stranger;

    tls::ServerOptions shows(const tls::Authority& issuer, const tls::CertificateOptions& certificate = {}) {
        tls::ServerOptions options;
        options.identity = issuer.issue(certificate);
        return options;
    }
    ClientOptions options_for(const tls::Server& server, std::shared_ptr<TlsContext> context,
                              const std::string& host = "127.0.0.1") {
        ClientOptions options = one_attempt();
        options.endpoint = server.endpoint(host);
        options.auth = auth::api_key(Secret("a-value-of-a-key"));
        options.tls.context = std::move(context);
        return options;
    }
    void check_refused(const ClientOptions& options, const tls::Server& server, const std::string& sentence) {
        auto const result = BlockingApiKeyClient(options).list();
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == errc::untrusted);
        CHECK(result.error().what() == sentence);
        for (auto const& seen : server.seen_when_over(1))
            CHECK(seen.requests.empty());
    }
};

// With the emulator's authority and nothing else of its options of TLS.
ClientOptions options_of(const Emulator& emulator, const Verify& verify) {
    auto context = trusting(emulator.ca_pem());
    if (verify) context.set_verify_callback(verify);
    auto options = one_attempt(emulator.client_options(Role::tenant_admin));
    options.tls = TlsOptions();
    options.tls.context = owned(std::move(context));
    return options;
}

using Fingerprint = std::array<unsigned char, 32>;

Fingerprint fingerprint_of(X509* certificate) {
    Fingerprint print{};
    unsigned size = 0;
    REQUIRE(X509_digest(certificate, EVP_sha256(), print.data(), &size) == 1);
    return print;
}

TEST_CASE("own TLS context: a pinned certificate is accepted, and any other is refused") {
    Emulator const emulator;
    std::optional<Fingerprint> seen;
    auto const learn = [&](bool is_good, ssl::verify_context& at) {
        if (depth(at) == 0) seen = fingerprint_of(X509_STORE_CTX_get_current_cert(at.native_handle()));
        return is_good;
    };
    CHECK(BlockingApiKeyClient(options_of(emulator, learn)).whoami());
    REQUIRE(seen);
    auto const pinned = [](Fingerprint pin) {
        return [pin](bool is_good, ssl::verify_context& at) {
            if (depth(at) > 0) return is_good;
            return is_good && fingerprint_of(X509_STORE_CTX_get_current_cert(at.native_handle())) == pin;
        };
    };
    CHECK(BlockingApiKeyClient(options_of(emulator, pinned(*seen))).whoami());
    auto const requests = emulator.request_count();
    auto other = *seen;
    other[0] ^= 1U;
    auto const refused = BlockingApiKeyClient(options_of(emulator, pinned(other))).whoami();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::untrusted);
    CHECK(refused.error().effect() == Effect::not_applied);
    CHECK(refused.error().what() ==
          "the certificate of 127.0.0.1 is refused by the verification of the TLS context");
    CHECK(emulator.request_count() == requests);
}

TEST_CASE_FIXTURE(Scene, "own TLS context: the client's certificate is that of the context") {
    auto server_options = shows(trusted);
    server_options.client_authority = trusted.pem();
    tls::Server const server(server_options);
    auto const mine = trusted.issue({.purpose = "clientAuth"});
    auto context = trusting(trusted.pem());
    context.use_certificate_chain(boost::asio::buffer(mine.certificate));
    context.use_private_key(boost::asio::buffer(mine.key), ssl::context::pem);
    CHECK(BlockingApiKeyClient(options_for(server, owned(std::move(context)))).list());
    CHECK(server.seen_when_over(1).front().has_certificate);
}

TEST_CASE_FIXTURE(Scene, "own TLS context: its authorities are the only ones, whatever its verify mode") {
    tls::Server const server(shows(trusted));
    for (auto const mode : {ssl::verify_none, ssl::verify_peer}) {
        auto context = trusting(stranger.pem());
        context.set_verify_mode(mode);
        check_refused(options_for(server, owned(std::move(context))), server,
                      "the certificate of 127.0.0.1 is signed by an authority that is not trusted");
    }
    auto none = ssl::context(ssl::context::tls_client);
    check_refused(options_for(server, owned(std::move(none))), server,
                  "the certificate of 127.0.0.1 is signed by an authority that is not trusted");
    CHECK(BlockingApiKeyClient(options_for(server, owned(trusting(trusted.pem())))).list());
}

TEST_CASE_FIXTURE(Scene, "own TLS context: a callback that only returns true overrules nothing") {
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        CAPTURE(version);
        auto server_options = shows(stranger);
        server_options.oldest = server_options.newest = version;
        tls::Server const server(server_options);
        auto context = trusting(trusted.pem());
        context.set_verify_callback([](bool, ssl::verify_context&) { return true; });
        check_refused(options_for(server, owned(std::move(context))), server,
                      "the certificate of 127.0.0.1 is signed by an authority that is not trusted");

        auto overruling = trusting(trusted.pem());
        overruling.set_verify_callback([](bool, ssl::verify_context& at) {
            X509_STORE_CTX_set_error(at.native_handle(), X509_V_OK);
            return true;
        });
        CHECK(BlockingApiKeyClient(options_for(server, owned(std::move(overruling)))).list());
    }
}

TEST_CASE_FIXTURE(Scene, "own TLS context: the name of the host is asked for and checked, whatever it says") {
    tls::Server const server(shows(trusted, {.names = "DNS:palette.test"}));
    auto const wave_through = [](SSL_CTX* context) {
        SSL_CTX_set_cert_verify_callback(
            context,
            [](X509_STORE_CTX* at, void*) {
                X509_STORE_CTX_set_error(at, X509_V_OK);
                return 1;
            },
            nullptr);
    };
    for (auto const* const host : {"localhost", "127.0.0.1"}) {
        CAPTURE(host);
        auto const sentence = "the certificate of " + std::string(host) + " is for another host";
        check_refused(options_for(server, owned(trusting(trusted.pem())), host), server, sentence);
        auto blind = trusting(trusted.pem());
        blind.set_verify_callback([](bool, ssl::verify_context& at) {
            X509_STORE_CTX_set_error(at.native_handle(), X509_V_OK);
            return true;
        });
        check_refused(options_for(server, owned(std::move(blind)), host), server, sentence);
        auto blinder = trusting(trusted.pem());
        wave_through(blinder.native_handle());
        check_refused(options_for(server, owned(std::move(blinder)), host), server, sentence);
    }
    tls::Server const good(shows(trusted));
    CHECK(BlockingApiKeyClient(options_for(good, owned(trusting(trusted.pem())), "localhost")).list());
    CHECK(good.seen().back().server_name == "localhost");
}

TEST_CASE_FIXTURE(Scene, "own TLS context: TLS 1.2 is the least, and a later least version is kept") {
    auto server_options = shows(trusted);
    server_options.newest = TLS1_1_VERSION;
    server_options.security_level = 0;
    tls::Server const old(server_options);
    auto weak = trusting(trusted.pem());
    SSL_CTX_set_security_level(weak.native_handle(), 0);
    SSL_CTX_set_cipher_list(weak.native_handle(), "ALL:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(weak.native_handle(), TLS1_VERSION);
    check_refused(options_for(old, owned(std::move(weak))), old, "127.0.0.1 offers no TLS 1.2 or newer");

    // One for a single version, which ignores bounds.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    ssl::context fixed(SSL_CTX_new(TLSv1_1_client_method()));
#pragma GCC diagnostic pop
    SSL_CTX_set_security_level(fixed.native_handle(), 0);
    SSL_CTX_set_cipher_list(fixed.native_handle(), "ALL:@SECLEVEL=0");
    fixed.add_certificate_authority(boost::asio::buffer(trusted.pem()));
    check_refused(options_for(old, owned(std::move(fixed))), old, "127.0.0.1 offers no TLS 1.2 or newer");

    server_options = shows(trusted);
    server_options.newest = TLS1_2_VERSION;
    tls::Server const of_today(server_options);
    auto strict = trusting(trusted.pem());
    SSL_CTX_set_min_proto_version(strict.native_handle(), TLS1_3_VERSION);
    check_refused(options_for(of_today, owned(std::move(strict))), of_today,
                  "127.0.0.1 offers no TLS 1.2 or newer");
}

TEST_CASE_FIXTURE(Scene, "own TLS context: one that cannot be used is refused when it is given") {
    auto const refusal = [](ssl::context context) -> std::optional<Error> {
        try {
            TlsContext const taken(std::move(context));
        } catch (const Exception& e) {
            CHECK(e.error().code() == errc::invalid_argument);
            CHECK(e.error().path() == "tls.context");
            return e.error();
        }
        return std::nullopt;
    };
    auto context = trusting(trusted.pem());
    auto const moved = std::move(context);
    REQUIRE(refusal(std::move(context)));  // NOLINT(bugprone-use-after-move)
    auto old = trusting(trusted.pem());
    SSL_CTX_set_min_proto_version(old.native_handle(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(old.native_handle(), TLS1_1_VERSION);
    REQUIRE(refusal(std::move(old)));
    CHECK_FALSE(refusal(trusting(trusted.pem())));
}

TEST_CASE_FIXTURE(Scene, "own TLS context: no other option of TLS stands beside it") {
    auto const context = owned(trusting(trusted.pem()));
    using Set = void (*)(TlsOptions&);
    static constexpr Set sets[] = {
        [](TlsOptions& o) { o.ca_file = "/nowhere"; },
        [](TlsOptions& o) { o.ca_directory = "/nowhere"; },
        [](TlsOptions& o) { o.ca_pem = "x"; },
        [](TlsOptions& o) { o.client_certificate_file = "/nowhere"; },
        [](TlsOptions& o) { o.client_key_file = "/nowhere"; },
        [](TlsOptions& o) { o.client_key_passphrase = std::make_shared<const Secret>("x"); },
        [](TlsOptions& o) { o.insecure_skip_verification = true; },
    };
    for (auto const set : sets) {
        ClientOptions options;
        options.tls.context = context;
        set(options.tls);
        auto const made = make_http_transport(options);
        REQUIRE_FALSE(made);
        CHECK(made.error().code() == errc::invalid_argument);
        CHECK(made.error().path() == "tls.context");
        CHECK_THROWS_AS(BlockingApiKeyClient{options}, Exception);
    }
}

TEST_CASE_FIXTURE(Scene, "own TLS context: clients may share it, and resume none but their own sessions") {
    for (int const version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        CAPTURE(version);
        auto server_options = shows(trusted);
        server_options.oldest = server_options.newest = version;
        server_options.answer = [](std::string_view) {
            return tls::Answer{
                {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 12\r\n\r\n{\"items\":[]}"}};
        };
        tls::Server const server(server_options);
        auto const context = owned(trusting(trusted.pem()));
        auto first = std::make_optional<BlockingApiKeyClient>(options_for(server, context));
        BlockingApiKeyClient second(options_for(server, context));
        CHECK(first->list());
        CHECK(first->list());
        CHECK(second.list());
        first.reset();
        CHECK(second.list());
        auto const seen = server.seen_when_over(4);
        CHECK_FALSE(seen[0].is_resumed);
        CHECK(seen[1].is_resumed);
        CHECK_FALSE(seen[2].is_resumed);
        CHECK(seen[3].is_resumed);
    }
}

TEST_CASE_FIXTURE(Scene, "own TLS context: a callback for sessions of its own is kept") {
    tls::Server const server(shows(trusted));
    static std::atomic<int> sessions;
    sessions = 0;
    auto context = trusting(trusted.pem());
    SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_new_cb(context.native_handle(), [](SSL*, SSL_SESSION*) {
        ++sessions;
        return 0;
    });
    BlockingApiKeyClient client(options_for(server, owned(std::move(context))));
    CHECK(client.list());
    CHECK(sessions > 0);
}

TEST_CASE_FIXTURE(Scene, "own TLS context: clients in several threads use it at the same time") {
    Emulator const emulator;
    std::atomic<int> verified = 0;
    auto const options = options_of(emulator, [&](bool is_good, ssl::verify_context&) {
        ++verified;
        return is_good;
    });
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] { good += BlockingApiKeyClient(options).whoami().has_value(); });
    for (auto& thread : threads)
        thread.join();
    CHECK(good == 4);
    CHECK(verified >= 4);
}

}  // namespace tls_context_test
