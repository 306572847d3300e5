// SPDX-License-Identifier: BSL-1.0
#include "support/printed.hpp"

#include <palette/error.hpp>

#include <doctest/doctest.h>

#include <concepts>
#include <set>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace error_test {

using palette::condition;
using palette::Effect;
using palette::errc;
using palette::Error;

static_assert(std::copyable<Error> && std::equality_comparable<Error>);
static_assert(std::is_nothrow_move_constructible_v<Error> && std::is_nothrow_move_assignable_v<Error>);
static_assert(!std::is_convertible_v<errc, Error> && !std::is_default_constructible_v<Error>);
// Coroutines keep room for many.
static_assert(sizeof(void*) != 8 || sizeof(Error) <= 40);
static_assert(std::is_same_v<decltype(std::declval<Error&>().status(404)), Error&>);
static_assert(std::is_same_v<decltype(std::declval<Error>().status(404)), Error>);
static_assert(std::is_error_code_enum_v<errc> && std::is_error_condition_enum_v<condition>);
static_assert(is_retryable(errc::timeout) && is_auth(errc::forbidden) && is_not_found(errc::not_found));
static_assert(is_malformed_response(errc::not_json) && !is_malformed_response(errc::unauthorized));

struct Row {
    errc code;
    const char* name;
    std::vector<condition> groups = {};
};

std::vector<Row> const all{
    {errc::invalid_argument, "invalid_argument"},
    {errc::not_json, "not_json", {condition::malformed_response}},
    {errc::truncated, "truncated", {condition::malformed_response}},
    {errc::trailing_data, "trailing_data", {condition::malformed_response}},
    {errc::wrong_type, "wrong_type", {condition::malformed_response}},
    {errc::bad_value, "bad_value", {condition::malformed_response}},
    {errc::too_large, "too_large", {condition::malformed_response}},
    {errc::too_deep, "too_deep", {condition::malformed_response}},
    {errc::missing_key_value, "missing_key_value", {condition::malformed_response}},
    {errc::unexpected_status, "unexpected_status", {condition::malformed_response}},
    {errc::unauthorized, "unauthorized", {condition::auth}},
    {errc::forbidden, "forbidden", {condition::auth}},
    {errc::not_found, "not_found", {condition::not_found}},
    {errc::conflict, "conflict"},
    {errc::rejected, "rejected"},
    {errc::rate_limited, "rate_limited", {condition::retryable}},
    {errc::server_error, "server_error"},
    {errc::unavailable, "unavailable", {condition::retryable}},
    {errc::transport, "transport", {condition::retryable}},
    {errc::timeout, "timeout", {condition::retryable}},
    {errc::operation_aborted, "operation_aborted"},
    {errc::auth_provider, "auth_provider", {condition::auth}},
    {errc::untrusted, "untrusted"},
    {errc::proxy, "proxy"},
    {errc::system, "system"},
    {errc::own_key, "own_key"},
    {errc::out_of_memory, "out_of_memory"},
};

condition const all_groups[] = {condition::retryable, condition::auth, condition::not_found,
                                condition::malformed_response};

bool in_group(const Row& row, condition group) {
    return std::ranges::find(row.groups, group) != row.groups.end();
}

// What message() says after what happened.
std::string advice(errc code) {
    auto const line = Error(code, "x").message();
    std::string const before = "x; nothing was changed; ";
    REQUIRE(line.starts_with(before));
    return line.substr(before.size());
}

TEST_CASE("errc: the table of this test has every code once and in order") {
    for (std::size_t i = 0; i < all.size(); ++i)
        CHECK(static_cast<std::size_t>(all[i].code) == i + 1);
    CHECK(printed(static_cast<errc>(all.size() + 1)) == "");
    CHECK(printed(errc{}) == "");
}

