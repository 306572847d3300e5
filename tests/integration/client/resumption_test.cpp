// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/tls_server.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include <barrier>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace resumption_test {

using namespace palette;
using tls::Ending;

constexpr int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

struct Scene {
    explicit Scene(int version) : server(options_of(version)) {}

    [[nodiscard]] ClientOptions client_options() const {
        ClientOptions options = one_attempt();
        options.endpoint = server.endpoint();
        options.tls.ca_pem = authority.pem();
        options.auth = auth::api_key(Secret("hunter2hunter2"));
        return options;
    }

    tls::ServerOptions options_of(int version) {
        tls::ServerOptions options;
        options.identity = authority.issue();
        options.oldest = options.newest = version;
        options.answer = [this](std::string_view request) { return answer(request); };
        return options;
    }

    std::function<tls::Answer(std::string_view)> answer = [](std::string_view) {
        return tls::Answer{{tls::http_answer(200, R"({"items":[]})")}};
    };
    tls::Authority authority;
    tls::Server server;
};

// Which of the connections were resumed: "nyy".
std::string resumed(const std::vector<tls::Seen>& connections) {
    std::string marks;
    for (auto const& connection : connections)
        marks += connection.is_resumed ? 'y' : 'n';
    return marks;
}

std::vector<std::uint32_t> tickets(const std::vector<tls::Seen>& connections) {
    std::vector<std::uint32_t> numbers;
    for (auto const& connection : connections)
        if (connection.ticket != 0) numbers.push_back(connection.ticket);
    return numbers;
}

bool are_all_different(const std::vector<std::uint32_t>& numbers) {
    return std::set(numbers.begin(), numbers.end()).size() == numbers.size();
}

TEST_CASE("client: a TLS session is resumed however the connection before has ended") {
    for (int const version : versions) {
        for (auto const ending : {Ending::orderly, Ending::cut, Ending::reset}) {
            CAPTURE(version);
            CAPTURE(static_cast<int>(ending));
            Scene scene(version);
            BlockingApiKeyClient client(scene.client_options());
            for (int i = 0; i < 5; ++i) {
                auto const list = client.list();
                REQUIRE_MESSAGE(list, list.error());
                scene.server.say({{}, ending});
            }
            CHECK(resumed(scene.server.seen()) == "nyyyy");
        }
    }
}

TEST_CASE("client: a TLS session is resumed after the client has ended the connection") {
    for (int const version : versions) {
        CAPTURE(version);
        Scene scene(version);
        scene.answer = [](std::string_view) {
            return tls::Answer{
                {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 12\r\n\r\n{\"items\":[]}"}};
        };
        BlockingApiKeyClient client(scene.client_options());
        for (int i = 0; i < 5; ++i)
            CHECK(client.list());
        CHECK(resumed(scene.server.seen_when_over(5)) == "nyyyy");
    }
}

TEST_CASE("client: a TLS session is resumed after an answer that was cut off") {
    for (int const version : versions) {
        CAPTURE(version);
        Scene scene(version);
        scene.answer = [](std::string_view) {
            return tls::Answer{{"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"}, Ending::cut};
        };
        BlockingApiKeyClient client(scene.client_options());
        for (int i = 0; i < 5; ++i) {
            auto const list = client.list();
            REQUIRE_FALSE(list);
            CHECK(list.error().code() == errc::truncated);
        }
        CHECK(resumed(scene.server.seen_when_over(5)) == "nyyyy");
    }
}

TEST_CASE("client: a ticket of TLS 1.3 is offered once") {
    Scene scene(TLS1_3_VERSION);
    BlockingApiKeyClient client(scene.client_options());
    for (int i = 0; i < 20; ++i) {
        CHECK(client.list());
        scene.server.say({{}, Ending::cut});
    }
    auto const offered = tickets(scene.server.seen());
    CHECK(offered.size() == 19);
    CHECK(are_all_different(offered));
}

// More connections at once than there are tickets.
TEST_CASE("client: connections that are opened together have a ticket of TLS 1.3 each, or none") {
    constexpr std::ptrdiff_t many = 6;
    Scene scene(TLS1_3_VERSION);
    BlockingApiKeyClient client(scene.client_options());
    CHECK(client.list());
    scene.server.say({{}, Ending::cut});

    std::barrier all_are_here(many);
    scene.answer = [&, plain = scene.answer](std::string_view request) {
        all_are_here.arrive_and_wait();
        return plain(request);
    };
    std::vector<std::thread> users;
    for (int i = 0; i < many; ++i)
        users.emplace_back([&] { CHECK(client.list()); });
    for (auto& user : users)
        user.join();
    auto const seen = scene.server.seen();
    CHECK(seen.size() == 1 + many);
    auto const offered = tickets(seen);
    CHECK_FALSE(offered.empty());
    CHECK(are_all_different(offered));
}

TEST_CASE("client: clients do not share TLS sessions") {
    for (int const version : versions) {
        CAPTURE(version);
        Scene scene(version);
        BlockingApiKeyClient first(scene.client_options());
        CHECK(first.list());
        BlockingApiKeyClient same(scene.client_options());
        CHECK(same.list());
        auto options = scene.client_options();
        options.tls.ca_pem = tls::Authority().pem() + scene.authority.pem();
        BlockingApiKeyClient other(options);
        CHECK(other.list());
        CHECK(resumed(scene.server.seen()) == "nnn");
        CHECK(tickets(scene.server.seen()).empty());
    }
}

TEST_CASE("client: a TLS session that was never verified opens no door to a client that verifies") {
    for (int const version : versions) {
        CAPTURE(version);
        Scene scene(version);
        auto options = scene.client_options();
        options.tls.ca_pem = tls::Authority().pem();
        options.tls.insecure_skip_verification = true;
        BlockingApiKeyClient careless(options);
        CHECK(careless.list());
        options.tls.insecure_skip_verification = false;
        BlockingApiKeyClient careful(options);
        auto const refused = careful.list();
        REQUIRE_FALSE(refused);
        CHECK(refused.error().what() ==
              "the certificate of 127.0.0.1 is signed by an authority that is not trusted");
    }
}

}  // namespace resumption_test
