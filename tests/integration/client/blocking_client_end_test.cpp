// SPDX-License-Identifier: BSL-1.0
#include <palette/auth.hpp>
#include <palette/blocking_client.hpp>
#include <palette/observer.hpp>
#include <palette/testing/emulator.hpp>

#include <doctest/doctest.h>
#include <boost/asio/awaitable.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>
#include <utility>

// A blocking client that is destroyed by its own thread.

namespace blocking_client_end_test {

using namespace std::chrono_literals;
using namespace palette;
using testing::Emulator;
using testing::Role;

using Client = std::optional<BlockingApiKeyClient>;

// Calls back once, in the client's own thread; `gone` is released when nothing of the client is left.
class CallsBack : public Observer, public AuthProvider {
public:
    CallsBack(std::shared_ptr<AuthProvider> real, std::shared_ptr<std::binary_semaphore> gone)
        : real_(std::move(real)),
          gone_(std::move(gone)) {}
    ~CallsBack() override { gone_->release(); }

    void on_attempt(const AttemptEvent&) noexcept override {
        if (in_attempt) std::exchange(in_attempt, nullptr)();
    }
    void on_operation(const OperationEvent&) noexcept override {
        if (in_operation) std::exchange(in_operation, nullptr)();
    }
    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) override {
        if (in_credential) std::exchange(in_credential, nullptr)();
        return real_->credential(std::move(request));
    }

    std::function<void()> in_attempt;
    std::function<void()> in_operation;
    std::function<void()> in_credential;

private:
    std::shared_ptr<AuthProvider> real_;
    std::shared_ptr<std::binary_semaphore> gone_;
};

struct EndScene {
    EndScene() : options(emulator.client_options(Role::tenant_admin)) {
        calls_back = std::make_shared<CallsBack>(options.auth, gone);
        options.observer = calls_back;
        options.auth = calls_back;
    }

    // The thread has ended, and nothing of the client is left.
    [[nodiscard]] bool comes_to_its_end() {
        calls_back.reset();
        options = ClientOptions();
        return gone->try_acquire_for(20s);
    }

    Emulator emulator{{.plain_http = true, .rate_limit = testing::RateLimit::off()}};
    std::shared_ptr<std::binary_semaphore> gone = std::make_shared<std::binary_semaphore>(0);
    ClientOptions options;
    std::shared_ptr<CallsBack> calls_back;
};

TEST_CASE("blocking client: destroyed by an observer in its own thread, it ends, and whoever waits is told") {
    for (auto const when : {&CallsBack::in_attempt, &CallsBack::in_operation, &CallsBack::in_credential}) {
        EndScene scene;
        Client client(std::in_place, scene.options);
        std::atomic<bool> has_returned = false;
        (*scene.calls_back).*when = [&] {
            client.reset();
            has_returned = true;
        };
        auto const result = client->whoami();
        CHECK(has_returned);
        // It was over already, or it was aborted.
        if (!result) CHECK(result.error().code() == errc::operation_aborted);
        CHECK(scene.comes_to_its_end());
    }
}

TEST_CASE("blocking client: destroyed by its own thread, it aborts what other threads wait for") {
    EndScene scene;
    scene.emulator.faults().add("GET /v1/apiKeys stall");
    Client client(std::in_place, scene.options);
    std::optional<errc> of_list;
    {
        auto& waited_for = *client;
        std::jthread const waits([&] {
            auto const list = waited_for.list();
            if (!list) of_list = list.error().code();
        });
        while (scene.emulator.request_count() == 0)
            std::this_thread::yield();
        scene.calls_back->in_operation = [&] { client.reset(); };
        static_cast<void>(waited_for.whoami());
    }
    CHECK(of_list == errc::operation_aborted);
    CHECK(scene.comes_to_its_end());
}

TEST_CASE("blocking client: moved over by another one in its own thread, it ends, and the other one works") {
    EndScene scene;
    BlockingApiKeyClient other(scene.emulator.client_options(Role::tenant_admin));
    BlockingApiKeyClient client(scene.options);
    scene.calls_back->in_operation = [&] { client = std::move(other); };
    static_cast<void>(client.whoami());
    CHECK(client.whoami());
    CHECK(scene.comes_to_its_end());
}

TEST_CASE("blocking client: destroyed by another thread, it has ended when the destructor returns") {
    EndScene scene;
    {
        BlockingApiKeyClient client(scene.options);
        CHECK(client.whoami());
    }
    scene.calls_back.reset();
    scene.options = ClientOptions();
    CHECK(scene.gone->try_acquire());
}

}  // namespace blocking_client_end_test
