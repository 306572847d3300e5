// SPDX-License-Identifier: BSL-1.0
#include "support/one_attempt.hpp"
#include "support/printed.hpp"
#include "support/watched.hpp"

#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/scripted_transport.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace answers_test {

using namespace palette;
using support::outcome;
using namespace std::chrono_literals;
using testing::Emulator;
using testing::Role;
using testing::ScriptedTransport;
using Client = BlockingApiKeyClient;
namespace asio = boost::asio;

constexpr std::string_view key_value = "Kx7pQ2mZ9rT4wL8vN3bY6cF1hJ5sD0gA";
constexpr std::string_view me = R"({"userUid":"u","tenantUid":"t"})";
constexpr std::string_view html = "<!DOCTYPE html>\n<html><body>Welcome to the guest network</body></html>";

// One operation of each kind.
struct Kind {
    std::string_view name;
    std::string_view request;
    int success;
    bool changes;
    Result<void> (*call)(Client&);
};
constexpr Kind read{"read", "GET /v1/apiKeys/a", 200, false, [](Client& c) { return outcome(c.get("a")); }};
constexpr Kind list{"list", "GET /v1/apiKeys", 200, false, [](Client& c) { return outcome(c.list()); }};
constexpr Kind create{"create", "POST /v1/apiKeys", 201, true,
                      [](Client& c) { return outcome(c.create(NewApiKey("ci"))); }};
constexpr Kind change{"change", "PUT /v1/apiKeys/a/state", 204, true,
                      [](Client& c) { return c.revoke("a"); }};
constexpr Kind kinds[] = {read, list, create, change};

// What a client makes of one answer.
Result<void> meet(const Kind& kind, int status, std::string body, HttpFields headers = {},
                  std::size_t piece = 1 << 16) {
    auto const transport = std::make_shared<ScriptedTransport>();
    auto const is_create = kind.request == create.request;
    if (is_create) transport->expect("GET /v1/users/info").answer(200, std::string(me));
    transport->expect(std::string(kind.request))
        .answer(status, std::move(body), std::move(headers))
        .in_pieces(piece);
    // If the answer is a lost one.
    if (is_create) transport->expect("GET /v1/apiKeys").answer(200, R"({"items":[]})");
    ClientOptions options = one_attempt();
    options.transport = transport;
    options.auth = auth::api_key(Secret(key_value), "the-own-key");
    options.retry.settle_time = 0ms;
    Client client(options);
    auto result = kind.call(client);
    auto const is_lost = !result && result.error().effect() == Effect::unknown;
    CHECK(transport->unmet().size() == (is_create && !is_lost ? 1 : 0));
    if (!result) CHECK(result.error().attempts() == 1 + (is_create ? 1 : 0) + (is_create && is_lost ? 1 : 0));
    return result;
}

void check_error(const Result<void>& result, errc code, Effect effect, int status) {
    CHECK_FALSE(result);
    if (result) return;
    auto const& error = result.error();
    CAPTURE(error.message());
    CHECK(error.code() == code);
    CHECK(error.effect() == effect);
    CHECK(error.status() == status);
    CHECK(is_one_plain_line(error.message()));
    CHECK_FALSE(contains(error.message(), key_value));
    if (status != 0) CHECK(contains(error.message(), "HTTP " + std::to_string(status)));
}

