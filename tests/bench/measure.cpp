// SPDX-License-Identifier: BSL-1.0
#include "bench/measure.hpp"

#include <sched.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <vector>

namespace bench {
namespace {

double seconds_of(clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double median(std::vector<double> values) {
    auto const middle = values.begin() + std::ssize(values) / 2;
    std::ranges::nth_element(values, middle);
    return *middle;
}

}  // namespace

void require(bool good, const std::string& why) {
    if (good) return;
    std::fprintf(stderr, "bench: %s\n", why.c_str());
    std::exit(2);
}

double wall_seconds() {
    return seconds_of(CLOCK_MONOTONIC);
}
double cpu_seconds() {
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double wall_time(const std::function<void()>& work) {
    auto const begun = wall_seconds();
    work();
    return wall_seconds() - begun;
}
double cpu_time(const std::function<void()>& work) {
    auto const begun = cpu_seconds();
    work();
    return cpu_seconds() - begun;
}

void stay_on_one_core() {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &cores);
    require(::sched_setaffinity(0, sizeof cores, &cores) == 0);
}

Compared compare(int rounds, const std::function<double()>& ours, const std::function<double()>& theirs) {
    std::vector<double> our_costs, their_costs, ratios;
    for (int round = -2; round < rounds; ++round) {  // the first two warm up
        bool const ours_first = round % 2 == 0;
        auto const first = ours_first ? ours() : theirs();
        auto const second = ours_first ? theirs() : ours();
        if (round < 0) continue;
        our_costs.push_back(ours_first ? first : second);
        their_costs.push_back(ours_first ? second : first);
        ratios.push_back(our_costs.back() / their_costs.back());
    }
    return {median(our_costs), median(their_costs), median(ratios)};
}

Table::Table(const char* title) {
    std::printf("\n%-58s %-13s %-13s %7s  %s\n", title, "ours", "theirs", "ratio", "to reach");
}

void Table::at_most(double reach, const std::string& what, Unit unit, const Compared& compared) {
    print(what, unit, compared);
    judge("<=", reach, compared.ratio <= reach);
}

void Table::at_least(double reach, const std::string& what, Unit unit, const Compared& compared) {
    print(what, unit, compared);
    judge(">=", reach, compared.ratio >= reach);
}

void Table::at_most(double reach, const std::string& what, double number) {
    std::printf("  %-56s %9.2f %-3s %9s %-3s %7s", what.c_str(), number, "", "", "", "");
    judge("<=", reach, number <= reach);
}

void Table::show(const std::string& what, Unit unit, const Compared& compared) {
    print(what, unit, compared);
    std::puts("");
}

void Table::print(const std::string& what, Unit unit, const Compared& compared) {
    std::printf("  %-56s %9.2f %-3s %9.2f %-3s %7.3f", what.c_str(), compared.ours / unit.size, unit.name,
                compared.theirs / unit.size, unit.name, compared.ratio);
}

void Table::judge(const char* sign, double reach, bool reached) {
    std::printf("  %s %.2f%s\n", sign, reach, reached ? "" : "  MISSED");
    std::fflush(stdout);
    all_reached_ = all_reached_ && reached;
}

}  // namespace bench
