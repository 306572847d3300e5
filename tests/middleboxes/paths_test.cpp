// SPDX-License-Identifier: BSL-1.0
#include "middleboxes/boxes.hpp"

#include <doctest/doctest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <string>

// nginx that decodes paths and follows the dots in them before it asks the service.

namespace paths_test {

using namespace palette;
namespace asio = boost::asio;

// What nginx answers to a request for this target, as it stands.
std::string answer_to(const std::string& target) {
    auto const endpoint = Endpoint::parse(boxes::text("NORMALISES")).value();
    asio::io_context context;
    asio::ip::tcp::socket socket(context);
    socket.connect({asio::ip::address_v4::loopback(), endpoint.port()});
    asio::write(socket, asio::buffer("GET " + target +
                                     " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nApiKey: " +
                                     boxes::text("API_KEY") + "\r\n\r\n"));
    std::string answer;
    boost::system::error_code ec;
    asio::read(socket, asio::dynamic_buffer(answer), ec);
    return answer;
}

TEST_CASE("middle boxes: a uid does not lead to another path behind an nginx that normalises paths") {
    // This is what a client would reach that percent-encodes uids.
    auto const reached = answer_to("/v1/apiKeys/..%2Fusers%2Finfo");
    CHECK(reached.starts_with("HTTP/1.1 200"));
    CHECK(reached.find("\"userUid\"") != std::string::npos);

    BlockingApiKeyClient client(boxes::options_for("NORMALISES"));
    auto const check_refused = [](const Error& error) {
        CHECK(error.code() == errc::invalid_argument);
        CHECK(error.path() == "uid");
        CHECK(error.attempts() == 0);
    };
    for (std::string const uid :
         {"../users/info", "..%2Fusers%2Finfo", "..", "a/../../users/info", "%2e%2e"}) {
        CAPTURE(uid);
        check_refused(client.get(uid).error());
        check_refused(client.update(uid, ApiKeyEdit().name("n")).error());
        check_refused(client.renew(uid, std::chrono::hours{1}).error());
        check_refused(client.revoke(uid).error());
        check_refused(client.reactivate(uid).error());
        check_refused(client.set_active(uid, false).error());
        check_refused(client.remove(uid).error());
    }
}

TEST_CASE("middle boxes: everything works through an nginx that normalises paths") {
    boxes::check_that_all_works(boxes::options_for("NORMALISES"));
}

}  // namespace paths_test
