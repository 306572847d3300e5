// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/expiry.hpp>
#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::lifecycle {

/// Identifies a value that a sink holds: which rotation stored it, for which key. Contains no secret.
class Receipt {
public:
    /// Constructs a receipt that identifies nothing.
    Receipt() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    /// Constructs a receipt; for sinks.
    Receipt(std::uint64_t generation_, std::string rotation_id_, std::string key_uid_, Expiry expiry_)
        : generation(generation_),
          rotation_id(std::move(rotation_id_)),
          key_uid(std::move(key_uid_)),
          expiry(expiry_) {}

    /// Numbers the values of a sink, from 1 on, in the order in which they were staged. 0: a value that was
    /// there before the sink was first used.
    std::uint64_t generation = 0;
    /// Names the rotation that staged the value; empty for generation 0.
    std::string rotation_id;
    /// Identifies the key on the service; empty if it is not known.
    std::string key_uid;
    /// Gives the expiry of the key; never for generation 0, of which it is not known.
    Expiry expiry;

    /// Compares all members.
    friend bool operator==(const Receipt&, const Receipt&) = default;
};

/// Lists what a sink holds. Contains no secret.
class SinkContents {
public:
    /// Constructs the contents of an empty sink.
    SinkContents() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Identifies the value that consumers read; nothing if there is none.
    std::optional<Receipt> current;
    /// Identifies the value that is staged and not yet promoted; nothing if there is none.
    std::optional<Receipt> pending;
    /// Identifies the value that `current` has replaced; nothing if there is none.
    std::optional<Receipt> previous;

    /// Compares all members.
    friend bool operator==(const SinkContents&, const SinkContents&) = default;
};

/// Tells what a sink can do.
class SinkCapabilities {
public:
    /// Constructs the capabilities of a sink that can do everything.
    SinkCapabilities() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Tells whether a value that was stored survives a crash of the machine.
    bool durable = true;
    /// Tells whether read_back() works. A rotation to a sink that cannot be read needs
    /// RotateOptions::unproven_ok().
    bool readable = true;
    /// Tells whether promote() compares and sets in one step.
    bool compare_and_set = true;
};

/// Keeps the values of keys: a file, a secret manager, a cluster. A place of your own, where those of this
/// library do not fit.
///
/// A sink holds up to three values: the current one, which consumers read; the pending one, which was staged
/// and not yet promoted; and the previous one, which the current one has replaced.
///
///     class InMyVault : public palette::lifecycle::SecretSink {
///         boost::asio::awaitable<Result<lifecycle::Receipt>> stage(
///             std::string rotation_id, std::string uid, Expiry expiry, const Secret& secret) override {
///             auto generation = co_await vault_.put("palette/ci.pending", secret.expose());
///             co_return lifecycle::Receipt(generation, rotation_id, uid, expiry);
///         }
///         // and read_back(), promote(), discard(), contents()
///     };
///
/// Every function may be called again after a call that failed, or after a process that was killed in it.
///
/// Errors: an error that is returned reaches the caller of the rotation, with its code; an exception reaches
/// the caller as errc::system, or as errc::out_of_memory for a lack of memory. A text never contains a value.
///
/// errc::conflict says that another value is current, and nothing else: a rotation takes that for the change
/// of somebody else, and gives its new key up. A sink that is busy or locked fails with errc::timeout, and
/// one that cannot be reached with errc::unavailable; the next call of the rotation then goes on. What the
/// system refuses, such as a full disk, is errc::system.
///
/// Threads: called on the executor of the rotation, one call at a time.
///
/// Cancellation: through the cancellation state of the coroutine. A rotation that is cancelled does not
/// interrupt stage(), promote() and discard().
class SecretSink {
public:
    SecretSink() = default;
    SecretSink(const SecretSink&) = delete;
    SecretSink& operator=(const SecretSink&) = delete;
    virtual ~SecretSink() = default;

