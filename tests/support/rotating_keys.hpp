// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/blocking_client.hpp>
#include <palette/client.hpp>
#include <palette/testing/emulator.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

// API keys of the tenant admin, of which one is good at a time: a rotation makes the next and revokes the
// last, as a program of its own would, while others use them.
class RotatingKeys {
public:
    // `options` are those of a client whose credential stays.
    RotatingKeys(boost::asio::io_context& context, const palette::ClientOptions& options,
                 palette::testing::Emulator& emulator)
        : emulator_(emulator),
          options_(options),
          client_(context, options) {
        next();
    }

    [[nodiscard]] const std::shared_ptr<palette::AuthProvider>& provider() const noexcept { return auth_; }

    // Not before the last one is done, which takes a request or, where the service fails, some more.
    void rotate() {
        if (is_busy_) return;
        is_busy_ = true;
        auto const old = uid_;
        next();
        revoke(old);
    }

    // Returns when it is done. What this thread serves stands still meanwhile, so that a rotation takes no
    // longer than the operations that are to outlive it, however busy the machine.
    void rotate_and_wait() {
        auto const old = uid_;
        next();
        if (palette::BlockingApiKeyClient(options_).revoke(old)) ++rotations_;
    }

    [[nodiscard]] int rotations() const noexcept { return rotations_; }
    [[nodiscard]] int asked() const noexcept { return provider_->asked; }
    [[nodiscard]] bool is_busy() const noexcept { return is_busy_; }

private:
    using Shared = std::shared_ptr<const palette::Credential>;

    struct Provider final : palette::AuthProvider {
        boost::asio::awaitable<palette::Result<Shared>> credential(palette::CredentialRequest) override {
            ++asked;
            // Those who come meanwhile have time to ask again.
            for (int i = 0; i < 10; ++i)
                co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                                           boost::asio::use_awaitable);
            std::lock_guard const lock(mutex);
            co_return newest;
        }
        std::atomic<int> asked = 0;
        std::mutex mutex;
        Shared newest;
    };

    void next() {
        auto key = emulator_.seed_key(palette::NewApiKey("rotating"));
        uid_ = key.uid();
        std::lock_guard const lock(provider_->mutex);
        provider_->newest = palette::Credential::api_key(std::move(key).secret(), uid_);
    }
    void revoke(const std::string& uid) {
        client_.async_revoke(uid, [this, uid](const palette::Result<void>& revoked) {
            if (!revoked) return revoke(uid);
            ++rotations_;
            is_busy_ = false;
        });
    }

    palette::testing::Emulator& emulator_;
    palette::ClientOptions options_;
    palette::ApiKeyClient client_;
    std::shared_ptr<Provider> provider_ = std::make_shared<Provider>();
    std::shared_ptr<palette::AuthProvider> auth_ = provider_;
    std::string uid_;
    std::atomic<bool> is_busy_ = false;
    std::atomic<int> rotations_ = 0;
};
