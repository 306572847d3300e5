// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/impl/client/moved_from.hpp>
#include <palette/impl/values/error_of_exception.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

// A thread that waits for the result of one operation.
template <class T>
class BlockedThread {
public:
    // What the operation has of it. Without a result it is dropped only when its event loop is, or when there
    // was no memory to begin with.
    class Handler {
    public:
        explicit Handler(BlockedThread& thread) noexcept : thread_(&thread) {}
        Handler(Handler&& other) noexcept : thread_(std::exchange(other.thread_, nullptr)) {}
        Handler& operator=(Handler&&) = delete;
        ~Handler() {
            if (thread_ != nullptr) thread_->wake(detail::out_of_memory());
        }

        void operator()(Result<T> result) { std::exchange(thread_, nullptr)->wake(std::move(result)); }

    private:
        BlockedThread* thread_;
    };

    Result<T> wait() {
        std::unique_lock lock(mutex_);
        woken_.wait(lock, [this] { return result_.has_value(); });
        return std::move(*result_);
    }

private:
    // Under the lock to the end: when it is free, the waiting thread takes all of this away.
    void wake(Result<T> result) noexcept {
        std::lock_guard const lock(mutex_);
        result_.emplace(std::move(result));
        woken_.notify_one();
    }

    std::mutex mutex_;
    std::condition_variable woken_;
    std::optional<Result<T>> result_;
};

// An event loop, and a client in it. The loop's thread and all who wait for it share it.
class BlockingApiKeyClient::Loop {
public:
    explicit Loop(ClientOptions options) : client_(std::in_place, context_, std::move(options)) {}

    // Until the client has gone, and all that it had to do is done.
    void run() noexcept {
        for (;;) {
            try {
                context_.run();
                return;
            } catch (const std::bad_alloc&) {
                // Asio had none for one of its steps; the operation that it was for ends with an error.
            }
        }
    }

    // What is under way ends with errc::operation_aborted.
    void end() {
        // Before the work guard: what the client's end posts has to run.
        client_.reset();
        work_.reset();
    }

    [[nodiscard]] ApiKeyClient& client() noexcept { return *client_; }
    [[nodiscard]] bool is_here() const noexcept { return context_.get_executor().running_in_this_thread(); }

private:
    mutable boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
    std::optional<ApiKeyClient> client_;
};

