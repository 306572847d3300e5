// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/rfc3339.hpp>

#include <bit>
#include <cstdint>
#include <cstring>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// Reads a timestamp from left to right; the first thing that does not fit ends it for good.
class TimestampScanner {
public:
    explicit TimestampScanner(std::string_view text) noexcept : at_(text.data()), end_(at_ + text.size()) {}

    [[nodiscard]] bool finished() const noexcept { return good_ && at_ == end_; }

    int digits(int count) noexcept {
        if (end_ - at_ < count) return fail();
        int value = 0;
        for (char const* const stop = at_ + count; at_ != stop; ++at_) {
            if (!is_digit(*at_)) return fail();
            value = value * 10 + (*at_ - '0');
        }
        return value;
    }

    bool accept(char c) noexcept {
        bool const there = at_ != end_ && *at_ == c;
        at_ += there;
        return there;
    }

    void expect(char c) noexcept {
        if (!accept(c)) fail();
    }

    // One digit or more, of which the first three count.
    int milliseconds() noexcept {
        if (at_ == end_ || !is_digit(*at_)) return fail();
        int value = 0;
        // The weight is 0 from the fourth digit on: W4 allows any number of them.
        for (int weight = 100; at_ != end_ && is_digit(*at_); ++at_, weight /= 10)
            value += weight * (*at_ - '0');
        return value;
    }

    int fail() noexcept {
        good_ = false;
        return 0;
    }

private:
    static bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

    char const* at_;
    char const* end_;
    bool good_ = true;
};

// The fields of a timestamp, not yet judged.
struct TimestampFields {
    int year, month, day, hour, minute, second, millisecond;
    std::chrono::minutes offset;
};

// The functions below give their result by reference: passing std::optional on from one to the next
// costs as much as all the rest, since it is written in two parts and read as one.

inline bool to_instant(const TimestampFields& f, Instant& out) noexcept {
    using namespace std::chrono;
    year_month_day const date{year{f.year}, month{static_cast<unsigned>(f.month)},
                              day{static_cast<unsigned>(f.day)}};
    // For the days that every month has, the calendar need not be asked.
    bool const in_every_month = f.month >= 1 && f.month <= 12 && f.day >= 1 && f.day <= 28;
    if (!(in_every_month || date.ok()) || f.hour > 23 || f.minute > 59 || f.second > 60) return false;
    Instant const t = sys_days{date} + hours{f.hour} + minutes{f.minute} + seconds{f.second} +
                      milliseconds{f.millisecond} - f.offset;
    // A leap second or an offset takes the last day beyond the year 9999, which no time can be written with.
    out = t > last_instant ? last_instant : t;
    return true;
}

// Eight characters as a number whose lowest byte is the first of them.
constexpr std::uint64_t as_number(const char* text) noexcept {
    std::uint64_t number = 0;
    for (unsigned i = 0; i < 8; ++i)
        number |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
    return number;
}

inline std::uint64_t load_number(const char* text) noexcept {
    // The forms have their first character in the lowest byte, on every machine.
    if constexpr (std::endian::native != std::endian::little) return as_number(text);
    std::uint64_t number;
    std::memcpy(&number, text, sizeof number);
    return number;
}

// What eight characters of a timestamp look like: a 0 for each digit, and the marks between them.
struct EightForm {
    consteval explicit EightForm(const char (&form)[9]) : characters(as_number(form)) {
        for (unsigned i = 0; i < 8; ++i)
            // The values are differences to the form by XOR: 0 to 9 for digits, 0 for a mark. 0x76 takes 10
            // to 0x80, and 0x7F takes 1 there. No sum carries into the next byte unless a highest bit is set
            // already.
            limits |= std::uint64_t{form[i] == '0' ? 0x76u : 0x7Fu} << (8 * i);
    }
    std::uint64_t characters;
    std::uint64_t limits = 0;  // what takes a digit above 9, or a mark that differs, to a byte's highest bit
};

