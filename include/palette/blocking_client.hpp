// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/audit_event.hpp>
#include <palette/caller.hpp>
#include <palette/key_limit.hpp>
#include <palette/options.hpp>
#include <palette/pending_create.hpp>
#include <palette/result.hpp>
#include <palette/user.hpp>
#include <palette/visit.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI {

class ApiKeyClient;

/// Manages the API keys of a Palette tenant from programs without an event loop: the operations of
/// ApiKeyClient, each of which blocks until it has its Result.
///
///     palette::BlockingApiKeyClient client(palette::ClientOptions::from_environment().value());
///     for (auto const& key : client.list().value())
///         std::cout << key.name << '\n';
///
/// Each operation does what the operation of ApiKeyClient with the prefix async_ does, with the same errors
/// and deadlines.
///
/// Threads: any number of threads may call the client at the same time. A thread of the client's own serves
/// network and timers, and ends with the client. An operation that is called in that thread, from an Observer
/// or an AuthProvider, would wait for itself: it fails with errc::invalid_argument.
///
/// Cancellation: cancel(), from another thread.
///
/// Memory: an operation that runs out of memory fails with errc::out_of_memory.
class PALETTE_KEYS_DECL BlockingApiKeyClient {
public:
    /// Constructs a client and starts its thread.
    ///
    /// Throws Exception: errc::invalid_argument if the options cannot be used, errc::system if no thread can
    /// be started.
    explicit BlockingApiKeyClient(ClientOptions options = {});
    /// Moves the client. A moved-from client may only be destroyed or assigned to.
    BlockingApiKeyClient(BlockingApiKeyClient&&) noexcept;
    /// Destroys the client that is assigned to, as the destructor does, and moves the other one.
    BlockingApiKeyClient& operator=(BlockingApiKeyClient&&) noexcept;

    /// Destroys the client. Operations under way end with errc::operation_aborted, and then the client's own
    /// thread ends.
    ///
    /// Precondition: no thread starts an operation meanwhile. If another thread than the client's own
    /// destroys the client, no thread waits for an operation.
    ///
    /// In any other thread, the destructor waits for the end of the client's own thread. In the client's own
    /// thread (in an Observer or an AuthProvider) it returns at once; the thread ends by itself after the
    /// function that is running there has returned, and threads that wait for an operation at that moment get
    /// errc::operation_aborted. The same holds for a client that another one is move-assigned to.
    ~BlockingApiKeyClient();

    /// Tells whether this is a client: false once it has been moved from, until another is moved to it.
    ///
    /// A client that is not valid can be destroyed and assigned to. Its operations fail with
    /// errc::invalid_argument, not_applied, and cancel() does nothing.
    [[nodiscard]] bool valid() const noexcept { return impl_ != nullptr; }

