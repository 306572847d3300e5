// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

namespace lifecycle {

/// Holds the e-mail addresses of the people that an identity provider knows, so that an audit can tell whose
/// keys belong to nobody any more.
///
///     auto roster = lifecycle::Roster::parse(text_of("people.csv")).value();
///     auto report = co_await lifecycle::async_audit(client, lifecycle::AuditPolicy().roster(roster));
class PALETTE_KEYS_DECL Roster {
public:
    /// Constructs an empty roster, which async_audit() refuses.
    Roster() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Parses a CSV file (RFC 4180): a header row, and a row for each person. Addresses are in the columns
    /// "email", "emailId", "mail", "userPrincipalName", "email address" and "email address [required]",
    /// whatever the case of their letters. If there are several of these columns, those of a row are the
    /// addresses of one person, and all of them are taken. Other columns are ignored. Rows without an address
    /// are skipped, and an address that comes in several rows counts once: see skipped() and duplicates().
    /// Lines may end in CRLF or LF, and the text may begin with a byte-order mark. A million rows are read in
    /// about a second.
    ///
    /// Errors, errc::invalid_argument, which name the line: no such column; a text that is not UTF-8, such as
    /// Latin-1 or UTF-16; a quote that does not end, or with text behind it; a row with fewer fields than the
    /// header needs for its last column of addresses; no address at all, for an empty roster would make an
    /// orphan of everybody.
    static Result<Roster> parse(std::string_view csv);

    /// Returns whether there is no address.
    [[nodiscard]] bool empty() const noexcept { return emails_.empty(); }
    /// Returns the number of different addresses.
    [[nodiscard]] std::size_t size() const noexcept { return emails_.size(); }
    /// Returns how often an address comes again in a later row. An address that comes twice in one row is not
    /// counted.
    [[nodiscard]] std::size_t duplicates() const noexcept { return duplicates_; }
    /// Returns how many rows have no address.
    [[nodiscard]] std::size_t skipped() const noexcept { return skipped_; }
    /// Returns whether the address is in the roster. Upper and lower case of ASCII letters are the same.
    [[nodiscard]] bool contains(std::string_view email) const;

private:
    std::vector<std::string> emails_;  // sorted, in lower case
    std::size_t duplicates_ = 0;
    std::size_t skipped_ = 0;
};

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/audit/roster.ipp>
#endif
