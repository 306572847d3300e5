// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/options.hpp>
#include <palette/pending_create.hpp>
#include <palette/result.hpp>
#include <palette/user.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace client {
class Core;
}

namespace detail {

template <class Token, class T>
concept TokenFor = boost::asio::completion_token_for<Token, void(Result<T>)>;

template <class T>
using Handler = boost::asio::any_completion_handler<void(Result<T>)>;

// What the templates of ApiKeyClient come down to: one function for every operation, with an erased
// handler.
class PALETTE_KEYS_DECL ClientCore {
public:
    ClientCore(boost::asio::any_io_executor executor, ClientOptions options);
    ClientCore(const ClientCore&) = delete;
    ClientCore& operator=(const ClientCore&) = delete;
    ~ClientCore();

    void list(Handler<KeyList> handler, ListFilter filter, CallOptions options);
    void get(Handler<ApiKey> handler, std::string uid, CallOptions options);
    void create(Handler<CreatedApiKey> handler, NewApiKey key, CallOptions options);
    void reconcile(Handler<Reconciliation> handler, PendingCreate pending, CallOptions options);
    void update(Handler<ApiKey> handler, std::string uid, ApiKeyEdit edit, std::optional<ApiKey> seen,
                CallOptions options);
    void renew(Handler<ApiKey> handler, std::string uid, std::chrono::milliseconds duration,
               CallOptions options);
    void renew_until(Handler<ApiKey> handler, std::string uid, Expiry expiry, CallOptions options);
    void revoke(Handler<void> handler, std::string uid, CallOptions options);
    void reactivate(Handler<void> handler, std::string uid, CallOptions options);
    void set_active(Handler<void> handler, std::string uid, bool is_active, CallOptions options);
    void remove(Handler<void> handler, std::string uid, CallOptions options);
    void whoami(Handler<Identity> handler, CallOptions options);
    void find_user(Handler<User> handler, std::string email, CallOptions options);
    void close(Handler<void> handler);

    void cancel();
    // The client is gone: operations end, connections close.
    void abandon();
    [[nodiscard]] boost::asio::any_io_executor executor() const noexcept;

private:
    std::shared_ptr<client::Core> core_;
};

// Starts an operation when the token says so, which may be after the client has been moved.
template <auto Operation>
struct Initiation {
    std::shared_ptr<ClientCore> core;

    using executor_type = boost::asio::any_io_executor;
    [[nodiscard]] executor_type get_executor() const noexcept { return core->executor(); }

    template <class H, class... Args>
    void operator()(H&& handler, Args&&... args) const {
        std::invoke(Operation, *core, std::forward<H>(handler), std::forward<Args>(args)...);
    }
};

}  // namespace detail
}  // namespace palette::inline PALETTE_KEYS_ABI
