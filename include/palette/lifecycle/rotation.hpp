// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/call_options.hpp>
#include <palette/client.hpp>
#include <palette/detail/start.hpp>
#include <palette/lifecycle/rotation_store.hpp>
#include <palette/lifecycle/secret_sink.hpp>

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>

#include <chrono>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {

class BlockingApiKeyClient;

namespace lifecycle {

/// Names the place where one program's key lives: a sink for its value, and a store for the record of its
/// rotations. The same slot has the same name, sink and store in every process.
///
///     lifecycle::Slot slot("ci", lifecycle::file_sink("/etc/acme/palette.key"),
///                          lifecycle::file_store("/var/lib/acme/palette"));
class Slot {
public:
    /// Constructs a slot. async_rotate() refuses a name that is not 1 to 128 characters out of letters,
    /// digits, '.', '_' and '-', or begins with '.', and a sink or store that is null.
    Slot(std::string name, std::shared_ptr<SecretSink> sink, std::shared_ptr<RotationStore> store)
        : name_(std::move(name)),
          sink_(std::move(sink)),
          store_(std::move(store)) {}

    /// Returns the name.
    [[nodiscard]] const std::string& name() const& noexcept { return name_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string name() const&& { return name_; }
    /// Returns the sink.
    [[nodiscard]] const std::shared_ptr<SecretSink>& sink() const& noexcept { return sink_; }
    void sink() const&& = delete;
    /// Returns the store.
    [[nodiscard]] const std::shared_ptr<RotationStore>& store() const& noexcept { return store_; }
    void store() const&& = delete;

private:
    std::string name_;
    std::shared_ptr<SecretSink> sink_;
    std::shared_ptr<RotationStore> store_;
};

/// Chooses what becomes of a key that was replaced, after the overlap.
enum class Retire {
    revoke_then_delete,  ///< It is revoked, and deleted after the quarantine.
    revoke,              ///< It is revoked, and stays.
    keep,                ///< It stays as it is.
};

/// Tells a hook which key has replaced which. Contains no secret.
class Promotion {
public:
    /// Constructs the event.
    Promotion(std::string slot_, std::string old_uid_, std::string new_uid_)
        : slot(std::move(slot_)),
          old_uid(std::move(old_uid_)),
          new_uid(std::move(new_uid_)) {}

    /// Names the slot.
    std::string slot;
    /// Identifies the key that was replaced; empty if the slot was empty.
    std::string old_uid;
    /// Identifies the key that consumers of the sink now read.
    std::string new_uid;
};

/// Configures a rotation.
///
///     auto monthly = lifecycle::RotateOptions().lifetime(days{30}).overlap(1h).hook(reload_my_service);
///
/// All times count by the service's clock.
class RotateOptions {
public:
    /// Is called after a promotion; see hook().
    using Hook = std::function<boost::asio::awaitable<Result<void>>(Promotion)>;

