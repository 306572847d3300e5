// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/net/lookup.hpp>
#include <palette/impl/net/lookup_threads.hpp>
#include <palette/impl/net/lookup_wait.hpp>
#include <palette/impl/time/sleep.hpp>
#include <palette/impl/values/error_of_exception.hpp>

#include <netdb.h>
#include <strings.h>
#include <sys/socket.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/execution/context.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>
#include <mutex>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::net {

inline Error cannot_look_up(const std::string& host, std::string_view reason) {
    return Error(errc::transport,
                 "cannot look up " + detail::in_quotes(host) + ": " + detail::printable(reason))
        .effect(Effect::not_applied);
}

// As Asio's own resolver says it.
inline boost::system::error_code cause_of(int fault) {
    switch (fault) {
        case EAI_AGAIN:
            return asio::error::host_not_found_try_again;
        case EAI_FAIL:
            return asio::error::no_recovery;
        case EAI_NONAME:
            return asio::error::host_not_found;
        default:
            return {fault, asio::error::get_addrinfo_category()};
    }
}

inline Error lookup_cancelled(const std::string& host) {
    return Error(errc::operation_aborted, "the lookup of " + detail::in_quotes(host) + " was cancelled")
        .effect(Effect::not_applied);
}

inline Error lookup_late(const std::string& host, std::chrono::milliseconds time) {
    return Error(errc::timeout, "the lookup of " + detail::in_quotes(host) + " did not end within " +
                                    std::to_string(time.count()) + " ms")
        .effect(Effect::not_applied);
}

PALETTE_KEYS_INLINE LookupAnswer ask_system(const std::string& host) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    // No addresses of a family that this machine cannot reach.
    hints.ai_flags = AI_ADDRCONFIG;
    addrinfo* first = nullptr;
    int const fault = ::getaddrinfo(host.c_str(), nullptr, &hints, &first);
    // Only then is errno the reason; gai_strerror() would say "system error".
    if (fault == EAI_SYSTEM) {
        std::error_code const cause(errno, std::generic_category());
        return cannot_look_up(host, cause.message()).cause(cause);
    }
    if (fault != 0) return cannot_look_up(host, ::gai_strerror(fault)).cause(cause_of(fault));

    std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> const owner(first, &::freeaddrinfo);
    Addresses addresses;
    for (auto const* info = first; info != nullptr; info = info->ai_next) {
        asio::ip::tcp::endpoint endpoint;
        // A family that Asio does not know.
        if (info->ai_addrlen > endpoint.capacity()) continue;
        std::memcpy(endpoint.data(), info->ai_addr, info->ai_addrlen);
        addresses.push_back(endpoint.address());
    }
    return addresses;
}

inline bool is_localhost(std::string_view host) noexcept {
    // An absolute name is the same name.
    if (host.ends_with('.')) host.remove_suffix(1);
    return host.size() == 9 && ::strncasecmp(host.data(), "localhost", 9) == 0;
}

PALETTE_KEYS_INLINE std::optional<Addresses> known_addresses(const std::string& host) {
    // Not looked up: what a resolver makes of this name must not decide where a credential goes.
    if (is_localhost(host))
        return Addresses{asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()};
    boost::system::error_code ec;
    auto const address = asio::ip::make_address(host, ec);
    if (ec) return std::nullopt;
    return Addresses{address};
}

PALETTE_KEYS_INLINE Endpoints endpoints_of(const Addresses& addresses, std::uint16_t port) {
    Endpoints endpoints;
    for (auto const& address : addresses) {
        // Systems give an address more than once; two attempts at it would be one wasted.
        asio::ip::tcp::endpoint const endpoint(address, port);
        if (std::find(endpoints.begin(), endpoints.end(), endpoint) == endpoints.end())
            endpoints.push_back(endpoint);
    }
    return endpoints;
}

// What the workers share with the resolver: the hosts that are looked up, and those whose turn is to come.
class Resolver::Flights : public LookupWork, public std::enable_shared_from_this<Flights> {
public:
    explicit Flights(Lookup lookup) : lookup_(std::move(lookup)) {}

    // `alarm` outlives the wait, and ends it after `time`.
    asio::awaitable<LookupAnswer> wait_for(const asio::any_io_executor& executor, const std::string& host,
                                           timing::Alarm& alarm, std::chrono::milliseconds time) {
        auto start = [self = shared_from_this(), executor, host, &alarm, time](LookupWait::Handler handler) {
            auto slot = asio::get_associated_cancellation_slot(handler);
            auto const wait = std::make_shared<LookupWait>(executor, std::move(handler));
            // Weak, because the wait holds work of its executor, which must not live in a slot.
            if (slot.is_connected())
                slot.assign([weak = std::weak_ptr(wait), host](asio::cancellation_type) {
                    if (auto const cancelled = weak.lock())
                        cancelled->end([&] { return lookup_cancelled(host); });
                });
            auto& context = asio::query(executor, asio::execution::context);
            // The context must be able to drop the wait when it ends: the worker outlives it.
            asio::use_service<LookupWaits>(context).add(wait);
            alarm.set(time, [weak = std::weak_ptr(wait), host, time] {
                if (auto const late = weak.lock()) late->end([&] { return lookup_late(host, time); });
            });
            self->join(host, wait);
        };
        return asio::async_initiate<const asio::use_awaitable_t<>, void(LookupAnswer)>(std::move(start),
                                                                                       asio::use_awaitable);
    }

private:
    struct Flight {
        Flight(std::string h, std::shared_ptr<LookupWait> wait) : host(std::move(h)) {
            waits.push_back(std::move(wait));
        }

