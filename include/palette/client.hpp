// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/audit_event.hpp>
#include <palette/caller.hpp>
#include <palette/detail/operations.hpp>
#include <palette/detail/start.hpp>
#include <palette/key_limit.hpp>
#include <palette/options.hpp>
#include <palette/pending_create.hpp>
#include <palette/result.hpp>
#include <palette/user.hpp>
#include <palette/visit.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

/// Manages the API keys of a Palette tenant.
///
///     boost::asio::awaitable<void> run(palette::ApiKeyClient& client) {
///         auto created = co_await client.async_create(palette::NewApiKey("ci"));
///         if (!created) co_return log(created.error().message());
///         use(created->secret());
///     }
///
/// Completion: every operation completes with one Result; the signature of its handler is void(Result<T>).
/// The default token is boost::asio::deferred, which co_await accepts. Any other token works too: a callback,
/// use_future, use_awaitable, as_tuple, bind_cancellation_slot. CallOptions come before the token, and may be
/// left out.
///
/// Errors: each says whether anything was changed (Error::effect()). Arguments that cannot be sent are
/// refused with errc::invalid_argument before a byte is sent. This includes a uid with other characters than
/// letters, digits, '.', '_' and '-', and the uids "." and "..": behind a reverse proxy they could lead to
/// another path. Such a uid from the service is errc::bad_value where the client itself goes by it, and so is
/// a response about another key than the one asked for. The keys of a list, and Owner::uid of every key, are
/// given as the service has them, so that one odd key does not hide the others; their uids are refused when
/// they are used.
///
/// Effect::unknown: a request that was sent and not answered may have been applied, or may be applied later,
/// also after a subsequent operation. Read the key, repeat the change if it is not in effect, and read again
/// an hour and a day after the operation has ended. The service documents no bound on the delay;
/// docs/retries.md ("unknown") explains these two times. The same holds after a success that took a retry: an
/// attempt that was not answered may still be applied later. The Result does not show such an attempt; an
/// Observer sees it, and docs/retries.md has the code.
///
/// Retries: a failed request is retried as far as that is safe and ClientOptions::retry allows.
/// docs/retries.md lists when, and Error::earlier() lists the failed attempts. The key of a
/// create without an answer is searched for and deleted before another is requested; if it is not seen, the
/// create fails, and keys that may remain are in Error::pending().
///
/// Time: an operation waits for the rate limiter and a connection for at most timeouts.queue, and has
/// timeouts.total from then on, or CallOptions::deadline() for everything. The operation ends by then,
/// whatever the network does.
///
/// Cancellation: per operation, through the slot of the handler. `terminal` and `partial` end the operation
/// at once, with the effect that is known. `total` is honoured only until a request that changes something
/// has been sent. A key whose value has been received is delivered all the same.
///
/// Own key: a revocation, deactivation or deletion of the key that the client itself uses is refused with
/// errc::own_key. Give the credential the uid of its key: without it, such a call reads the key first, and
/// who the caller is once for each credential, to see whether the key may be the client's own. A credential
/// that is a token takes no such reads, and neither does a key that this client has made with the
/// credential that it still has. A reconciliation is guarded as far as the uid is known.
///
/// Credentials: a credential that is about to expire is renewed in the background, and no operation waits for
/// the new one before the old one has expired. A renewal may outlast the last operation and keep the context
/// running, for at most timeouts.total; cancel(), async_close() and the destructor end it at once.
///
/// Memory: an operation that runs out of memory ends with errc::out_of_memory and the effect as far as it is
/// known; the client remains usable. A create still delivers a value that it has received. Three exceptions:
/// - The initiating function throws std::bad_alloc, and never calls the handler, if there is no memory even
///   for the completion.
/// - An allocation inside Boost.Asio that fails leaves io_context::run() as std::bad_alloc. The operation
///   that it was for ends as above when run() is called again.
/// - The program ends by std::terminate() if a completion cannot be posted, or what ends a wait cannot be set
///   or told, for one second, or if a second allocation fails while Asio destroys the coroutine of the first.
///   No completion is lost silently.
///
/// Threads: operations may be started from any thread. They run on the executor that was given, and complete
/// on the executor of the handler. A cancellation signal is emitted on the executor of the handler, never
/// concurrently with the initiation, and lives until the completion.
///
/// Lifetime: the client must not outlive the context of its executor. When the client is destroyed, its
/// operations end with errc::operation_aborted as long as the context runs. The client must not be used after
/// a fork.
class PALETTE_KEYS_DECL ApiKeyClient {
public:
    /// Names the type of executor that the operations run on.
    using executor_type = boost::asio::any_io_executor;

