// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/options.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

// Where run.sh has put the servers and proxies.
namespace boxes {

inline bool has(const std::string& name) {
    return std::getenv(("MIDDLEBOX_" + name).c_str()) != nullptr;
}

inline std::string text(const std::string& name) {
    auto const* const value = std::getenv(("MIDDLEBOX_" + name).c_str());
    if (value == nullptr)
        throw std::runtime_error("MIDDLEBOX_" + name + " is not set: these tests are run by run.sh");
    return value;
}

// For what is of that name, with the authority that all of them share.
inline palette::ClientOptions options_for(const std::string& name) {
    palette::ClientOptions options;
    options.endpoint = palette::Endpoint::parse(text(name)).value();
    // With a uid, so that a change is one request: none of the keys that tests revoke is this one.
    options.auth = palette::auth::api_key(palette::Secret(text("API_KEY")), "the-own-key");
    if (options.endpoint.is_secure()) options.tls.ca_file = text("CA_FILE");
    options.rate_limit = palette::RateLimitOptions::off();
    return options;
}

// Counts the answers of one status.
class CountsStatus final : public palette::Observer {
public:
    explicit CountsStatus(int status) : status_(status) {}
    void on_attempt(const palette::AttemptEvent& event) noexcept override {
        if (event.status == status_) ++count;
    }
    std::atomic<int> count = 0;

private:
    int status_;
};

template <class T>
bool succeeds(const palette::Result<T>& result) {
    if (!result) FAIL_CHECK(result.error());
    return result.has_value();
}

// Every operation, once.
inline void check_that_all_works(palette::ClientOptions options) {
    using namespace std::chrono_literals;
    palette::BlockingApiKeyClient client(std::move(options));
    REQUIRE(succeeds(client.whoami()));
    auto const made = client.create(palette::NewApiKey("in between").description("x"));
    REQUIRE(succeeds(made));
    CHECK(made->confirmed());
    auto const uid = made->uid();
    auto const found = client.find("in between");
    REQUIRE(succeeds(found));
    CHECK(std::ranges::find(*found, uid, &palette::ApiKey::uid) != found->end());
    CHECK(succeeds(client.list()));
    CHECK(succeeds(client.get(uid)));
    auto const edited = client.update(uid, palette::ApiKeyEdit().description("y"));
    REQUIRE(succeeds(edited));
    CHECK(edited->description == "y");
    CHECK(succeeds(client.renew(uid, 24h * 60)));
    CHECK(succeeds(client.revoke(uid, palette::ChangeOptions().verify())));
    CHECK(succeeds(client.reactivate(uid, palette::ChangeOptions().verify())));
    CHECK(succeeds(client.set_active(uid, false)));
    CHECK(succeeds(client.remove(uid, palette::ChangeOptions().verify())));
    auto const nobody = client.find_user("nobody@nowhere.test");
    REQUIRE_FALSE(nobody);
    CHECK(nobody.error().code() == palette::errc::not_found);
    CHECK(succeeds(client.close()));
}

}  // namespace boxes
