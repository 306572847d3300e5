// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/testing/crash_explorer.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::testing {

PALETTE_KEYS_INLINE std::size_t CrashReport::broken() const noexcept {
    return static_cast<std::size_t>(
        std::ranges::count_if(cells, [](const Cell& cell) { return !cell.broken.empty(); }));
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const CrashReport& report) {
    std::vector<std::string> columns;
    std::vector<std::string> rows;
    std::map<std::pair<std::string, std::string>, bool> holds;
    auto const note = [](std::vector<std::string>& all, const std::string& one) {
        if (std::ranges::find(all, one) == all.end()) all.push_back(one);
    };
    for (auto const& cell : report.cells) {
        note(columns, cell.interruption);
        note(rows, cell.effect);
        holds[{cell.effect, cell.interruption}] = cell.broken.empty();
    }
    for (std::size_t i = 0; i < columns.size(); ++i)
        out << static_cast<char>('a' + i % 26) << "  " << columns[i] << '\n';
    constexpr std::size_t width = 34;
    out << '\n' << std::string(width, ' ');
    for (std::size_t i = 0; i < columns.size(); ++i)
        out << static_cast<char>('a' + i % 26) << ' ';
    out << '\n';
    for (auto const& row : rows) {
        out << row << std::string(row.size() < width ? width - row.size() : 1, ' ');
        for (auto const& column : columns) {
            auto const found = holds.find({row, column});
            out << (found == holds.end() ? ' ' : found->second ? '+' : 'X') << ' ';
        }
        out << '\n';
    }
    out << '\n' << report.cells.size() << " cells, " << report.broken() << " broken\n";
    for (auto const& cell : report.cells)
        for (auto const& what : cell.broken)
            out << cell.effect << ", " << cell.interruption << ": " << what << '\n';
    return out;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
