// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <string>

namespace bench {

// Ends the program, with words, when what it measures does not do its work.
void require(bool good, const std::string& why = "what is measured does not work");

// Seconds: of the day's course, and of this thread on a core.
double wall_seconds();
double cpu_seconds();

double wall_time(const std::function<void()>& work);
double cpu_time(const std::function<void()>& work);

// Keeps this thread, and those that it starts, on one core: a service on another one has to be woken, which
// takes longer than what is measured, and takes another time on every machine.
void stay_on_one_core();

// What the two cost, in seconds or bytes, and ours in parts of theirs.
struct Compared {
    double ours;
    double theirs;
    double ratio;
};

// Both take turns, each first as often as second, so that a machine that slows down slows both alike;
// the median of the rounds' ratios counts. `ours` and `theirs` give what they cost.
Compared compare(int rounds, const std::function<double()>& ours, const std::function<double()>& theirs);

struct Unit {
    const char* name;
    double size;
};
inline constexpr Unit microseconds{"us", 1e-6};
inline constexpr Unit milliseconds{"ms", 1e-3};
inline constexpr Unit kilobytes{"kB", 1e3};
inline constexpr Unit megabytes{"MB", 1e6};
inline constexpr Unit thousands_per_second{"k/s", 1e3};

// Prints a line for every figure, beside what it is to reach.
class Table {
public:
    explicit Table(const char* title);

    void at_most(double reach, const std::string& what, Unit unit, const Compared& compared);
    void at_least(double reach, const std::string& what, Unit unit, const Compared& compared);

    // A number of ours alone.
    void at_most(double reach, const std::string& what, double number);

    // For comparison only.
    void show(const std::string& what, Unit unit, const Compared& compared);

    // Of the program: 1 if a figure is not reached.
    [[nodiscard]] int status() const noexcept { return all_reached_ ? 0 : 1; }

private:
    void print(const std::string& what, Unit unit, const Compared& compared);
    void judge(const char* sign, double reach, bool reached);

    bool all_reached_ = true;
};

}  // namespace bench
