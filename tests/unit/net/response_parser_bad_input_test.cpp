// SPDX-License-Identifier: BSL-1.0
#include "support/parsed_response.hpp"
#include "support/printed.hpp"

#include <doctest/doctest.h>

#include <initializer_list>
#include <string>
#include <string_view>

namespace response_parser_bad_input_test {

using namespace palette;
using impl::net::StreamEnd;
using parsing::Outcome;
using parsing::parse;
using parsing::Setting;
using State = impl::net::ResponseParser::State;

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string chunks = ok + "Transfer-Encoding: chunked\r\n\r\n";

// The error, which is the same for whatever pieces the bytes come in.
Error refusal(const std::string& bytes, Setting setting = {}) {
    CAPTURE(bytes);
    auto const whole = parse(bytes, setting);
    for (std::size_t const piece : {1u, 2u, 3u, 7u, 16u, 100u}) {
        CAPTURE(piece);
        setting.piece = piece;
        bool kept_word = true;
        CHECK(parse(bytes, setting, &kept_word) == whole);
        CHECK(kept_word);
    }
    REQUIRE(whole.state == State::failed);
    CHECK_FALSE(whole.keep_alive);
    CHECK(whole.error->effect() == Effect::unknown);
    CHECK(is_one_plain_line(whole.error->message()));
    return *whole.error;
}

// Refused as soon as all of `bytes` is there, without waiting for more.
void check_refused(const std::string& bytes, std::string_view what, errc code = errc::transport) {
    Setting open;
    open.end.reset();
    auto const error = refusal(bytes, open);
    CHECK(error.code() == code);
    CHECK(error.what() == what);
}

// The error of an answer that ends after `bytes`.
void check_cut(const std::string& bytes, std::string_view what, Setting setting = {}) {
    auto const error = refusal(bytes, setting);
    CHECK(error.code() == errc::truncated);
    CHECK(error.what() == what);
}

Setting limited(impl::net::ResponseLimits limits) {
    Setting setting;
    setting.limits = limits;
    return setting;
}

TEST_CASE("response: both a length and a transfer coding are refused in either order and in trailers") {
    constexpr std::string_view what = "the answer has both a Content-Length and a Transfer-Encoding";
    for (auto const* coding : {"chunked", "gzip", "identity"})
        check_refused(ok + "Content-Length: 2\r\nTransfer-Encoding: " + coding + "\r\n\r\n{}", what);
    check_refused(ok + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}", what);
    check_refused(chunks + "2\r\n{}\r\n0\r\nContent-Length: 2\r\n\r\n", what);
    check_refused(chunks + "2\r\n{}\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
                  "the answer has two Transfer-Encodings");
    check_refused("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", what);
}

TEST_CASE("response: two different lengths are refused and two equal ones are not") {
    check_refused(ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
                  "the answer has two different Content-Lengths");
    check_refused(ok + "Content-Length: 2, 3\r\n\r\n{}", "the answer has two different Content-Lengths");
    CHECK(parse(ok + "Content-Length: 2\r\ncontent-length: 2\r\n\r\n{}").state == State::done);
}

TEST_CASE("response: a length that is no number is refused") {
    for (auto const* length : {"", " ", "x", "-1", "+2", "2x", "0x2", "2.0", "2 2", "2;", "2, 2", ",2", "2,",
                               "\"2\"", "18446744073709551616", "99999999999999999999999"})
        check_refused(ok + "Content-Length: " + length + "\r\n\r\n{}",
                      "the Content-Length of the answer is not a number");
}

TEST_CASE("response: transfer codings other than chunked are refused") {
    for (auto const* coding : {"gzip", "identity", "", "gzip, chunked", "chunked, gzip", "chunked, chunked",
                               "xchunked", "chunked;q=1", "chunked,", "\"chunked\""})
        check_refused(ok + "Transfer-Encoding: " + coding + "\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
                      "the answer has a transfer coding other than chunked");
    check_refused(ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                  "the answer has two Transfer-Encodings");
    check_refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                  "the answer is HTTP/1.0 and has a transfer coding, which HTTP/1.0 does not know");
}

TEST_CASE("response: folded lines are refused in the head and in trailers") {
    constexpr std::string_view what = "a line of the answer begins with a space, as folded headers do";
    for (auto const* space : {" ", "\t"}) {
        check_refused(ok + "A: b\r\n" + space, what);
        check_refused(ok + space + "A: b\r\n\r\n", what);
        check_refused(ok + "Content-Length: 1\r\n" + space + "0\r\n\r\n", what);
        check_refused(ok + "A: b\r\n" + space + "\r\n\r\n", what);
        check_refused(chunks + "0\r\nA: b\r\n" + space + "c\r\n\r\n", what);
    }
}

