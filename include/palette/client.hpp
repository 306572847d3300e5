// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/detail/operations.hpp>
#include <palette/detail/start.hpp>
#include <palette/options.hpp>
#include <palette/pending_create.hpp>
#include <palette/result.hpp>
#include <palette/user.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

// The API keys of a Palette tenant.
//
//     boost::asio::awaitable<void> run(palette::ApiKeyClient& client) {
//         auto created = co_await client.async_create(palette::NewApiKey("ci"));
//         if (!created) co_return log(created.error().message());
//         use(created->secret());
//     }
//
// Every operation completes with one Result: void(Result<T>) is the signature of its handler. Without a
// token it is deferred, so that co_await works on it; any other token does too: a callback, use_future,
// use_awaitable, as_tuple, bind_cancellation_slot. Before the token it takes CallOptions, or not.
//
// Errors: each says whether anything was changed (Error::effect). What cannot be sent is refused before a
// byte is sent, with errc::invalid_argument: so is a uid that is not letters, digits, '.', '_' and '-', or is
// "." or "..", which could lead to another path behind a reverse proxy. A uid from the service that the client
// itself goes by has to meet the same, or the operation ends with errc::bad_value; so it does with an answer
// about another key than the one asked for. The keys of a list, and Owner::uid of every key, are given as the
// service has them, so that one odd key does not hide the others: such a uid is refused when it is used.
//
// Effect::unknown: a request that was sent and not answered may have been applied, or may be applied later,
// also after an operation that follows. Read the key, repeat what is not so, and read again an hour and a day
// after the operation has ended: no bound on the delay is documented by the service, and README.md
// ("unknown") says where these two times come from.
//
// What fails is sent again as far as that is safe and ClientOptions::retry allows: README.md says when, and
// Error::earlier() what was met. A create without an answer is looked for, and what it may have left is in
// Error::pending().
//
// Time: what waits for the rate limit or a connection, waits timeouts.queue at most; the rest has
// timeouts.total, or CallOptions::deadline() for all of it. An operation ends by then, whatever the
// network does.
//
// Cancellation, of single operations through the handler's slot: `terminal` and `partial` end it at once,
// with the effect that is known; `total` only before anything that changes something was sent. A key
// whose value has been received is delivered all the same.
//
// Credentials: one that is about to end is renewed in the background, and no operation waits for that before
// it has ended. A renewal may outlast the last operation, and so keep the context running, for timeouts.total
// at most; cancel(), async_close() and the end of the client end it at once.
//
// Memory: an operation whose memory runs out ends with errc::out_of_memory, its effect as far as that is
// known, and the client goes on. A create still delivers a value that it has received. Three things to know:
// the function that starts an operation throws std::bad_alloc, and never calls the handler, if not even the
// place for a completion can be had. An allocation of Boost.Asio's own that fails leaves io_context::run() as
// std::bad_alloc: the operation that it was for ends as above when run() is called again. And the program
// ends by std::terminate() if a completion cannot be posted for a second, or if a second allocation fails
// while Asio takes apart the coroutine of the first: no completion is lost in silence.
//
// Threads: operations may be started from any thread; they run on the executor given, and complete on the
// handler's. A cancellation signal is emitted on the handler's executor and lives until the completion.
// The client must not outlive the executor's context. When the client is destroyed, its operations end
// with errc::operation_aborted, as long as the context runs. Not to be used after a fork.
class PALETTE_KEYS_DECL ApiKeyClient {
public:
    using executor_type = boost::asio::any_io_executor;

    // Throws Exception (errc::invalid_argument) if the options cannot work: a CA file that cannot be
    // read, a time-out of zero.
    explicit ApiKeyClient(boost::asio::any_io_executor executor, ClientOptions options = {});

    template <class Context>
        requires requires(Context& context) { boost::asio::any_io_executor(context.get_executor()); }
    explicit ApiKeyClient(Context& context, ClientOptions options = {})
        : ApiKeyClient(boost::asio::any_io_executor(context.get_executor()), std::move(options)) {}

