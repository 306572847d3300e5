// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/http_date.hpp>
#include <palette/transport.hpp>

#include <chrono>
#include <optional>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// The service's time when it gave this answer, to the second. Nothing if the answer has no `Date`, or one
// that no service can mean: before 2020, or after 2199.
inline std::optional<Instant> date_of(const HttpResponse& response) noexcept {
    using namespace std::chrono_literals;
    constexpr Instant first = std::chrono::sys_days{2020y / 1 / 1};
    constexpr Instant end = std::chrono::sys_days{2200y / 1 / 1};
    auto const date = detail::parse_http_date(response.header("Date"));
    return date && *date >= first && *date < end ? date : std::nullopt;
}

// What the service's clock shows now: what it showed when it answered, and the time that has passed since. It
// is asked and told of this machine's two clocks, and reads none itself.
class ServiceTime {
public:
    using Steady = std::chrono::nanoseconds;

    // `date`: of an answer. Without one, the service is taken to have this machine's time, `local`.
    void heard(std::optional<Instant> date, Instant local, Steady steady) noexcept {
        heard_ = Heard{date.value_or(local), local, steady};
    }

    // False: it has to be heard anew. The steady clock stands still while the machine sleeps, and runs a
    // little too fast or too slow: a wall clock that has gone differently, or an hour, make it doubtful.
    [[nodiscard]] bool is_fresh(Instant local, Steady steady) const noexcept {
        using namespace std::chrono_literals;
        if (!heard_ || steady < heard_->steady || steady - heard_->steady > 1h) return false;
        auto const difference = (local - heard_->local) - passed(steady);
        return difference > -1min && difference < 1min;
    }

    // Precondition: it is fresh.
    [[nodiscard]] Instant now(Steady steady) const noexcept { return heard_->date + passed(steady); }

private:
    struct Heard {
        Instant date;
        Instant local;
        Steady steady;
    };

    [[nodiscard]] std::chrono::milliseconds passed(Steady steady) const noexcept {
        return std::chrono::floor<std::chrono::milliseconds>(steady - heard_->steady);
    }

    std::optional<Heard> heard_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
