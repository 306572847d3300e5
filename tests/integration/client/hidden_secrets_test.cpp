// SPDX-License-Identifier: BSL-1.0
#include "support/fake_transport.hpp"
#include "support/printed.hpp"
#include "support/secret_forms.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

// A secret that a provider sent stays hidden in whatever the service says later.

namespace hidden_secrets_test {

using namespace palette;
using Client = BlockingApiKeyClient;

constexpr std::string_view password = "correct horse\"battery/staple";

std::string all_texts(const Error& error) {
    return error.message() + '\n' + error.what() + '\n' + error.path() + '\n' + error.key_uid() + '\n' +
           error.server_code() + '\n' + error.server_message() + '\n' + error.ref() + '\n' + printed(error);
}

ClientOptions options_with(std::shared_ptr<Transport> transport, std::shared_ptr<AuthProvider> provider) {
    ClientOptions options;
    options.transport = std::move(transport);
    options.auth = std::move(provider);
    options.retry.max_attempts = 1;
    return options;
}

std::shared_ptr<AuthProvider> log_in() {
    return auth::login(auth::LoginOptions("ada@acme.com", Secret(password)));
}

TEST_CASE("hidden: a login's password is in no error of a later request, wherever the service repeats it") {
    struct Row {
        const char* title;
        int status;
        std::string body;
    };
    auto const text = forms::raw(password);
    auto const escaped = std::string("correct horse\\\"battery/staple");
    Row const rows[] = {
        {"message", 403, R"({"code":"Forbidden","message":"not with )" + escaped + R"("})"},
        {"ref", 403, R"({"code":"Forbidden","ref":")" + escaped + R"("})"},
        {"code", 403, R"({"code":")" + escaped + R"("})"},
        {"percent-encoded", 403,
         R"({"code":"Forbidden","message":"/login?p=)" + forms::percent<true, false>(text) + R"("})"},
        {"the path of a decode error", 200,
         R"({"metadata":{"uid":"a","annotations":{")" + escaped + R"(":5}}})"},
    };
    for (auto const& [title, status, body] : rows) {
        CAPTURE(title);
        auto const service = std::make_shared<FakeTransport>();
        service->answer(200, R"({"Authorization":"a.good.token"})");
        service->answer(status, body);
        Client client(options_with(service, log_in()));
        auto const refused = client.get("a");
        REQUIRE_FALSE(refused);
        auto const texts = all_texts(refused.error());
        CAPTURE(texts);
        CHECK_FALSE(forms::reveals(texts, text));
        CHECK(contains(texts, "<redacted>"));
    }
}

TEST_CASE("hidden: a token of a login that nobody waited for any more is in no error") {
    auto const service = std::make_shared<FakeTransport>();
    service->answer(200, R"({"Authorization":"the-first-good-token"})");
    service->answer(401, "");
    service->answer(200, R"({"Authorization":"the-second-good-token"})");
    service->answer(403, R"({"message":"neither the-first-good-token nor the-second-good-token"})");
    Client client(options_with(service, log_in()));
    auto const refused = client.get("a");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code() == errc::forbidden);
    CHECK_FALSE(forms::reveals(all_texts(refused.error()), "the-first-good-token"));
    CHECK_FALSE(forms::reveals(all_texts(refused.error()), "the-second-good-token"));
}

// A provider of one's own with a secret that is no credential.
class Exchanging final : public AuthProvider {
public:
    explicit Exchanging(std::string secret, bool hides = true) : secret_(std::move(secret)), hides_(hides) {}

    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) override {
        if (hides_) request.hide(Secret(secret_));
        co_return Credential::token(Secret("a.good.token"));
    }

private:
    std::string secret_;
    bool hides_;
};

std::string refused_with(const std::string& said, std::shared_ptr<AuthProvider> provider) {
    auto const service = std::make_shared<FakeTransport>();
    service->answer(403, R"({"message":"not )" + said + R"("})");
    Client client(options_with(service, std::move(provider)));
    auto const refused = client.get("a");
    REQUIRE_FALSE(refused);
    return all_texts(refused.error());
}

TEST_CASE("hidden: a secret that a custom provider hides is in no error of its client") {
    std::string const secret = "the-client-secret-of-acme";
    CHECK_FALSE(forms::reveals(refused_with(secret, std::make_shared<Exchanging>(secret)), secret));
    // Nobody told the client.
    CHECK(forms::reveals(refused_with(secret, std::make_shared<Exchanging>(secret, false)), secret));
}

TEST_CASE("hidden: a secret of four bytes is hidden, and a shorter one does not spoil every text") {
    CHECK_FALSE(contains(refused_with("a-w7.K", std::make_shared<Exchanging>("w7.K")), "w7.K"));
    CHECK(contains(refused_with("not a word", std::make_shared<Exchanging>("wo")), "word"));
}

TEST_CASE("hidden: a proxy's password is in no error, however many secrets a provider has hidden since") {
    class Many final : public AuthProvider {
    public:
        boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
            CredentialRequest request) override {
            for (int i = 0; i < 500; ++i)
                request.hide(Secret("secret-number-" + std::to_string(i)));
            co_return Credential::token(Secret("a.good.token"));
        }
    };
    auto const service = std::make_shared<FakeTransport>();
    service->answer(403, R"({"message":"not the-password-of-the-proxy"})");
    auto options = options_with(service, std::make_shared<Many>());
    options.proxy.password = std::make_shared<const Secret>("the-password-of-the-proxy");
    Client client(options);
    auto const refused = client.get("a");
    REQUIRE_FALSE(refused);
    CHECK_FALSE(forms::reveals(all_texts(refused.error()), "the-password-of-the-proxy"));
}

TEST_CASE("hidden: a request of one's own making, as tests of providers have it, takes what is hidden") {
    FakeTransport transport;
    std::string told;
    CredentialRequest const request(CredentialRequest::Reason::first, nullptr, transport, Instant{},
                                    [&](const Secret& secret) { told = secret.expose(); });
    request.hide(Secret("a secret"));
    CHECK(told == "a secret");
    CredentialRequest const to_nobody(CredentialRequest::Reason::first, nullptr, transport, Instant{});
    to_nobody.hide(Secret("a secret"));
}

}  // namespace hidden_secrets_test