TEST_CASE("response: lines that do not end as they should are refused at once") {
    check_refused(ok + "A: b\rc", "a line of the answer has a carriage return in it");
    check_refused(ok + "A: b\r\r\n", "a line of the answer has a carriage return in it");
    check_refused("HTTP/1.1 200 OK\n", "a line of the answer ends without a carriage return");
    check_refused(ok + "A: b\n", "a line of the answer ends without a carriage return");
    check_refused(ok + "\n", "a line of the answer ends without a carriage return");
    check_refused(chunks + "2\n", "a line of the answer ends without a carriage return");
    check_refused(chunks + "2\r\n{}\n", "a line of the answer ends without a carriage return");
    check_refused(chunks + "0\r\nA: b\n", "a line of the answer ends without a carriage return");
}

TEST_CASE("response: control characters in a line are refused at once") {
    for (char const c : {'\0', '\x01', '\x0b', '\x1b', '\x7f'})
        for (auto const& before :
             {ok + "A: b", ok + "A", std::string("HTTP/1.1 200 O"), chunks + "2;a", chunks + "0\r\nA: "})
            check_refused(before + c, "a line of the answer has a control character in it");
}

TEST_CASE("response: each byte of a value is looked at, wherever in the line it stands") {
    for (int number = 0; number < 256; ++number) {
        auto const c = static_cast<char>(number);
        auto const is_control = (number < 0x20 && c != '\t') || c == '\x7f';
        for (std::size_t offset = 0; offset < 10; ++offset) {
            auto const line = ok + "A: b" + std::string(offset, 'c') + c + std::string(12, '\xfe');
            Setting open;
            open.end.reset();
            auto const parsed = parse(line, open);
            CAPTURE(number);
            CAPTURE(offset);
            REQUIRE((parsed.state == State::failed) == is_control);
        }
    }
}

TEST_CASE("response: header names that could be read in two ways are refused") {
    for (auto const* line : {"Content-Length : 2", "Content Length: 2", ": 2", "Content-Length", "A\t: 2",
                             "(A): 2", "\xc3\xa9: 2"})
        check_refused(ok + line + "\r\n\r\n{}", "the name of a header of the answer is malformed");
    check_refused(ok + "Connection: close;\r\n\r\n", "a header of the answer is malformed");
}

TEST_CASE("response: malformed status lines are refused") {
    for (auto const* line : {"HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 abc OK", "HTTP/1.1  200 OK",
                             "HTTP/1.1 200", "HTTP/1.1 -20 OK", "HTTP/1.1 200\tOK"})
        check_refused(std::string(line) + "\r\n\r\n", "the status line of the answer is malformed");
    for (auto const* line :
         {"HTTP/1.2 200 OK", "HTTP/1.9 200 OK", "HTTP/1.11 200 OK", "HTTP/1.x 200 OK", "HTTP/1.1\t200 OK"})
        check_refused(std::string(line) + "\r\n\r\n", "the answer is of another version of HTTP than 1.1");
    check_refused("HTTP/1.1 099 Odd\r\n\r\n", "the answer has an impossible status");
    check_refused("HTTP/1.1 000 Odd\r\n\r\n", "the answer has an impossible status");
    CHECK(parse("HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n").status == 999);
}

TEST_CASE("response: what is not HTTP is refused at its first wrong byte") {
    for (auto const* bytes : {"{", "<html>", "220 smtp ready\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n",
                              "http/1.1 200 OK", "HTTP 200", "HTTPS", "ICY 200 OK", "\x15\x03\x01"})
        check_refused(bytes, "what came is not an HTTP answer");
    check_refused("HTTP/2 ", "the answer is of another version of HTTP than 1.1");
    check_refused("HTTP/0.9 200 OK", "the answer is of another version of HTTP than 1.1");
    check_refused(std::string("\0\0\x12\x04\0\0\0\0\0", 9),
                  "the answer is of another version of HTTP than 1.1");
}

TEST_CASE("response: an answer that switches protocols is refused") {
    check_refused("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
                  "the answer switches to another protocol, which nobody asked for", errc::unexpected_status);
}