    /// Constructs the default options.
    RotateOptions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Sets how long a new key lives. Greater than zero, and longer than the overlap. The service may give
    /// less. Default: 30 days.
    RotateOptions& lifetime(std::chrono::milliseconds time) & noexcept {
        lifetime_ = time;
        return *this;
    }
    /// Sets how long the old key goes on working after the promotion, for consumers that still hold it. Not
    /// negative. Default: 1 hour.
    RotateOptions& overlap(std::chrono::milliseconds time) & noexcept {
        overlap_ = time;
        return *this;
    }
    /// Sets how long a revoked key is kept, so that it can be re-activated, before it is deleted. Not
    /// negative. The quarantine ends early when the next rotation is due. Default: 7 days.
    RotateOptions& quarantine(std::chrono::milliseconds time) & noexcept {
        quarantine_ = time;
        return *this;
    }
    /// Chooses what becomes of the old key. Default: Retire::revoke_then_delete.
    RotateOptions& retire(Retire what) & noexcept {
        retire_ = what;
        return *this;
    }
    /// Sets when a rotation is due, as a part of the life that the service gave the current key: from 0.1 to
    /// 0.95. Default: two thirds. A key that never expires is due after that part of lifetime().
    RotateOptions& renew_at(double part) & noexcept {
        renew_at_ = part;
        return *this;
    }
    /// Begins a rotation although none is due, although an earlier one failed a moment ago, and although the
    /// current key was revoked, deleted or has expired. Without this option a rotation never begins because a
    /// key is refused: that may be somebody's answer to an incident. Does not shorten an overlap that has
    /// begun, but ends a quarantine.
    RotateOptions& force(bool on = true) & noexcept {
        force_ = on;
        return *this;
    }
    /// Calls a function after the promotion, before the overlap begins to count as served: to reload a
    /// service, for example. A function that fails, throws, or runs longer than hook_timeout() is called
    /// again by the next async_rotate(), and the old key is not revoked before it has succeeded. After a
    /// process was killed in it, it is called once more. Default: none. g++ 12 destroys a temporary function
    /// object that holds strings twice if it stands in a co_await expression: with g++ 12, name a function
    /// object that holds strings before the co_await.
    RotateOptions& hook(Hook function) & {
        hook_ = std::move(function);
        return *this;
    }
    /// Bounds the time of the hook. Greater than zero. Default: 5 minutes.
    RotateOptions& hook_timeout(std::chrono::milliseconds time) & noexcept {
        hook_timeout_ = time;
        return *this;
    }
    /// Bounds the whole call of async_rotate(), as CallOptions::deadline() bounds an operation: what is under
    /// way then ends as by a cancellation, with a report whose Rotation::problem is errc::timeout, and the
    /// next call goes on. For a Rotator, a duration bounds each of its runs. Default: none; each request has
    /// the bounds of the client, and a proof takes two minutes at most.
    RotateOptions& deadline(Deadline when) & noexcept {
        deadline_ = when;
        return *this;
    }
    /// Accepts a sink that cannot be read back: the new key is then proved with the value that was given to
    /// the sink, and not with what a consumer reads. Default: such a sink is refused.
    RotateOptions& unproven_ok(bool on = true) & noexcept {
        unproven_ok_ = on;
        return *this;
    }
    /// Sets the name of new keys. Default: the name of the old key, or that of the slot.
    RotateOptions& key_name(std::string name) & {
        key_name_ = std::move(name);
        return *this;
    }
    /// Sets the owner of the key, by uid: a slot with the key of another user is refused. Default: the owner
    /// of the old key, or the caller.
    RotateOptions& for_user(std::string uid) & {
        owner_uid_ = std::move(uid);
        return *this;
    }
    /// Tells the uid of the key that lies in the sink, where the sink does not know it: for a key that was
    /// put there by hand. Default: unknown; such a sink is refused.
    RotateOptions& current_key(std::string uid) & {
        current_uid_ = std::move(uid);
        return *this;
    }
    /// Same, on a temporary.
    RotateOptions lifetime(std::chrono::milliseconds time) && noexcept { return std::move(lifetime(time)); }
    /// Same, on a temporary.
    RotateOptions overlap(std::chrono::milliseconds time) && noexcept { return std::move(overlap(time)); }
    /// Same, on a temporary.
    RotateOptions quarantine(std::chrono::milliseconds time) && noexcept {
        return std::move(quarantine(time));
    }
    /// Same, on a temporary.
    RotateOptions retire(Retire what) && noexcept { return std::move(retire(what)); }
    /// Same, on a temporary.
    RotateOptions renew_at(double part) && noexcept { return std::move(renew_at(part)); }
    /// Same, on a temporary.
    RotateOptions force(bool on = true) && noexcept { return std::move(force(on)); }
    /// Same, on a temporary.
    RotateOptions hook(Hook function) && { return std::move(hook(std::move(function))); }
    /// Same, on a temporary.
    RotateOptions hook_timeout(std::chrono::milliseconds time) && noexcept {
        return std::move(hook_timeout(time));
    }
    /// Same, on a temporary.
    RotateOptions deadline(Deadline when) && noexcept { return std::move(deadline(when)); }
    /// Same, on a temporary.
    RotateOptions unproven_ok(bool on = true) && noexcept { return std::move(unproven_ok(on)); }
    /// Same, on a temporary.
    RotateOptions key_name(std::string name) && { return std::move(key_name(std::move(name))); }
    /// Same, on a temporary.
    RotateOptions for_user(std::string uid) && { return std::move(for_user(std::move(uid))); }
    /// Same, on a temporary.
    RotateOptions current_key(std::string uid) && { return std::move(current_key(std::move(uid))); }

