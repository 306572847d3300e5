// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/options.hpp>
#include <palette/pending_create.hpp>
#include <palette/result.hpp>
#include <palette/user.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI {

// The operations of ApiKeyClient for programs without an event loop: each waits for its Result.
//
//     palette::BlockingApiKeyClient client(palette::ClientOptions::from_environment().value());
//     for (auto const& key : client.list().value())
//         std::cout << key.name << '\n';
//
// What an operation does, its errors and its deadlines are those of ApiKeyClient.
//
// Threads: any number of them may call it at the same time. Network and timers are served by one thread of
// the client's own, which ends with it. An operation that is called in that thread, from an Observer or an
// AuthProvider, would wait for itself: it fails with errc::invalid_argument.
//
// Cancellation: cancel(), from another thread.
//
// Memory: an operation that finds none fails with errc::out_of_memory.
class PALETTE_KEYS_DECL BlockingApiKeyClient {
public:
    // Throws Exception: errc::invalid_argument if the options cannot work, errc::system if no thread can be
    // started.
    explicit BlockingApiKeyClient(ClientOptions options = {});
    BlockingApiKeyClient(BlockingApiKeyClient&&) noexcept;
    BlockingApiKeyClient& operator=(BlockingApiKeyClient&&) noexcept;

    /// Destroys the client. Operations that are under way end with errc::operation_aborted, and then the
    /// client's own thread ends.
    ///
    /// From any other thread, the destructor waits for that. In the client's own thread (from an Observer or
    /// an AuthProvider) the destructor cannot wait for itself: it returns at once, and the thread ends by
    /// itself after the function that is running there has returned. Threads that wait for an operation at
    /// that moment get errc::operation_aborted. The same holds for a client that another one is moved over.
    ///
    /// Precondition: no thread starts an operation meanwhile, and when another thread than the client's own
    /// destroys the client, none waits for one.
    ~BlockingApiKeyClient();

    /// Tells whether this is a client: false once it has been moved from, until another is moved to it.
    ///
    /// A client that is not valid can be destroyed and assigned to. Its operations fail with
    /// errc::invalid_argument, not_applied, and cancel() does nothing.
    [[nodiscard]] bool valid() const noexcept { return impl_ != nullptr; }

    Result<KeyList> list(ListFilter filter = {}, CallOptions options = {});
    Result<KeyList> find(std::string name, CallOptions options = {});
    Result<ApiKey> get(std::string uid, CallOptions options = {});
    Result<CreatedApiKey> create(NewApiKey key, CallOptions options = {});
    Result<Reconciliation> reconcile(PendingCreate pending, CallOptions options = {});
    Result<ApiKey> update(std::string uid, ApiKeyEdit edit, CallOptions options = {});
    Result<ApiKey> update(ApiKey seen, ApiKeyEdit edit, CallOptions options = {});
    Result<ApiKey> renew(std::string uid, std::chrono::milliseconds duration, CallOptions options = {});
    Result<ApiKey> renew(std::string uid, Expiry expiry, CallOptions options = {});
    Result<void> revoke(std::string uid, CallOptions options = {});
    Result<void> reactivate(std::string uid, CallOptions options = {});
    Result<void> set_active(std::string uid, bool is_active, CallOptions options = {});
    Result<void> remove(std::string uid, CallOptions options = {});
    Result<Identity> whoami(CallOptions options = {});
    Result<User> find_user(std::string email, CallOptions options = {});

    // Ends all operations that are under way, with errc::operation_aborted.
    void cancel();

    // Takes no new operations, waits for those under way, and closes the connections.
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