    /// Constructs a client that runs on `executor`. Throws Exception (errc::invalid_argument) if the options
    /// cannot be used: a CA file that cannot be read, a timeout of zero.
    explicit ApiKeyClient(boost::asio::any_io_executor executor, ClientOptions options = {});

    /// Same, on the executor of an execution context, such as an io_context.
    template <class Context>
        requires requires(Context& context) { boost::asio::any_io_executor(context.get_executor()); }
    explicit ApiKeyClient(Context& context, ClientOptions options = {})
        : ApiKeyClient(boost::asio::any_io_executor(context.get_executor()), std::move(options)) {}

    /// Moves the client; operations under way are not affected. A moved-from client may only be destroyed or
    /// assigned to.
    ApiKeyClient(ApiKeyClient&&) noexcept = default;
    /// Destroys the client that is assigned to, as the destructor does, and moves the other one.
    ApiKeyClient& operator=(ApiKeyClient&&) noexcept;
    /// Destroys the client. Operations under way end with errc::operation_aborted as long as the context
    /// runs, and the connections are closed.
    ~ApiKeyClient();

    /// Tells whether this is a client: false once it has been moved from, until another is moved to it.
    ///
    /// A client that is not valid can be destroyed and assigned to. Its get_executor() is empty, and cancel()
    /// does nothing. A function that starts an operation throws Exception (errc::invalid_argument), and
    /// never calls the handler: there is no executor to complete on. A deferred operation that was made
    /// before the move is that of the client which was moved.
    [[nodiscard]] bool valid() const noexcept { return core_ != nullptr; }

    /// Returns the executor that was given to the constructor.
    [[nodiscard]] executor_type get_executor() const noexcept;

    /// Returns the time of day by the client's clock: that of ClientOptions::clock, or the machine's.
    [[nodiscard]] Instant now() const;

    /// Returns a client of the same executor and options, with another source of credentials and connections
    /// of its own. Shares the rate limiter of this client; a transport of ClientOptions::transport is shared,
    /// too, and is not closed with the new client. For a step that another user takes, or to try a new key.
    ///
    ///     auto as_new = client.with_auth(auth::api_key(Secret::take(line), uid));
    ///     auto who = co_await as_new.async_whoami();
    [[nodiscard]] ApiKeyClient with_auth(std::shared_ptr<AuthProvider> auth) const;

    /// Cancels all operations under way, which end with errc::operation_aborted, and the renewal of the
    /// credential in the background. Those of palette/lifecycle/ end as by their own cancellation:
    /// lifecycle::async_apply() with its report. Operations may be started afterwards. May be called from any
    /// thread.
    void cancel();