TEST_CASE("response: a compressed body is refused and an empty one may call itself so") {
    constexpr std::string_view what =
        "the body of the answer is compressed, though it was asked for as it is";
    for (auto const* framing : {"", "Content-Length: 2\r\n", "Transfer-Encoding: chunked\r\n"}) {
        check_refused(ok + framing + "Content-Encoding: gzip\r\n\r\n", what);
        check_refused(ok + "content-encoding: br\r\n" + framing + "Content-Encoding: identity\r\n\r\n", what);
        check_refused(ok + framing + "Content-Encoding: identity, gzip\r\n\r\n", what);
    }
    CHECK(parse(ok + "Content-Encoding: Identity\r\nContent-Length: 2\r\n\r\n{}").body == "{}");
    CHECK(parse(ok + "Content-Encoding:\r\nContent-Length: 2\r\n\r\n{}").body == "{}");
    CHECK(parse(ok + "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n").state == State::done);
    CHECK(parse("HTTP/1.1 304 Not Modified\r\nContent-Encoding: gzip\r\n\r\n").state == State::done);
}

TEST_CASE("response: malformed chunks are refused") {
    for (auto const* body :
         {"x\r\n", "-2\r\n", "0x2\r\n", " 2\r\n{}\r\n", "\r\n", "2 {}\r\n", "2\r\n{}xx2\r\n", "2\r\n{}x\r\n",
          "2\r\n{}2\r\n", "10000000000000000\r\n", "fffffffffffffffff\r\n", "2;=\r\n", "2;a=\"\r\n", "g\r\n"})
        check_refused(chunks + body, "the chunks of the answer are malformed");
    check_refused(chunks + "0\r\nno colon\r\n\r\n", "the name of a header of the answer is malformed");
}

TEST_CASE("response: an error of the head is the only thing that a sink does not hear of") {
    auto const outcome = parse(ok + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}");
    CHECK(outcome.heads == 0);
    CHECK(outcome.body.empty());
}

TEST_CASE("response: an answer that ends too early is truncated and says how far it came") {
    check_cut("H", "the answer ended in its head");
    check_cut("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r", "the answer ended in its head");
    check_cut("HTTP/1.1 100 Continue\r\n\r\n", "the answer ended in its head");
    check_cut(ok + "Content-Length: 12\r\n\r\n", "the answer ended after 0 of 12 bytes of its body");
    check_cut(ok + "Content-Length: 12\r\n\r\n{\"items\"",
              "the answer ended after 8 of 12 bytes of its body");
    check_cut(chunks, "the answer ended after 0 bytes of its body");
    check_cut(chunks + "8\r\nabc", "the answer ended after 3 bytes of its body");
    check_cut(chunks + "3\r\nabc\r\n", "the answer ended after 3 bytes of its body");
    check_cut(chunks + "3\r\nabc\r\n0\r\n", "the answer ended after 3 bytes of its body");
    check_cut(chunks + "0\r\nX-Check: 1\r\n", "the answer ended after 0 bytes of its body");
}

TEST_CASE("response: a stream that is cut off completes no body") {
    Setting cut_off;
    cut_off.end = StreamEnd::cut_off;
    check_cut(ok + "\r\n{}", "the answer ended after 2 bytes of its body", cut_off);
    check_cut(ok + "\r\n", "the answer ended after 0 bytes of its body", cut_off);
    CHECK(parse(ok + "Content-Length: 2\r\n\r\n{}", cut_off).state == State::done);
}

TEST_CASE("response: every prefix of a good answer is truncated and no prefix is a success") {
    for (auto const& bytes :
         {ok + "Content-Length: 5\r\n\r\nhello", chunks + "3\r\nhel\r\n2;a\r\nlo\r\n0\r\nA: b\r\n\r\n",
          "HTTP/1.1 103 Early Hints\r\n\r\n" + ok + "Content-Length: 1\r\n\r\nx"}) {
        REQUIRE(parse(bytes).state == State::done);
        for (std::size_t size = 1; size < bytes.size(); ++size)
            CHECK(refusal(bytes.substr(0, size)).code() == errc::truncated);
    }
}

TEST_CASE("response: a connection that closes without a byte is a broken connection") {
    auto const error = refusal("");
    CHECK(error.code() == errc::transport);
    CHECK(error.what() == "the connection was closed without an answer");
}

