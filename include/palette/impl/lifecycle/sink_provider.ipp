// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/guarded.hpp>
#include <palette/lifecycle/rotator.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::lifecycle {

class SinkProvider final : public AuthProvider {
public:
    SinkProvider(std::shared_ptr<palette::lifecycle::SecretSink> sink, std::chrono::milliseconds recheck)
        : sink_(std::move(sink)),
          recheck_(recheck) {}

    asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(
        CredentialRequest request) override {
        // A key may be replaced between the two looks.
        for (int tries = 0;; ++tries) {
            auto contents = co_await guarded(&palette::lifecycle::SecretSink::contents, sink_);
            if (!contents) co_return std::move(contents.error());
            if (!contents->current) co_return Error(errc::auth_provider, "the sink holds no key yet");
            auto const current = *contents->current;
            auto value = co_await guarded(&palette::lifecycle::SecretSink::read_back, sink_, current);
            if (!value && value.error().code() == errc::not_found && tries < 3) continue;
            if (!value) co_return std::move(value.error());
            auto const& previous = request.previous();
            // The service has refused it, and there is no other.
            if (request.reason() == CredentialRequest::Reason::rejected && previous &&
                previous->value() == *value)
                co_return previous;
            // The end that the client sees is the time of the next look.
            auto look = request.now() + recheck_;
            if (auto const end = current.expiry.instant(); end && *end > request.now())
                look = std::min(look, *end);
            co_return Credential::api_key(std::move(*value), current.key_uid, look);
        }
    }

private:
    std::shared_ptr<palette::lifecycle::SecretSink> sink_;
    std::chrono::milliseconds recheck_;
};

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE std::shared_ptr<AuthProvider> sink_provider(std::shared_ptr<SecretSink> sink,
                                                                std::chrono::milliseconds recheck) {
    if (!sink) throw Exception(Error(errc::invalid_argument, "a provider needs a sink").path("sink"));
    if (recheck.count() <= 0)
        throw Exception(
            Error(errc::invalid_argument, "a time between two looks is positive").path("recheck"));
    return std::make_shared<impl::lifecycle::SinkProvider>(std::move(sink), recheck);
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
