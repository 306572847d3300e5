// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/client_core.hpp>
#include <palette/impl/client/create_memory.hpp>
#include <palette/impl/pipeline/call.hpp>
#include <palette/impl/pipeline/pipeline.hpp>
#include <palette/options.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::client {

namespace asio = boost::asio;

// What all operations of one client share. Everything but start() is on the strand.
class Core : public std::enable_shared_from_this<Core> {
public:
    Core(asio::any_io_executor executor, ClientOptions options);

    // `closing` waits for all that is work, has no deadline of its own, and is let in at any time.
    enum class Kind { work, closing };

    // Runs `operation(*this, call, args...)`, a coroutine that gives Result<T>, and completes the handler
    // with what it gives. From any thread.
    template <class T, class Operation, class... Args>
    void start(Kind kind, std::string_view name, detail::Handler<T> handler, CallOptions options,
               Operation operation, Args... args);

    void stop_all(pipeline::Call::Stop why);
    asio::awaitable<void> wait_for_work(pipeline::Call& call);
    void refuse_new() noexcept { takes_new_ = false; }

    [[nodiscard]] const asio::any_io_executor& base() const noexcept { return base_; }
    [[nodiscard]] const asio::any_io_executor& strand() const noexcept { return strand_; }
    [[nodiscard]] const ClientOptions& options() const noexcept { return options_; }
    [[nodiscard]] pipeline::Pipeline& pipeline() noexcept { return pipeline_; }
    [[nodiscard]] Transport& transport() noexcept { return *transport_; }
    [[nodiscard]] Instant now() const noexcept { return pipeline_.time().now(); }
    [[nodiscard]] CreateMemory& creates() noexcept { return creates_; }

private:
    // An operation with the handler that waits for it.
    template <class T>
    struct Started;

    template <class T, class Operation, class... Args>
    static asio::awaitable<void> run(std::shared_ptr<Core> core, std::shared_ptr<Started<T>> started,
                                     Operation operation, Args... args);

    // Whether it may go on.
    bool begin(pipeline::Call& call, Kind kind);
    void end(pipeline::Call& call, Kind kind, const Error* error);

    template <class T>
    void bridge_cancellation(const std::shared_ptr<Started<T>>& started);
    void observe(const pipeline::Call& call, const Error* error) const;

    asio::any_io_executor base_;
    asio::any_io_executor strand_;
    std::shared_ptr<timing::SharedTimer> timer_;
    ClientOptions options_;
    std::shared_ptr<Transport> transport_;
    pipeline::Pipeline pipeline_;
    CreateMemory creates_;
    std::atomic<std::uint64_t> last_id_ = 0;
    std::vector<pipeline::Call*> calls_;
    std::size_t working_ = 0;
    asio::steady_timer idle_;  // cancelled when the last work has ended
    bool takes_new_ = true;
};

template <class T>
struct Core::Started {
    Started(Core& core, Kind k, std::string_view name, detail::Handler<T> h, const CallOptions& options)
        : kind(k),
          handler(std::move(h)),
          work(asio::get_associated_executor(handler, core.base())),
          strand(core.strand()),
          call(core.timer_, core.pipeline().time(), ++core.last_id_, name, core.options().timeouts, options) {
    }

    Kind kind;
    detail::Handler<T> handler;
    asio::executor_work_guard<asio::associated_executor_t<detail::Handler<T>, asio::any_io_executor>> work;
    asio::any_io_executor strand;
    pipeline::Call call;
};

// Gives an operation's handler its result. The result stays where it is on the way: Asio moves what it
// posts a dozen times.
template <class T>
class Completion {
public:
    using executor_type = asio::associated_executor_t<detail::Handler<T>, asio::any_io_executor>;

    Completion(executor_type executor, detail::Handler<T> handler, Result<T> result)
        : executor_(std::move(executor)),
          handler_(std::move(handler)),
          result_(std::make_unique<Result<T>>(std::move(result))) {}

    [[nodiscard]] executor_type get_executor() const noexcept { return executor_; }

    void operator()() { std::move(handler_)(std::move(*result_)); }

private:
    executor_type executor_;
    detail::Handler<T> handler_;
    std::unique_ptr<Result<T>> result_;
};

// The slot holds nothing that keeps anything alive: its signal may outlive the operation, and the context.
template <class T>
void Core::bridge_cancellation(const std::shared_ptr<Started<T>>& started) {
    auto slot = asio::get_associated_cancellation_slot(started->handler);
    if (!slot.is_connected()) return;
    slot.assign([weak = std::weak_ptr(started)](asio::cancellation_type type) {
        if (auto const alive = weak.lock())
            asio::post(alive->strand, [weak, type] {
                if (auto const still_alive = weak.lock()) still_alive->call.cancel(type);
            });
    });
}

template <class T, class Operation, class... Args>
void Core::start(Kind kind, std::string_view name, detail::Handler<T> handler, CallOptions options,
                 Operation operation, Args... args) {
    auto const started = std::make_shared<Started<T>>(*this, kind, name, std::move(handler), options);
    bridge_cancellation(started);
    // The signal that the slot belongs to outlives the coroutine's frame: the handler here holds it.
    asio::co_spawn(
        strand_, run<T>(shared_from_this(), started, std::move(operation), std::move(args)...),
        asio::bind_cancellation_slot(started->call.slot(), [started](const std::exception_ptr&) {}));
}

template <class T, class Operation, class... Args>
asio::awaitable<void> Core::run(std::shared_ptr<Core> core, std::shared_ptr<Started<T>> started,
                                Operation operation, Args... args) {
    co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
    co_await asio::this_coro::throw_if_cancelled(false);
    auto& call = started->call;
    std::optional<Result<T>> result;
    if (!core->begin(call, started->kind)) {
        result.emplace(call.stopped(Effect::not_applied));
    } else {
        try {
            result.emplace(co_await operation(*core, call, std::move(args)...));
        } catch (const std::exception& e) {
            auto const error = Error(errc::transport, std::string("an operation failed: ") + e.what())
                                   .effect(call.sent ? Effect::unknown : Effect::not_applied);
            result.emplace(core->pipeline().safe(error, call));
        }
    }
    core->end(call, started->kind, *result ? nullptr : &result->error());
    asio::post(core->base_,
               Completion<T>(started->work.get_executor(), std::move(started->handler), std::move(*result)));
    started->work.reset();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::client
