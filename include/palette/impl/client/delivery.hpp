// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/start.hpp>
#include <palette/impl/client/serial.hpp>
#include <palette/impl/seams/handler_executor.hpp>
#include <palette/impl/values/insist.hpp>

#include <boost/asio/any_completion_executor.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

namespace asio = boost::asio;

// The way to the handler of an operation: made when the operation starts, so that the handler is called
// whatever the operation meets. It holds nothing of the client: the handler may run, and all this go, in
// another context that lives longer than the client's. The same for all handlers, so that it is compiled
// once.
class WayToHandler : public std::enable_shared_from_this<WayToHandler>, public Serial::Leaver {
public:
    WayToHandler(const WayToHandler&) = delete;
    WayToHandler& operator=(const WayToHandler&) = delete;

protected:
    explicit WayToHandler(const asio::any_completion_executor& executor) : executor_(executor) {}
    ~WayToHandler() = default;

    // Posts a call of the handler to `base`, from where it goes to the handler's executor.
    void post(const asio::any_io_executor& base) noexcept {
        detail::insist([&] { asio::post(base, [self = shared_from_this()] { self->dispatch(); }); });
    }

    // The same, without a turn of its own if that may be.
    void call_when_left(Serial& serial, const asio::any_io_executor& base) noexcept {
        base_.emplace(base);
        serial.when_left(shared_from_this());
    }

private:
    void on_left() override { dispatch(); }
    void on_left_later() noexcept override { post(*base_); }

    virtual void call_handler() = 0;
    [[nodiscard]] virtual bool has_handler() const noexcept = 0;

    void dispatch() {
        executor_.dispatch(
            [self = shared_from_this()] {
                auto const work = self->executor_.take();
                self->call_handler();
            },
            [this] { return has_handler(); });
    }

    detail::HandlerExecutor executor_;
    std::optional<asio::any_io_executor> base_;
};

// The handler of an operation, and its result. Called once, or not at all if a context on the way has gone.
template <class T>
class Delivery final : public WayToHandler {
public:
    // `otherwise`: where the handler runs that says nothing. Until take(), the handler is the caller's.
    Delivery(const asio::any_completion_executor& otherwise, const detail::Handler<T>& handler)
        : WayToHandler(asio::get_associated_executor(handler, otherwise)) {}

    // Boost 1.81's any_completion_handler cannot be assigned.
    void take(detail::Handler<T>& handler) noexcept { handler_.swap(handler); }
    [[nodiscard]] const detail::Handler<T>& handler() const noexcept { return handler_; }

    // Sends the result on its way. What comes after the first one is dropped.
    void complete(const asio::any_io_executor& base, Result<T>&& result) noexcept {
        if (result_) return;
        result_.emplace(std::move(result));
        post(base);
    }

    void complete_when_left(Serial& serial, const asio::any_io_executor& base, Result<T>&& result) noexcept {
        if (result_) return;
        result_.emplace(std::move(result));
        call_when_left(serial, base);
    }

private:
    void call_handler() override {
        auto handler = std::move(handler_);
        std::move(handler)(std::move(*result_));
    }
    [[nodiscard]] bool has_handler() const noexcept override { return static_cast<bool>(handler_); }

    detail::Handler<T> handler_;
    std::optional<Result<T>> result_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
