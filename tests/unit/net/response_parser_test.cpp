// SPDX-License-Identifier: BSL-1.0
#include "support/parsed_response.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace response_parser_test {

using namespace palette;
using impl::net::AnswerTo;
using impl::net::ResponseParser;
using impl::net::StreamEnd;
using parsing::Outcome;
using parsing::parse;
using parsing::Setting;
using State = impl::net::ResponseParser::State;

std::string answer(std::string_view status_and_headers, std::string_view body = {}) {
    std::string bytes = "HTTP/1.1 ";
    for (char const c : status_and_headers)
        bytes += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return bytes.append("\r\n\r\n").append(body);
}

std::string chunked(std::string_view chunks) {
    return answer("200 OK\nTransfer-Encoding: chunked", chunks);
}

// The outcome, which is the same for whatever pieces it comes in.
Outcome parse_in_every_way(const std::string& bytes, Setting setting = {}) {
    auto const whole = parse(bytes, setting);
    for (setting.piece = 1; setting.piece <= bytes.size(); ++setting.piece) {
        bool kept_word = true;
        auto const cut = parse(bytes, setting, &kept_word);
        CAPTURE(bytes);
        CAPTURE(setting.piece);
        REQUIRE(cut == whole);
        REQUIRE(kept_word);
    }
    return whole;
}

Outcome done(const std::string& bytes, const Setting& setting = {}) {
    auto outcome = parse_in_every_way(bytes, setting);
    CAPTURE(bytes);
    if (outcome.error) FAIL_CHECK(outcome.error->message());
    REQUIRE(outcome.state == State::done);
    CHECK(outcome.heads == 1);
    return outcome;
}

TEST_CASE("response: an answer with a length is read to its last byte") {
    auto const outcome =
        done(answer("200 OK\nContent-Type: application/json\nContent-Length: 12", R"({"items":[]})"));
    CHECK(outcome.status == 200);
    CHECK(outcome.headers == HttpFields{{"Content-Type", "application/json"}, {"Content-Length", "12"}});
    CHECK(outcome.body == R"({"items":[]})");
    CHECK(outcome.rest.empty());
    CHECK(outcome.keep_alive);
}

TEST_CASE("response: chunks are put together and their extensions and trailers are left out") {
    auto const outcome =
        done(chunked("5\r\nhello\r\n00b; a=b;c=\"d\"\r\n, world or \r\n1;x\r\nA\r\n0;z\r\nX-Check: "
                     "1\r\nDate: x\r\n\r\n"));
    CHECK(outcome.body == "hello, world or A");
    CHECK(outcome.headers == HttpFields{{"Transfer-Encoding", "chunked"}});
    CHECK(outcome.keep_alive);
    CHECK(done(chunked("0\r\n\r\n")).body.empty());
    CHECK(done(chunked("3\r\n\r\n0\r\n0\r\n\r\n")).body == "\r\n0");
    CHECK(done(answer("200 OK\ntransfer-ENCODING: CHUNKED", "2\r\n{}\r\n000\r\n\r\n")).body == "{}");
}

TEST_CASE("response: without a length the body goes to the end of the stream") {
    auto const outcome = done(answer("200 OK", R"({"items":[]})"));
    CHECK(outcome.body == R"({"items":[]})");
    CHECK_FALSE(outcome.keep_alive);
    CHECK(done(answer("200 OK")).body.empty());
    CHECK(done("HTTP/1.0 200 OK\r\n\r\n{}").body == "{}");
}

TEST_CASE("response: what is not done before the stream ends needs more") {
    Setting open;
    open.end.reset();
    for (auto const& bytes :
         {answer("200 OK"), answer("200 OK", "{}"), answer("200 OK\nContent-Length: 3", "{}"),
          chunked("2\r\n{}\r\n0\r\n"), std::string("HTTP/1.1 200 OK\r\n"), std::string()})
        CHECK(parse_in_every_way(bytes, open).state == State::needs_more);
    CHECK(parse_in_every_way(chunked("0\r\n\r\n"), open).state == State::done);
    CHECK(parse_in_every_way(answer("204 No Content"), open).state == State::done);
}

