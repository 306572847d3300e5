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

class NewApiKey;

/// Records which keys a create may have made whose values nobody has: the remains of a lost response. The
/// record contains no secret. Keep it until the keys have been cleaned up:
///
///     auto created = co_await client.async_create(NewApiKey("ci"));
///     if (!created && created.error().pending())
///         append_line("pending", created.error().pending()->to_text());
///
///     // Later, perhaps in another process:
///     auto pending = PendingCreate::parse(line).value();
///     auto cleaned = co_await client.async_reconcile(pending);  // now, an hour later and a day later
///
/// A create marks each key that it requests with its nonce and the number of the attempt, in the annotation
/// "palette-keys-create". The record of an error or of CreatedApiKey::pending() contains only the marks of
/// attempts without a value, so that a key whose value was delivered cannot be taken for one of them. A
/// record of of_nonce() is different: it covers the delivered key too.
///
/// Threads: a value, not synchronised.
class PALETTE_KEYS_DECL PendingCreate {
public:
    /// Returns a nonce for CreateOptions::nonce(): 128 random bits in 32 hexadecimal digits. With a nonce
    /// that was written down before the create, the keys of a killed program can still be found.
    ///
    /// Use each nonce for one create: reconciling deletes all keys that bear it. Throws Exception
    /// (errc::system) if the system provides no randomness.
    [[nodiscard]] static std::string make_nonce();

    /// Returns the record of the create of `key` that is about to be sent with this nonce. The record covers
    /// every key that such a create makes. `by` is the user who creates, from async_whoami(). The name and
    /// the owner are those of `key`: the user of NewApiKey::for_user(), or `by` without it. Write to_text()
    /// down before the create; docs/retries.md, "A create that survives kill -9", has the recipe.
    ///
    ///     auto me = (co_await client.async_whoami()).value();
    ///     NewApiKey key = NewApiKey("ci").for_user(uid);
    ///     auto nonce = PendingCreate::make_nonce();
    ///     keep(PendingCreate::of_nonce(nonce, key, me).value().to_text());
    ///     auto created = co_await client.async_create(key, CreateOptions().nonce(nonce));
    ///
    /// Precondition: when the record is reconciled, the value of the create was not kept, and the create is
    /// no longer under way, in this process or another. The record covers the delivered key too:
    /// async_reconcile() deletes it.
    ///
    /// Errors: errc::invalid_argument, with the field in Error::path(), for a nonce that make_nonce() does
    /// not make, for a name or a uid that cannot be one, for a key whose owner was set to an empty uid, and
    /// for a `by` without a user or without a tenant.
    static Result<PendingCreate> of_nonce(std::string nonce, const NewApiKey& key, Identity by);

    /// Same, from the name of the key and the uid of its owner. Prefer the overload for a NewApiKey: if the
    /// create names another owner than `owner_uid` (default: `by`), async_reconcile() does not delete its
    /// key, and fails with errc::conflict.
    static Result<PendingCreate> of_nonce(std::string nonce, std::string name, Identity by,
                                          std::string owner_uid = {});

    /// Constructs a record, for the library and for stand-ins in tests. `attempts` are the numbers of the
    /// attempts that may have made a key, at least one, ascending from 1 on. Preconditions: those that
    /// parse() checks. Throws Exception (errc::invalid_argument) without an attempt.
    PendingCreate(std::string nonce, std::string name, std::string owner_uid, Identity by, Instant started_at,
                  std::vector<int> attempts);

    /// Returns the nonce of the create.
    [[nodiscard]] const std::string& nonce() const& noexcept { return nonce_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string nonce() const&& { return nonce_; }
    /// Returns the name that was requested.
    [[nodiscard]] const std::string& name() const& noexcept { return name_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string name() const&& { return name_; }

    /// Returns the uid of the owner of the keys; empty if that is the user who created.
    [[nodiscard]] const std::string& owner_uid() const& noexcept { return owner_uid_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string owner_uid() const&& { return owner_uid_; }
    /// Returns the uid of the user who requested the keys. async_reconcile() accepts only a credential of
    /// this user, of tenant_uid().
    [[nodiscard]] const std::string& user_uid() const& noexcept { return user_uid_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string user_uid() const&& { return user_uid_; }
    /// Returns the uid of the tenant of that user.
    [[nodiscard]] const std::string& tenant_uid() const& noexcept { return tenant_uid_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string tenant_uid() const&& { return tenant_uid_; }

    /// Returns when the create was started, by this machine's clock; the epoch if that is not known, as in
    /// a record of of_nonce().
    [[nodiscard]] Instant started_at() const noexcept { return started_at_; }

    /// Returns the numbers of the attempts that may have made a key; empty if covers_all_attempts().
    [[nodiscard]] const std::vector<int>& attempts() const& noexcept { return attempts_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::vector<int> attempts() const&& { return attempts_; }
    /// Returns whether the record covers every attempt of the create, as records of of_nonce() do.
    [[nodiscard]] bool covers_all_attempts() const noexcept { return attempts_.empty(); }

    /// Returns whether a key with this mark, the value of its annotation, is covered by the record.
    [[nodiscard]] bool matches(std::string_view mark) const noexcept;

    /// Returns the record as one line of JSON, without a line end.
    [[nodiscard]] std::string to_text() const;
    /// Parses the text that to_text() returns. Spaces and another order of the fields are accepted, and
    /// nothing else.
    ///
    /// Errors: errc::invalid_argument, with the field in Error::path().
    static Result<PendingCreate> parse(std::string_view text);

    /// Compares all members.
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

/// Lists the pending keys that a reconciliation has found, by their uids.
class Reconciliation {
public:
    /// Constructs an empty list.
    Reconciliation() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    /// Constructs a list of keys that were deleted, and of keys that the service refused to delete.
    explicit Reconciliation(std::vector<std::string> removed, std::vector<std::string> not_removed = {})
        : removed_(std::move(removed)),
          not_removed_(std::move(not_removed)) {}

    /// Returns the uids of the keys that were deleted.
    [[nodiscard]] const std::vector<std::string>& removed() const& noexcept { return removed_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::vector<std::string> removed() const&& { return removed_; }
    /// Returns the uids of the keys that the service refused to delete.
    [[nodiscard]] const std::vector<std::string>& not_removed() const& noexcept { return not_removed_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::vector<std::string> not_removed() const&& { return not_removed_; }

    /// Compares all members.
    friend bool operator==(const Reconciliation&, const Reconciliation&) = default;

private:
    std::vector<std::string> removed_;
    std::vector<std::string> not_removed_;
};

/// Writes the object on one line, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const PendingCreate& pending);
/// Same.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Reconciliation& done);

}  // namespace palette::inline PALETTE_KEYS_ABI

// Without to_text() and parse(), which need Boost.JSON: a program that only holds errors does not pay for it.
#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/pending_create.ipp>
#endif
