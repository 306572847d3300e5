// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/client.hpp>
#include <palette/impl/client/core.hpp>
#include <palette/impl/client/moved_from.hpp>
#include <palette/impl/client/operations.hpp>
#include <palette/impl/client/serial.hpp>
#include <palette/impl/client/serial_executor.hpp>
#include <palette/impl/net/http_transport.hpp>
#include <palette/impl/net/user_agent.hpp>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <new>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::client {

inline std::shared_ptr<Transport> transport_for(const asio::any_io_executor& strand,
                                                const ClientOptions& options,
                                                const std::shared_ptr<timing::SharedTimer>& timer) {
    if (options.transport) return options.transport;
    auto made = net::make_http_transport(strand, options, timer);
    if (!made) throw Exception(std::move(made.error()));
    return std::move(*made);
}

inline void check(const RetryOptions& retry) {
    auto const refuse = [](const char* what, const char* field) {
        throw Exception(Error(errc::invalid_argument, what).path(std::string("retry.") + field));
    };
    if (retry.max_attempts < 1) refuse("a request is sent once at least", "max_attempts");
    if (retry.initial_backoff.count() < 0) refuse("a time is not negative", "initial_backoff");
    if (retry.max_backoff.count() < 0) refuse("a time is not negative", "max_backoff");
    if (retry.settle_time.count() < 0) refuse("a time is not negative", "settle_time");
    // Written so that NaN is refused too.
    if (!(retry.budget >= 0)) refuse("a budget is not negative", "budget");
}

inline void check(const ListLimits& limits) {
    struct Named {
        const char* name;
        std::size_t bound;
    };
    for (auto const& [name, bound] :
         {Named{"max_bytes", limits.max_bytes}, Named{"max_items", limits.max_items},
          Named{"max_pages", limits.max_pages}, Named{"max_token_length", limits.max_token_length}})
        if (bound == 0)
            throw Exception(Error(errc::invalid_argument, "a bound of nothing lets no list be read")
                                .path(std::string("list_limits.") + name));
}

inline ClientOptions checked(ClientOptions options) {
    using std::chrono::milliseconds;
    struct Named {
        const char* name;
        milliseconds& time;
    };
    auto& times = options.timeouts;
    for (auto const& [name, time] :
         {Named{"queue", times.queue}, Named{"total", times.total}, Named{"lookup", times.lookup},
          Named{"connect", times.connect}, Named{"handshake", times.handshake}, Named{"read", times.read}}) {
        if (time.count() <= 0)
            throw Exception(Error(errc::invalid_argument, "a time-out of nothing lets nothing be done")
                                .path(std::string("timeouts.") + name));
        time = timing::bounded(time);
    }
    if (options.pool.max_connections == 0)
        throw Exception(
            Error(errc::invalid_argument, "a client needs a connection").path("pool.max_connections"));
    if (options.pool.idle_timeout.count() < 0)
        throw Exception(Error(errc::invalid_argument, "a time is not negative").path("pool.idle_timeout"));
    check(options.retry);
    check(options.list_limits);
    if (options.limiter && options.limiter->clock() != options.clock)
        throw Exception(Error(errc::invalid_argument, "the rate limiter has another clock than the client")
                            .path("limiter"));
    if (auto good = net::check_user_agent(options.user_agent); !good)
        throw Exception(std::move(good.error()));
    return options;
}

// An executor in an executor needs memory of its own, for every operation.
inline asio::any_completion_executor for_handlers(const asio::any_io_executor& base) {
    if (auto const* const bare = base.target<asio::io_context::executor_type>()) return *bare;
    return base;
}

PALETTE_KEYS_INLINE Core::Core(asio::any_io_executor executor, ClientOptions options)
    : base_(std::move(executor)),
      handlers_(for_handlers(base_)),
      serial_(std::make_shared<Serial>(base_)),
      strand_(SerialExecutor(serial_)),
      timer_(std::make_shared<timing::SharedTimer>(strand_)),
      options_(checked(std::move(options))),
      transport_(transport_for(strand_, options_, timer_)),
      pipeline_(strand_, options_, transport_),
      idle_(strand_, asio::steady_timer::time_point::max()),
      context_ends_(ContextEnd::of(base_)) {
    // The key has been decrypted.
    options_.tls.client_key_passphrase.reset();
    // Where one operation follows another, the timer runs on: to stop it and to set it anew is dear.
    timer_->on_unused([serial = serial_.get()] { return serial->call_when_idle(); });
    serial_->on_idle([timer = std::weak_ptr(timer_)] {
        if (auto const alive = timer.lock()) alive->stop_if_unused();
    });
}

PALETTE_KEYS_INLINE void Core::stop_all(pipeline::Call::Stop why) noexcept {
    calls_.for_each([why](pipeline::Call& call) { call.stop(why); });
    pipeline_.stop_renewal();
}

