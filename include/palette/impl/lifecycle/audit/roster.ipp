// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/lifecycle/roster.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

// Reads the rows of a CSV text one after another, each field unquoted.
class CsvRows {
public:
    explicit CsvRows(std::string_view text) noexcept : text_(text) {}

    [[nodiscard]] bool at_end() const noexcept { return at_ == text_.size(); }
    // The line in which the last row began.
    [[nodiscard]] std::size_t line() const noexcept { return row_line_; }

    Result<std::vector<std::string>> next() {
        row_line_ = line_;
        std::vector<std::string> fields;
        for (;;) {
            auto field = next_field();
            if (!field) return std::move(field.error());
            fields.push_back(*std::move(field));
            if (at_end()) return fields;
            if (text_[at_] == ',') {
                ++at_;
                continue;
            }
            // Ends of lines of all systems, a carriage return alone included.
            if (text_[at_] == '\r') ++at_;
            if (!at_end() && text_[at_] == '\n') ++at_;
            ++line_;
            return fields;
        }
    }

private:
    // Leaves the place at what ends the field: a comma, the end of the line, or that of the text.
    Result<std::string> next_field() {
        if (at_end() || text_[at_] != '"') {
            auto const end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
            // Not in the call, whose arguments are evaluated in any order.
            auto const begin = std::exchange(at_, end);
            return std::string(text_.substr(begin, end - begin));
        }
        std::string field;
        for (++at_;;) {
            auto const quote = text_.find('"', at_);
            if (quote == std::string_view::npos) return fault("a quote does not end");
            auto const piece = text_.substr(at_, quote - at_);
            line_ += static_cast<std::size_t>(std::ranges::count(piece, '\n'));
            field += piece;
            at_ = quote + 1;
            // A quote that comes twice stands for one.
            if (at_end() || text_[at_] != '"') break;
            field += '"';
            ++at_;
        }
        if (!at_end() && std::string_view(",\r\n").find(text_[at_]) == std::string_view::npos)
            return fault("text follows a quoted field");
        return field;
    }

    [[nodiscard]] Error fault(const char* what) const {
        return Error(errc::invalid_argument, std::string("the roster is no CSV: ") + what)
            .path("line " + std::to_string(row_line_));
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::size_t row_line_ = 1;
};

// In ascending order. "Email Address [Required]" is Google's.
inline std::vector<std::size_t> columns_of_emails(const std::vector<std::string>& header) {
    std::vector<std::size_t> columns;
    for (std::size_t i = 0; i < header.size(); ++i)
        for (std::string_view const known :
             {"email", "emailId", "mail", "userPrincipalName", "email address", "email address [required]"})
            if (detail::equals_ignoring_case(detail::trimmed(header[i]), known)) columns.push_back(i);
    return columns;
}

// The addresses of a row, in small letters; each once, also if several columns have it.
inline std::vector<std::string> emails_of(const std::vector<std::string>& row,
                                          const std::vector<std::size_t>& columns) {
    std::vector<std::string> emails;
    for (auto const column : columns) {
        auto email = detail::to_lower(detail::trimmed(row[column]));
        if (!email.empty() && std::ranges::find(emails, email) == emails.end())
            emails.push_back(std::move(email));
    }
    return emails;
}

inline Error no_roster(std::string what, std::size_t line) {
    return Error(errc::invalid_argument, std::move(what)).path("line " + std::to_string(line));
}

// UTF-16 has a zero in each second byte of such a text, and is told from Latin-1 by that.
inline std::optional<Error> fault_of_encoding(std::string_view csv) {
    auto const valid = detail::valid_utf8_prefix(csv);
    auto const zero = csv.find('\0');
    if (valid == csv.size() && zero == std::string_view::npos) return std::nullopt;
    auto const line = 1 + std::ranges::count(csv.substr(0, std::min(valid, zero)), '\n');
    return no_roster("the roster is not UTF-8", static_cast<std::size_t>(line))
        .advice("export it as UTF-8; other encodings, such as Latin-1 and UTF-16, would change addresses");
}

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE Result<Roster> Roster::parse(std::string_view csv) {
    namespace inner = impl::lifecycle;
    if (auto fault = inner::fault_of_encoding(csv)) return *std::move(fault);
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    // Spreadsheets write it. It would be a part of the first column's name.
    if (csv.starts_with(byte_order_mark)) csv.remove_prefix(byte_order_mark.size());

    inner::CsvRows rows(csv);
    auto const header = rows.next();
    if (!header) return header.error();
    auto const columns = inner::columns_of_emails(*header);
    if (columns.empty())
        return inner::no_roster("the roster has no column for addresses", 1)
            .advice(
                "name the column email, email address, emailId, mail or userPrincipalName in the first line");

    Roster roster;
    while (!rows.at_end()) {
        auto const row = rows.next();
        if (!row) return row.error();
        bool const is_blank = row->size() == 1 && palette::detail::trimmed(row->front()).empty();
        // A row that was cut leaves out an address, and the keys of that user would be reported as orphaned.
        if (!is_blank && row->size() <= columns.back())
            return inner::no_roster("the row has too few fields for an address", rows.line());
        auto emails = is_blank ? std::vector<std::string>() : inner::emails_of(*row, columns);
        if (emails.empty()) ++roster.skipped_;
        std::ranges::move(emails, std::back_inserter(roster.emails_));
    }
    // Sorted once, and searched for each key.
    std::ranges::sort(roster.emails_);
    auto const [repeated, end] = std::ranges::unique(roster.emails_);
    roster.duplicates_ = static_cast<std::size_t>(end - repeated);
    roster.emails_.erase(repeated, end);
    if (roster.empty())
        return inner::no_roster("the roster has no address", rows.line())
            .advice("an empty roster would make an orphan of every key: check the export");
    return roster;
}

PALETTE_KEYS_INLINE bool Roster::contains(std::string_view email) const {
    return std::ranges::binary_search(emails_, palette::detail::to_lower(palette::detail::trimmed(email)));
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
