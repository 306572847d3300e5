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

/// Tells when a key stops working: an instant in milliseconds, UTC, or never. A value of eight bytes.
///
///     using namespace std::chrono_literals;
///     auto a = palette::Expiry::in(std::chrono::days{30});     // from now, by this machine's clock
///     auto b = palette::Expiry::on(2027y / 1 / 31);            // to the end of that day, UTC
///     auto c = palette::Expiry::parse("2027-01-31T12:00:00Z"); // a Result
///
/// The range is that of RFC 3339, from the year 2 to 9999-12-31T23:59:59.999Z. Instants outside of it are
/// clamped to the nearer end, which try_in() reports as an error instead. Precision below a millisecond is
/// rounded down, so that no key lives longer than was asked for.
///
/// Expiries are ordered by time, never last; they are hashable, and print as RFC 3339 or "never".
class PALETTE_KEYS_DECL Expiry {
public:
    /// Constructs an expiry that is never.
    constexpr Expiry() noexcept = default;

    /// Returns the expiry that is never.
    [[nodiscard]] static constexpr Expiry never() noexcept { return {}; }

    /// Returns the expiry at the time `t`, clamped to the range.
    template <class Duration>
    [[nodiscard]] static constexpr Expiry at(std::chrono::sys_time<Duration> t) noexcept {
        return Expiry(detail::clamp(detail::to_instant(t)));
    }

    /// Returns the last millisecond of that day, UTC. A day that the calendar does not have stands for the
    /// nearest one before it: 31 April is 30 April.
    [[nodiscard]] static constexpr Expiry on(std::chrono::year_month_day day) noexcept;

    /// Returns the expiry `duration` after now, by this machine's clock. If that clock may be wrong, prefer
    /// NewApiKey::lives_for() and async_renew(uid, duration), which count by the service's clock. A duration
    /// that is not a number (a floating-point NaN) counts as zero.
    template <class Rep, class Period>
    [[nodiscard]] static Expiry in(std::chrono::duration<Rep, Period> duration) noexcept {
        return in(duration, std::chrono::system_clock::now());
    }
    /// Same, `duration` after `now`.
    template <class Rep, class Period, class Duration>
    [[nodiscard]] static constexpr Expiry in(std::chrono::duration<Rep, Period> duration,
                                             std::chrono::sys_time<Duration> now) noexcept {
        return Expiry(detail::clamp(sum(duration, now)));
    }

    /// Returns the same as in(), or errc::invalid_argument if the result would be outside of the range or the
    /// duration is not a number.
    template <class Rep, class Period>
    static Result<Expiry> try_in(std::chrono::duration<Rep, Period> duration) {
        return try_in(duration, std::chrono::system_clock::now());
    }
    /// Same, `duration` after `now`.
    template <class Rep, class Period, class Duration>
    static Result<Expiry> try_in(std::chrono::duration<Rep, Period> duration,
                                 std::chrono::sys_time<Duration> now) {
        if (detail::is_nan(duration.count())) return not_a_number();
        auto const t = sum(duration, now);
        if (t != detail::clamp(t)) return out_of_range();
        return Expiry(t);
    }

    /// Parses a time of RFC 3339 in any of its forms, the service's "no time" (0001-01-01T00:00:00Z, which is
    /// never), or the word "never".
    ///
    /// Errors: errc::invalid_argument, which quotes the text, for anything else.
    static Result<Expiry> parse(std::string_view text);

    /// Returns the text of the expiry: "2026-12-20T09:30:00.000Z", or "never". parse() reads it back
    /// unchanged.
    [[nodiscard]] std::string to_string() const;

    /// Returns whether the expiry is never.
    [[nodiscard]] constexpr bool is_never() const noexcept { return t_ == never_; }

    /// Returns the instant; nothing for never.
    [[nodiscard]] constexpr std::optional<Instant> instant() const noexcept {
        return is_never() ? std::nullopt : std::optional<Instant>(t_);
    }

    /// Returns whether the expiry has passed at the time `now`. At the instant itself it has.
    template <class Duration>
    [[nodiscard]] constexpr bool passed(std::chrono::sys_time<Duration> now) const noexcept {
        return !is_never() && detail::to_instant(now) >= t_;
    }
    /// Same, at this machine's time.
    [[nodiscard]] bool passed() const noexcept { return passed(std::chrono::system_clock::now()); }

    /// Returns the time that remains at the time `now`, rounded up: zero exactly when the expiry has passed,
    /// milliseconds::max() for never.
    template <class Duration>
    [[nodiscard]] constexpr std::chrono::milliseconds remaining(
        std::chrono::sys_time<Duration> now) const noexcept {
        if (is_never()) return std::chrono::milliseconds::max();
        return passed(now) ? std::chrono::milliseconds::zero() : t_ - detail::to_instant(now);
    }
    /// Same, at this machine's time.
    [[nodiscard]] std::chrono::milliseconds remaining() const noexcept {
        return remaining(std::chrono::system_clock::now());
    }

    /// Orders by time; never is last.
    friend constexpr auto operator<=>(const Expiry&, const Expiry&) noexcept = default;
    /// Returns whether both are the same instant, or both never.
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

/// Writes to_string().
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Expiry& expiry);

}  // namespace palette::inline PALETTE_KEYS_ABI

/// Hashes an expiry.
template <>
struct std::hash<palette::Expiry> {
    /// Returns the hash.
    std::size_t operator()(const palette::Expiry& e) const noexcept {
        auto const t = e.instant();
        return t ? std::hash<palette::Instant::rep>{}(t->time_since_epoch().count()) : ~std::size_t{0};
    }
};

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/expiry.ipp>
#endif