TEST_CASE("client: every status has its code, and only those that prove a refusal say not applied") {
    struct Row {
        int status;
        errc code;
        Effect change;
    };
    constexpr auto refused = Effect::not_applied;
    constexpr auto unknown = Effect::unknown;
    static constexpr Row rows[] = {
        {300, errc::unexpected_status, unknown}, {301, errc::unexpected_status, unknown},
        {302, errc::unexpected_status, unknown}, {303, errc::unexpected_status, unknown},
        {304, errc::unexpected_status, unknown}, {307, errc::unexpected_status, unknown},
        {308, errc::unexpected_status, unknown}, {400, errc::rejected, refused},
        {401, errc::unauthorized, refused},      {402, errc::unexpected_status, unknown},
        {403, errc::forbidden, refused},         {404, errc::not_found, refused},
        {405, errc::unexpected_status, unknown}, {408, errc::unexpected_status, unknown},
        {409, errc::conflict, refused},          {410, errc::unexpected_status, unknown},
        {413, errc::unexpected_status, unknown}, {422, errc::rejected, refused},
        {429, errc::rate_limited, refused},      {451, errc::unexpected_status, unknown},
        {500, errc::server_error, unknown},      {501, errc::unexpected_status, unknown},
        {502, errc::unavailable, unknown},       {503, errc::unavailable, unknown},
        {504, errc::unavailable, unknown},       {511, errc::unexpected_status, unknown},
        {599, errc::unexpected_status, unknown}, {999, errc::unexpected_status, unknown},
    };
    // The service's words, those of something else, and none.
    static const std::string bodies[] = {
        R"({"code":"SomeCode","message":"some words","ref":"r-17","details":{}})", std::string(html), "",
        R"({"code":4,"message":[],"ref":{}})", "{\"code\":\"SomeCode\""};
    for (auto const& kind : kinds) {
        for (auto const& [status, code, effect] : rows) {
            for (auto const& body : bodies) {
                CAPTURE(kind.name);
                CAPTURE(status);
                CAPTURE(body);
                auto const result = meet(kind, status, body);
                check_error(result, code, kind.changes ? effect : refused, status);
                auto const spoken = body == bodies[0];
                CHECK(result.error().server_code() == (spoken ? "SomeCode" : ""));
                CHECK(result.error().server_message() == (spoken ? "some words" : ""));
                CHECK(result.error().ref() == (spoken ? "r-17" : ""));
                CHECK(contains(result.error().message(), "SomeCode, some words, ref r-17") == spoken);
            }
        }
    }
}

TEST_CASE("W17: a redirect and a page of HTML are told apart in words") {
    for (auto const& kind : kinds) {
        auto const elsewhere = meet(kind, 307, "", {{"Location", "https://elsewhere.test/"}});
        REQUIRE_FALSE(elsewhere);
        CHECK(contains(elsewhere.error().what(), "credentials do not follow"));
        auto const page = meet(kind, 502, std::string(html), {{"content-type", "text/html; charset=utf-8"}});
        REQUIRE_FALSE(page);
        CHECK(contains(page.error().what(), "HTML"));
    }
}

TEST_CASE("W23: each kind of unexpected body has an error of its own") {
    static const std::string wrong_types =
        R"({"items":7,"metadata":"text","spec":[1],"status":"on","apiKey":17,"uid":{}})";
    struct Row {
        std::string_view title;
        std::string body;
        errc code;
    };
    static const Row rows[] = {
        {"HTML", std::string(html), errc::not_json},
        {"not JSON", "%PDF-1.4 \xFF\xFE", errc::not_json},
        {"UTF-16", std::string("\xFF\xFE{\0}\0", 6), errc::not_json},
        {"Latin-1", "{\"metadata\":{\"name\":\"caf\xE9\"},\"uid\":\"caf\xE9\"}", errc::not_json},
        {"compressed", "\x1F\x8B\x08", errc::not_json},
        {"empty", "", errc::truncated},
        {"cut off", R"({"metadata":{"name":"c)", errc::truncated},
        {"junk behind", "{}\n{\"junk\":true}", errc::trailing_data},
        {"a second one", R"({"apiKey":"v","uid":"u"}{})", errc::trailing_data},
        {"wrong types", wrong_types, errc::wrong_type},
        {"an array", "[]", errc::wrong_type},
        {"a string", "\"ok\"", errc::wrong_type},
        {"deep", "{\"x\":" + std::string(100, '[') + std::string(100, ']') + "}", errc::too_deep},
    };
    for (auto const& kind : {read, list, create}) {
        for (auto const& row : rows) {
            for (std::size_t const piece : {1u, 1u << 16}) {
                CAPTURE(kind.name);
                CAPTURE(row.title);
                auto const result = meet(kind, kind.success, row.body, {}, piece);
                CHECK_FALSE(result);
                if (result) continue;
                CHECK(result.error().code() == row.code);
                CHECK(result.error().effect() == (kind.changes ? Effect::unknown : Effect::not_applied));
                CHECK(is_one_plain_line(result.error().message()));
            }
        }
    }
}

