// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/instant.hpp>
#include <palette/result.hpp>
#include <palette/user.hpp>

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

// Keys that a create may have made and whose values nobody has: what an answer that was lost leaves behind.
// It says how such keys are known, and nothing in it is secret. Keep it until they have been cleaned up:
//
//     auto created = co_await client.async_create(NewApiKey("ci"));
//     if (!created && created.error().pending())
//         append_line("pending", created.error().pending()->to_text());
//     ...
//     auto pending = PendingCreate::parse(line).value();
//     auto cleaned = co_await client.async_reconcile(pending);  // now, an hour later and a day later
//
// A create marks each key that it asks for with its nonce and the number of the attempt, in the annotation
// "palette-keys-create". Only the marks of attempts without a value are in here, so the key whose value
// was delivered cannot be taken for one of them.
//
// Errors: parse() and of_nonce() give errc::invalid_argument with the path of the field. A value; not
// synchronised.
class PALETTE_KEYS_DECL PendingCreate {
public:
    // 128 random bits in 32 hexadecimal digits, for CallOptions::nonce(): with a nonce that was written down
    // before, what a killed program may have made can still be found. One for each create: the keys of one
    // are what reconciling the other would delete. Throws Exception if the system has no randomness to give.
    [[nodiscard]] static std::string make_nonce();

    /// Makes the record of a create that is about to be sent with this nonce: every key that such a create
    /// makes, for `owner_uid`, or for `by` if that is empty. `by` is the user who creates, from
    /// async_whoami(). Write to_text() down before the create; README.md, "A create that survives kill -9",
    /// has the recipe.
    ///
    /// Only for a create whose value was not kept: reconciling deletes its keys, whether their value was
    /// delivered or not.
    ///
    /// Errors: errc::invalid_argument for a nonce that make_nonce() does not make, for a name or a uid that
    /// cannot be, and for a `by` without a user or without a tenant.
    static Result<PendingCreate> of_nonce(std::string nonce, std::string name, Identity by,
                                          std::string owner_uid = {});

    // For those who make errors: the library, and stand-ins for it in tests. `attempts`: at least one,
    // ascending from 1 on. Preconditions: what parse() checks. Throws Exception (errc::invalid_argument)
    // without an attempt.
    PendingCreate(std::string nonce, std::string name, std::string owner_uid, Identity by, Instant started_at,
                  std::vector<int> attempts);

    [[nodiscard]] const std::string& nonce() const& noexcept { return nonce_; }
    [[nodiscard]] std::string nonce() const&& { return nonce_; }
    [[nodiscard]] const std::string& name() const& noexcept { return name_; }  // that was asked for
    [[nodiscard]] std::string name() const&& { return name_; }

    // Whose the keys are; empty: the caller's own.
    [[nodiscard]] const std::string& owner_uid() const& noexcept { return owner_uid_; }
    [[nodiscard]] std::string owner_uid() const&& { return owner_uid_; }
    // Who asked for them, and so who can clean up. async_reconcile() refuses everybody else.
    [[nodiscard]] const std::string& user_uid() const& noexcept { return user_uid_; }
    [[nodiscard]] std::string user_uid() const&& { return user_uid_; }
    [[nodiscard]] const std::string& tenant_uid() const& noexcept { return tenant_uid_; }
    [[nodiscard]] std::string tenant_uid() const&& { return tenant_uid_; }

    // By this machine's clock; the epoch if it is not known.
    [[nodiscard]] Instant started_at() const noexcept { return started_at_; }

    // The attempts that may have made a key, by number; empty: any, see covers_all_attempts().
    [[nodiscard]] const std::vector<int>& attempts() const& noexcept { return attempts_; }
    [[nodiscard]] std::vector<int> attempts() const&& { return attempts_; }
    [[nodiscard]] bool covers_all_attempts() const noexcept { return attempts_.empty(); }

    // Whether a key with this annotation is one of them.
    [[nodiscard]] bool matches(std::string_view mark) const noexcept;

    // One line of JSON without the line's end, and back. Nothing but what to_text() writes is taken, beside
    // spaces and another order of the fields.
    [[nodiscard]] std::string to_text() const;
    static Result<PendingCreate> parse(std::string_view text);

    friend bool operator==(const PendingCreate&, const PendingCreate&) = default;

private:
    PendingCreate() = default;

    std::string nonce_;
    std::string name_;
    std::string owner_uid_;
    std::string user_uid_;
    std::string tenant_uid_;
    Instant started_at_{};
    std::vector<int> attempts_;
};

// What became of the keys that were pending and were found, by their uids.
class Reconciliation {
public:
    Reconciliation() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    explicit Reconciliation(std::vector<std::string> removed, std::vector<std::string> not_removed = {})
        : removed_(std::move(removed)),
          not_removed_(std::move(not_removed)) {}

    [[nodiscard]] const std::vector<std::string>& removed() const& noexcept { return removed_; }
    [[nodiscard]] std::vector<std::string> removed() const&& { return removed_; }
    // The service refused to delete them.
    [[nodiscard]] const std::vector<std::string>& not_removed() const& noexcept { return not_removed_; }
    [[nodiscard]] std::vector<std::string> not_removed() const&& { return not_removed_; }

    friend bool operator==(const Reconciliation&, const Reconciliation&) = default;

private:
    std::vector<std::string> removed_;
    std::vector<std::string> not_removed_;
};

// One line each, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const PendingCreate& pending);
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Reconciliation& done);

}  // namespace palette::inline PALETTE_KEYS_ABI

// Without to_text() and parse(), which need Boost.JSON: a program that only holds errors does not pay for it.
#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/pending_create.ipp>
#endif
