// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/auth_provider.hpp>
#include <palette/impl/redaction/known_secrets.hpp>
#include <palette/impl/time/sleep.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <memory>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

/// What is shorter stands in every other word, and is not hidden.
inline constexpr std::size_t min_hidden_size = 4;

/// The credential that is in use, and how another is got: asked for once, however many wait for it, and in
/// the background while the one in use is good. On the client's strand.
class Credentials {
public:
    using Shared = std::shared_ptr<const Credential>;

    /// `transport` is what the provider is given. `known` is told of each credential that comes into use, and
    /// of what the provider hides. A renewal that nobody waits for is cancelled after `background_time`.
    Credentials(boost::asio::any_io_executor executor, std::shared_ptr<AuthProvider> provider,
                std::shared_ptr<Transport> transport, timing::TimeSource time,
                std::shared_ptr<detail::KnownSecrets> known, std::chrono::milliseconds background_time);
    ~Credentials();

    /// Returns the credential in use if it is good as far as is known, otherwise null.
    [[nodiscard]] Shared at_hand() const;

    /// Returns the same, for a request that is sent now: begins a renewal in the background when it is due.
    [[nodiscard]] Shared take();

    /// Gives the same, and waits for one where there is none.
    boost::asio::awaitable<Result<Shared>> get();

    /// Gives another credential than `rejected`, to which the service answered 401; `rejected` itself if
    /// there is no other.
    boost::asio::awaitable<Result<Shared>> get_other_than(Shared rejected);

    /// Cancels the renewal in the background, unless an operation waits for it.
    void stop_renewal();

    /// Whether there is one already that came after `rejected`, and is good as far as is known.
    [[nodiscard]] bool has_other_than(const Shared& rejected) const {
        auto const present = at_hand();
        return present && present != rejected;
    }

private:
    struct Refresh;
    class State;
    std::shared_ptr<State> state_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/pipeline/credentials.ipp>
#endif
