// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/blocking_client.hpp>
#include <palette/client.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

// An event loop in a thread, and a client in it. The thread ends when the client has nothing more to do.
class BlockingApiKeyClient::Machine {
public:
    explicit Machine(ClientOptions options) : client_(std::in_place, context_, std::move(options)) {
        try {
            thread_ = std::thread([this] { context_.run(); });
        } catch (const std::system_error& e) {
            throw Exception(
                Error(errc::system, std::string("the client's thread cannot be started: ") + e.what()));
        }
    }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    ~Machine() {
        client_.reset();
        work_.reset();
        thread_.join();
    }

    // `start` is given the client and a handler for the result.
    template <class T, class Start>
    Result<T> wait(Start start) {
        if (std::this_thread::get_id() == thread_.get_id())
            return Error(errc::invalid_argument,
                         "a blocking operation in the client's own thread would wait for itself")
                .advice("call it in another thread, or use ApiKeyClient");
        std::promise<Result<T>> promise;
        auto future = promise.get_future();
        start(*client_, [promise = std::move(promise)](Result<T> result) mutable {
            promise.set_value(std::move(result));
        });
        return future.get();
    }

    void cancel() { client_->cancel(); }

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    std::optional<ApiKeyClient> client_;
    std::thread thread_;
};

PALETTE_KEYS_INLINE BlockingApiKeyClient::BlockingApiKeyClient(ClientOptions options)
    : machine_(std::make_unique<Machine>(std::move(options))) {}
PALETTE_KEYS_INLINE BlockingApiKeyClient::BlockingApiKeyClient(BlockingApiKeyClient&&) noexcept = default;
PALETTE_KEYS_INLINE BlockingApiKeyClient& BlockingApiKeyClient::operator=(BlockingApiKeyClient&&) noexcept =
    default;
PALETTE_KEYS_INLINE BlockingApiKeyClient::~BlockingApiKeyClient() = default;

PALETTE_KEYS_INLINE Result<KeyList> BlockingApiKeyClient::list(ListFilter filter, CallOptions options) {
    return machine_->wait<KeyList>([&](ApiKeyClient& client, auto handler) {
        client.async_list(std::move(filter), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<KeyList> BlockingApiKeyClient::find(std::string name, CallOptions options) {
    return machine_->wait<KeyList>([&](ApiKeyClient& client, auto handler) {
        client.async_find(std::move(name), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::get(std::string uid, CallOptions options) {
    return machine_->wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_get(std::move(uid), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<CreatedApiKey> BlockingApiKeyClient::create(NewApiKey key, CallOptions options) {
    return machine_->wait<CreatedApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_create(std::move(key), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<Reconciliation> BlockingApiKeyClient::reconcile(PendingCreate pending,
                                                                           CallOptions options) {
    return machine_->wait<Reconciliation>([&](ApiKeyClient& client, auto handler) {
        client.async_reconcile(std::move(pending), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::update(std::string uid, ApiKeyEdit edit,
                                                                CallOptions options) {
    return machine_->wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_update(std::move(uid), std::move(edit), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::update(ApiKey seen, ApiKeyEdit edit,
                                                                CallOptions options) {
    return machine_->wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_update(std::move(seen), std::move(edit), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::renew(std::string uid,
                                                               std::chrono::milliseconds duration,
                                                               CallOptions options) {
    return machine_->wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_renew(std::move(uid), duration, options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::renew(std::string uid, Expiry expiry,
                                                               CallOptions options) {
    return machine_->wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_renew(std::move(uid), expiry, options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::revoke(std::string uid, CallOptions options) {
    return machine_->wait<void>([&](ApiKeyClient& client, auto handler) {
        client.async_revoke(std::move(uid), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::reactivate(std::string uid, CallOptions options) {
    return machine_->wait<void>([&](ApiKeyClient& client, auto handler) {
        client.async_reactivate(std::move(uid), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::set_active(std::string uid, bool is_active,
                                                                  CallOptions options) {
    return machine_->wait<void>([&](ApiKeyClient& client, auto handler) {
        client.async_set_active(std::move(uid), is_active, options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::remove(std::string uid, CallOptions options) {
    return machine_->wait<void>([&](ApiKeyClient& client, auto handler) {
        client.async_remove(std::move(uid), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<Identity> BlockingApiKeyClient::whoami(CallOptions options) {
    return machine_->wait<Identity>(
        [&](ApiKeyClient& client, auto handler) { client.async_whoami(options, std::move(handler)); });
}

PALETTE_KEYS_INLINE Result<User> BlockingApiKeyClient::find_user(std::string email, CallOptions options) {
    return machine_->wait<User>([&](ApiKeyClient& client, auto handler) {
        client.async_find_user(std::move(email), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE void BlockingApiKeyClient::cancel() {
    machine_->cancel();
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::close() {
    return machine_->wait<void>(
        [](ApiKeyClient& client, auto handler) { client.async_close(std::move(handler)); });
}

}  // namespace palette::inline PALETTE_KEYS_ABI