TEST_CASE("errc: every code has a name and a text and an advice") {
    std::set<std::string> texts;
    for (auto const& row : all) {
        CAPTURE(row.name);
        CHECK(printed(row.code) == row.name);
        auto const text = Error(row.code).what();
        CHECK(text.size() > 10);
        CHECK_FALSE(text.ends_with('.'));
        CHECK(make_error_code(row.code).message() == text);
        texts.insert(text);
        CHECK(advice(row.code).size() > 10);
        CHECK_FALSE(advice(row.code).ends_with('.'));
    }
    CHECK(texts.size() == all.size());
}

TEST_CASE("Error: the message is one line that tells what happened and its effect and what to do") {
    struct Words {
        Effect effect;
        const char* said;
    };
    for (auto const& row : all) {
        for (auto const& [effect, said] : {Words{Effect::not_applied, "; nothing was changed; "},
                                           Words{Effect::applied, "; the change was applied; "},
                                           Words{Effect::unknown, "; whether it was applied is unknown; "}}) {
            auto const error = Error(row.code).effect(effect);
            CHECK(error.effect() == effect);
            CHECK(error.message() == error.what() + said + std::string(error.advice()));
            CHECK_FALSE(error.has_own_advice());
            CHECK(is_one_plain_line(error.message()));
            CHECK(printed(error) == error.message());
        }
    }
}

TEST_CASE("Error: the message of a step does not say that the whole operation has changed nothing") {
    auto const whole = Error(errc::forbidden);
    auto const step = Error(whole).is_step(true);
    CHECK_FALSE(whole.is_step());
    CHECK(step.is_step());
    CHECK(step != whole);
    CHECK(Error(step) == step);
    CHECK(contains(whole.message(), "; nothing was changed"));
    CHECK_FALSE(contains(step.message(), "changed"));
    for (auto const effect : {Effect::applied, Effect::unknown})
        CHECK(Error(step).effect(effect).message() == Error(whole).effect(effect).message());
}

TEST_CASE("Error: the advice does not ask for what has been done, nor for what may do harm") {
    auto const after = [](errc code, Effect effect) {
        auto const error = Error(code).effect(effect);
        return std::string(error.advice());
    };
    for (auto const& row : all) {
        CAPTURE(row.name);
        CHECK_FALSE(contains(after(row.code, Effect::applied), "call again"));
        CHECK_FALSE(contains(after(row.code, Effect::not_applied), "has to be repeated"));
        // No option has a bound for an answer, and a uid in an error may be the user's.
        for (auto const effect : {Effect::not_applied, Effect::applied, Effect::unknown}) {
            CHECK_FALSE(contains(after(row.code, effect), "bound"));
            CHECK_FALSE(contains(after(row.code, effect), "delete the key that is named"));
        }
    }
    CHECK(after(errc::timeout, Effect::applied) ==
          "nothing has to be repeated; read it again to see how it is");
    for (auto const& row : all)
        if (row.code != errc::conflict)
            CHECK(after(row.code, Effect::unknown) ==
                  "read the key now, in an hour and in a day, and repeat the change if it is not in effect");
    CHECK(after(errc::operation_aborted, Effect::not_applied) == "nothing, if that was meant");
}

TEST_CASE("Error: words of its own take the place of the advice") {
    auto const error = Error(errc::auth_provider, "the vault is sealed").advice("unseal the vault");
    CHECK(error.message() == "the vault is sealed; nothing was changed; unseal the vault");
    CHECK(error.has_own_advice());
    auto const applied = Error(error).effect(Effect::applied);
    CHECK(applied.advice() == "unseal the vault");
    CHECK(is_one_plain_line(Error(errc::auth_provider, "x").advice("a\nb").message()));
}

