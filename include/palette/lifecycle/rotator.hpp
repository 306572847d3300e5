// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>
#include <palette/client.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/lifecycle/secret_sink.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/deferred.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace lifecycle {

/// Returns a provider of the key that a sink holds, for ClientOptions::auth of any number of clients. Only
/// reads: another process, or a Rotator, replaces the key.
///
///     options.auth = lifecycle::sink_provider(lifecycle::file_sink("/etc/acme/palette.key"));
///
/// A client with this provider takes a new key over while the old one still works: it looks at the sink again
/// within `recheck`, in the background, and at once after a 401. `recheck` is less than the overlap of the
/// rotations. The credentials carry the uid of the key, so that a client refuses to revoke its own key.
///
/// While the sink cannot be read, the last key is used, until it is refused or has expired.
///
/// Errors, when the client asks and there is no such key: errc::auth_provider for an empty sink; those of the
/// sink.
///
/// Threads: may be shared by clients of one executor; the sink is asked on the executor of the client.
[[nodiscard]] PALETTE_KEYS_DECL std::shared_ptr<AuthProvider> sink_provider(
    std::shared_ptr<SecretSink> sink, std::chrono::milliseconds recheck = std::chrono::minutes{5});

/// Replaces the key of a slot whenever that is due, for as long as a program runs.
///
///     options.auth = lifecycle::sink_provider(slot.sink());
///     ApiKeyClient client(context, options);
///     lifecycle::Rotator rotator(client, slot, lifecycle::RotateOptions());
///     auto ended = co_await rotator.async_run();  // until it is cancelled
///
/// Threads: not synchronised; async_run() runs on a strand of the client's executor.
class PALETTE_KEYS_DECL Rotator {
public:
    /// Is called with the result of each run.
    using Listener = std::function<void(const Result<Rotation>&)>;

    /// Constructs a rotator of `slot`. Precondition: `client` outlives async_run().
    Rotator(ApiKeyClient& client, Slot slot, RotateOptions options = RotateOptions());

    /// Sets a function that is called with the result of each run, on the strand of async_run(). Default:
    /// none.
    void on_rotation(Listener listener);

    /// Sets how long async_run() waits at most before it looks at the slot again. It looks before anything is
    /// due because a machine that sleeps does not count the time. Less than half of what the keys live.
    /// Default: 1 hour. Throws Exception (errc::invalid_argument) for a time that is not positive.
    void longest_pause(std::chrono::milliseconds time);

    /// Returns a provider of the slot's key, as sink_provider() does.
    [[nodiscard]] std::shared_ptr<AuthProvider> provider(
        std::chrono::milliseconds recheck = std::chrono::minutes{5}) const;

    /// Rotates whenever that is due, until it is cancelled. Looks at the slot at least once in
    /// longest_pause(), and after a failure as soon as the backoff of the rotation allows.
    ///
    /// Completes with errc::operation_aborted when it is cancelled, or when the client is closed, and with
    /// errc::invalid_argument if the slot or the options cannot be used. No other error ends it.
    ///
    /// Precondition: the rotator outlives the operation; it runs once at a time.
    ///
    /// Cancellation: as of async_rotate().
    template <palette::detail::TokenFor<void> Token = boost::asio::deferred_t>
    auto async_run(Token&& token = Token());

private:
    void start(boost::asio::any_completion_handler<void(Result<void>)> handler);

    ApiKeyClient* client_;
    Slot slot_;
    RotateOptions options_;
    Listener listener_;
    std::chrono::milliseconds longest_pause_ = std::chrono::hours{1};
};

template <palette::detail::TokenFor<void> Token>
auto Rotator::async_run(Token&& token) {  // NOLINT(*-missing-std-forward)
    return boost::asio::async_initiate<Token, void(Result<void>)>(
        palette::detail::InitiationOn<&Rotator::start, void, Rotator>(*this, client_->get_executor()), token);
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/rotation/rotator.ipp>
#    include <palette/impl/lifecycle/rotation/sink_provider.ipp>
#endif
