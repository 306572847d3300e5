// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/credential.hpp>
#include <palette/result.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

/// Checks a request of somebody's before it is sent. The only hook: in no other way does the pipeline ask
/// those who send requests for a decision.
///
/// A guard of a call is asked about all of its requests, one of Conditions about one request.
class Guard {
public:
    Guard() = default;
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;
    virtual ~Guard() = default;

    /// Asked immediately before each attempt, with the credential that is sent with it. An error: the request
    /// is not sent; errc::unauthorized with status 401 if the service refuses that credential, which is
    /// handled as if the request itself had been refused.
    virtual boost::asio::awaitable<Result<void>> before_sending(
        std::shared_ptr<const Credential> /*credential*/) {
        co_return Result<void>();
    }

    /// Asked after an attempt of a request of Safety::checked that had no answer, or 502, 503 or 504, before
    /// the request is sent again or given up. True: it was applied. False: it was not, and may be sent again.
    /// An error: it may not.
    virtual boost::asio::awaitable<Result<bool>> is_applied() { co_return false; }
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