TEST_CASE("Error: the message has everything that is known") {
    auto const error = Error(errc::conflict, "the name changed meanwhile")
                           .path("metadata.name")
                           .status(409)
                           .server("Conflict", "modified", "r-17")
                           .attempts(3)
                           .effect(Effect::unknown);
    CHECK(
        error.message() ==
        "metadata.name: the name changed meanwhile (HTTP 409, Conflict, modified, ref r-17), after 3 "
        "requests; whether it was applied is unknown; read the key now, in an hour and in a day, and decide "
        "anew");
    CHECK(error.code() == errc::conflict);
    CHECK(error.path() == "metadata.name");
    CHECK(error.status() == 409);
    CHECK(error.server_code() == "Conflict");
    CHECK(error.server_message() == "modified");
    CHECK(error.ref() == "r-17");
    CHECK(error.attempts() == 3);
    CHECK(contains(Error(errc::timeout).server("", "", "r-1").message(), " (ref r-1);"));
    CHECK_FALSE(contains(Error(errc::timeout).attempts(1).message(), "request"));
}

TEST_CASE("Error: starts as refused here with nothing sent and nothing changed") {
    Error const error(errc::invalid_argument, "the name is empty");
    CHECK(error.what() == "the name is empty");
    CHECK(error.effect() == Effect::not_applied);
    CHECK(error.status() == 0);
    CHECK(error.attempts() == 0);
    CHECK(error.path().empty());
    CHECK(error.server_code().empty());
    CHECK(error.server_message().empty());
    CHECK(error.ref().empty());
}

TEST_CASE("Error: setters change a variable in place and every part counts when two are compared") {
    using Change = Error& (*)(Error&);
    for (Change const change : std::vector<Change>{
             [](Error& e) -> Error& { return e.effect(Effect::unknown); },
             [](Error& e) -> Error& { return e.path("p"); },
             [](Error& e) -> Error& { return e.advice("a"); },
             [](Error& e) -> Error& { return e.status(500); },
             [](Error& e) -> Error& { return e.attempts(2); },
             [](Error& e) -> Error& { return e.server("c", "", ""); },
             [](Error& e) -> Error& { return e.server("", "m", ""); },
             [](Error& e) -> Error& { return e.server("", "", "r"); },
         }) {
        Error const original(errc::timeout);
        auto error = original;
        CHECK(error == original);
        CHECK(&change(error) == &error);
        CHECK(error != original);
    }
    CHECK(Error(errc::timeout) != Error(errc::transport, Error(errc::timeout).what()));
    CHECK(Error(errc::timeout) != Error(errc::timeout, "other"));
}

TEST_CASE("Error: whatever its makers say the message stays one line") {
    CHECK(is_one_plain_line(Error(errc::auth_provider, "the vault said:\n  sealed").message()));
    CHECK(is_one_plain_line(Error(errc::rejected).server("A\r\nB", "\x1b[2J", "r\n1").message()));
    CHECK(is_one_plain_line(Error(errc::wrong_type).path("items[0].\n").message()));
}

TEST_CASE("Exception: keeps its error when it is moved from") {
    palette::Exception thrown(Error(errc::timeout, "too late"));
    palette::Exception const moved(std::move(thrown));
    CHECK(moved.error().code() == errc::timeout);
    CHECK(thrown.error().code() == errc::timeout);
    CHECK(std::string(thrown.what()) == moved.what());
}

TEST_CASE("Effect: prints as a word") {
    CHECK(printed(Effect::not_applied) == "not_applied");
    CHECK(printed(Effect::applied) == "applied");
    CHECK(printed(Effect::unknown) == "unknown");
}

TEST_CASE("errc: belongs to its groups and to no other") {
    for (auto const& row : all) {
        std::error_code const code = row.code;
        CAPTURE(row.name);
        for (auto const group : all_groups) {
            CAPTURE(static_cast<int>(group));
            CHECK((code == group) == in_group(row, group));
            CHECK((group == code) == in_group(row, group));
        }
        CHECK(is_retryable(row.code) == in_group(row, condition::retryable));
        CHECK(is_auth(row.code) == in_group(row, condition::auth));
        CHECK(is_not_found(row.code) == in_group(row, condition::not_found));
        CHECK(is_malformed_response(row.code) == in_group(row, condition::malformed_response));
        CHECK(is_auth(Error(row.code)) == is_auth(row.code));
        CHECK(is_not_found(Error(row.code)) == is_not_found(row.code));
        CHECK(is_malformed_response(Error(row.code)) == is_malformed_response(row.code));
    }
}

