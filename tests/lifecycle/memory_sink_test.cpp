// SPDX-License-Identifier: BSL-1.0
#include "support/awaited.hpp"

#include <palette/testing/memory_sink.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace memory_sink_test {

using namespace palette;
using namespace palette::lifecycle;
using palette::testing::MemorySink;
using When = MemorySink::When;
using How = MemorySink::How;

const auto expiry = Expiry::on(std::chrono::year{2027} / 1 / 31);

struct Fixture {
    std::shared_ptr<MemorySink> sink = std::make_shared<MemorySink>();

    Result<Receipt> stage(const std::string& rotation_id, const std::string& value) {
        Secret const secret(value);
        return awaited(sink->stage(rotation_id, "uid", expiry, secret));
    }
    Result<void> promote(const Receipt& receipt, std::optional<std::uint64_t> expected) {
        return awaited(sink->promote(receipt, expected));
    }
};

TEST_CASE_FIXTURE(Fixture, "MemorySink: keeps a current, a pending and a previous value") {
    CHECK(awaited(sink->contents()).value() == SinkContents());
    auto const one = stage("r1", "one").value();
    CHECK(one == Receipt(1, "r1", "uid", expiry));
    CHECK(stage("r1", "one").value() == one);
    REQUIRE(promote(one, std::nullopt));
    REQUIRE(promote(one, std::nullopt));
    auto const two = stage("r2", "two").value();
    CHECK(sink->pending_value() == "two");
    CHECK(promote(two, std::nullopt).error().code() == errc::conflict);
    REQUIRE(promote(two, 1));
    CHECK(sink->current_value() == "two");
    CHECK(sink->previous_value() == "one");
    auto const read = awaited(sink->read_back(one));
    CHECK(read.value().expose() == "one");
    CHECK(awaited(sink->discard(two)).error().code() == errc::conflict);
    REQUIRE(awaited(sink->discard(one)));
    CHECK(sink->previous_value() == std::nullopt);
    CHECK(awaited(sink->read_back(one)).error().code() == errc::not_found);
    CHECK(promote(Receipt(9, "r9", "", expiry), 2).error().code() == errc::not_found);
    CHECK(sink->calls().front() == "contents");
    CHECK(sink->calls().back() == "promote 9");
}

TEST_CASE_FIXTURE(Fixture, "MemorySink: a value that was there before has generation 0") {
    sink->put_current("zero");
    auto const one = stage("r1", "one").value();
    REQUIRE(promote(one, 0));
    CHECK(awaited(sink->contents()).value().previous == Receipt());
    CHECK(sink->previous_value() == "zero");
}

TEST_CASE_FIXTURE(Fixture, "MemorySink: fails the call that it is told to, before or after its effect") {
    sink->fail_call(1, When::before_effect);
    sink->fail_call(2, When::after_effect, How::by_error, errc::system);
    auto const before = stage("r1", "one");
    CHECK(before.error().code() == errc::unavailable);
    CHECK(before.error().effect() == Effect::not_applied);
    CHECK(sink->pending_value() == std::nullopt);
    auto const after = stage("r1", "one");
    CHECK(after.error().code() == errc::system);
    CHECK(after.error().effect() == Effect::unknown);
    CHECK(sink->pending_value() == "one");
    auto const one = stage("r1", "one").value();
    CHECK(one.generation == 1);

    sink->fail_call(1, When::before_effect, How::by_exception);
    sink->fail_call(2, When::after_effect, How::by_exception);
    CHECK_THROWS_AS(static_cast<void>(promote(one, std::nullopt)), std::runtime_error);
    CHECK(sink->current_value() == std::nullopt);
    CHECK_THROWS_AS(static_cast<void>(promote(one, std::nullopt)), std::runtime_error);
    CHECK(sink->current_value() == "one");
    sink->fail_call(2, When::after_effect);
    CHECK(awaited(sink->contents()));
    CHECK_FALSE(awaited(sink->contents()));
    sink->fail_call(1, When::after_effect);
    CHECK_FALSE(awaited(sink->discard(Receipt(7, "r7", "", expiry))));
}

TEST_CASE_FIXTURE(Fixture, "MemorySink: lies, refuses and cannot be read when it is told to") {
    auto const one = stage("r1", "one").value();
    sink->lie_on_read_back("other");
    auto const lie = awaited(sink->read_back(one));
    CHECK(lie.value().expose() == "other");
    CHECK(sink->pending_value() == "one");
    sink->lie_on_read_back(std::nullopt);
    auto const truth = awaited(sink->read_back(one));
    CHECK(truth.value().expose() == "one");

    sink->refuse_promote();
    CHECK(promote(one, std::nullopt).error().code() == errc::conflict);
    sink->refuse_promote(false);
    CHECK(promote(one, std::nullopt));

    CHECK(sink->capabilities().readable);
    sink->write_only();
    CHECK_FALSE(sink->capabilities().readable);
    CHECK(awaited(sink->read_back(one)).error().code() == errc::rejected);
}

}  // namespace memory_sink_test
