// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/instant.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::lifecycle {

/// Tells what has become of a key of a plan.
enum class BulkOutcome : std::uint8_t {
    done,         ///< It was changed, in this run or an earlier one.
    already,      ///< It was as the plan wants it, and was not touched.
    skipped,      ///< The action cannot change it, and it was not touched.
    drifted,      ///< It is not as the plan saw it, and was not touched.
    guarded,      ///< A guard speaks for it that ApplyOptions::include() does not name, or it became the
                  ///< client's own key during the run; it was not touched.
    failed,       ///< It was not changed, as the error says. The next run tries again.
    unknown,      ///< Whether it was changed is not known. The next run looks.
    not_started,  ///< The run ended before. The next run goes on.
};

/// Returns the name of the outcome, such as "done".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(BulkOutcome outcome) noexcept;
/// Writes the name of the outcome.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, BulkOutcome outcome);

/// Reports on one key of a plan.
class BulkItem {
public:
    /// Constructs a report without content.
    BulkItem() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Identifies the key.
    std::string uid;
    /// Names the key.
    std::string name;
    /// Tells what has become of the key.
    BulkOutcome outcome = BulkOutcome::not_started;
    /// Holds the error of the last attempt of this run; nothing if there was none.
    std::optional<Error> error;
    /// Says in one sentence, escaped, what was done, or why nothing was.
    std::string sentence;

    /// Tells whether the key is as the plan wants it: BulkOutcome::done or BulkOutcome::already. In a
    /// quarantine, whether it was revoked.
    [[nodiscard]] bool succeeded() const noexcept {
        return outcome == BulkOutcome::done || outcome == BulkOutcome::already;
    }

    /// Compares all members.
    friend bool operator==(const BulkItem&, const BulkItem&) = default;
};

/// Reports on all keys of a plan. Contains no secret.
class PALETTE_KEYS_DECL BulkReport {
public:
    /// Constructs a report without content.
    BulkReport() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Lists the keys, in the order of the plan.
    std::vector<BulkItem> items;
    /// Names the file of the journal; empty without one.
    std::string journal;
    /// Tells the service's time at the end of the run.
    Instant as_of{};
    /// Tells when keys in quarantine are to be deleted next: apply the plan again then. Nothing if none
    /// waits.
    std::optional<Instant> next_due;
    /// Says why the run ended before the last key; empty if it did not.
    std::string stopped;

    /// Returns how many keys have come to that outcome.
    [[nodiscard]] std::size_t count(BulkOutcome outcome) const noexcept;
    /// Tells whether nothing is left to do: no key has failed, is unknown, was not started, or waits in
    /// quarantine.
    [[nodiscard]] bool is_complete() const noexcept;

    /// Compares all members.
    friend bool operator==(const BulkReport&, const BulkReport&) = default;
};

/// Writes a summary on one line, escaped: how many keys came to which outcome.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const BulkReport& report);

}  // namespace palette::inline PALETTE_KEYS_ABI::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/plans/bulk_report.ipp>
#endif