PALETTE_KEYS_INLINE void Core::announce(const pipeline::Call& call, Kind kind) const noexcept {
    if (options_.observer && kind != Kind::silent) options_.observer->on_operation_start(event_of(call));
}

PALETTE_KEYS_INLINE void Core::begin(pipeline::Call& call, Kind kind) {
    // Closing has no deadline of its own and is let in at any time.
    if (kind == Kind::closing) return;
    if (kind == Kind::work) call.begin();
    if (!takes_new_) call.stop(pipeline::Call::Stop::closed);
}

PALETTE_KEYS_INLINE void Core::end(pipeline::Call& call, Kind kind, const Error* error) noexcept {
    call.end();
    // Wakes whoever waits in wait_for_work().
    if (kind == Kind::work && --working_ == 0) idle_.cancel();
    pipeline_.observe_lost_attempt(call);
    if (kind != Kind::silent) observe(call, error);
}

// What is advised of the code alone leads on too early: the change may still be applied. A credential that
// was refused cannot read, and comes first.
inline void advise_to_read(Error& error) {
    if (error.effect() != Effect::unknown || error.pending() || error.key_uid().empty()) return;
    std::string first;
    if (is_auth(error)) {
        auto const refusal = Error(error.code());
        first.append(error.has_own_advice() ? error.advice() : refusal.advice()).append("; then ");
    }
    std::string const what =
        error.code() == errc::conflict ? "and decide anew" : "and repeat the change if it is not in effect";
    error.advice(first + "read the key " + error.key_uid() + " now, in an hour and in a day, " + what);
}

PALETTE_KEYS_INLINE void Core::name_subject(Error& error, const pipeline::Call& call) const noexcept {
    // Out of memory has its words without memory, and keeps them.
    if (error.code() == errc::out_of_memory) return;
    try {
        error.operation(std::string(call.name()));
        // Somebody may have passed a credential for a uid.
        if (error.key_uid().empty() && !call.key_uid().empty() && !pipeline_.has_secret(call.key_uid()))
            error.key_uid(call.key_uid());
        advise_to_read(error);
    } catch (const std::bad_alloc&) {
        // The error says what has happened all the same.
    }
}

// What an operation ends with that did not come to its own end.
PALETTE_KEYS_INLINE Error Core::failure(Error thrown, const pipeline::Call& call) const noexcept {
    auto safe = thrown.code() == errc::out_of_memory
                    ? std::move(thrown)
                    : detail::unless_out_of_memory([&] { return pipeline_.safe(thrown, call); });
    // An exception tells nothing about the request: only what was sent does.
    safe.effect(call.has_sent_change() ? Effect::unknown : Effect::not_applied).attempts(call.attempts());
    // Keys that a create may have made are named, whatever ended it.
    if (auto const* const progress = call.create_progress(); progress != nullptr && progress->pending())
        safe.effect(Effect::unknown).pending(progress->pending());
    return safe;
}

PALETTE_KEYS_INLINE asio::awaitable<void> Core::wait_for_work(pipeline::Call& call) {
    while (working_ > 0 && !call.is_stopped())
        // Cancelled by the end of the last work, and by the cancellation of the call.
        co_await idle_.async_wait(asio::as_tuple(asio::use_awaitable));
}

PALETTE_KEYS_INLINE OperationEvent Core::event_of(const pipeline::Call& call) const noexcept {
    OperationEvent event;
    event.operation_id = call.id();
    event.operation = call.name();
    try {
        if (!pipeline_.has_secret(call.key_uid())) event.key_uid = call.key_uid();
    } catch (const std::bad_alloc&) {
        // Without memory to look at the uid, it is not shown.
    }
    event.traceparent = call.options().traceparent;
    return event;
}

PALETTE_KEYS_INLINE void Core::observe(const pipeline::Call& call, const Error* error) const noexcept {
    if (!options_.observer) return;
    auto event = event_of(call);
    event.attempts = call.attempts();
    if (error != nullptr) {
        event.error = error->code();
        event.effect = error->effect();
    }
    event.queued = call.queued();
    event.duration = call.duration();
    options_.observer->on_operation(event);
}

PALETTE_KEYS_INLINE void Core::cancel() {
    ++cancellations_;
    // An operation that is never told would not end.
    detail::insist([this] {
        asio::post(strand_, [core = shared_from_this()] { core->stop_all(pipeline::Call::Stop::cancelled); });
    });
}

PALETTE_KEYS_INLINE void Core::abandon() {
    detail::insist([this] {
        asio::post(strand_, [core = shared_from_this()] {
            // A deferred operation may be started after the client has gone.
            core->refuse_new();
            core->stop_all(pipeline::Call::Stop::closed);
            core->transport().close();
        });
    });
}

// A transport of which another client is the owner: it is closed with that one alone.
class BorrowedTransport final : public Transport {
public:
    explicit BorrowedTransport(std::shared_ptr<Transport> owned) noexcept : owned_(std::move(owned)) {}