TEST_CASE("client: an error about a body tells the status that it came with") {
    for (auto const& kind : {read, list, create}) {
        auto const effect = kind.changes ? Effect::unknown : Effect::not_applied;
        check_error(meet(kind, kind.success, "{"), errc::truncated, effect, kind.success);
        check_error(meet(kind, kind.success, std::string(html)), errc::not_json, effect, kind.success);
        check_error(meet(kind, kind.success, "[]"), errc::wrong_type, effect, kind.success);
    }
}

TEST_CASE("W23: a body beyond the bound is not read to its end") {
    struct Row {
        Kind kind;
        std::size_t bound;
    };
    for (auto const& [kind, bound] : {Row{read, 1 << 20}, Row{list, 64 << 20}, Row{create, 64 << 10}}) {
        CAPTURE(kind.name);
        auto const result = meet(kind, kind.success, "{\"x\":\"" + std::string(bound, 'x') + "\"}");
        REQUIRE_FALSE(result);
        CHECK(result.error().code() == errc::too_large);
        CHECK(result.error().effect() == (kind.changes ? Effect::unknown : Effect::not_applied));
        CHECK(contains(result.error().what(), std::to_string(bound)));
    }
}

TEST_CASE("client: a read that is answered with no content is no success") {
    for (auto const& kind : {read, list, create})
        check_error(meet(kind, 204, ""), errc::truncated,
                    kind.changes ? Effect::unknown : Effect::not_applied, 204);
}

TEST_CASE("client: a change is done only when the service says so as documented") {
    for (int const status : {200, 202, 203, 205, 206}) {
        for (std::string_view const body :
             {html, std::string_view("%PDF-1.4"), std::string_view("{}"), std::string_view("")}) {
            CAPTURE(body);
            check_error(meet(change, status, std::string(body)), errc::unexpected_status, Effect::unknown,
                        status);
        }
    }
}

TEST_CASE("W8: a value that came is delivered, whatever else is wrong") {
    for (int const status : {200, 201, 202}) {
        auto const transport = std::make_shared<ScriptedTransport>();
        transport->expect("GET /v1/users/info").answer(200, std::string(me));
        transport->expect("POST /v1/apiKeys").answer(status, R"({"apiKey":"value","uid":"u"})");
        transport->expect("GET /v1/apiKeys/u").answer(500, std::string(html));
        ClientOptions options = one_attempt();
        options.transport = transport;
        options.auth = auth::api_key(Secret(key_value), "the-own-key");
        Client client(options);
        auto const made = client.create(NewApiKey("ci"));
        REQUIRE(made);
        CHECK(made->secret().expose() == "value");
        CHECK(made->uid() == "u");
        CHECK_FALSE(made->confirmed());
    }
}

TEST_CASE("W8: a create that gives no value names the key, and one that gives another uid is given its own") {
    Emulator emulator;
    Client client(one_attempt(emulator.client_options(Role::tenant_admin)));
    emulator.faults().add("POST / legacy-create x1");
    auto const lost = client.create(NewApiKey("ci"));
    REQUIRE_FALSE(lost);
    CHECK(lost.error().code() == errc::missing_key_value);
    CHECK(lost.error().effect() == Effect::applied);
    CHECK(lost.error().status() == 201);
    CHECK(contains(lost.error().what(), emulator.keys().back().uid));

    emulator.faults().add("POST / uid-is-user x1");
    auto const made = client.create(NewApiKey("ci"));
    REQUIRE(made);
    CHECK(made->uid() == emulator.keys().back().uid);
    CHECK(made->confirmed());
    CHECK_FALSE(made->secret().empty());
}