class BlockingApiKeyClient::Impl {
public:
    explicit Impl(ClientOptions options) : loop_(std::make_shared<Loop>(std::move(options))) {
        try {
            thread_ = std::thread([loop = loop_] { loop->run(); });
        } catch (const std::system_error& e) {
            throw Exception(
                Error(errc::system, std::string("the client's thread cannot be started: ") + e.what()));
        }
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    ~Impl() {
        // The loop's own thread cannot wait for its own end: it is left to come to it, with the loop.
        auto const is_own_thread = loop_->is_here();
        loop_->end();
        if (is_own_thread)
            thread_.detach();
        else
            thread_.join();
    }

    // `start` is given the client and a handler for the result.
    template <class T, class Start>
    Result<T> wait(Start start) {
        auto const loop = loop_;  // the client may be destroyed meanwhile, by its own thread
        if (loop->is_here())
            return Error(errc::invalid_argument,
                         "a blocking operation in the client's own thread would wait for itself")
                .advice("call it in another thread, or use ApiKeyClient");
        // On this stack: the thread does not leave before the handler was called or destroyed.
        BlockedThread<T> thread;
        try {
            start(loop->client(), typename BlockedThread<T>::Handler(thread));
        } catch (const std::bad_alloc&) {
            // The handler has been destroyed, and has said so.
        }
        return thread.wait();
    }

    void cancel() { loop_->client().cancel(); }

private:
    std::shared_ptr<Loop> loop_;
    std::thread thread_;
};

PALETTE_KEYS_INLINE BlockingApiKeyClient::BlockingApiKeyClient(ClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
PALETTE_KEYS_INLINE BlockingApiKeyClient::BlockingApiKeyClient(BlockingApiKeyClient&&) noexcept = default;
PALETTE_KEYS_INLINE BlockingApiKeyClient& BlockingApiKeyClient::operator=(BlockingApiKeyClient&&) noexcept =
    default;
PALETTE_KEYS_INLINE BlockingApiKeyClient::~BlockingApiKeyClient() = default;

template <class T, class Start>
Result<T> BlockingApiKeyClient::wait(Start start) {
    if (!impl_) return impl::client::moved_from();
    return impl_->wait<T>(std::move(start));
}

PALETTE_KEYS_INLINE Result<KeyList> BlockingApiKeyClient::list(ListFilter filter, CallOptions options) {
    return wait<KeyList>([&](ApiKeyClient& client, auto handler) {
        client.async_list(std::move(filter), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<KeyList> BlockingApiKeyClient::find(std::string name, CallOptions options) {
    return wait<KeyList>([&](ApiKeyClient& client, auto handler) {
        client.async_find(std::move(name), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::get(std::string uid, CallOptions options) {
    return wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_get(std::move(uid), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<CreatedApiKey> BlockingApiKeyClient::create(NewApiKey key, CreateOptions options) {
    return wait<CreatedApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_create(std::move(key), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<Reconciliation> BlockingApiKeyClient::reconcile(PendingCreate pending,
                                                                           CallOptions options) {
    return wait<Reconciliation>([&](ApiKeyClient& client, auto handler) {
        client.async_reconcile(std::move(pending), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::update(std::string uid, ApiKeyEdit edit,
                                                                ChangeOptions options) {
    return wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_update(std::move(uid), std::move(edit), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::update(ApiKey seen, ApiKeyEdit edit,
                                                                ChangeOptions options) {
    return wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_update(std::move(seen), std::move(edit), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::renew(std::string uid,
                                                               std::chrono::milliseconds duration,
                                                               ChangeOptions options) {
    return wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_renew(std::move(uid), duration, options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::renew(std::string uid, Expiry expiry,
                                                               ChangeOptions options) {
    return wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_renew(std::move(uid), expiry, options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::revoke(std::string uid, ChangeOptions options) {
    return wait<void>([&](ApiKeyClient& client, auto handler) {
        client.async_revoke(std::move(uid), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::reactivate(std::string uid, ChangeOptions options) {
    return wait<void>([&](ApiKeyClient& client, auto handler) {
        client.async_reactivate(std::move(uid), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::set_active(std::string uid, bool is_active,
                                                                  ChangeOptions options) {
    return wait<void>([&](ApiKeyClient& client, auto handler) {
        client.async_set_active(std::move(uid), is_active, options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::remove(std::string uid, ChangeOptions options) {
    return wait<void>([&](ApiKeyClient& client, auto handler) {
        client.async_remove(std::move(uid), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::find_one(std::string name, CallOptions options) {
    return wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_find_one(std::move(name), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::renew(ApiKey seen,
                                                               std::chrono::milliseconds duration,
                                                               ChangeOptions options) {
    return wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_renew(std::move(seen), duration, options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<ApiKey> BlockingApiKeyClient::renew(ApiKey seen, Expiry expiry,
                                                               ChangeOptions options) {
    return wait<ApiKey>([&](ApiKeyClient& client, auto handler) {
        client.async_renew(std::move(seen), expiry, options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::revoke(ApiKey seen, ChangeOptions options) {
    return wait<void>([&](ApiKeyClient& client, auto handler) {
        client.async_revoke(std::move(seen), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::reactivate(ApiKey seen, ChangeOptions options) {
    return wait<void>([&](ApiKeyClient& client, auto handler) {
        client.async_reactivate(std::move(seen), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::remove(ApiKey seen, ChangeOptions options) {
    return wait<void>([&](ApiKeyClient& client, auto handler) {
        client.async_remove(std::move(seen), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<Identity> BlockingApiKeyClient::whoami(CallOptions options) {
    return wait<Identity>(
        [&](ApiKeyClient& client, auto handler) { client.async_whoami(options, std::move(handler)); });
}

PALETTE_KEYS_INLINE Result<Caller> BlockingApiKeyClient::describe_caller(CallOptions options) {
    return wait<Caller>([&](ApiKeyClient& client, auto handler) {
        client.async_describe_caller(options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<User> BlockingApiKeyClient::find_user(std::string email, CallOptions options) {
    return wait<User>([&](ApiKeyClient& client, auto handler) {
        client.async_find_user(std::move(email), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<UserList> BlockingApiKeyClient::list_users(CallOptions options) {
    return wait<UserList>(
        [&](ApiKeyClient& client, auto handler) { client.async_list_users(options, std::move(handler)); });
}

PALETTE_KEYS_INLINE Result<Visit> BlockingApiKeyClient::visit(ListFilter filter, KeyVisitor visitor,
                                                              CallOptions options) {
    return wait<Visit>([&](ApiKeyClient& client, auto handler) {
        client.async_visit(std::move(filter), std::move(visitor), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<Visit> BlockingApiKeyClient::visit_users(UserVisitor visitor,
                                                                    CallOptions options) {
    return wait<Visit>([&](ApiKeyClient& client, auto handler) {
        client.async_visit_users(std::move(visitor), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<User> BlockingApiKeyClient::get_user(std::string uid, CallOptions options) {
    return wait<User>([&](ApiKeyClient& client, auto handler) {
        client.async_get_user(std::move(uid), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<AuditEventList> BlockingApiKeyClient::list_audit_events(AuditEventFilter filter,
                                                                                   CallOptions options) {
    return wait<AuditEventList>([&](ApiKeyClient& client, auto handler) {
        client.async_list_audit_events(std::move(filter), options, std::move(handler));
    });
}

PALETTE_KEYS_INLINE Result<KeyLimit> BlockingApiKeyClient::key_limit(CallOptions options) {
    return wait<KeyLimit>(
        [&](ApiKeyClient& client, auto handler) { client.async_key_limit(options, std::move(handler)); });
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::run(
    const std::function<boost::asio::awaitable<Result<void>>(ApiKeyClient&)>& work) {
    return wait<void>([&](ApiKeyClient& client, auto handler) {
        auto ended = [done = std::move(handler)](const std::exception_ptr& thrown,
                                                 Result<void> result) mutable {
            if (!thrown) return done(std::move(result));
            try {
                std::rethrow_exception(thrown);
            } catch (...) {
                done(detail::error_of_exception(errc::system, "the coroutine failed"));
            }
        };
        boost::asio::co_spawn(client.get_executor(), work(client), std::move(ended));
    });
}

PALETTE_KEYS_INLINE void BlockingApiKeyClient::cancel() {
    if (impl_) impl_->cancel();
}

PALETTE_KEYS_INLINE Result<void> BlockingApiKeyClient::close() {
    return wait<void>([](ApiKeyClient& client, auto handler) { client.async_close(std::move(handler)); });
}

}  // namespace palette::inline PALETTE_KEYS_ABI
