// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>
#include <palette/result.hpp>

#include <chrono>
#include <compare>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

// When a key stops working: an instant, in milliseconds and UTC, or never. A value of eight bytes.
//
//     using namespace std::chrono_literals;
//     auto e = palette::Expiry::in(std::chrono::days{30});     // from now, by this machine's clock
//     auto e = palette::Expiry::on(2027y / 1 / 31);            // to the end of that day, UTC
//     auto e = palette::Expiry::parse("2027-01-31T12:00:00Z"); // a Result
//
// It holds what RFC 3339 can write, from the year 2 to 9999-12-31T23:59:59.999Z; what lies outside is
// held at the nearer end. try_in() reports that instead. Ordered by time, never last; hashable;
// prints as RFC 3339, or "never". Finer than a millisecond is rounded down, so no key lives longer
// than was asked for.
class PALETTE_KEYS_DECL Expiry {
public:
    // Never.
    constexpr Expiry() noexcept = default;

    [[nodiscard]] static constexpr Expiry never() noexcept { return {}; }

    template <class Duration>
    [[nodiscard]] static constexpr Expiry at(std::chrono::sys_time<Duration> t) noexcept {
        return Expiry(detail::clamp(detail::to_instant(t)));
    }

    // The last millisecond of that day, UTC. A day that the calendar does not have is the nearest
    // one before it: 31 April is 30 April.
    [[nodiscard]] static constexpr Expiry on(std::chrono::year_month_day day) noexcept;

    // `duration` from `now`, which is this machine's time unless given: if its clock may be wrong, prefer
    // NewApiKey::lives_for() and async_renew(uid, duration), which count by the service's. A duration that is
    // not a number (a floating-point NaN) counts as none.
    template <class Rep, class Period>
    [[nodiscard]] static Expiry in(std::chrono::duration<Rep, Period> duration) noexcept {
        return in(duration, std::chrono::system_clock::now());
    }
    template <class Rep, class Period, class Duration>
    [[nodiscard]] static constexpr Expiry in(std::chrono::duration<Rep, Period> duration,
                                             std::chrono::sys_time<Duration> now) noexcept {
        return Expiry(detail::clamp(sum(duration, now)));
    }

    // As in(); errc::invalid_argument if the result would lie outside of what can be held.
    template <class Rep, class Period>
    static Result<Expiry> try_in(std::chrono::duration<Rep, Period> duration) {
        return try_in(duration, std::chrono::system_clock::now());
    }
    template <class Rep, class Period, class Duration>
    static Result<Expiry> try_in(std::chrono::duration<Rep, Period> duration,
                                 std::chrono::sys_time<Duration> now) {
        if (detail::is_nan(duration.count())) return not_a_number();
        auto const t = sum(duration, now);
        if (t != detail::clamp(t)) return out_of_range();
        return Expiry(t);
    }

    // RFC 3339 in all its forms, the service's "no time" (0001-01-01T00:00:00Z, which is never), or
    // the word "never". errc::invalid_argument, with the text, for anything else.
    static Result<Expiry> parse(std::string_view text);

    // "2026-12-20T09:30:00.000Z", or "never". parse() reads it back unchanged.
    [[nodiscard]] std::string to_string() const;

    [[nodiscard]] constexpr bool is_never() const noexcept { return t_ == never_; }

    // The instant; nothing for never.
    [[nodiscard]] constexpr std::optional<Instant> instant() const noexcept {
        return is_never() ? std::nullopt : std::optional<Instant>(t_);
    }

    // Whether it is over at `now`, this machine's time unless given: at the instant itself it is.
    template <class Duration>
    [[nodiscard]] constexpr bool passed(std::chrono::sys_time<Duration> now) const noexcept {
        return !is_never() && detail::to_instant(now) >= t_;
    }
    [[nodiscard]] bool passed() const noexcept { return passed(std::chrono::system_clock::now()); }

    // The time that is left at `now`, this machine's time unless given, rounded up: zero exactly when it has
    // passed, milliseconds::max() for never.
    template <class Duration>
    [[nodiscard]] constexpr std::chrono::milliseconds remaining(
        std::chrono::sys_time<Duration> now) const noexcept {
        if (is_never()) return std::chrono::milliseconds::max();
        return passed(now) ? std::chrono::milliseconds::zero() : t_ - detail::to_instant(now);
    }
    [[nodiscard]] std::chrono::milliseconds remaining() const noexcept {
        return remaining(std::chrono::system_clock::now());
    }

    friend constexpr auto operator<=>(const Expiry&, const Expiry&) noexcept = default;
    friend constexpr bool operator==(const Expiry&, const Expiry&) noexcept = default;

private:
    static constexpr Instant never_ = Instant::max();

    explicit constexpr Expiry(Instant t) noexcept : t_(t) {}

    template <class Rep, class Period, class Duration>
    static constexpr Instant sum(std::chrono::duration<Rep, Period> duration,
                                 std::chrono::sys_time<Duration> now) noexcept {
        return detail::to_instant(now) + detail::saturated_milliseconds(duration);
    }

    static Error not_a_number();
    static Error out_of_range();

    Instant t_ = never_;
};

constexpr Expiry Expiry::on(std::chrono::year_month_day date) noexcept {
    using namespace std::chrono;
    auto const y = date.year();
    auto const m = date.month();
    if (m < month{1}) return at(sys_days{y / 1 / 1} - milliseconds{1});
    if (m > month{12}) return at(sys_days{y / 12 / 31} + days{1} - milliseconds{1});
    auto const last = year_month_day_last{y, month_day_last{m}}.day();
    auto const d = static_cast<unsigned>(date.day() < last ? date.day() : last);
    return at(sys_days{y / m / 1} + days{d} - milliseconds{1});
}

PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Expiry& expiry);

}  // namespace palette::inline PALETTE_KEYS_ABI

template <>
struct std::hash<palette::Expiry> {
    std::size_t operator()(const palette::Expiry& e) const noexcept {
        auto const t = e.instant();
        return t ? std::hash<palette::Instant::rep>{}(t->time_since_epoch().count()) : ~std::size_t{0};
    }
};

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/expiry.ipp>
#endif