    /// Stores a value beside the current one, as the pending one, durably. Replaces a pending value. Staging
    /// the same rotation_id again has the same effect. `secret` outlives the coroutine.
    virtual boost::asio::awaitable<Result<Receipt>> stage(std::string rotation_id, std::string key_uid,
                                                          Expiry expiry, const Secret& secret) = 0;

    /// Returns the bytes that a consumer would read of that value, be it pending, current or previous.
    ///
    /// Errors: errc::not_found if the sink does not hold the value; errc::conflict if it holds another value
    /// in its place; errc::rejected if the sink cannot be read. A rotation may delete its new key after each
    /// of these three, so that any other failure has another code.
    virtual boost::asio::awaitable<Result<Secret>> read_back(Receipt receipt) = 0;

    /// Makes the pending value the current one, and the current one the previous one, if the current value is
    /// that of the generation `expected_current`; nothing means that there must be none. Does nothing if the
    /// value is the current one already.
    ///
    /// After a call that was interrupted, contents() may show the value as the pending one besides, as long
    /// as it is current; a call that is repeated and succeeds ends that.
    ///
    /// Errors: errc::conflict, not applied, if another value is current, and for no other reason;
    /// errc::not_found if the value is not pending.
    virtual boost::asio::awaitable<Result<void>> promote(Receipt receipt,
                                                         std::optional<std::uint64_t> expected_current) = 0;

    /// Forgets a value that is pending or previous. Does nothing if the sink does not hold it.
    /// Errors: errc::conflict, not applied, for the current value.
    virtual boost::asio::awaitable<Result<void>> discard(Receipt receipt) = 0;

    /// Returns what the sink holds.
    virtual boost::asio::awaitable<Result<SinkContents>> contents() = 0;

    /// Returns what the sink can do.
    [[nodiscard]] virtual SinkCapabilities capabilities() const noexcept { return {}; }
};

/// Returns a sink of files. Consumers read the value at `path`, which is complete and current at every
/// moment.
///
///     auto sink = lifecycle::file_sink("/etc/acme/palette.key");
///
/// Beside it lie `path`.pending and `path`.previous with those values, `path`.json, which says which rotation
/// stored which, and `path`.lock. All have mode 0600. A change writes a temporary file, whose name ends in
/// ".tmp", flushes it, renames it, and flushes the directory, under a lock of the open file description,
/// which ends with its process. A process that is killed may leave a temporary file, which the next change
/// removes.
///
/// A file that lies at `path` before, or that somebody else has put there, is the current value of generation
/// 0. A value has at most 64 KiB.
///
/// Preconditions: the directory exists, belongs to this user or root, and nobody else may write to it.
///
/// Errors: errc::invalid_argument for a directory that others may write to, before anything is changed, and
/// for a damaged `path`.json, with what to do; errc::timeout, not applied, from each function if another
/// process holds the lock for more than 10 s; errc::system for what the operating system refuses.
///
/// Threads: may be shared by any number of rotations and processes of this machine. Blocks for the disk.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<SecretSink> file_sink(std::string path);

/// Configures command_sink().
///
///     auto at_vault = lifecycle::CommandOptions().environment("VAULT_ADDR", "https://vault:8200");
class CommandOptions {
public:
    /// Constructs the default options.
    CommandOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Bounds each run of the program: it is killed, with its process group, after this time. Greater than
    /// zero; more than a year is a year. Default: 60 s.
    CommandOptions& timeout(std::chrono::milliseconds time) & noexcept {
        timeout_ = time;
        return *this;
    }
    /// Adds a variable to the environment of the program, which otherwise has PATH, HOME, LANG and the
    /// variables of the sink.
    CommandOptions& environment(std::string name, std::string value) & {
        environment_.emplace_back(std::move(name), std::move(value));
        return *this;
    }
    /// Tells that the program has no verb `read`. Default: it has.
    CommandOptions& write_only(bool on = true) & noexcept {
        write_only_ = on;
        return *this;
    }
    /// Same, on a temporary.
    CommandOptions timeout(std::chrono::milliseconds time) && noexcept { return std::move(timeout(time)); }
    /// Same, on a temporary.
    CommandOptions environment(std::string name, std::string value) && {
        return std::move(environment(std::move(name), std::move(value)));
    }
    /// Same, on a temporary.
    CommandOptions write_only(bool on = true) && noexcept { return std::move(write_only(on)); }