TEST_CASE("response: 204, 304 and answers to HEAD have no body whatever they say") {
    for (auto const* framing : {"", "\nContent-Length: 5", "\nTransfer-Encoding: chunked"}) {
        CAPTURE(framing);
        for (auto const* status : {"204 No Content", "304 Not Modified"}) {
            auto const outcome = done(answer(std::string(status) + framing));
            CHECK(outcome.body.empty());
            CHECK(outcome.keep_alive);
        }
        Setting head;
        head.kind = AnswerTo::head_request;
        auto const outcome = done(answer("200 OK" + std::string(framing)), head);
        CHECK(outcome.body.empty());
        CHECK(outcome.keep_alive);
        CHECK(done(answer("100 Continue") + answer("200 OK" + std::string(framing)), head).status == 200);
    }
    CHECK(done(answer("200 OK\nContent-Length: 0")).body.empty());
}

TEST_CASE("response: interim answers are skipped with all that is in them") {
    auto const early = answer("103 Early Hints\nLink: </a>\nContent-Length: 7\nContent-Encoding: gzip");
    auto const outcome =
        done(answer("100 Continue") + early + answer("201 Created\nContent-Length: 2", "{}"));
    CHECK(outcome.status == 201);
    CHECK(outcome.headers == HttpFields{{"Content-Length", "2"}});
    CHECK(outcome.body == "{}");

    std::string eight;
    for (int i = 0; i < 8; ++i)
        eight += answer("102 Processing");
    CHECK(done(eight + answer("204 No Content")).status == 204);
    CHECK(parse_in_every_way(eight + answer("102 Processing") + answer("204 No Content")).error->code() ==
          errc::too_large);
}

TEST_CASE("response: what follows a complete answer is not taken") {
    auto const next = answer("200 OK\nContent-Length: 0");
    for (auto const& bytes : {answer("204 No Content"), answer("200 OK\nContent-Length: 2", "{}"),
                              chunked("2\r\n{}\r\n0\r\n\r\n"), answer("204 No Content\nContent-Length: 5")}) {
        CHECK(done(bytes + next).rest == next);
        CHECK(done(bytes + "\n").rest == "\n");
    }
}