    boost::asio::awaitable<Result<void>> exchange(const HttpRequest& request, ResponseSink& sink,
                                                  ExchangeReport& report) override {
        return owned_->exchange(request, sink, report);
    }

private:
    std::shared_ptr<Transport> owned_;
};

}  // namespace impl::client
namespace detail {

template <class Operation>
void start(const std::shared_ptr<impl::client::Core>& core, Handler<typename Operation::Value> handler,
           Operation operation, const CallSettings& options) {
    core->start(std::move(handler), std::move(operation), options);
}

PALETTE_KEYS_INLINE void wait_for_end(const ApiKeyClient& client, Handler<void> handler,
                                      const CallSettings& options) {
    start(client.core(), std::move(handler), WaitForEnd(), options);
}

PALETTE_KEYS_INLINE std::shared_ptr<const std::atomic<std::uint64_t>> cancellations_of(
    const ApiKeyClient& client) {
    return {client.core(), &client.core()->cancellations()};
}

PALETTE_KEYS_INLINE boost::asio::any_io_executor executor_of(const impl::client::Core& core) noexcept {
    return core.base();
}

// The coroutines are compiled here: a program that includes the client compiles none of them.
#ifndef PALETTE_KEYS_HEADER_ONLY
#    define PALETTE_KEYS_START(Operation)                                                            \
        template PALETTE_KEYS_DECL void start<Operation>(const std::shared_ptr<impl::client::Core>&, \
                                                         Handler<Operation::Value>, Operation,       \
                                                         const CallSettings&)
PALETTE_KEYS_START(ListKeys);
PALETTE_KEYS_START(FindKeys);
PALETTE_KEYS_START(FindKey);
PALETTE_KEYS_START(GetKey);
PALETTE_KEYS_START(CreateKey);
PALETTE_KEYS_START(ReconcileCreate);
PALETTE_KEYS_START(UpdateKey);
PALETTE_KEYS_START(RenewKey);
PALETTE_KEYS_START(RenewKeyUntil);
PALETTE_KEYS_START(RevokeKey);
PALETTE_KEYS_START(ReactivateKey);
PALETTE_KEYS_START(SetKeyActive);
PALETTE_KEYS_START(RemoveKey);
PALETTE_KEYS_START(WhoAmI);
PALETTE_KEYS_START(DescribeCaller);
PALETTE_KEYS_START(FindUser);
PALETTE_KEYS_START(ListUsers);
PALETTE_KEYS_START(GetUser);
PALETTE_KEYS_START(ListAuditEvents);
PALETTE_KEYS_START(TellKeyLimit);
PALETTE_KEYS_START(VisitKeys);
PALETTE_KEYS_START(VisitUsers);
PALETTE_KEYS_START(TellServiceTime);
PALETTE_KEYS_START(Wait);
PALETTE_KEYS_START(WaitForEnd);
PALETTE_KEYS_START(CloseClient);
#    undef PALETTE_KEYS_START
#endif

}  // namespace detail

PALETTE_KEYS_INLINE ApiKeyClient::ApiKeyClient(boost::asio::any_io_executor executor, ClientOptions options)
    : core_(std::make_shared<impl::client::Core>(std::move(executor), std::move(options))) {}

PALETTE_KEYS_INLINE ApiKeyClient& ApiKeyClient::operator=(ApiKeyClient&& other) noexcept {
    if (this != &other) {
        // The operations of the client that is moved over end as with its destructor.
        if (core_) core_->abandon();
        core_ = std::move(other.core_);
    }
    return *this;
}

PALETTE_KEYS_INLINE ApiKeyClient::~ApiKeyClient() {
    if (core_) core_->abandon();
}

PALETTE_KEYS_INLINE ApiKeyClient::executor_type ApiKeyClient::get_executor() const noexcept {
    return core_ ? core_->base() : executor_type();
}

PALETTE_KEYS_INLINE Instant ApiKeyClient::now() const {
    return core()->now();
}

PALETTE_KEYS_INLINE ApiKeyClient ApiKeyClient::with_auth(std::shared_ptr<AuthProvider> auth) const {
    auto options = core()->options();
    options.auth = std::move(auth);
    if (options.transport)
        options.transport = std::make_shared<impl::client::BorrowedTransport>(std::move(options.transport));
    // Both send from the same address, which is what the service counts by.
    options.limiter = core()->pipeline().limiter();
    return ApiKeyClient(core()->base(), std::move(options));
}

PALETTE_KEYS_INLINE void ApiKeyClient::cancel() {
    if (core_) core_->cancel();
}

PALETTE_KEYS_INLINE const std::shared_ptr<impl::client::Core>& ApiKeyClient::core() const {
    if (!core_) throw Exception(impl::client::moved_from());
    return core_;
}

}  // namespace palette::inline PALETTE_KEYS_ABI