// Whether eight characters in a row of the secret are in it, or of its base64.
bool tells_of(std::string_view text, std::string_view secret) {
    for (std::size_t at = 0; at + 8 <= secret.size(); ++at)
        if (contains(text, secret.substr(at, 8))) return true;
    return contains(text, "S3g3cFEy") || contains(text, "c0QwZ0E=");
}

TEST_CASE("W12: a credential that the service repeats is in no text of the error") {
    static const std::string secret(key_value);
    struct Row {
        std::string_view title;
        int status;
        std::string body;
    };
    static const Row rows[] = {
        {"raw", 404, R"({"code":"ResourceNotFound","message":"no )" + secret + R"(!","ref":"r-1"})"},
        {"as the code", 403, R"({"code":")" + secret + R"(","message":"m","ref":"r-1"})"},
        {"as the reference", 500, R"({"code":"c","message":"m","ref":")" + secret + R"("})"},
        {"a part", 400, R"({"code":"c","message":")" + secret.substr(9, 8) + R"("})"},
        {"escaped", 400, R"({"code":"c","message":"\u004bx7pQ2mZ9rT4wL8vN3bY6cF1hJ5sD0gA"})"},
        {"behind a long text", 400, R"({"code":"c","message":")" + std::string(250, '.') + secret + R"("})"},
        {"base64", 400, R"({"code":"c","message":"S3g3cFEybVo5clQ0d0w4dk4zYlk2Y0YxaEo1c0QwZ0E="})"},
        {"as a time", 200, R"({"metadata":{"creationTimestamp":")" + secret + R"("}})"},
        {"as a wrong type", 200, R"({"metadata":")" + secret + R"("})"},
        {"as a name", 200, R"({"metadata":{")" + secret + R"(":tru}})"},
        {"as a field of a wrong type", 200, R"({"metadata":{"labels":{")" + secret + R"(":1}}})"},
    };
    for (auto const& row : rows) {
        CAPTURE(row.title);
        auto const result = meet(read, row.status, row.body);
        REQUIRE_FALSE(result);
        auto const& error = result.error();
        for (auto const& text : {error.message(), error.what(), error.path(), error.key_uid(),
                                 error.operation(), error.server_code(), error.server_message(), error.ref()})
            CHECK_FALSE(tells_of(text, secret));
    }
}