TEST_CASE("response: a head is bounded to the byte") {
    auto const head_of = [](std::size_t size) {
        auto const rest = ok + "Content-Length: 0\r\nA: \r\n\r\n";
        return ok + "Content-Length: 0\r\nA: " + std::string(size - rest.size(), 'x') + "\r\n\r\n";
    };
    auto const setting = limited({.head_bytes = 200});
    CHECK(parse(head_of(200), setting).state == State::done);
    auto const error = refusal(head_of(201), setting);
    CHECK(error.code() == errc::too_large);
    CHECK(error.what() == "the head of the answer is larger than 200 bytes");
    CHECK(parse(head_of(64 * 1024)).state == State::done);
    CHECK(parse(head_of(64 * 1024 + 1)).error->code() == errc::too_large);
}

TEST_CASE("response: a head without an end is refused when the bound is reached") {
    Setting open = limited({.head_bytes = 200});
    open.end.reset();
    CHECK(refusal("HTTP/1.1 200 " + std::string(187, 'x'), open).code() == errc::too_large);
    CHECK(parse("HTTP/1.1 200 " + std::string(186, 'x'), open).state == State::needs_more);
}

TEST_CASE("response: the number of headers is bounded") {
    auto const with = [](int fields) {
        auto bytes = ok + "Content-Length: 0\r\n";
        for (int i = 1; i < fields; ++i)
            bytes += "A: b\r\n";
        return bytes + "\r\n";
    };
    CHECK(parse(with(256)).state == State::done);
    auto const error = refusal(with(257));
    CHECK(error.code() == errc::too_large);
    CHECK(error.what() == "the answer has more than 256 headers");
}

TEST_CASE("response: what an interim answer has does not count against the next one") {
    std::string interim = "HTTP/1.1 103 Early Hints\r\nContent-Length: 2\r\n";
    for (int i = 0; i < 200; ++i)
        interim += "A: b\r\n";
    interim += "\r\n";
    CHECK(parse(interim + interim + ok + "Content-Length: 0\r\n\r\n").state == State::done);
    check_refused(interim + ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
                  "the answer has two Transfer-Encodings");
    check_refused(
        "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n" + ok + "Content-Length: x\r\n\r\n",
        "the Content-Length of the answer is not a number");
}

TEST_CASE("response: a body is bounded to the byte") {
    auto const setting = limited({.body_bytes = 5});
    for (auto const& fits : {ok + "Content-Length: 5\r\n\r\nhello",
                             chunks + "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", ok + "\r\nhello"})
        CHECK(parse(fits, setting).body == "hello");
    for (auto const& beyond : {chunks + "3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n", ok + "\r\nhello!"}) {
        auto const error = refusal(beyond, setting);
        CHECK(error.code() == errc::too_large);
        CHECK(error.what() == "the body of the answer is larger than 5 bytes");
    }
}

TEST_CASE("response: a length beyond the bound is refused before the body comes") {
    check_refused(ok + "Content-Length: 268435457\r\n\r\n",
                  "the body of the answer has 268435457 bytes, more than 268435456", errc::too_large);
    check_refused(ok + "Content-Length: 18446744073709551615\r\n\r\n",
                  "the body of the answer has 18446744073709551615 bytes, more than 268435456",
                  errc::too_large);
    CHECK(parse(ok + "Content-Length: 268435456\r\n\r\n", {.end = {}}).state == State::needs_more);
    CHECK(parse("HTTP/1.1 304 Not Modified\r\nContent-Length: 268435457\r\n\r\n").state == State::done);
}

TEST_CASE("response: what is between chunks is bounded") {
    auto const setting = limited({.head_bytes = 100});
    auto const line = refusal(chunks + "2;" + std::string(200, 'a') + "\r\n", setting);
    CHECK(line.code() == errc::too_large);
    CHECK(line.what() == "a chunk's line or the trailer of the answer is larger than 100 bytes");
    CHECK(refusal(chunks + "0\r\nA: " + std::string(200, 'a') + "\r\n\r\n", setting) == line);

    std::string padded = chunks;
    for (int i = 0; i < 100; ++i)
        padded += "1;" + std::string(60, 'a') + "\r\nx\r\n";
    auto const error = refusal(padded + "0\r\n\r\n", setting);
    CHECK(error.code() == errc::too_large);
    CHECK(error.what() == "the lines between the chunks of the answer are too large for its body");

    std::string small = chunks;
    for (int i = 0; i < 1000; ++i)
        small += "1\r\nx\r\n";
    CHECK(parse(small + "0\r\n\r\n", setting).body == std::string(1000, 'x'));
}

}  // namespace response_parser_bad_input_test
