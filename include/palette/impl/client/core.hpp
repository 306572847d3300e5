// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/operations.hpp>
#include <palette/detail/start.hpp>
#include <palette/impl/client/calls_under_way.hpp>
#include <palette/impl/client/checks.hpp>
#include <palette/impl/client/context_end.hpp>
#include <palette/impl/client/create_memory.hpp>
#include <palette/impl/client/delivery.hpp>
#include <palette/impl/client/serial.hpp>
#include <palette/impl/client/started.hpp>
#include <palette/impl/pipeline/call.hpp>
#include <palette/impl/pipeline/pipeline.hpp>
#include <palette/impl/values/error_of_exception.hpp>
#include <palette/impl/values/insist.hpp>
#include <palette/impl/values/uid.hpp>
#include <palette/options.hpp>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

namespace asio = boost::asio;

// What all operations of one client share. Everything but start() is on the strand.
class Core : public std::enable_shared_from_this<Core> {
public:
    Core(asio::any_io_executor executor, ClientOptions options);

    // Completes the handler with what `operation` gives, or with an error for what it throws. From any
    // thread. Throws std::bad_alloc, and never calls the handler, if there is no memory for what a completion
    // needs.
    template <class Operation>
    void start(detail::Handler<typename Operation::Value> handler, Operation operation,
               const detail::CallSettings& options);

    // From any thread: ends all operations.
    void cancel();
    // How often that was called.
    [[nodiscard]] const std::atomic<std::uint64_t>& cancellations() const noexcept { return cancellations_; }
    // The client is gone: operations end, connections close. From any thread.
    void abandon();

    void stop_all(pipeline::Call::Stop why) noexcept;
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
    // From its first step on, an operation's coroutine has one: it ends the operation however the coroutine
    // ends, that it is destroyed included.
    template <class T>
    class Running;

    template <class Operation>
    static asio::awaitable<void> run(std::shared_ptr<Core> core,
                                     std::shared_ptr<Started<typename Operation::Value>> started,
                                     Operation operation);

    // `closing` waits for all that is work, has no deadline of its own, and is let in at any time; `waiting`
    // has none either, and is no work; `silent` is like it, and belongs to an operation of somebody else's.
    enum class Kind { work, waiting, silent, closing };
    template <class Operation>
    static constexpr Kind kind_of = std::is_same_v<Operation, detail::CloseClient>  ? Kind::closing
                                    : std::is_same_v<Operation, detail::Wait>       ? Kind::waiting
                                    : std::is_same_v<Operation, detail::WaitForEnd> ? Kind::silent
                                                                                    : Kind::work;

    void begin(pipeline::Call& call, Kind kind);
    void announce(const pipeline::Call& call, Kind kind) const noexcept;
    // Says of an error which operation on which key has failed; as far as there is memory for that.
    void name_subject(Error& error, const pipeline::Call& call) const noexcept;
    void end(pipeline::Call& call, Kind kind, const Error* error) noexcept;
    [[nodiscard]] Error failure(Error thrown, const pipeline::Call& call) const noexcept;
    [[nodiscard]] OperationEvent event_of(const pipeline::Call& call) const noexcept;
    void observe(const pipeline::Call& call, const Error* error) const noexcept;

    asio::any_io_executor base_;
    asio::any_completion_executor handlers_;  // the same as base_
    std::shared_ptr<Serial> serial_;
    asio::any_io_executor strand_;  // of serial_
    std::shared_ptr<timing::SharedTimer> timer_;
    ClientOptions options_;
    std::shared_ptr<Transport> transport_;
    pipeline::Pipeline pipeline_;
    CreateMemory creates_;
    std::atomic<std::uint64_t> last_id_ = 0;
    std::atomic<std::uint64_t> cancellations_ = 0;
    CallsUnderWay calls_;
    std::size_t working_ = 0;
    asio::steady_timer idle_;  // cancelled when the last work has ended
    std::shared_ptr<const ContextEnd::Flag> context_ends_;
    bool takes_new_ = true;
};

template <class T>
class Core::Running {
public:
    Running(Core& core, Started<T>& started, Kind kind) noexcept
        : core_(core),
          started_(started),
          kind_(kind),
          entry_(core.calls_, started.call) {
        if (kind_ == Kind::work) ++core_.working_;
    }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    void begin() {
        is_announced_ = true;
        core_.announce(started_.call, kind_);
        core_.begin(started_.call, kind_);
    }