    /// Returns how long a new key lives.
    [[nodiscard]] std::chrono::milliseconds lifetime() const noexcept { return lifetime_; }
    /// Returns how long the old key goes on working.
    [[nodiscard]] std::chrono::milliseconds overlap() const noexcept { return overlap_; }
    /// Returns how long a revoked key is kept.
    [[nodiscard]] std::chrono::milliseconds quarantine() const noexcept { return quarantine_; }
    /// Returns what becomes of the old key.
    [[nodiscard]] Retire retire() const noexcept { return retire_; }
    /// Returns when a rotation is due, as a part of the current key's life.
    [[nodiscard]] double renew_at() const noexcept { return renew_at_; }
    /// Returns whether a rotation begins although none is due.
    [[nodiscard]] bool force() const noexcept { return force_; }
    /// Returns the function that is called after a promotion; empty if there is none.
    [[nodiscard]] const Hook& hook() const& noexcept { return hook_; }
    void hook() const&& = delete;
    /// Returns the bound of the hook's time.
    [[nodiscard]] std::chrono::milliseconds hook_timeout() const noexcept { return hook_timeout_; }
    /// Returns the deadline of the call; nothing if there is none.
    [[nodiscard]] std::optional<Deadline> deadline() const noexcept { return deadline_; }
    /// Returns whether a sink that cannot be read is accepted.
    [[nodiscard]] bool unproven_ok() const noexcept { return unproven_ok_; }
    /// Returns the name of new keys; empty for the default.
    [[nodiscard]] const std::string& key_name() const& noexcept { return key_name_; }
    void key_name() const&& = delete;
    /// Returns the uid of the owner; empty for the default.
    [[nodiscard]] const std::string& for_user() const& noexcept { return owner_uid_; }
    void for_user() const&& = delete;
    /// Returns the uid of the key in the sink; empty if it was not given.
    [[nodiscard]] const std::string& current_key() const& noexcept { return current_uid_; }
    void current_key() const&& = delete;

private:
    std::chrono::milliseconds lifetime_ = std::chrono::days{30};
    std::chrono::milliseconds overlap_ = std::chrono::hours{1};
    std::chrono::milliseconds quarantine_ = std::chrono::days{7};
    Retire retire_ = Retire::revoke_then_delete;
    double renew_at_ = 2.0 / 3.0;
    bool force_ = false;
    Hook hook_;
    std::chrono::milliseconds hook_timeout_ = std::chrono::minutes{5};
    std::optional<Deadline> deadline_;
    bool unproven_ok_ = false;
    std::string key_name_;
    std::string owner_uid_;
    std::string current_uid_;
};

/// Names how far a rotation has come. Each state is on the disk before the next step is taken.
enum class RotationState {
    idle,        ///< No rotation is under way.
    planned,     ///< A key is about to be created, or was created and its value is lost.
    created,     ///< A key was created; its value is in memory only.
    staged,      ///< The value is in the sink, beside the current one.
    proven,      ///< The value was read back and works; it is about to be promoted.
    overlap,     ///< Consumers read the new value; the old key still works.
    revoked,     ///< The old key was revoked, and the new one is proved once more.
    quarantine,  ///< The old key is revoked, and can be re-activated.
};

/// Reports what one call of async_rotate() has done, and what is left to do. Contains no secret.
class Rotation {
public:
    /// Tells how a call of async_rotate() has ended.
    enum class Outcome {
        not_due,      ///< There is nothing to do before `next_due`. If the slot is empty until then, because
                      ///< an attempt has just failed, `problem` says so.
        in_progress,  ///< What was due is done; more is to be done at `next_due`.
        completed,    ///< A rotation came to its end in this call.
        busy,         ///< Another process or rotation works on the slot; `problem` says which.
        lost_race,  ///< Another rotation has changed the slot meanwhile, or the lock has ended. What this one
                    ///< created is deleted, unless the other one goes on with it.
        failed,     ///< A step failed, as `problem` says; the next call takes it up again.
    };

