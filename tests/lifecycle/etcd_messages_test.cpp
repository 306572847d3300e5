// SPDX-License-Identifier: BSL-1.0

#include <palette/impl/lifecycle/stores/etcd_messages.hpp>

#include <doctest/doctest.h>
#include <boost/json/parse.hpp>

#include <string>

// What is said to the JSON gateway of etcd, and what is read from it.

namespace etcd_messages_test {

using namespace palette;
namespace etcd = impl::lifecycle::etcd;

etcd::Object object(const std::string& text) {
    return boost::json::parse(text).as_object();
}

TEST_CASE("etcd messages: base64 is read back, and nothing else is read") {
    CHECK(etcd::to_base64("") == "");
    CHECK(etcd::to_base64("f") == "Zg==");
    CHECK(etcd::to_base64("fo") == "Zm8=");
    CHECK(etcd::to_base64("foo") == "Zm9v");
    CHECK(etcd::from_base64("") == "");
    std::string bytes;
    for (int i = 0; i < 600; ++i) {
        CHECK(etcd::from_base64(etcd::to_base64(bytes)) == bytes);
        bytes += static_cast<char>(i * 7);
    }
    for (auto const* const bad : {"Z", "Zg", "Zg=", "Zg===", "=", "==", "====", "Zg=g",
                                  "Zh==", "Zm9=", "Zm8-", "Zm_v", "Zm9v\n", " Zm9v",
                                  "Zm9vZg=="
                                  "Zm9v"}) {
        CAPTURE(bad);
        CHECK_FALSE(etcd::from_base64(bad));
    }
}

TEST_CASE("etcd messages: a transaction compares, writes, and reads where it does not write") {
    etcd::Transaction transaction;
    transaction.if_modified_at("a", 17).if_created_at("b", 0).then_put("a", "text", 9).else_read("a");
    auto const body = object(transaction.body());
    auto const& compares = body.at("compare").as_array();
    REQUIRE(compares.size() == 2);
    CHECK(compares[0] ==
          boost::json::parse(R"({"key":"YQ==","target":"MOD","result":"EQUAL","mod_revision":"17"})"));
    CHECK(compares[1] ==
          boost::json::parse(R"({"key":"Yg==","target":"CREATE","result":"EQUAL","create_revision":"0"})"));
    CHECK(body.at("success") ==
          boost::json::parse(R"([{"request_put":{"key":"YQ==","value":"dGV4dA==","lease":"9"}}])"));
    CHECK(body.at("failure") == boost::json::parse(R"([{"request_range":{"key":"YQ=="}}])"));
}

TEST_CASE("etcd messages: a user and a password of any characters arrive as they are") {
    std::string const odd = "a\"b\\c\x01\x1f\x7f\n\t/ü€😀";
    auto const body = etcd::authenticate_body("u\"", odd);
    REQUIRE(body);
    auto const sent = object(std::string(body->expose()));
    CHECK(sent.at("name").as_string() == "u\"");
    CHECK(sent.at("password").as_string() == odd);
    CHECK_FALSE(etcd::authenticate_body("u", "\xff"));
    CHECK_FALSE(etcd::authenticate_body("\xc3", "p"));
}

TEST_CASE("etcd messages: numbers of 64 bits are read whole, as a text or as a number") {
    auto const read = [](const std::string& number) {
        return etcd::read_lease(object(R"({"ID":)" + number + "}"));
    };
    CHECK(read(R"("7533856021407184902")").value() == 7'533'856'021'407'184'902ULL);
    CHECK(read(R"("18446744073709551615")").value() == 18'446'744'073'709'551'615ULL);
    CHECK(read("9223372036854775807").value() == 9'223'372'036'854'775'807ULL);
    CHECK(read("18446744073709551615").value() == 18'446'744'073'709'551'615ULL);
    for (auto const* const bad : {"0", R"("0")", R"("")", R"("1x")", R"(" 1")", R"("-1")", "-1", "1.5",
                                  "null", "true", "[]", R"("18446744073709551616")"}) {
        CAPTURE(bad);
        CHECK_FALSE(read(bad));
    }
    CHECK_FALSE(etcd::read_lease(object("{}")));
}

TEST_CASE("etcd messages: only a range that says so has found nothing") {
    CHECK_FALSE(etcd::read_range(object(R"({"header":{"revision":"1"}})")).value());
    CHECK_FALSE(etcd::read_range(object(R"({"header":{"revision":"1"},"kvs":[]})")).value());
    auto const found = etcd::read_range(object(
        R"({"header":{},"kvs":[{"key":"YQ==","create_revision":"2","mod_revision":"5","value":"aGk="}]})"));
    REQUIRE(found);
    REQUIRE(*found);
    CHECK((*found)->value == "hi");
    CHECK((*found)->create_revision == 2);
    CHECK((*found)->mod_revision == 5);
    CHECK((*found)->lease == 0);
    for (auto const* const bad :
         {"{}", R"({"header":1})", R"({"header":{},"kvs":{}})", R"({"header":{},"kvs":[1]})",
          R"({"header":{},"kvs":[{}]})", R"({"header":{},"kvs":[{"create_revision":"2","value":"aGk="}]})",
          R"({"header":{},"kvs":[{"create_revision":"2","mod_revision":"2","value":"a"}]})",
          R"({"header":{},"kvs":[{"create_revision":"2","mod_revision":"2","value":7}]})"}) {
        CAPTURE(bad);
        auto const read = etcd::read_range(object(bad));
        REQUIRE_FALSE(read);
        CHECK(is_malformed_response(read.error()));
    }
}

TEST_CASE("etcd messages: an answer to a transaction is whole, or is none") {
    auto const applied = etcd::read_transaction(object(R"({"header":{"revision":"8"},"succeeded":true})"), 1);
    REQUIRE(applied);
    CHECK(applied->is_applied);
    CHECK(applied->revision == 8);
    auto const refused = etcd::read_transaction(
        object(R"({"header":{"revision":"8"},"responses":[{"response_range":{"header":{}}}]})"), 1);
    REQUIRE(refused);
    CHECK_FALSE(refused->is_applied);
    REQUIRE(refused->found.size() == 1);
    CHECK_FALSE(refused->found.front());
    for (auto const* const bad :
         {"{}", R"({"header":{}})", R"({"header":{"revision":"8"}})",
          R"({"header":{"revision":"8"},"succeeded":"true"})",
          R"({"header":{"revision":"8"},"responses":[{}]})",
          R"({"header":{"revision":"8"},"responses":[{"response_put":{}}]})", R"({"succeeded":true})"}) {
        CAPTURE(bad);
        CHECK_FALSE(etcd::read_transaction(object(bad), 1));
    }
}

TEST_CASE("etcd messages: a token is a text that can be sent in a header") {
    auto const token = etcd::read_token(R"({"header":{},"token":"ccHxRLdcvkaHPmEZ.19"})");
    REQUIRE(token);
    CHECK(token->expose() == "ccHxRLdcvkaHPmEZ.19");
    CHECK(etcd::read_token(R"({"token":")" + std::string(4096, 'a') + R"("})").value().size() == 4096);
    for (auto const& bad :
         {std::string(), std::string("{}"), std::string("[]"), std::string(R"({"token":""})"),
          std::string(R"({"token":"a\nb"})"), std::string(R"({"token":1})"),
          R"({"token":")" + std::string(9000, 'a') + R"("})"}) {
        CAPTURE(bad.size());
        CHECK_FALSE(etcd::read_token(bad));
    }
}

TEST_CASE("etcd messages: a lease of which nothing is left has ended") {
    CHECK(etcd::read_keepalive(object(R"({"result":{"ID":"7","TTL":"60"}})")).value() == 60);
    CHECK(etcd::read_keepalive(object(R"({"result":{"ID":"7"}})")).value() == 0);
    CHECK_FALSE(etcd::read_keepalive(object(R"({"error":{"message":"x"}})")));
}

}  // namespace etcd_messages_test