// The digits among eight characters.
class EightDigits {
public:
    EightDigits(const char* text, EightForm form) noexcept
        : values_(load_number(text) ^ form.characters),
          pairs_(values_ * 10 + (values_ >> 8)),
          fit_(((values_ | (values_ + form.limits)) & 0x8080'8080'8080'8080) == 0) {}

    [[nodiscard]] bool fit() const noexcept { return fit_; }
    [[nodiscard]] int one(unsigned at) const noexcept { return static_cast<int>(values_ >> (8 * at) & 0xFF); }
    [[nodiscard]] int two(unsigned at) const noexcept { return static_cast<int>(pairs_ >> (8 * at) & 0xFF); }

private:
    std::uint64_t values_;  // a byte for each character; 0 for a mark
    std::uint64_t
        pairs_;  // a byte for each character and the one behind it: ten times the first, and the second
    bool fit_;
};

// The form that the service itself writes, and we do; false for any other. A list holds four times a
// key, so it is read without a branch per character.
inline bool parse_usual(std::string_view text, Instant& out) noexcept {
    if (text.size() != rfc3339_length) return false;
    EightDigits const date(text.data(), EightForm("0000-00-"));
    EightDigits const clock(text.data() + 8, EightForm("00T00:00"));
    EightDigits const rest(text.data() + 16, EightForm(":00.000Z"));
    if (!date.fit() || !clock.fit() || !rest.fit()) return false;
    return to_instant({date.two(0) * 100 + date.two(2),
                       date.two(5),
                       clock.two(0),
                       clock.two(3),
                       clock.two(6),
                       rest.two(1),
                       rest.one(4) * 100 + rest.two(5),
                       {}},
                      out);
}

inline bool parse_any(std::string_view text, Instant& out) noexcept {
    using namespace std::chrono;
    TimestampScanner scan(text);
    TimestampFields f{};
    f.year = scan.digits(4);
    scan.expect('-');
    f.month = scan.digits(2);
    scan.expect('-');
    f.day = scan.digits(2);
    // W4: small letters are allowed.
    if (!scan.accept('t')) scan.expect('T');
    f.hour = scan.digits(2);
    scan.expect(':');
    f.minute = scan.digits(2);
    scan.expect(':');
    f.second = scan.digits(2);
    f.millisecond = scan.accept('.') ? scan.milliseconds() : 0;

    if (!scan.accept('Z') && !scan.accept('z')) {
        bool const west = scan.accept('-');
        if (!west) scan.expect('+');
        int const h = scan.digits(2);
        scan.expect(':');
        int const min = scan.digits(2);
        // -00:00, an offset that is not known, is read as UTC.
        if (h > 23 || min > 59) return false;
        f.offset = hours{h} + minutes{min};
        if (west) f.offset = -f.offset;
    }
    return scan.finished() && to_instant(f, out);
}

PALETTE_KEYS_INLINE bool read_rfc3339(std::string_view text, Instant& out) noexcept {
    return parse_usual(text, out) || parse_any(text, out);
}

PALETTE_KEYS_INLINE std::optional<Instant> parse_rfc3339(std::string_view text) noexcept {
    Instant t;
    if (!read_rfc3339(text, t)) return std::nullopt;
    return t;
}

PALETTE_KEYS_INLINE void format_rfc3339(Instant t, char (&out)[rfc3339_length]) noexcept {
    using namespace std::chrono;
    auto const midnight = floor<days>(t);
    year_month_day const date{midnight};
    auto const of_day = static_cast<unsigned>((t - midnight).count());

    auto const put = [&out](std::size_t at, unsigned value, std::size_t width) {
        for (std::size_t i = width; i-- > 0; value /= 10)
            out[at + i] = static_cast<char>('0' + value % 10);
    };
    put(0, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    put(5, static_cast<unsigned>(date.month()), 2);
    put(8, static_cast<unsigned>(date.day()), 2);
    put(11, of_day / 3'600'000, 2);
    put(14, of_day / 60'000 % 60, 2);
    put(17, of_day / 1'000 % 60, 2);
    put(20, of_day % 1'000, 3);
    out[4] = out[7] = '-';
    out[10] = 'T';
    out[13] = out[16] = ':';
    out[19] = '.';
    out[23] = 'Z';
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