    ApiKeyClient(ApiKeyClient&&) noexcept = default;
    ApiKeyClient& operator=(ApiKeyClient&&) noexcept;
    ~ApiKeyClient();

    [[nodiscard]] executor_type get_executor() const noexcept;

    // Ends all operations that are under way, with errc::operation_aborted, and the renewal of the
    // credential in the background.
    void cancel();

    // All keys that the caller may see and that meet the filter; every page of them.
    template <detail::TokenFor<KeyList> Token = boost::asio::deferred_t>
    auto async_list(ListFilter filter, CallOptions options, Token&& token = Token()) {
        return start(detail::ListKeys(std::move(filter)), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<KeyList> Token = boost::asio::deferred_t>
    auto async_list(ListFilter filter, Token&& token = Token()) {
        return async_list(std::move(filter), CallOptions(), std::forward<Token>(token));
    }
    template <detail::TokenFor<KeyList> Token = boost::asio::deferred_t>
    auto async_list(Token&& token = Token()) {
        return async_list(ListFilter(), CallOptions(), std::forward<Token>(token));
    }

    // All keys of that name: names are not unique.
    template <detail::TokenFor<KeyList> Token = boost::asio::deferred_t>
    auto async_find(std::string name, CallOptions options, Token&& token = Token()) {
        return async_list(ListFilter().name(std::move(name)), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<KeyList> Token = boost::asio::deferred_t>
    auto async_find(std::string name, Token&& token = Token()) {
        return async_find(std::move(name), CallOptions(), std::forward<Token>(token));
    }

    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_get(std::string uid, CallOptions options, Token&& token = Token()) {
        return start(detail::GetKey(std::move(uid)), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_get(std::string uid, Token&& token = Token()) {
        return async_get(std::move(uid), CallOptions(), std::forward<Token>(token));
    }

    // A length of life, NewApiKey::lives_for() or the default of thirty days, counts by the service's clock,
    // as the answer about the credential's owner shows it: to the second, asked for once an hour. It is this
    // machine's time if that answer has no Date, or one outside of 2020 to 2199. An expiry that has passed by
    // that clock is refused before the key is asked for.
    //
    // The value is in the answer and nowhere else. Once it has been received the operation succeeds,
    // whatever follows; CreatedApiKey::confirmed() tells whether a read, or a list, has proved the uid.
    //
    // An answer that is lost may leave a key that nobody has the value of: the service cannot be asked to
    // do it once. What holds is that one value at most is delivered, and that every other key that
    // may exist is named. So the key is asked for with a mark of its own in an annotation,
    // "palette-keys-create", and for the user that the credential is found to belong to, or for_user(). If
    // the answer is lost, the key is looked for within RetryOptions::settle; when it is found it is deleted,
    // and another one asked for. A part of the time is kept for that.
    //
    // Errors, beside all others:
    //   unknown, with Error::pending(): the key was not seen, and may still come. async_reconcile() it.
    //   applied, with the uid in Error::path(): errc::missing_key_value, an old service kept the value; the
    //     code of the refusal, if the key that nobody has the value of could not be deleted; errc::conflict,
    //     the key was made for another user than was asked for, and was revoked.
    //   errc::auth_provider: the credential became another user's meanwhile. Not_applied before the key was
    //     asked for; applied, with the uid, when a lost key could not be deleted for that. A search for a
    //     lost key that is not made for that leaves the error of the lost answer: unknown, with pending().
    //   errc::conflict, not_applied: CallOptions::nonce() was used before; the keys that bear it are named;
    //     the uid of the first is in Error::path(). Nothing was asked for. Whether the value of such a key
    //     was delivered, only the one who asked for it knows: hence no pending().
    // Not_applied means that this create has left no key.
    //
    //     auto created = co_await client.async_create(NewApiKey("ci").for_user(uid));
    //     if (created) use(created->secret());
    //     else if (auto pending = created.error().pending()) keep(pending->to_text());
    //
    // Cancellation: ends at once, also while a lost key is looked for, with pending(). Where the service is
    // seen not to keep annotations, nothing is looked for or deleted.
    template <detail::TokenFor<CreatedApiKey> Token = boost::asio::deferred_t>
    auto async_create(NewApiKey key, CallOptions options, Token&& token = Token()) {
        return start(detail::CreateKey(std::move(key)), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<CreatedApiKey> Token = boost::asio::deferred_t>
    auto async_create(NewApiKey key, Token&& token = Token()) {
        return async_create(std::move(key), CallOptions(), std::forward<Token>(token));
    }

    // Looks once for the keys that a create has left behind, and deletes them. Only keys that bear the
    // create's mark, the number of one of its pending attempts, and its owner: never one whose value was
    // delivered. Nothing found is a success as well; a request that was under way may still make a key, so do
    // it again an hour and a day after the create has ended. What the service refuses to delete is in
    // Reconciliation::left().
    //
    //     auto pending = PendingCreate::parse(line).value();
    //     auto cleaned = co_await client.async_reconcile(pending);
    //
    // Errors: errc::auth_provider, not_applied, if the credential is not of the user, and the tenant, who
    // asked for the key: nothing was listed or deleted. errc::invalid_argument for a `pending` that names
    // none. Any other leaves `pending` as it was: call again. Safe to be repeated.
    template <detail::TokenFor<Reconciliation> Token = boost::asio::deferred_t>
    auto async_reconcile(PendingCreate pending, CallOptions options, Token&& token = Token()) {
        return start(detail::ReconcileCreate(std::move(pending)), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<Reconciliation> Token = boost::asio::deferred_t>
    auto async_reconcile(PendingCreate pending, Token&& token = Token()) {
        return async_reconcile(std::move(pending), CallOptions(), std::forward<Token>(token));
    }

    /// Reads the key, changes what the edit names, writes the key, and reads it back. Completes with the key
    /// as it is then. Between the read and the write is a moment in which another writer's change is lost:
    /// the service has no way to exclude that.
    ///
    /// Errors of this operation's own:
    ///   conflict, not_applied: the key is not as `seen`.
    ///   conflict, applied: the key was written, and is not what was written: somebody else wrote as well.
    ///   conflict, unknown: the write was not answered, and somebody else has written, before it or after.
    ///     The key is neither as it was before nor as it was written; the write is not sent again.
    ///   bad_value: the service answered with another key. Nothing of that key is written to this one.
    ///   invalid_argument, not_applied: the new expiry has passed by the service's clock, and the option
    ///     CallOptions::allow_past_expiry() was not given. The key has been read by then.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_update(std::string uid, ApiKeyEdit edit, CallOptions options, Token&& token = Token()) {
        return start(detail::UpdateKey(std::move(uid), std::move(edit)), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_update(std::string uid, ApiKeyEdit edit, Token&& token = Token()) {
        return async_update(std::move(uid), std::move(edit), CallOptions(), std::forward<Token>(token));
    }
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_update(ApiKey seen, ApiKeyEdit edit, CallOptions options, Token&& token = Token()) {
        return start(detail::UpdateKey(std::move(seen), std::move(edit)), options,
                     std::forward<Token>(token));
    }
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_update(ApiKey seen, ApiKeyEdit edit, Token&& token = Token()) {
        return async_update(std::move(seen), std::move(edit), CallOptions(), std::forward<Token>(token));
    }

    /// Extends the key's life to `duration` from now, by the service's clock, and changes nothing else. It
    /// counts from the `Date` of the answer that shows the key, to the second; from this machine's time if
    /// the answer has no `Date`, or one outside of 2020 to 2199.
    ///
    /// Errors, beside those of async_update(): errc::conflict, not_applied: the key would expire earlier than
    /// it does now, and CallOptions::allow_shorter() was not given. The message has both times.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(std::string uid, std::chrono::milliseconds duration, CallOptions options,
                     Token&& token = Token()) {
        return start(detail::RenewKey(std::move(uid), duration), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(std::string uid, std::chrono::milliseconds duration, Token&& token = Token()) {
        return async_renew(std::move(uid), duration, CallOptions(), std::forward<Token>(token));
    }

    /// Extends the key's life to `expiry`, and changes nothing else; Expiry::never() has no end. Errors as
    /// above. errc::invalid_argument, not_applied, if the instant has passed by the service's clock.
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(std::string uid, Expiry expiry, CallOptions options, Token&& token = Token()) {
        return start(detail::RenewKeyUntil(std::move(uid), expiry), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<ApiKey> Token = boost::asio::deferred_t>
    auto async_renew(std::string uid, Expiry expiry, Token&& token = Token()) {
        return async_renew(std::move(uid), expiry, CallOptions(), std::forward<Token>(token));
    }

    // Switches it off; on again, as long as its expiry has not passed. To do again what is done is no
    // error. A revocation of the key that this client itself uses, as far as Credential::key_uid() tells, is
    // refused with errc::own_key, not_applied, unless CallOptions::allow_own_key() is given; the same holds
    // for async_set_active(uid, false) and async_remove(uid).
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_revoke(std::string uid, CallOptions options, Token&& token = Token()) {
        return start(detail::RevokeKey(std::move(uid)), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_revoke(std::string uid, Token&& token = Token()) {
        return async_revoke(std::move(uid), CallOptions(), std::forward<Token>(token));
    }
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_reactivate(std::string uid, CallOptions options, Token&& token = Token()) {
        return start(detail::ReactivateKey(std::move(uid)), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_reactivate(std::string uid, Token&& token = Token()) {
        return async_reactivate(std::move(uid), CallOptions(), std::forward<Token>(token));
    }

    // The service's other way to do the same two: a PATCH of the key itself.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_set_active(std::string uid, bool is_active, CallOptions options, Token&& token = Token()) {
        return start(detail::SetKeyActive(std::move(uid), is_active), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_set_active(std::string uid, bool is_active, Token&& token = Token()) {
        return async_set_active(std::move(uid), is_active, CallOptions(), std::forward<Token>(token));
    }

    // For good. errc::not_found if there is no such key, errc::own_key as with async_revoke().
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_remove(std::string uid, CallOptions options, Token&& token = Token()) {
        return start(detail::RemoveKey(std::move(uid)), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_remove(std::string uid, Token&& token = Token()) {
        return async_remove(std::move(uid), CallOptions(), std::forward<Token>(token));
    }

    /// Tells whose credential it is. errc::bad_value for an answer without a user or a tenant.
    template <detail::TokenFor<Identity> Token = boost::asio::deferred_t>
    auto async_whoami(CallOptions options, Token&& token = Token()) {
        return start(detail::WhoAmI(), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<Identity> Token = boost::asio::deferred_t>
    auto async_whoami(Token&& token = Token()) {
        return async_whoami(CallOptions(), std::forward<Token>(token));
    }

    /// Finds the user of that e-mail address, in any case of its letters. Reads all pages of the list of
    /// users. errc::not_found if there is none, errc::conflict if there are several, errc::bad_value if the
    /// user has no uid that can be one.
    template <detail::TokenFor<User> Token = boost::asio::deferred_t>
    auto async_find_user(std::string email, CallOptions options, Token&& token = Token()) {
        return start(detail::FindUser(std::move(email)), options, std::forward<Token>(token));
    }
    template <detail::TokenFor<User> Token = boost::asio::deferred_t>
    auto async_find_user(std::string email, Token&& token = Token()) {
        return async_find_user(std::move(email), CallOptions(), std::forward<Token>(token));
    }

    // Takes no new operations, waits for those under way, and closes the connections.
    template <detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_close(Token&& token = Token()) {
        return start(detail::CloseClient(), CallOptions(), std::forward<Token>(token));
    }

private:
    template <class Operation, class Token>
    auto start(Operation operation, CallOptions options, Token&& token) {  // NOLINT(*-missing-std-forward)
        // Asio wants an lvalue of the token.
        return boost::asio::async_initiate<Token, void(Result<typename Operation::Value>)>(
            detail::Initiation(core_), token, std::move(operation), std::move(options));
    }

    std::shared_ptr<client::Core> core_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/client/client.ipp>
#endif