    /// Returns the bound of each run.
    [[nodiscard]] std::chrono::milliseconds timeout() const noexcept { return timeout_; }
    /// Returns the variables, names and values, in the order in which they were added.
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& environment() const& noexcept {
        return environment_;
    }
    void environment() const&& = delete;
    /// Returns whether the program has no verb `read`.
    [[nodiscard]] bool write_only() const noexcept { return write_only_; }

private:
    std::chrono::milliseconds timeout_ = std::chrono::seconds{60};
    std::vector<std::pair<std::string, std::string>> environment_;
    bool write_only_ = false;
};

/// Returns a sink that runs a program, such as a script around `vault`, `kubectl` or `pass`. No shell is
/// involved: argv[0] is the program, which is looked up in PATH unless it contains a slash.
///
///     auto sink = lifecycle::command_sink({"/usr/local/bin/palette-vault", "secret/palette/ci"});
///
/// The folder examples/sinks has such programs for Vault, Kubernetes, systemd, pass and GitHub Actions; they
/// are installed beside the documents.
///
/// The program learns what to do from its environment:
/// - PALETTE_SINK_VERB: stage, read, promote, discard or contents.
/// - PALETTE_ROTATION_ID, PALETTE_KEY_UID, PALETTE_KEY_EXPIRY, PALETTE_GENERATION: the value that is meant.
/// - PALETTE_EXPECTED_GENERATION, for promote: the generation that must be current, or "none".
///
/// The value is on its standard input for `stage`, and is expected on its standard output for `read`;
/// it is never in an argument, nor in the environment. `stage` prints the generation, a number; `contents`
/// prints JSON: {"current": {"generation": 3, "rotation_id": "…", "key_uid": "…", "expiry": "…"}, "pending":
/// null, "previous": null}.
///
/// Status 0 means that what was asked for is done, and durable. 75 (EX_TEMPFAIL) is errc::unavailable: the
/// tool is busy, locked or cannot be reached. 3 is errc::conflict, for a promote whose expected generation is
/// not the current one, and for a discard of the current value; 4 is errc::not_found, for read and promote,
/// and for a discard it is success. Any other status, also 3 and 4 for other verbs, a signal, and the
/// time-out are errc::system. The error quotes the status and the last line of the standard error, with every
/// value redacted that the sink was given or has read, at most 2 KiB. An output that is not what the verb
/// prints is errc::bad_value, and is not quoted.
///
/// A run has no open file but its standard streams. A value has at most 64 KiB, and so has the output of a
/// program, which is killed beyond that. What is left of its process group when it ends is killed.
///
/// Throws Exception (errc::invalid_argument) for an empty argv, an argument with a NUL, a time-out that is
/// not positive, and a variable whose name is empty or has a '='.
///
/// Threads: may be shared by rotations. Blocks for no run: the executor serves others meanwhile.
///
/// Cancellation: kills the program, with its process group.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<SecretSink> command_sink(
    std::vector<std::string> argv, CommandOptions options = CommandOptions());

/// Writes the object on one line, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Receipt& receipt);
/// Same.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const SinkContents& contents);

}  // namespace palette::inline PALETTE_KEYS_ABI::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/sinks/command_sink.ipp>
#    include <palette/impl/lifecycle/sinks/file_sink.ipp>
#    include <palette/impl/lifecycle/sinks/sink_values.ipp>
#endif