    /// Lists the keys that the caller may see and that match the filter; see ApiKeyClient::async_list().
    Result<KeyList> list(ListFilter filter = {}, CallOptions options = {});
    /// Lists the keys of that name, of which there may be several; see ApiKeyClient::async_find().
    Result<KeyList> find(std::string name, CallOptions options = {});
    /// Lists all keys that the caller may see; see ApiKeyClient::async_list().
    Result<KeyList> list(CallOptions options) { return list(ListFilter(), std::move(options)); }
    /// Gives each key that matches the filter to `visitor`, in the client's own thread, and holds none; see
    /// ApiKeyClient::async_visit(). An operation of this client that the visitor calls fails with
    /// errc::invalid_argument.
    Result<Visit> visit(ListFilter filter, KeyVisitor visitor, CallOptions options = {});
    /// Finds the one key of that name; see ApiKeyClient::async_find_one().
    Result<ApiKey> find_one(std::string name, CallOptions options = {});
    /// Reads one key; see ApiKeyClient::async_get().
    Result<ApiKey> get(std::string uid, CallOptions options = {});
    /// Creates a key, whose value is in the result and nowhere else; see ApiKeyClient::async_create().
    Result<CreatedApiKey> create(NewApiKey key, CreateOptions options = {});
    /// Deletes the keys that a create has left behind; see ApiKeyClient::async_reconcile().
    Result<Reconciliation> reconcile(PendingCreate pending, CallOptions options = {});
    /// Changes the name, description or expiry of a key; see ApiKeyClient::async_update().
    Result<ApiKey> update(std::string uid, ApiKeyEdit edit, ChangeOptions options = {});
    /// Same, and refuses with errc::conflict, not applied, if the key is not as `seen`.
    Result<ApiKey> update(ApiKey seen, ApiKeyEdit edit, ChangeOptions options = {});
    /// Sets the expiry of a key to `duration` from now, by the service's clock; see
    /// ApiKeyClient::async_renew().
    Result<ApiKey> renew(std::string uid, std::chrono::milliseconds duration, ChangeOptions options = {});
    /// Same, and refuses with errc::conflict, not applied, if the key is not as `seen`.
    Result<ApiKey> renew(ApiKey seen, std::chrono::milliseconds duration, ChangeOptions options = {});
    /// Sets the expiry of a key to `expiry`; see ApiKeyClient::async_renew().
    Result<ApiKey> renew(std::string uid, Expiry expiry, ChangeOptions options = {});
    /// Same, and refuses with errc::conflict, not applied, if the key is not as `seen`.
    Result<ApiKey> renew(ApiKey seen, Expiry expiry, ChangeOptions options = {});
    /// Revokes a key. Idempotent; see ApiKeyClient::async_revoke().
    Result<void> revoke(std::string uid, ChangeOptions options = {});
    /// Same, and refuses with errc::conflict, not applied, if the key is not as `seen`.
    Result<void> revoke(ApiKey seen, ChangeOptions options = {});
    /// Re-activates a revoked key. Idempotent; see ApiKeyClient::async_reactivate().
    Result<void> reactivate(std::string uid, ChangeOptions options = {});
    /// Same, and refuses with errc::conflict, not applied, if the key is not as `seen`.
    Result<void> reactivate(ApiKey seen, ChangeOptions options = {});
    /// Revokes or re-activates a key through a PATCH of the key itself; see ApiKeyClient::async_set_active().
    Result<void> set_active(std::string uid, bool is_active, ChangeOptions options = {});
    /// Deletes a key permanently; see ApiKeyClient::async_remove().
    Result<void> remove(std::string uid, ChangeOptions options = {});
    /// Same, and refuses with errc::conflict, not applied, if the key is not as `seen`.
    Result<void> remove(ApiKey seen, ChangeOptions options = {});
    /// Identifies the caller; see ApiKeyClient::async_whoami().
    Result<Identity> whoami(CallOptions options = {});
    /// Identifies the caller, and tells what the credential is; see ApiKeyClient::async_describe_caller().
    Result<Caller> describe_caller(CallOptions options = {});
    /// Finds the user with that e-mail address; see ApiKeyClient::async_find_user().
    Result<User> find_user(std::string email, CallOptions options = {});
    /// Lists the users of the tenant; see ApiKeyClient::async_list_users().
    Result<UserList> list_users(CallOptions options = {});
    /// Gives each user of the tenant to `visitor`, as visit() does with keys; see
    /// ApiKeyClient::async_visit_users().
    Result<Visit> visit_users(UserVisitor visitor, CallOptions options = {});
    /// Reads one user; see ApiKeyClient::async_get_user().
    Result<User> get_user(std::string uid, CallOptions options = {});
    /// Lists the events of the audit log that match the filter; see ApiKeyClient::async_list_audit_events().
    Result<AuditEventList> list_audit_events(AuditEventFilter filter, CallOptions options = {});
    /// Tells how many keys a user may have; see ApiKeyClient::async_key_limit().
    Result<KeyLimit> key_limit(CallOptions options = {});

    /// Runs a coroutine in the client's own thread, with the client that serves this one, and waits for its
    /// end: for operations of ApiKeyClient that have no blocking form.
    ///
    ///     palette::BlockingApiKeyClient client(options);
    ///     auto waited = client.run([](ApiKeyClient& inner) -> boost::asio::awaitable<Result<void>> {
    ///         co_return co_await inner.async_wait(5s);
    ///     });
    ///
    /// `work` outlives the coroutine. Completes with what the coroutine returns, or with errc::system for an
    /// exception. cancel() does not end the coroutine, but each of its operations.
    Result<void> run(const std::function<boost::asio::awaitable<Result<void>>(ApiKeyClient&)>& work);

    /// Cancels all operations under way, as ApiKeyClient::cancel() does. May be called from any thread.
    void cancel();

    /// Closes the client: refuses new operations, waits for those under way, and closes the connections; see
    /// ApiKeyClient::async_close().
    Result<void> close();

private:
    class Loop;
    class Impl;

    template <class T, class Start>
    Result<T> wait(Start start);

    std::unique_ptr<Impl> impl_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/client/blocking_client.ipp>
#endif
