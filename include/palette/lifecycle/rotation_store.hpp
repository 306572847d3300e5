// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/endpoint.hpp>
#include <palette/options.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::lifecycle {

/// Holds a record as a store has it. Contains no secret.
class StoredRecord {
public:
    /// Constructs the answer for a slot that has no record.
    StoredRecord() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    /// Constructs a record; for stores.
    StoredRecord(std::uint64_t version_, std::string text_) : version(version_), text(std::move(text_)) {}

    /// Gives the version; 0: there is no record.
    std::uint64_t version = 0;
    /// Holds the record, one line of JSON; empty if there is none.
    std::string text;

    /// Compares all members.
    friend bool operator==(const StoredRecord&, const StoredRecord&) = default;
};

/// Holds the lock of a slot, and releases it when it is destroyed.
class SlotLock {
public:
    SlotLock() = default;
    SlotLock(const SlotLock&) = delete;
    SlotLock& operator=(const SlotLock&) = delete;
    virtual ~SlotLock() = default;
};

/// Keeps the records of rotations: what is about to be done to which slot, so that a second run can finish
/// what a first one began. A record contains no secret.
///
/// A slot's name has 1 to 128 characters out of letters, digits, '.', '_' and '-', and does not begin with
/// '.'; async_rotate() checks it.
///
/// Errors: an error that is returned reaches the caller of the rotation, with its code; an exception reaches
/// the caller as errc::system, or as errc::out_of_memory.
///
/// Threads: called on the executor of the rotation.
///
/// Cancellation: through the cancellation state of the coroutine; a rotation that is cancelled does not
/// interrupt save().
class RotationStore {
public:
    RotationStore() = default;
    RotationStore(const RotationStore&) = delete;
    RotationStore& operator=(const RotationStore&) = delete;
    virtual ~RotationStore() = default;

    /// Takes the lock of the slot, without waiting for it. The lock ends when the object is destroyed, and
    /// with the process.
    ///
    /// Errors: errc::conflict if another process or rotation holds it; the message says which, and since
    /// when.
    virtual boost::asio::awaitable<Result<std::shared_ptr<SlotLock>>> lock(std::string slot) = 0;

    /// Returns the record of the slot, or version 0 if there is none.
    ///
    /// Errors: errc::bad_value for a record that is damaged, with what to do: never the answer for a slot
    /// without a record.
    virtual boost::asio::awaitable<Result<StoredRecord>> load(std::string slot) = 0;

    /// Stores the record of the slot durably, if the stored version is `expected_version`; 0 means that there
    /// must be none. Completes with the new version.
    ///
    /// Errors: errc::conflict, not applied, if another version is stored: another rotation goes on with the
    /// slot. A store that is busy or cannot be reached fails with errc::timeout or errc::unavailable.
    virtual boost::asio::awaitable<Result<std::uint64_t>> save(std::string slot, std::string text,
                                                               std::uint64_t expected_version) = 0;
};

/// Returns a store of files in a directory, for the rotations of one machine: `slot`.json and `slot`.lock,
/// mode 0600.
///
///     auto store = lifecycle::file_store("/var/lib/acme/palette");
///
/// A record is written to a temporary file, flushed and renamed, and the directory is flushed. It has a
/// schema version and a SHA-256 over its content: a torn, empty or edited file is errc::bad_value. The lock
/// is one of the open file description, which ends with its process; `slot`.lock names its holder.
///
/// Preconditions: the directory exists, belongs to this user or root, and nobody else may write to it.
///
/// Errors: errc::invalid_argument for a directory that others may write to; errc::bad_value for a newer
/// schema; errc::timeout, not applied, if another process holds the lock of a save for more than 10 s;
/// errc::system for what the operating system refuses.
///
/// Threads: may be shared by any number of rotations and processes of this machine. Blocks for the disk.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<RotationStore> file_store(std::string directory);

