// SPDX-License-Identifier: BSL-1.0
#include <palette/impl/pipeline/renewal.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <optional>
#include <vector>

namespace renewal_test {

using namespace palette;
using namespace std::chrono_literals;
using impl::pipeline::Renewal;
using State = Renewal::State;

constexpr Instant noon = std::chrono::sys_days{std::chrono::year{2027} / 1 / 31} + 12h;

Renewal received(std::optional<Instant> ends) {
    Renewal renewal;
    renewal.received(ends, noon);
    return renewal;
}

TEST_CASE("renewal: a credential without an end is never due") {
    CHECK(received(std::nullopt).state(noon + 1000h) == State::good);
    CHECK(Renewal().state(noon) == State::good);
}

TEST_CASE(
    "renewal: is due a minute before the end, or in the last quarter of a life of less than four minutes") {
    struct Row {
        std::chrono::milliseconds life;
        std::chrono::milliseconds margin;
    };
    Row const rows[] = {{24h, 60s},     {15min, 60s},  {4min, 60s}, {3min, 45s},
                        {45s, 11250ms}, {30s, 7500ms}, {4ms, 1ms},  {3ms, 0ms}};
    for (auto const& [life, margin] : rows) {
        CAPTURE(life.count());
        auto const renewal = received(noon + life);
        CHECK(renewal.state(noon) == State::good);
        CHECK(renewal.state(noon + life - margin - 1ms) == State::good);
        if (margin > 0ms) CHECK(renewal.state(noon + life - margin) == State::due);
        if (margin > 0ms) CHECK(renewal.state(noon + life - 1ms) == State::due);
        CHECK(renewal.state(noon + life) == State::ended);
    }
}

TEST_CASE("renewal: an end that has passed when the credential is received is not believed") {
    for (auto const life : {0ms, -1ms, -3'600'000ms})
        CHECK(received(noon + life).state(noon + 1000h) == State::good);
}

TEST_CASE("renewal: what never can be a time is no trouble") {
    CHECK(received(Instant::max()).state(noon) == State::good);
    CHECK(received(Instant::min()).state(noon) == State::good);
}

TEST_CASE("renewal: failures wait for 1, 2, 4, ... 30 s, and the next credential forgets them") {
    auto renewal = received(noon + 15min);
    CHECK(renewal.may_ask(0s));
    std::chrono::nanoseconds now{};
    for (auto const wait : std::vector<std::chrono::seconds>{1s, 2s, 4s, 8s, 16s, 30s, 30s, 30s}) {
        renewal.failed(now);
        CHECK_FALSE(renewal.may_ask(now + wait - 1ns));
        CHECK(renewal.may_ask(now + wait));
        now += wait;
    }
    renewal.failed(now);
    renewal.received(noon + 30min, noon + 15min);
    CHECK(renewal.may_ask(now));
    renewal.failed(now);
    CHECK(renewal.may_ask(now + 1s));
}

}  // namespace renewal_test