TEST_CASE("client: the words of the service are shortened and made printable") {
    auto const result =
        meet(read, 400,
             R"({"code":"a\u0000b\u001b[2J","message":")" + std::string(50'000, 'x') + R"(","ref":"\r\n"})");
    REQUIRE_FALSE(result);
    auto const& error = result.error();
    for (auto const& text : {error.server_code(), error.server_message(), error.ref()}) {
        CHECK(is_one_plain_line(text));
        CHECK(text.size() < 1'000);
    }
    CHECK(is_one_plain_line(error.message()));
    CHECK(error.message().size() < 2'000);
}

// A service that gives every connection the same bytes and then closes it.
class CannedService {
public:
    explicit CannedService(std::string answer) : answer_(std::move(answer)) {
        asio::co_spawn(context_, serve(*this), asio::detached);
        thread_ = std::thread([this] { context_.run(); });
    }
    CannedService(const CannedService&) = delete;
    CannedService& operator=(const CannedService&) = delete;
    ~CannedService() {
        context_.stop();
        thread_.join();
    }

    [[nodiscard]] Endpoint endpoint() const {
        return Endpoint::parse("http://127.0.0.1:" + std::to_string(port_)).value();
    }

private:
    using Socket = asio::ip::tcp::socket;

    static asio::awaitable<void> serve(CannedService& self) {
        for (;;) {
            Socket socket = co_await self.acceptor_.async_accept(asio::use_awaitable);
            std::string request;
            auto const buffer = asio::dynamic_buffer(request);
            // Of the requests here only one has a body, and that ends in the only "}" of it.
            std::string_view const end = "\r\n\r\n";
            co_await asio::async_read_until(socket, buffer, end, asio::use_awaitable);
            if (contains(request, "Content-Length"))
                co_await asio::async_read_until(socket, buffer, '}', asio::use_awaitable);
            co_await asio::async_write(socket, asio::buffer(self.answer_), asio::use_awaitable);
            socket.shutdown(Socket::shutdown_send);
        }
    }

    std::string answer_;
    asio::io_context context_;
    asio::ip::tcp::acceptor acceptor_{context_, {asio::ip::address_v4::loopback(), 0}};
    std::uint16_t port_ = acceptor_.local_endpoint().port();
    std::thread thread_;
};

Result<void> meet_bytes(const Kind& kind, std::string bytes) {
    CannedService const service(std::move(bytes));
    ClientOptions options = one_attempt();
    options.endpoint = service.endpoint();
    options.auth = auth::api_key(Secret(key_value), "the-own-key");
    Client client(options);
    return kind.call(client);
}

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string body = R"({"metadata":{"uid":"a"}})";
const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n";

TEST_CASE("W23: an answer that is not proper HTTP is an error, and leaves open what became of a change") {
    struct Row {
        std::string_view title;
        std::string bytes;
        errc code;
    };
    std::string interim;
    for (int i = 0; i < 9; ++i)
        interim += "HTTP/1.1 102 Processing\r\n\r\n";
    Row const rows[] = {
        {"nothing", "", errc::transport},
        {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", errc::transport},
        {"HTTP/2", "HTTP/2 200\r\n\r\n", errc::transport},
        {"another protocol from now on", "HTTP/1.1 101 Switching Protocols\r\n\r\n", errc::unexpected_status},
        {"compressed", ok + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1F\x8B\x08",
         errc::transport},
        {"two lengths", ok + length + "Content-Length: 7\r\n\r\n" + body, errc::transport},
        {"a length and chunks", ok + length + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", errc::transport},
        {"a folded header", ok + "X: a\r\n b\r\n" + length + "\r\n" + body, errc::transport},
        {"a head that ends early", "HTTP/1.1 200 O", errc::truncated},
        {"a body that ends early", ok + "Content-Length: 100\r\n\r\n" + body, errc::truncated},
        {"a refusal that ends early", "HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{",
         errc::truncated},
        {"a head without end", ok + "X: " + std::string(70'000, 'x') + "\r\n\r\n", errc::too_large},
        {"interim answers without end", interim + "HTTP/1.1 204 No Content\r\n\r\n", errc::too_large},
    };
    for (auto const& [title, bytes, code] : rows) {
        CAPTURE(title);
        check_error(meet_bytes(read, bytes), code, Effect::not_applied, 0);
        check_error(meet_bytes(change, bytes), code, Effect::unknown, 0);
    }
}

TEST_CASE("client: a complete response is accepted, whatever follows it") {
    CHECK(meet_bytes(change, "HTTP/1.1 204 No Content\r\n\r\n{\"junk\":true}"));
    CHECK(meet_bytes(read, ok + length + "\r\n" + body + "HTTP/1.1 500 Oh\r\n\r\n"));
}

TEST_CASE("W23: an unusual but valid response is accepted") {
    auto const chunked = ok + "Transfer-Encoding: chunked\r\n\r\n18\r\n" + body + "\r\n0\r\n\r\n";
    std::string const reads[] = {
        "HTTP/1.1 100 Continue\r\n\r\n" + ok + length + "\r\n" + body,
        "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + ok + length + "\r\n" + body,
        ok + "\r\n" + body,
        chunked,
        ok + length + "Content-Encoding: identity\r\n\r\n" + body,
        ok + length + "Content-Type: application/json; charset=utf-16\r\n\r\n" + body,
        "HTTP/1.0 200 OK\r\n\r\n" + body,
    };
    for (auto const& bytes : reads) {
        CAPTURE(bytes);
        CHECK(meet_bytes(read, bytes));
    }
    for (std::string const interim : {"100 Continue", "102 Processing", "103 Early Hints"})
        CHECK(meet_bytes(change, "HTTP/1.1 " + interim + "\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"));
    CHECK(meet_bytes(change, "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"));
}

}  // namespace answers_test