    /// Constructs a report without content.
    Rotation() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Tells how the call has ended.
    Outcome outcome = Outcome::not_due;
    /// Names how far the rotation has come.
    RotationState state = RotationState::idle;
    /// Identifies the key that is or was replaced; empty if there is none.
    std::string old_uid;
    /// Identifies the key that replaces it; empty as long as there is none.
    std::string new_uid;
    /// Tells when the new key was proved by use, by the service's clock.
    std::optional<Instant> proven_at;
    /// Tells when async_rotate() has something to do next, by the service's clock; nothing if that is not
    /// known.
    std::optional<Instant> next_due;
    /// Tells the service's time at the end of the call.
    Instant as_of{};
    /// Gives how far this machine's clock is ahead of the service's. Nothing here depends on it; more than
    /// five minutes are also said in `left`.
    std::chrono::milliseconds clock_skew{};
    /// Lists what was done, in words.
    std::vector<std::string> done;
    /// Lists what is left to do, and for whom, in words: keys that could not be deleted, a hook that failed.
    std::vector<std::string> left;
    /// Says what went wrong; nothing if all went well.
    std::optional<Error> problem;
};

}  // namespace lifecycle
namespace detail {

PALETTE_KEYS_DECL void start_rotation(ApiKeyClient& client, Handler<lifecycle::Rotation> handler,
                                      lifecycle::Slot slot, lifecycle::RotateOptions options);

}  // namespace detail
namespace lifecycle {

/// Does everything that is due now to replace the key of a slot without an outage, and completes. Call it
/// again later: from cron, a timer or a loop (Rotator). It never waits through an overlap or a quarantine.
///
/// A rotation creates a new key, stores its value in the sink, reads it back, proves it by use on two new
/// connections, promotes it, calls the hook, waits for the end of the overlap, proves it again, revokes the
/// old key, proves the new one once more, waits for the end of the quarantine, and deletes the old key. Each
/// step is in the store before it is taken, so that a process may be killed anywhere, and the next call
/// finishes or undoes what that one began. At every instant the sink holds a value that works.
///
///     auto rotation = co_await lifecycle::async_rotate(client, slot, lifecycle::RotateOptions());
///     if (!rotation) co_return log(rotation.error().message());
///     if (rotation->problem) log(rotation->problem->message());
///     for (auto const& line : rotation->left) log(line);
///
/// The first call for an empty sink provisions it. A sink that is empty although a key was promoted there is
/// refused as long as that key exists, and in the middle of a rotation, unless force() is given: whoever has
/// taken the value may use it.
///
/// `client` creates, and revokes and deletes keys of other users. Keys of its own user are revoked and
/// deleted with the new key, so that a client may rotate the key that it uses itself.
///
/// Completes with a report. A step that fails is reported there (Rotation::problem), with what is left to do;
/// failures back off exponentially, from one minute to six hours, and the old key serves until its end.
///
/// Errors, each before anything is changed:
/// - errc::invalid_argument: an option, a slot's name, a sink or a store that cannot be used.
/// - errc::bad_value: a record of the slot that is damaged, or of a newer version of this library.
/// - errc::conflict: the record is another tenant's; the current key is revoked or gone, or its value is not
///   in the sink any more, and force() was not given; the key of the slot is another user's than for_user();
///   the sink holds another value than was stored, or a key that nobody knows the uid of.
/// - errc::timeout: RotateOptions::deadline() passed.
/// - those of the sink, the store, async_whoami() and async_get().
///
/// Precondition: `client` outlives the operation.
///
/// Cancellation: ends the operation between two steps with errc::operation_aborted, as if the process had
/// been killed there; so does ApiKeyClient::cancel(), and async_close() once the request under way has its
/// response. A request is ended at once; storing a value, a promotion and saving a record are not
/// interrupted, and take as long as the sink and the store do.
///
/// Threads: as an operation of the client. Runs on a strand of the client's executor.
template <palette::detail::TokenFor<Rotation> Token = boost::asio::deferred_t>
auto async_rotate(ApiKeyClient& client, Slot slot, RotateOptions options,
                  Token&& token = Token()) {  // NOLINT(*-missing-std-forward)
    return boost::asio::async_initiate<Token, void(Result<Rotation>)>(
        palette::detail::InitiationOn<&palette::detail::start_rotation, Rotation, ApiKeyClient>(
            client, client.get_executor()),
        token, std::move(slot), std::move(options));
}
/// Same, with default options.
template <palette::detail::TokenFor<Rotation> Token = boost::asio::deferred_t>
auto async_rotate(ApiKeyClient& client, Slot slot, Token&& token = Token()) {
    return async_rotate(client, std::move(slot), RotateOptions(), std::forward<Token>(token));
}

/// Does the same as async_rotate(), and waits for the result; for programs without an event loop. Any thread
/// but the client's own.
PALETTE_KEYS_DECL Result<Rotation> rotate(BlockingApiKeyClient& client, Slot slot,
                                          RotateOptions options = RotateOptions());

/// Returns the name of the state, such as "staged".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(RotationState state) noexcept;
/// Returns the name of the outcome, such as "not_due".
[[nodiscard]] PALETTE_KEYS_DECL std::string_view to_string(Rotation::Outcome outcome) noexcept;
/// Writes the name of the state.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, RotationState state);
/// Writes the name of the outcome.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, Rotation::Outcome outcome);
/// Writes the report on one line, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Rotation& rotation);

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/rotation/rotation.ipp>
#endif