TEST_CASE("errc: is an error code like any other") {
    std::error_code const code = errc::timeout;
    CHECK(code);
    CHECK(code == errc::timeout);
    CHECK(code != errc::transport);
    CHECK(code.category() == palette::get_error_category());
    CHECK(std::string(code.category().name()) == "palette");
    CHECK(code == std::errc::timed_out);
    CHECK(std::error_code(errc::invalid_argument) == std::errc::invalid_argument);
    CHECK(std::error_code(errc::operation_aborted) == std::errc::operation_canceled);
    CHECK(std::error_code(errc::out_of_memory) == std::errc::not_enough_memory);
    CHECK(std::error_code(errc::not_found) != std::errc::no_such_file_or_directory);
    CHECK(code != std::errc::operation_canceled);
    CHECK(code != std::error_code(static_cast<int>(errc::timeout), std::generic_category()));
    CHECK_THROWS_AS(throw std::system_error(code), std::system_error);
}

TEST_CASE("errc: other error codes are in none of its groups") {
    for (auto const group : all_groups) {
        CHECK(std::error_code() != group);
        CHECK(std::error_code(0, palette::get_error_category()) != group);
        for (int value = 0; value < 140; ++value) {
            CHECK(std::error_code(value, std::system_category()) != group);
            CHECK(std::error_code(value, std::generic_category()) != group);
        }
    }
    CHECK(std::error_code(errc::timeout) != std::error_condition(99, palette::get_condition_category()));
}

TEST_CASE("condition: every group has a name of its own") {
    std::set<std::string> texts;
    for (auto const group : all_groups)
        texts.insert(make_error_condition(group).message());
    CHECK(texts.size() == 4);
    CHECK_FALSE(texts.contains(""));
    CHECK(palette::get_condition_category().message(99) == "");
    CHECK(std::string(palette::get_condition_category().name()) == "palette.condition");
    CHECK(palette::get_condition_category() != palette::get_error_category());
}

TEST_CASE("Error: is retryable whenever its code is and its condition, whatever was applied") {
    for (auto const& row : all) {
        for (auto const effect : {Effect::not_applied, Effect::applied, Effect::unknown}) {
            auto const error = Error(row.code).effect(effect);
            CHECK(is_retryable(error) == is_retryable(row.code));
            CHECK(is_retryable(error) == (make_error_code(error.code()) == condition::retryable));
        }
    }
}

TEST_CASE("Error: a call is safe to be repeated if nothing was changed, or if it does the same twice") {
    using palette::Idempotency;
    for (auto const& row : all) {
        for (auto const effect : {Effect::not_applied, Effect::applied, Effect::unknown}) {
            auto const error = Error(row.code).effect(effect);
            CHECK(is_safe_to_repeat(error, Idempotency::idempotent));
            CHECK(is_safe_to_repeat(error, Idempotency::not_idempotent) == (effect == Effect::not_applied));
        }
    }
}

TEST_CASE("Exception: carries the error and copies without throwing") {
    static_assert(std::is_nothrow_copy_constructible_v<palette::Exception>);
    static_assert(std::is_nothrow_copy_assignable_v<palette::Exception>);
    static_assert(std::derived_from<palette::Exception, std::exception>);
    static_assert(!std::is_convertible_v<Error, palette::Exception>);

    auto const error = Error(errc::forbidden).status(403).attempts(2);
    palette::Exception const exception(error);
    CHECK(exception.error() == error);
    CHECK(std::string(exception.what()) == error.message());

    auto copy = exception;
    CHECK(copy.error() == error);
    CHECK(copy.what() == exception.what());
    copy = palette::Exception(Error(errc::timeout));
    CHECK(copy.error().code() == errc::timeout);
    CHECK(exception.error() == error);

    try {
        palette::detail::throw_exception(error);
    } catch (const std::exception& caught) {
        CHECK(std::string(caught.what()) == error.message());
    }
}

}  // namespace error_test
