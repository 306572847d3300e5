// SPDX-License-Identifier: BSL-1.0
#include "integration/client/fault_table.hpp"
#include "support/fault_cell.hpp"
#include "support/scene.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <list>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

// Every fault, for every operation, on a connection that is fresh and on one that was used before. What is
// expected is written in fault_table.hpp.

namespace fault_matrix_test {

using namespace std::chrono_literals;
using namespace matrix;
using palette::testing::FaultKind;
using palette::testing::FaultRule;

constexpr std::size_t kinds = static_cast<std::size_t>(FaultKind::late_activation) + 1;
static_assert(kinds == 26, "a new kind of fault needs a line in the table");

FaultRule rule_of(const Row& row) {
    return FaultRule::parse("* / " + std::string(row.fault)).value();
}

const Exception* exception_of(const Shape& shape, const Row& row, std::span<const Exception> exceptions) {
    auto const found = std::ranges::find_if(
        exceptions, [&](auto const& e) { return e.operation == shape.name && e.fault == row.fault; });
    return found == exceptions.end() ? nullptr : &*found;
}

// What has been asked of the service and comes to be when nobody waits any more.
void wait_for_late(const Row& row, const std::list<Cell>& cells) {
    if (rule_of(row).kind() != FaultKind::apply_late) return;
    std::this_thread::sleep_for(std::chrono::milliseconds{rule_of(row).number()} + 50ms);
    auto const latest = std::chrono::steady_clock::now() + 5s;
    while (!std::ranges::all_of(cells, [](auto const& cell) { return cell.state().empty(); }) &&
           std::chrono::steady_clock::now() < latest)
        std::this_thread::sleep_for(5ms);
}

std::string fault_of(const Cell& cell, const Row& row, std::span<const Exception> exceptions) {
    auto const& shape = cell.shape();
    auto const* const exception = exception_of(shape, row, exceptions);
    // Who it belongs to is asked once for each client, and those of a used connection have asked.
    auto const asks = shape.kind == Class::create || shape.name == "key_limit";
    auto const whoami = asks && !cell.is_reused() ? 1 : 0;
    // Asking for the caller leaves a connection to the request for the limit.
    auto const is_reused = cell.is_reused() || shape.name == "key_limit";
    auto const expected = exception != nullptr ? exception->ending : ending(shape, row, is_reused);
    auto or_else = std::optional<Ending>();
    if (fate(row, shape.kind).kind == Fate::cut_short) or_else = success(5 + whoami);
    return cell.fault(expected.plus(whoami), or_else);
}

// One cell of the table in one row, and what was wrong with it.
struct Tried {
    const Shape* shape;
    bool is_reused;
    std::string wrong{};
};

// At the same time: some of them last as long as their deadline.
void run_once(const Row& row, std::vector<Tried>& tried, std::span<const Exception> exceptions,
              const palette::RetryOptions& retry) {
    std::list<Cell> cells;
    for (auto const& one : tried)
        cells.emplace_back(*one.shape, row, one.is_reused);

    support::EventLoop loop;
    for (auto& cell : cells)
        cell.prepare(loop.context, retry);
    loop.run_until([&] { return std::ranges::all_of(cells, &Cell::is_prepared); });
    for (auto& cell : cells)
        cell.start();
    loop.run_until([&] { return std::ranges::all_of(cells, &Cell::has_ended); });
    for (auto& cell : cells)
        cell.end_client();
    loop.settle();
    wait_for_late(row, cells);

    auto one = tried.begin();
    for (auto const& cell : cells) {
        (one++)->wrong = fault_of(cell, row, exceptions);
        if (auto const claim = cell.false_claim(); !claim.empty()) FAIL_CHECK(claim);
    }
    std::erase_if(tried, [](auto const& t) { return t.wrong.empty(); });
}

// A busy machine breaks into the half second that a cell has: one that ends in another way than expected is
// tried again with less beside it, at last by itself, and fails if it does so each time. A false claim fails
// at once.
void run_cells(const Row& row, std::span<const Shape> operations, std::span<const Exception> exceptions,
               const palette::RetryOptions& retry, std::size_t& count) {
    std::vector<Tried> left;
    for (auto const& shape : operations)
        for (bool const is_reused : {false, true})
            left.push_back({&shape, is_reused});
    count += left.size();
    for (std::size_t const at_once : {left.size(), std::size_t{4}, std::size_t{1}, std::size_t{1}}) {
        if (!left.empty() && !left.front().wrong.empty())
            MESSAGE(left.size(), " cells once more, of which the first: ", left.front().wrong);
        for (auto rest = std::exchange(left, {}); !rest.empty();) {
            auto const end = rest.end() - static_cast<std::ptrdiff_t>(std::min(at_once, rest.size()));
            std::vector<Tried> some(end, rest.end());
            rest.erase(end, rest.end());
            run_once(row, some, exceptions, retry);
            left.insert(left.end(), some.begin(), some.end());
        }
    }
    for (auto const& one : left)
        FAIL_CHECK(one.wrong);
}

std::size_t run_table(std::span<const Row> rows, std::span<const Exception> exceptions,
                      const palette::RetryOptions& retry) {
    // As many as two cores do without being late.
    constexpr std::size_t at_once = sanitized ? 3 : std::size(shapes) / 2;
    static_assert(std::size(shapes) % at_once == 0);
    std::size_t cells = 0;
    for (auto const& row : rows)
        for (std::size_t i = 0; i < std::size(shapes); i += at_once)
            run_cells(row, std::span(shapes).subspan(i, at_once), exceptions, retry, cells);
    CHECK(cells == rows.size() * std::size(shapes) * 2);
    for (auto const& exception : exceptions) {
        CAPTURE(exception.fault);
        CHECK(std::ranges::count(rows, exception.fault, &Row::fault) == 1);
        CHECK(std::ranges::count(shapes, exception.operation, &Shape::name) == 1);
    }
    return cells;
}

palette::RetryOptions quick() {
    palette::RetryOptions retry;
    retry.initial_backoff = 1ms;
    retry.settle_time = 150ms;
    return retry;
}

TEST_CASE("matrix: every fault, met once, ends every operation as the table says") {
    std::set<FaultKind> met;
    for (auto const& row : once)
        met.insert(rule_of(row).kind());
    CHECK(met.size() == kinds);
    auto const begun = std::chrono::steady_clock::now();
    auto const cells = run_table(once, once_exceptions, quick());
    auto const time = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun);
    MESSAGE(cells << " cells: " << std::size(once) << " faults of " << met.size() << " kinds, "
                  << std::size(shapes) << " operations, fresh and reused connections; " << time.count()
                  << " s");
}

TEST_CASE("matrix: a fault that lasts is given up after the attempts that are allowed") {
    auto retry = quick();
    retry.max_attempts = 3;
    retry.max_backoff = 2ms;
    auto const cells = run_table(lasting, {}, retry);
    MESSAGE(cells << " cells: " << std::size(lasting) << " faults, " << std::size(shapes)
                  << " operations, fresh and reused connections");
}

}  // namespace fault_matrix_test
