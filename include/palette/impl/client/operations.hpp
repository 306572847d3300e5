// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/core.hpp>
#include <palette/pending_create.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::client {

// What each operation does, as a coroutine on the client's strand. The core and the call outlive it.

asio::awaitable<Result<KeyList>> list(Core& core, pipeline::Call& call, ListFilter filter);
asio::awaitable<Result<ApiKey>> get(Core& core, pipeline::Call& call, std::string uid);
// As get(), with the service's time when it answered; this machine's if the answer does not tell.
asio::awaitable<Result<ApiKey>> get_as_of(Core& core, pipeline::Call& call, std::string uid, Instant* as_of);
asio::awaitable<Result<CreatedApiKey>> create(Core& core, pipeline::Call& call, NewApiKey key);
asio::awaitable<Result<Reconciliation>> reconcile(Core& core, pipeline::Call& call, PendingCreate pending);
asio::awaitable<Result<ApiKey>> update(Core& core, pipeline::Call& call, std::string uid, ApiKeyEdit edit,
                                       std::optional<ApiKey> seen);
asio::awaitable<Result<ApiKey>> renew(Core& core, pipeline::Call& call, std::string uid,
                                      std::chrono::milliseconds duration);
asio::awaitable<Result<ApiKey>> renew_until(Core& core, pipeline::Call& call, std::string uid, Expiry expiry);
asio::awaitable<Result<void>> set_state(Core& core, pipeline::Call& call, std::string uid, bool is_active);
asio::awaitable<Result<void>> set_active(Core& core, pipeline::Call& call, std::string uid, bool is_active);
asio::awaitable<Result<void>> remove(Core& core, pipeline::Call& call, std::string uid);
asio::awaitable<Result<Identity>> whoami(Core& core, pipeline::Call& call);
asio::awaitable<Result<User>> find_user(Core& core, pipeline::Call& call, std::string email);
asio::awaitable<Result<void>> close(Core& core, pipeline::Call& call);

}  // namespace palette::inline PALETTE_KEYS_ABI::client

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/client/changing.ipp>
#    include <palette/impl/client/creating.ipp>
#    include <palette/impl/client/reading.ipp>
#    include <palette/impl/client/reconciling.ipp>
#endif