TEST_CASE("response: a connection is kept as its headers say and its version implies") {
    auto const kept = [](const std::string& bytes) { return done(bytes).keep_alive; };
    CHECK(kept(answer("200 OK\nContent-Length: 0")));
    CHECK(kept(answer("200 OK\nContent-Length: 0\nConnection: keep-alive")));
    CHECK_FALSE(kept(answer("200 OK\nContent-Length: 0\nConnection: Close")));
    CHECK_FALSE(kept(answer("200 OK\nContent-Length: 0\nconnection: foo, close")));
    CHECK_FALSE(kept("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
    CHECK(kept("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"));
    CHECK_FALSE(parse(answer("200 OK\nContent-Length: 2", "{")).keep_alive);
}

TEST_CASE("response: header values lose the white space around them and keep what is in them") {
    auto const outcome = done(
        "HTTP/1.1 200 \r\nA:b\r\nC: \t d \te\xc3\xa9: \t\r\nEmpty:\r\nContent-Length:0\r\nA: again\r\n\r\n");
    CHECK(outcome.headers ==
          HttpFields{
              {"A", "b"}, {"C", "d \te\xc3\xa9:"}, {"Empty", ""}, {"Content-Length", "0"}, {"A", "again"}});
}

TEST_CASE(
    "response: a header that the sink does not want is left out of the head, and checked all the same") {
    class DateOnly final : public ResponseSink {
    public:
        bool wants_header(int status, std::string_view name) const override {
            CHECK(status == 200);
            return name == "Date";
        }
        void head(HttpResponse response) override { headers = response.headers; }
        bool body(std::string_view) override { return true; }
        HttpFields headers;
    };
    auto const parse_head = [](std::string_view headers) {
        DateOnly sink;
        ResponseParser parser(sink);
        parser.take(answer("103 Early Hints\nDate: early") + answer(headers));
        return std::pair(parser.state(), sink.headers);
    };
    CHECK(parse_head("200 OK\nSet-Cookie: a=b\nDate: now\nContent-Length: 0") ==
          std::pair(State::done, HttpFields{{"Date", "now"}}));
    CHECK(parse_head("200 OK\nContent-Length: 0\nContent-Length: 1").first == State::failed);
    CHECK(parse_head("200 OK\nTransfer-Encoding: gzip").first == State::failed);
}

TEST_CASE("response: pieces of a body are not copied on their way to the sink") {
    class Where final : public ResponseSink {
    public:
        void head(HttpResponse) override {}
        bool body(std::string_view piece) override { return pieces.push_back(piece), true; }
        std::vector<std::string_view> pieces;
    };
    Where sink;
    ResponseParser parser(sink);
    auto const bytes = chunked("4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n");
    CHECK(parser.take(bytes) == bytes.size());
    REQUIRE(sink.pieces.size() == 2);
    CHECK(sink.pieces[0].data() == bytes.data() + bytes.find("abcd"));
    CHECK(sink.pieces[1].data() == bytes.data() + bytes.find("ef"));
}

TEST_CASE("response: the head is given before any byte of the body has come") {
    Outcome seen;
    parsing::Recorder sink(seen, std::string::npos);
    ResponseParser parser(sink);
    CHECK_FALSE(parser.received_any());
    CHECK(parser.take("") == 0);
    CHECK_FALSE(parser.received_any());
    CHECK(parser.take("H") == 0);
    CHECK(parser.received_any());
    auto const head = answer("201 Created\nContent-Length: 2");
    CHECK(parser.take(head) == head.size());
    CHECK(seen.heads == 1);
    CHECK(seen.status == 201);
    CHECK(parser.state() == State::needs_more);
    CHECK(parser.take("{}more") == 2);
    CHECK(parser.state() == State::done);
    CHECK(parser.take("more") == 0);
    parser.finish(StreamEnd::cut_off);
    CHECK(parser.state() == State::done);
}

TEST_CASE("response: a sink that wants no more ends the answer even with its last piece") {
    for (auto const& bytes : {answer("200 OK\nContent-Length: 6", "abcdef"),
                              chunked("6\r\nabcdef\r\n0\r\n\r\n"), answer("200 OK", "abcdef")})
        for (std::size_t const most : {1u, 3u, 6u}) {
            Setting setting;
            setting.max_body = most;
            auto const outcome = parse_in_every_way(bytes, setting);
            REQUIRE(outcome.state == State::failed);
            CHECK(outcome.error->code() == errc::operation_aborted);
            CHECK(outcome.body == std::string("abcdef").substr(0, most));
            CHECK_FALSE(outcome.keep_alive);
        }
}

TEST_CASE("response: every seed of the fuzzer has one outcome however it is cut") {
    int seeds = 0;
    for (auto const& entry :
         std::filesystem::directory_iterator(PALETTE_KEYS_SOURCE_DIR "/tests/fuzz/corpus/response")) {
        std::ifstream file(entry.path(), std::ios::binary);
        std::string const bytes{std::istreambuf_iterator<char>(file), {}};
        REQUIRE_FALSE(bytes.empty());
        parse_in_every_way(bytes);
        Setting narrow;
        narrow.limits = {.head_bytes = 90, .body_bytes = 8, .fields = 2, .interim = 1};
        parse_in_every_way(bytes, narrow);
        Setting cut_off;
        cut_off.end = StreamEnd::cut_off;
        cut_off.kind = AnswerTo::head_request;
        parse_in_every_way(bytes, cut_off);
        ++seeds;
    }
    CHECK(seeds >= 10);
}

}  // namespace response_parser_test