    // Asio destroys a coroutine that waits for something when memory runs out over that. It does so as well
    // when the context ends, and then nothing completes.
    ~Running() {
        if (has_ended_ || *core_.context_ends_) return;
        fail(core_.failure(detail::out_of_memory(), started_.call));
    }

    // A value that was received is delivered, whatever has failed.
    void fail(Error error) noexcept {
        if constexpr (std::is_same_v<T, CreatedApiKey>) {
            auto* const progress = started_.call.create_progress();
            if (progress != nullptr && progress->has_received()) return end(progress->take_received());
        }
        end(std::move(error));
    }

    void end(Result<T> result) noexcept {
        has_ended_ = true;
        entry_.leave();
        if (!result) core_.name_subject(result.error(), started_.call);
        // Whoever counts what is under way sees the start of each end.
        if (!is_announced_) core_.announce(started_.call, kind_);
        core_.end(started_.call, kind_, result ? nullptr : &result.error());
        // Never within the call that has started it.
        if (started_.has_returned() && core_.serial_->is_inside())
            started_.delivery->complete_when_left(*core_.serial_, core_.base_, std::move(result));
        else
            started_.delivery->complete(core_.base_, std::move(result));
    }

private:
    Core& core_;
    Started<T>& started_;
    Kind kind_;
    CallsUnderWay::Entry entry_;
    bool is_announced_ = false;
    bool has_ended_ = false;
};

template <class Operation>
void Core::start(detail::Handler<typename Operation::Value> handler, Operation operation,
                 const detail::CallSettings& options) {
    using T = typename Operation::Value;
    // As long as these have not been made, the handler has nobody else who could tell it anything.
    auto const delivery =
        detail::try_often([&] { return std::make_shared<Delivery<T>>(handlers_, handler); });
    // The options are copied: a try that fails half-way must not have taken them away from the next one.
    auto const started = detail::try_often([&] {
        return std::make_shared<Started<T>>(strand_, delivery, timer_, pipeline_.time(), ++last_id_,
                                            Operation::name, options_.timeouts, options);
    });
    delivery->take(handler);
    try {
        started->bridge_cancellation(asio::get_associated_cancellation_slot(delivery->handler()));
        started->spawn(run(shared_from_this(), started, std::move(operation)));
    } catch (...) {
        delivery->complete(base_,
                           detail::error_of_exception(errc::transport, "an operation could not be started"));
    }
}

template <class Operation>
asio::awaitable<void> Core::run(std::shared_ptr<Core> core,
                                std::shared_ptr<Started<typename Operation::Value>> started,
                                Operation operation) {
    auto& call = started->call;
    Running<typename Operation::Value> running(*core, *started, kind_of<Operation>);
    try {
        co_await asio::this_coro::reset_cancellation_state(asio::enable_total_cancellation());
        co_await asio::this_coro::throw_if_cancelled(false);
        if constexpr (requires { operation.uid; })
            if (detail::fault_of_uid(operation.uid) == nullptr) call.set_key_uid(operation.uid);
        running.begin();
        auto first = check(*core, operation);
        if (first)
            if (auto good = check_traceparent(call.options().traceparent); !good)
                first = std::move(good.error());
        Result<bool> turn = true;
        // The wait for the first turn is here, where most operations wait that wait: the frames of what
        // follows are many times as large as this one.
        if (first && *first != nullptr && !call.is_stopped()) {
            auto queued = core->pipeline_.turn_of(call, **first);
            turn = queued.take();
            if (turn && !*turn) turn = co_await queued.wait();
            if (turn && *turn) call.keep_turn(**first);
        }
        if (call.is_stopped())
            running.end(call.stopped(Effect::not_applied));
        else if (!first)
            running.end(first.error());
        else if (!turn)
            running.end(std::move(turn.error()));
        else
            running.end(co_await perform(*core, call, std::move(operation)));
    } catch (...) {
        auto thrown = detail::error_of_exception(errc::transport, "an operation failed");
        running.fail(core->failure(std::move(thrown), call));
    }
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