        const std::string host;
        std::vector<std::shared_ptr<LookupWait>> waits;
        bool under_way = false;
    };

    void join(const std::string& host, const std::shared_ptr<LookupWait>& wait) {
        std::lock_guard const lock(mutex_);
        forget_what_is_over();
        for (auto const& flight : flights_)
            // One lookup for each host, however many wait.
            if (flight->host == host) return flight->waits.push_back(wait);

        // Before the thread is started, which may look at once for what there is to do.
        flights_.push_back(std::make_shared<Flight>(host, wait));
        // A worker that gets free takes it up.
        if (workers_ == max_workers) return;
        try {
            LookupThreads::of_process().start(shared_from_this());
            ++workers_;
        } catch (const std::exception& e) {
            flights_.pop_back();
            wait->complete(cannot_look_up(host, std::string("no thread can be started: ") + e.what()));
        }
    }

    // On a thread of its own, where nobody would catch what is thrown.
    bool do_next() noexcept override {
        auto const flight = next();
        if (!flight) return false;
        // Without the lock, for this may take many seconds.
        auto const answer = ask(flight->host);
        for (auto const& wait : land(flight))
            give(*wait, answer);
        return true;
    }

    // Without memory an answer waits for some: whoever waits for the answer still has a deadline.
    static void give(LookupWait& wait, const LookupAnswer& answer) noexcept {
        for (;;) {
            try {
                return wait.complete(answer);
            } catch (...) {
                std::this_thread::sleep_for(std::chrono::milliseconds{10});
            }
        }
    }

    std::shared_ptr<Flight> next() {
        std::lock_guard const lock(mutex_);
        forget_what_is_over();
        auto const found = std::find_if(flights_.begin(), flights_.end(),
                                        [](auto const& flight) { return !flight->under_way; });
        if (found == flights_.end()) {
            // Under the lock: a host that comes now starts a worker of its own.
            --workers_;
            return nullptr;
        }
        (*found)->under_way = true;
        return *found;
    }

    std::vector<std::shared_ptr<LookupWait>> land(const std::shared_ptr<Flight>& flight) {
        std::lock_guard const lock(mutex_);
        std::erase(flights_, flight);
        return std::move(flight->waits);
    }

    // Lookups that are under way stay, wanted or not: whoever asks for the same host again joins them.
    void forget_what_is_over() {
        for (auto const& flight : flights_)
            std::erase_if(flight->waits, [](auto const& wait) { return wait->is_over(); });
        std::erase_if(flights_,
                      [](auto const& flight) { return !flight->under_way && flight->waits.empty(); });
    }

    LookupAnswer ask(const std::string& host) const noexcept {
        try {
            return ask_and_tell(host);
        } catch (...) {
            return detail::out_of_memory();
        }
    }

    LookupAnswer ask_and_tell(const std::string& host) const {
        try {
            auto answer = lookup_(host);
            if (answer && answer->empty()) return cannot_look_up(host, "it has no address");
            return answer;
        } catch (const std::exception& e) {
            if (detail::is_out_of_memory(e)) return detail::out_of_memory();
            return cannot_look_up(host, e.what());
        } catch (...) {
            return cannot_look_up(host, "the lookup threw something");
        }
    }

    const Lookup lookup_;
    std::mutex mutex_;
    std::vector<std::shared_ptr<Flight>> flights_;  // as they came
    std::size_t workers_ = 0;
};

PALETTE_KEYS_INLINE Resolver::Resolver(Lookup lookup)
    : flights_(std::make_shared<Flights>(std::move(lookup))) {}

PALETTE_KEYS_INLINE asio::awaitable<Result<Endpoints>> Resolver::lookup(std::string host, std::uint16_t port,
                                                                        std::chrono::milliseconds time) {
    return look_up(flights_, std::move(host), port, time);
}

PALETTE_KEYS_INLINE asio::awaitable<Result<Endpoints>> Resolver::look_up(std::shared_ptr<Flights> flights,
                                                                         std::string host, std::uint16_t port,
                                                                         std::chrono::milliseconds time) {
    // Up to the NUL is all that the system would see, and that may be the name of somebody else.
    if (host.empty() || host.find('\0') != std::string::npos)
        co_return Error(errc::invalid_argument, detail::in_quotes(host) + " is not the name of a host")
            .effect(Effect::not_applied);
    // Numeric addresses need no thread and no time.
    if (auto const known = known_addresses(host)) co_return endpoints_of(*known, port);

    auto const cancellation = co_await asio::this_coro::cancellation_state;
    if (cancellation.cancelled() != asio::cancellation_type::none) co_return lookup_cancelled(host);
    auto const executor = co_await asio::this_coro::executor;
    timing::Alarm alarm(executor, timing::TimeSource());
    auto answer = co_await flights->wait_for(executor, host, alarm, time);
    co_return std::move(answer).transform(
        [port](const Addresses& addresses) { return endpoints_of(addresses, port); });
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::net