    /// Lists the keys that the caller may see and that match the filter. All pages are read.
    ///
    /// Completes with the keys in the service's order, and the service's time (KeyList::as_of()), which also
    /// decides which keys have expired.
    ///
    /// Errors: errc::too_large for a list beyond ClientOptions::list_limits.
    template <detail::TokenFor<KeyList> Token = boost::asio::deferred_t>
    auto async_list(ListFilter filter, CallOptions options, Token&& token = Token()) {
        return start(detail::ListKeys(std::move(filter)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<KeyList> Token = boost::asio::deferred_t>
    auto async_list(ListFilter filter, Token&& token = Token()) {
        return async_list(std::move(filter), CallOptions(), std::forward<Token>(token));
    }
    /// Same, without a filter.
    template <detail::TokenFor<KeyList> Token = boost::asio::deferred_t>
    auto async_list(CallOptions options, Token&& token = Token()) {
        return async_list(ListFilter(), std::move(options), std::forward<Token>(token));
    }
    /// Same, without a filter and with default options.
    template <detail::TokenFor<KeyList> Token = boost::asio::deferred_t>
    auto async_list(Token&& token = Token()) {
        return async_list(ListFilter(), CallOptions(), std::forward<Token>(token));
    }

    /// Gives each key that the caller may see and that matches the filter to `visitor`, in the service's
    /// order, while the answers still arrive. All pages are read. The memory for it does not depend on the
    /// number of keys: neither a list nor a page is held, even if the service puts all keys into one page.
    ///
    ///     std::size_t expired = 0;
    ///     auto visited = co_await client.async_visit(
    ///         ListFilter().state(KeyState::expired), [&](ApiKey&&) { ++expired; return Result<void>(); });
    ///
    /// `visitor` is a KeyVisitor, or converts to one. With g++ before 14, a lambda that captures more than
    /// references and plain values is made a KeyVisitor with a name first: as a temporary in a co_await
    /// expression it would be destroyed twice, and does not compile.
    ///
    /// The visitor is called on the executor of the client, one call at a time, and not at all once the
    /// operation has completed. It must not block; it may start operations of the same client. An error that
    /// it returns ends the operation with that error, and an exception ends it with errc::system.
    ///
    /// Completes with the number of keys that the visitor was given, and the service's time. After an error,
    /// the visitor may have been given some of the keys.
    ///
    /// Retries: a page that is cut off is read again, and what the visitor has been given of it is skipped.
    ///
    /// Errors of this operation's own: errc::conflict, if a page that is read again does not begin with the
    /// keys that were given of it; errc::too_large, if one key has more than 1 MiB, or what comes beside the
    /// keys. Of ClientOptions::list_limits, max_pages and max_token_length apply; max_bytes and max_items do
    /// not, for one key at a time is held. The time is bounded as that of all operations: a large tenant may
    /// need CallOptions::deadline().
    template <detail::TokenFor<Visit> Token = boost::asio::deferred_t>
    auto async_visit(ListFilter filter, detail::VisitorOf<ApiKey> visitor, CallOptions options,
                     Token&& token = Token()) {
        return start(detail::VisitKeys(std::move(filter), std::move(visitor).take()), std::move(options),
                     std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<Visit> Token = boost::asio::deferred_t>
    auto async_visit(ListFilter filter, detail::VisitorOf<ApiKey> visitor, Token&& token = Token()) {
        return async_visit(std::move(filter), std::move(visitor), CallOptions(), std::forward<Token>(token));
    }

    /// Lists the keys of that name. Names are not unique, so there may be several.
    ///
    /// Completes with the keys, none if there is no such key. Errors: those of async_list().
    template <detail::TokenFor<KeyList> Token = boost::asio::deferred_t>
    auto async_find(std::string name, CallOptions options, Token&& token = Token()) {
        return start(detail::FindKeys(std::move(name)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<KeyList> Token = boost::asio::deferred_t>
    auto async_find(std::string name, Token&& token = Token()) {
        return async_find(std::move(name), CallOptions(), std::forward<Token>(token));
    }
    /// Finds the one key of that name.
    ///
    /// Errors, as of async_find_user(): errc::not_found if no key has this name, errc::conflict if several
    /// have it.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_find_one(std::string name, CallOptions options, Token&& token = Token()) {
        return start(detail::FindKey(std::move(name)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_find_one(std::string name, Token&& token = Token()) {
        return async_find_one(std::move(name), CallOptions(), std::forward<Token>(token));
    }

    /// Reads one key.
    ///
    /// Errors: errc::not_found if there is no such key; errc::bad_value if the response is about another key.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_get(std::string uid, CallOptions options, Token&& token = Token()) {
        return start(detail::GetKey(std::move(uid)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_get(std::string uid, Token&& token = Token()) {
        return async_get(std::move(uid), CallOptions(), std::forward<Token>(token));
    }

    /// Creates a key, for the caller or for the user of NewApiKey::for_user(). The value of the key is in the
    /// response and nowhere else.
    ///
    /// Completes with the uid and the value of the key. Once the value has been received the operation
    /// succeeds, whatever follows; CreatedApiKey::confirmed() tells whether a read, or a list, has proved the
    /// uid.
    ///
    ///     auto created = co_await client.async_create(NewApiKey("ci").for_user(uid));
    ///     if (created) use(created->secret());
    ///     else if (auto pending = created.error().pending()) keep(pending->to_text());
    ///
    /// A length of life (NewApiKey::lives_for(), or the default of thirty days) is counted by the service's
    /// clock, from the `Date` of the response that identifies the caller, to the second; that request is made
    /// once an hour. This machine's time is used if the response has no `Date`, or one outside of the years
    /// 2020 to 2199. An expiry that has passed by that clock is refused before the key is requested, unless
    /// CreateOptions::allow_past_expiry() is given.
    ///
    /// The service has no idempotency key, so a lost response may leave a key whose value nobody has.
    /// Guarantee: at most one value is delivered, and every other key that may exist is named. For this, each
    /// request marks its key with the annotation "palette-keys-create", and names the owner: the user that
    /// the credential is found to belong to, or that of for_user(). If the response is lost, the key is
    /// searched for within RetryOptions::settle_time. If it is found, it is deleted and another one is
    /// requested. Up to settle_time, at most half of the remaining time, is reserved for this search. Where
    /// the service is seen not to keep annotations, nothing is searched for or deleted.
    ///
    /// Errors of this operation's own:
    /// - Effect::unknown, with Error::pending(): the key was not seen, and may still appear. Call
    ///   async_reconcile().
    /// - errc::missing_key_value, applied, with the uid in Error::key_uid(): an old service kept the value.
    /// - The code of the refusal, applied, with the uid in Error::key_uid(): the key could not be deleted,
    ///   and nobody has its value.
    /// - errc::conflict, applied, with the uid in Error::key_uid(): the key was made for another user than
    ///   requested. The client has revoked it, or the message says that it could not.
    /// - errc::auth_provider: the credential became another user's meanwhile. Not applied if the key had not
    ///   been requested; applied, with the uid, if a lost key could not be deleted for that reason. A search
    ///   for a lost key that is given up for that reason leaves the error of the lost response: unknown, with
    ///   pending().
    /// - errc::conflict, not applied: CreateOptions::nonce() was used before. The error names the keys that
    ///   bear the nonce; the uid of the first is in Error::key_uid(). No key was requested. Whether the value
    ///   of such a key was delivered is known only to whoever requested it, so there is no pending().
    ///
    /// Effect::not_applied means that this create has left no key.
    ///
    /// Cancellation: ends the operation at once, also during the search for a lost key, with pending().
    template <detail::TokenFor<CreatedApiKey> Token = boost::asio::deferred_t>
    auto async_create(NewApiKey key, CreateOptions options, Token&& token = Token()) {
        return start(detail::CreateKey(std::move(key)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<CreatedApiKey> Token = boost::asio::deferred_t>
    auto async_create(NewApiKey key, Token&& token = Token()) {
        return async_create(std::move(key), CreateOptions(), std::forward<Token>(token));
    }

    /// Searches once for the keys that a create has left behind, and deletes them. Idempotent.
    ///
    /// Deletes only keys that bear the mark of the create, the number of one of its pending attempts, and its
    /// owner. A record of an error or of CreatedApiKey::pending() never covers a key whose value was
    /// delivered. A record of PendingCreate::of_nonce() covers the delivered key too, which is then deleted:
    /// reconcile it only if the value was not kept, and the create is under way nowhere.
    ///
    /// A request that was under way may still make a key, so call this operation again an hour and a day
    /// after the create has ended.
    ///
    ///     auto pending = PendingCreate::parse(line).value();
    ///     auto cleaned = co_await client.async_reconcile(pending);
    ///
    /// Completes with the uids of the keys that were deleted, and of those that the service refused to delete
    /// (Reconciliation::not_removed()). Success also if no key was found. Where the service does not keep
    /// annotations no key can be found by its mark: then look for the name with async_find(), and delete the
    /// keys whose value nobody has. A client that has seen this, by a create of its own, fails instead.
    ///
    /// Errors of this operation's own:
    /// - errc::auth_provider, not applied: the credential is not that of the user, and the tenant, who
    ///   requested the key. Nothing was listed or deleted.
    /// - errc::conflict, with the uid in Error::key_uid(): that key bears the mark of the create, and has
    ///   another owner than the record says, or none. It was not deleted. Applied if other keys were.
    /// - errc::bad_value, not applied, with the path "metadata.annotations": no key was found, and this
    ///   client has seen that the service does not keep annotations.
    /// - errc::invalid_argument: `pending` names no user or no tenant.
    ///
    /// After any other error `pending` is as valid as before: call again.
    template <detail::TokenFor<Reconciliation> Token = boost::asio::deferred_t>
    auto async_reconcile(PendingCreate pending, CallOptions options, Token&& token = Token()) {
        return start(detail::ReconcileCreate(std::move(pending)), std::move(options),
                     std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<Reconciliation> Token = boost::asio::deferred_t>
    auto async_reconcile(PendingCreate pending, Token&& token = Token()) {
        return async_reconcile(std::move(pending), CallOptions(), std::forward<Token>(token));
    }

    /// Changes the name, description or expiry of a key: reads the key, applies the edit, writes the key, and
    /// reads it back. What the edit does not name is preserved, annotations and labels included.
    ///
    /// Completes with the key as it is after the write. A change that another writer makes between the read
    /// and the write is lost: the service has no way to exclude that.
    ///
    /// Errors of this operation's own:
    /// - errc::invalid_argument, not applied: the edit is empty, or its expiry has passed by the service's
    ///   clock and ChangeOptions::allow_past_expiry() was not given. In the latter case the key has been
    ///   read.
    /// - errc::conflict, applied: the key was written, and is not as it was written: another writer wrote as
    ///   well.
    /// - errc::conflict, unknown: the write was not answered, and another writer has written, before it or
    ///   after it. The key is neither as before nor as it was written; the write is not repeated.
    /// - errc::bad_value: the service answered with another key. Nothing of that key is written to this one.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_update(std::string uid, ApiKeyEdit edit, ChangeOptions options, Token&& token = Token()) {
        return start(detail::UpdateKey(std::move(uid), std::move(edit)), std::move(options),
                     std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_update(std::string uid, ApiKeyEdit edit, Token&& token = Token()) {
        return async_update(std::move(uid), std::move(edit), ChangeOptions(), std::forward<Token>(token));
    }
    /// Same, and refuses with errc::conflict, not applied, if the key is not as `seen`.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_update(ApiKey seen, ApiKeyEdit edit, ChangeOptions options, Token&& token = Token()) {
        return start(detail::UpdateKey(std::move(seen), std::move(edit)), std::move(options),
                     std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_update(ApiKey seen, ApiKeyEdit edit, Token&& token = Token()) {
        return async_update(std::move(seen), std::move(edit), ChangeOptions(), std::forward<Token>(token));
    }

    /// Sets the expiry of a key to `duration` from now, by the service's clock, and changes nothing else. A
    /// duration that is not positive is errc::invalid_argument. The duration is counted from the `Date` of
    /// the response that shows the key, to the second. If it has no `Date`, or one outside of the years 2020
    /// to 2199, it is counted from the time that async_service_time() tells, if that is known, and otherwise
    /// from this machine's.
    ///
    /// Completes with the key as it is after the write.
    ///
    /// Errors: those of async_update(), and errc::conflict, not applied, if the key would expire earlier than
    /// it does now and ChangeOptions::allow_shorter() was not given. The message has both times. Where the
    /// service gives less than was asked for, errc::conflict, applied, with the expiry that it gave.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(std::string uid, std::chrono::milliseconds duration, ChangeOptions options,
                     Token&& token = Token()) {
        return start(detail::RenewKey(std::move(uid), duration), std::move(options),
                     std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(std::string uid, std::chrono::milliseconds duration, Token&& token = Token()) {
        return async_renew(std::move(uid), duration, ChangeOptions(), std::forward<Token>(token));
    }
    /// Same, for a key as it was seen: reads the key first, and refuses with errc::conflict, not applied, if
    /// the key has changed since.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(ApiKey seen, std::chrono::milliseconds duration, ChangeOptions options,
                     Token&& token = Token()) {
        return start(detail::RenewKey(std::move(seen), duration), std::move(options),
                     std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(ApiKey seen, std::chrono::milliseconds duration, Token&& token = Token()) {
        return async_renew(std::move(seen), duration, ChangeOptions(), std::forward<Token>(token));
    }

    /// Sets the expiry of a key to `expiry`, and changes nothing else; Expiry::never() has no end.
    ///
    /// Completes with the key as it is after the write. Errors: those of the overload for a duration;
    /// errc::invalid_argument, not applied, if the expiry has passed by the service's clock and
    /// ChangeOptions::allow_past_expiry() was not given.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(std::string uid, Expiry expiry, ChangeOptions options, Token&& token = Token()) {
        return start(detail::RenewKeyUntil(std::move(uid), expiry), std::move(options),
                     std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(std::string uid, Expiry expiry, Token&& token = Token()) {
        return async_renew(std::move(uid), expiry, ChangeOptions(), std::forward<Token>(token));
    }
    /// Same, for a key as it was seen: reads the key first, and refuses with errc::conflict, not applied, if
    /// the key has changed since.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(ApiKey seen, Expiry expiry, ChangeOptions options, Token&& token = Token()) {
        return start(detail::RenewKeyUntil(std::move(seen), expiry), std::move(options),
                     std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(ApiKey seen, Expiry expiry, Token&& token = Token()) {
        return async_renew(std::move(seen), expiry, ChangeOptions(), std::forward<Token>(token));
    }

    /// Revokes a key: the service refuses it from then on. Idempotent. async_reactivate() undoes it until the
    /// expiry of the key.
    ///
    /// ChangeOptions::verify() reads the key back.
    ///
    /// Errors of this operation's own:
    /// - errc::own_key, not applied: the key is the one that this client itself uses, or may be, and
    ///   ChangeOptions::allow_own_key() was not given. Where the credential is an API key without
    ///   Credential::key_uid(), each active key of its own user may be; the message names them.
    /// - errc::conflict, applied: with verify(), the service accepted, but still shows the key as active.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_revoke(std::string uid, ChangeOptions options, Token&& token = Token()) {
        return start(detail::RevokeKey(std::move(uid)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_revoke(std::string uid, Token&& token = Token()) {
        return async_revoke(std::move(uid), ChangeOptions(), std::forward<Token>(token));
    }
    /// Same, for a key as it was seen: reads the key first, and refuses with errc::conflict, not applied, if
    /// the key has changed since.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_revoke(ApiKey seen, ChangeOptions options, Token&& token = Token()) {
        return start(detail::RevokeKey(std::move(seen)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_revoke(ApiKey seen, Token&& token = Token()) {
        return async_revoke(std::move(seen), ChangeOptions(), std::forward<Token>(token));
    }
    /// Re-activates a revoked key whose expiry has not passed. Idempotent.
    ///
    /// ChangeOptions::verify() reads the key back.
    ///
    /// Errors: the service refuses a key past its expiry. With verify(), errc::conflict, applied, if the
    /// service accepted, but still shows the key as revoked.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_reactivate(std::string uid, ChangeOptions options, Token&& token = Token()) {
        return start(detail::ReactivateKey(std::move(uid)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_reactivate(std::string uid, Token&& token = Token()) {
        return async_reactivate(std::move(uid), ChangeOptions(), std::forward<Token>(token));
    }
    /// Same, for a key as it was seen: reads the key first, and refuses with errc::conflict, not applied, if
    /// the key has changed since.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_reactivate(ApiKey seen, ChangeOptions options, Token&& token = Token()) {
        return start(detail::ReactivateKey(std::move(seen)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_reactivate(ApiKey seen, Token&& token = Token()) {
        return async_reactivate(std::move(seen), ChangeOptions(), std::forward<Token>(token));
    }

    /// Revokes (`is_active` false) or re-activates (true) a key through the service's other request for it, a
    /// PATCH of the key itself. Prefer async_revoke() and async_reactivate(), whose options and errors it
    /// has.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_set_active(std::string uid, bool is_active, ChangeOptions options, Token&& token = Token()) {
        return start(detail::SetKeyActive(std::move(uid), is_active), std::move(options),
                     std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_set_active(std::string uid, bool is_active, Token&& token = Token()) {
        return async_set_active(std::move(uid), is_active, ChangeOptions(), std::forward<Token>(token));
    }

    /// Deletes a key permanently.
    ///
    /// ChangeOptions::verify() reads the key back, and expects errc::not_found.
    ///
    /// Errors of this operation's own:
    /// - errc::not_found: there is no such key. After an attempt that was not answered the operation succeeds
    ///   instead, if the service then still accepts the credential.
    /// - errc::own_key, not applied: as with async_revoke().
    /// - errc::conflict, applied: with verify(), the service accepted, but still shows the key.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_remove(std::string uid, ChangeOptions options, Token&& token = Token()) {
        return start(detail::RemoveKey(std::move(uid)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_remove(std::string uid, Token&& token = Token()) {
        return async_remove(std::move(uid), ChangeOptions(), std::forward<Token>(token));
    }
    /// Same, for a key as it was seen: reads the key first, and refuses with errc::conflict, not applied, if
    /// the key has changed since.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_remove(ApiKey seen, ChangeOptions options, Token&& token = Token()) {
        return start(detail::RemoveKey(std::move(seen)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_remove(ApiKey seen, Token&& token = Token()) {
        return async_remove(std::move(seen), ChangeOptions(), std::forward<Token>(token));
    }

    /// Identifies the caller: the user, the tenant and the organisation that the credential belongs to.
    ///
    /// Errors: errc::bad_value for a response without a user or a tenant.
    template <detail::TokenFor<Identity> Token = boost::asio::deferred_t>
    auto async_whoami(CallOptions options, Token&& token = Token()) {
        return start(detail::WhoAmI(), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<Identity> Token = boost::asio::deferred_t>
    auto async_whoami(Token&& token = Token()) {
        return async_whoami(CallOptions(), std::forward<Token>(token));
    }

    /// Identifies the caller, as async_whoami() does, and tells what the credential is: an API key, with its
    /// uid if that is known, or a token. Both are of the credential that the request was sent with.
    ///
    /// Errors: those of async_whoami().
    template <detail::TokenFor<Caller> Token = boost::asio::deferred_t>
    auto async_describe_caller(CallOptions options, Token&& token = Token()) {
        return start(detail::DescribeCaller(), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<Caller> Token = boost::asio::deferred_t>
    auto async_describe_caller(Token&& token = Token()) {
        return async_describe_caller(CallOptions(), std::forward<Token>(token));
    }

    /// Finds the user with that e-mail address; upper and lower case are the same. Reads all pages of the
    /// list of users.
    ///
    /// Errors of this operation's own:
    /// - errc::not_found: no user that the caller may see has the address.
    /// - errc::conflict: several users have the address.
    /// - errc::bad_value: the uid of the user is not a possible one.
    /// - errc::too_large: the list is beyond ClientOptions::list_limits.
    template <detail::TokenFor<User> Token = boost::asio::deferred_t>
    auto async_find_user(std::string email, CallOptions options, Token&& token = Token()) {
        return start(detail::FindUser(std::move(email)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<User> Token = boost::asio::deferred_t>
    auto async_find_user(std::string email, Token&& token = Token()) {
        return async_find_user(std::move(email), CallOptions(), std::forward<Token>(token));
    }

    /// Lists the users of the tenant. All pages are read.
    ///
    /// Completes with the users in the service's order. UserList::is_complete() tells whether somebody who is
    /// not in the list is not a user: the service may say that there are more users than it shows to the
    /// caller. Whether a user whom single sign-on has removed leaves a record is not documented.
    ///
    /// Errors of this operation's own: errc::forbidden if the caller may not list users; errc::too_large for
    /// a list beyond ClientOptions::list_limits.
    template <detail::TokenFor<UserList> Token = boost::asio::deferred_t>
    auto async_list_users(CallOptions options, Token&& token = Token()) {
        return start(detail::ListUsers(), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<UserList> Token = boost::asio::deferred_t>
    auto async_list_users(Token&& token = Token()) {
        return async_list_users(CallOptions(), std::forward<Token>(token));
    }

    /// Gives each user of the tenant to `visitor`, as async_visit() does with keys.
    ///
    /// Errors of this operation's own: errc::forbidden if the caller may not list users; those of
    /// async_visit().
    template <detail::TokenFor<Visit> Token = boost::asio::deferred_t>
    auto async_visit_users(detail::VisitorOf<User> visitor, CallOptions options, Token&& token = Token()) {
        return start(detail::VisitUsers(std::move(visitor).take()), std::move(options),
                     std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<Visit> Token = boost::asio::deferred_t>
    auto async_visit_users(detail::VisitorOf<User> visitor, Token&& token = Token()) {
        return async_visit_users(std::move(visitor), CallOptions(), std::forward<Token>(token));
    }

    /// Reads one user.
    ///
    /// Errors of this operation's own: errc::not_found if there is no such user; errc::forbidden if the
    /// caller may not read users; errc::bad_value if the response is about another user.
    template <detail::TokenFor<User> Token = boost::asio::deferred_t>
    auto async_get_user(std::string uid, CallOptions options, Token&& token = Token()) {
        return start(detail::GetUser(std::move(uid)), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<User> Token = boost::asio::deferred_t>
    auto async_get_user(std::string uid, Token&& token = Token()) {
        return async_get_user(std::move(uid), CallOptions(), std::forward<Token>(token));
    }

    /// Lists the events of the tenant's audit log that match the filter. All pages are read; the service
    /// keeps events for one year. No event tells which API key a request came with, and operations on keys
    /// may not be in the log at all: that there is no event about a key proves nothing.
    ///
    /// Completes with the events in the service's order.
    ///
    /// Errors of this operation's own: errc::invalid_argument for a filter with an empty text, a time that
    /// cannot be written, or an end before its beginning; errc::forbidden if the caller may not read the
    /// audit log; errc::too_large for a list beyond ClientOptions::list_limits.
    template <detail::TokenFor<AuditEventList> Token = boost::asio::deferred_t>
    auto async_list_audit_events(AuditEventFilter filter, CallOptions options, Token&& token = Token()) {
        return start(detail::ListAuditEvents(std::move(filter)), std::move(options),
                     std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<AuditEventList> Token = boost::asio::deferred_t>
    auto async_list_audit_events(AuditEventFilter filter, Token&& token = Token()) {
        return async_list_audit_events(std::move(filter), CallOptions(), std::forward<Token>(token));
    }

    /// Tells how many API keys a user of the tenant may have. The tenant is that of the caller, who is
    /// identified first unless this client has already done so.
    ///
    /// Errors of this operation's own: errc::forbidden if the caller may not read the limits of the tenant;
    /// errc::bad_value if the service does not say what the limit is.
    template <detail::TokenFor<KeyLimit> Token = boost::asio::deferred_t>
    auto async_key_limit(CallOptions options, Token&& token = Token()) {
        return start(detail::TellKeyLimit(), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<KeyLimit> Token = boost::asio::deferred_t>
    auto async_key_limit(Token&& token = Token()) {
        return async_key_limit(CallOptions(), std::forward<Token>(token));
    }

    /// Tells the service's time: the `Date` of the last response that identified the caller, and the time
    /// that has passed since by the client's clock. Asks for the identity if that was more than an hour ago,
    /// or never. Completes with this machine's time if the response had no `Date`.
    template <detail::TokenFor<Instant> Token = boost::asio::deferred_t>
    auto async_service_time(CallOptions options, Token&& token = Token()) {
        return start(detail::TellServiceTime(), std::move(options), std::forward<Token>(token));
    }
    /// Same, with default options.
    template <detail::TokenFor<Instant> Token = boost::asio::deferred_t>
    auto async_service_time(Token&& token = Token()) {
        return async_service_time(CallOptions(), std::forward<Token>(token));
    }

    /// Waits for `duration` by the client's clock, so that a program that waits between operations can be
    /// tested with a testing::ManualClock. Completes at once for a duration that is not positive. No timeout
    /// of ClientOptions bounds the wait.
    ///
    /// Cancellation: ends the wait with errc::operation_aborted, as cancel() does.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_wait(std::chrono::milliseconds duration, Token&& token = Token()) {
        return start(detail::Wait(duration), CallOptions(), std::forward<Token>(token));
    }

    /// Closes the client: refuses new operations with errc::operation_aborted, waits for those under way, and
    /// closes the connections. The wait has no deadline of its own; each operation has one.
    ///
    /// Cancellation: ends the wait with errc::operation_aborted; the operations under way go on.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_close(Token&& token = Token()) {
        return start(detail::CloseClient(), CallOptions(), std::forward<Token>(token));
    }

private:
    friend void detail::wait_for_end(const ApiKeyClient& client, detail::Handler<void> handler,
                                     const detail::CallSettings& options);
    friend std::shared_ptr<const std::atomic<std::uint64_t>> detail::cancellations_of(
        const ApiKeyClient& client);

    template <class Operation, class Options, class Token>
    auto start(Operation operation, Options options, Token&& token) {  // NOLINT(*-missing-std-forward)
        // Asio wants an lvalue of the token.
        return boost::asio::async_initiate<Token, void(Result<typename Operation::Value>)>(
            detail::Initiation(core()), token, std::move(operation), std::move(options).settings());
    }

    // Throws Exception if the client is not valid().
    [[nodiscard]] const std::shared_ptr<impl::client::Core>& core() const;

    std::shared_ptr<impl::client::Core> core_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/client/client.ipp>
#endif