/// Configures etcd_store().
class EtcdOptions {
public:
    /// Constructs the default options.
    EtcdOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Logs in with a user and a password. Default: no login.
    EtcdOptions& user(std::string name, Secret password) & {
        user_ = std::move(name);
        password_ = std::make_shared<const Secret>(std::move(password));
        return *this;
    }
    /// Chooses whom to trust, and the client's certificate. Default: the system's authorities.
    EtcdOptions& tls(TlsOptions options) & {
        tls_ = std::move(options);
        return *this;
    }
    /// Bounds each request to an endpoint. Greater than zero; more than a year is a year. Default: 10 s.
    EtcdOptions& timeout(std::chrono::milliseconds time) & noexcept {
        timeout_ = time;
        return *this;
    }
    /// Bounds how long a lock outlives a process that was killed. From 5 s to a day. Default: 60 s.
    EtcdOptions& lock_ttl(std::chrono::seconds time) & noexcept {
        lock_ttl_ = time;
        return *this;
    }
    /// Same, on a temporary.
    EtcdOptions user(std::string name, Secret password) && {
        return std::move(user(std::move(name), std::move(password)));
    }
    /// Same, on a temporary.
    EtcdOptions tls(TlsOptions options) && { return std::move(tls(std::move(options))); }
    /// Same, on a temporary.
    EtcdOptions timeout(std::chrono::milliseconds time) && noexcept { return std::move(timeout(time)); }
    /// Same, on a temporary.
    EtcdOptions lock_ttl(std::chrono::seconds time) && noexcept { return std::move(lock_ttl(time)); }

    /// Returns the name of the user; empty without a login.
    [[nodiscard]] const std::string& user() const& noexcept { return user_; }
    void user() const&& = delete;
    /// Returns the password; null without a login.
    [[nodiscard]] const std::shared_ptr<const Secret>& password() const& noexcept { return password_; }
    void password() const&& = delete;
    /// Returns whom to trust.
    [[nodiscard]] const TlsOptions& tls() const& noexcept { return tls_; }
    void tls() const&& = delete;
    /// Returns the bound of each request.
    [[nodiscard]] std::chrono::milliseconds timeout() const noexcept { return timeout_; }
    /// Returns how long a lock outlives a process that was killed.
    [[nodiscard]] std::chrono::seconds lock_ttl() const noexcept { return lock_ttl_; }

private:
    std::string user_;
    std::shared_ptr<const Secret> password_;
    TlsOptions tls_;
    std::chrono::milliseconds timeout_ = std::chrono::seconds{10};
    std::chrono::seconds lock_ttl_ = std::chrono::seconds{60};
};

/// Returns a store in etcd, for fleets: the rotations of any number of machines on one slot. Speaks the JSON
/// gateway of the v3 API of etcd 3.4 or newer, over this library's own transport.
///
///     auto store = lifecycle::etcd_store({Endpoint::parse("https://etcd-1:2379").value()}, "/palette/",
///                                        lifecycle::EtcdOptions().user("rotator", Secret::take(line)));
///
/// A record is a key `prefix`slot, with a schema version and a SHA-256 over its content; its version is the
/// key's mod_revision. save() is one transaction that compares this version, and the lock if this store holds
/// it: it fails with errc::conflict once the lock has ended. A save whose answer was lost is sent again, and
/// recognised if it had been applied.
///
/// A lock is a key `prefix`slot/lock, which names its host and process. Its lease of EtcdOptions::lock_ttl()
/// is prolonged on the executor while the lock is held. Destroying the lock returns at once: the lease is
/// revoked on the executor, which has work for that until etcd has answered or EtcdOptions::timeout() is
/// over. The lease ends by itself if the executor stops before, or etcd cannot be reached.
///
/// The endpoints are tried in turn, and the first one once more: the next one after a connection that failed
/// or broke, a timeout, or a 502, 503 or 504. A login is repeated when etcd does not know its token any more.
/// A user of etcd needs the permission readwrite on the keys with `prefix`. No proxy is used.
///
/// Throws Exception (errc::invalid_argument) without an endpoint, for a time that is too short or too long,
/// and for TLS options that cannot be used.
///
/// Errors: errc::conflict for a record that another rotation has changed, and for a lock that has ended;
/// errc::bad_value for a record that is damaged; errc::transport, errc::timeout, errc::untrusted or
/// errc::unavailable if no endpoint answers, with Effect::unknown if a save may have been applied all the
/// same; errc::unauthorized or errc::forbidden if etcd refuses the user; errc::rejected for what else etcd
/// refuses.
///
/// Threads: may be shared by rotations of several executors. What belongs to one lock() runs on the strand
/// that it ran on.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<RotationStore> etcd_store(
    std::vector<Endpoint> endpoints, std::string prefix, EtcdOptions options = EtcdOptions());

}  // namespace palette::inline PALETTE_KEYS_ABI::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/stores/etcd_store.ipp>
#    include <palette/impl/lifecycle/stores/file_store.ipp>
#endif
