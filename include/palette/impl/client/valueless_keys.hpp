// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/requests.hpp>

#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// The service has read the request and will not do it: no passing failure.
inline bool is_refusal(const Error& error) noexcept {
    return error.effect() == Effect::not_applied && error.status() >= 400 && error.status() < 500 &&
           error.code() != errc::rate_limited && error.code() != errc::unexpected_status;
}

// Of a key that a create has made, and whose value nobody has.
inline asio::awaitable<Result<void>> delete_valueless(Core& core, pipeline::Call& call, std::string uid) {
    auto path = path_of(change_key, uid);
    if (!path)  // it was the service that named this key
        co_return Error(errc::bad_value, path.error().what()).path("metadata.uid").attempts(call.attempts());
    DecodedAnswer<void> answer;
    HttpRequest request("DELETE", std::move(*path));
    co_return co_await send(core, call, change_key, request, answer, taking_away(call, uid));
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
