// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/printed.hpp"
#include "support/temporary_folder.hpp"
#include "support/tls_server.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>

#include <doctest/doctest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

// The private key of a client's certificate, encrypted with a passphrase.

namespace client_key_test {

using namespace palette;

enum class Form { pkcs8, traditional };

std::string encrypted(const std::string& key_pem, const std::string& passphrase, Form form) {
    std::unique_ptr<BIO, decltype(&BIO_free)> const in(BIO_new_mem_buf(key_pem.data(), -1), &BIO_free);
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> const key(
        PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
    REQUIRE(key);
    std::unique_ptr<BIO, decltype(&BIO_free)> const out(BIO_new(BIO_s_mem()), &BIO_free);
    auto const* const text = reinterpret_cast<const unsigned char*>(passphrase.data());
    auto const size = static_cast<int>(passphrase.size());
    auto const* const cipher = EVP_aes_256_cbc();
    REQUIRE((form == Form::pkcs8 ? PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), cipher,
                                                                 passphrase.data(), size, nullptr, nullptr)
                                 : PEM_write_bio_PrivateKey_traditional(out.get(), key.get(), cipher, text,
                                                                        size, nullptr, nullptr)) == 1);
    char* pem = nullptr;
    auto const length = BIO_get_mem_data(out.get(), &pem);
    return {pem, static_cast<std::size_t>(length)};
}

const std::string passphrase = "hunter2 hunter2 hunter2";

struct Scene {
    tls::Authority authority;
    tls::Identity mine = authority.issue({.purpose = "clientAuth"});
    TemporaryFolder folder;
    ClientOptions options = one_attempt();

    Scene() {
        options.auth = auth::api_key(Secret("a-value-of-a-key"));
        options.tls.ca_pem = authority.pem();
        options.tls.client_certificate_file = folder.file("mine.pem", mine.certificate);
    }
    void use(std::string_view text) {
        options.tls.client_key_passphrase = std::make_shared<const Secret>(text);
    }
    std::string encrypted_key(const std::string& name = "mine.key", Form form = Form::pkcs8) {
        return folder.file(name, encrypted(mine.key, passphrase, form));
    }
    // What the constructor throws.
    Error refusal() {
        try {
            BlockingApiKeyClient const client(options);
        } catch (const Exception& e) {
            CHECK(e.error().code() == errc::invalid_argument);
            CHECK(e.error().effect() == Effect::not_applied);
            CHECK_FALSE(contains(e.error().message(), "hunter2"));
            CHECK_FALSE(contains(e.what(), "hunter2"));
            return e.error();
        }
        FAIL("it was taken");
        return Error(errc::system);
    }
};

TEST_CASE_FIXTURE(Scene, "client key: one that is encrypted is used with its passphrase") {
    for (auto const form : {Form::pkcs8, Form::traditional}) {
        CAPTURE(form);
        tls::ServerOptions server_options;
        server_options.identity = authority.issue();
        server_options.client_authority = authority.pem();
        tls::Server const server(server_options);
        options.endpoint = server.endpoint();
        options.tls.client_key_file = encrypted_key("mine.key", form);
        use(passphrase);
        {
            BlockingApiKeyClient client(options);
            CHECK(client.list());
            CHECK(options.tls.client_key_passphrase.use_count() == 1);  // the client keeps none
        }

        // In the file of the certificate.
        options.tls.client_certificate_file =
            folder.file("both.pem", mine.certificate + encrypted(mine.key, passphrase, form));
        options.tls.client_key_file.clear();
        CHECK(BlockingApiKeyClient(options).list());
        for (auto const& seen : server.seen_when_over(2))
            CHECK(seen.has_certificate);
    }
}

TEST_CASE_FIXTURE(Scene, "client key: a wrong passphrase, or none, is refused at once and says so") {
    for (auto const form : {Form::pkcs8, Form::traditional}) {
        CAPTURE(form);
        options.tls.client_key_file = encrypted_key("mine.key", form);
        for (auto const& wrong :
             {std::string("hunter2"), passphrase + 'x', std::string(1'023, 'x'), std::string()}) {
            CAPTURE(wrong);
            use(wrong);
            auto const error = refusal();
            CHECK(error.what() ==
                  "the client key \"" + options.tls.client_key_file +
                      "\" cannot be decrypted: the passphrase is wrong, or the file is damaged");
            CHECK(error.path() == "tls.client_key_passphrase");
        }
        options.tls.client_key_passphrase.reset();
        CHECK(refusal().what() == "the client key \"" + options.tls.client_key_file +
                                      "\" is encrypted, and there is no passphrase");
    }
}

TEST_CASE_FIXTURE(Scene, "client key: a passphrase that nothing is decrypted with is refused") {
    use(passphrase);
    options.tls.client_key_file = folder.file("plain.key", mine.key);
    CHECK(contains(refusal().what(), "is not encrypted, and there is a passphrase"));
    options.tls.client_key_file = encrypted_key();
    use(std::string(1'024, 'x'));
    CHECK(contains(refusal().what(), "a passphrase of more than 1,023 bytes"));
    options.tls.client_key_file.clear();
    options.tls.client_certificate_file.clear();
    use(passphrase);
    CHECK(refusal().what() == "there is a passphrase, and no client key");
}

TEST_CASE_FIXTURE(Scene, "client key: the key of another certificate is not taken for a wrong passphrase") {
    auto const another = authority.issue({.purpose = "clientAuth"});
    options.tls.client_key_file = folder.file("another.key", encrypted(another.key, passphrase, Form::pkcs8));
    use(passphrase);
    auto const error = refusal();
    CHECK(error.path() == "tls");
    CHECK(contains(error.what(), "cannot be used"));
}

}  // namespace client_key_test
