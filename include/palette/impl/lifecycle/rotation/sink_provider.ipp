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
        auto const& previous = request.previous();
        auto const is_rejected = request.reason() == CredentialRequest::Reason::rejected;
        auto key = co_await read_current();
        if (!key) {
            // A sink that cannot be read for a while is no reason to stop using a key that works.
            if (is_rejected || !previous || has_ended(request.now())) co_return std::move(key.error());
            co_return until_next_look(Secret(previous->value().expose()), previous->key_uid(), request.now());
        }
        // The service has refused it, and there is no other.
        if (is_rejected && previous && previous->value() == key->value) co_return previous;
        end_ = key->receipt.expiry.instant();
        co_return until_next_look(std::move(key->value), key->receipt.key_uid, request.now());
    }

private:
    class Key {
    public:
        Key(palette::lifecycle::Receipt receipt_, Secret value_)
            : receipt(std::move(receipt_)),
              value(std::move(value_)) {}
        palette::lifecycle::Receipt receipt;
        Secret value;
    };

    asio::awaitable<Result<Key>> read_current() {
        // A key may be replaced between the two looks.
        for (int tries = 0;; ++tries) {
            auto contents = co_await guarded(&palette::lifecycle::SecretSink::contents, sink_);
            if (!contents) co_return std::move(contents.error());
            if (!contents->current) co_return Error(errc::auth_provider, "the sink holds no key yet");
            auto const current = *contents->current;
            auto value = co_await guarded(&palette::lifecycle::SecretSink::read_back, sink_, current);
            if (value) co_return Key(current, std::move(*value));
            // Four looks are enough: a sink that contradicts itself each time is at fault.
            if (value.error().code() != errc::not_found || tries == 3) co_return std::move(value.error());
        }
    }

    // The end that the client sees is the time of the next look.
    [[nodiscard]] std::shared_ptr<const Credential> until_next_look(Secret value, std::string uid,
                                                                    Instant now) const {
        auto look = now + recheck_;
        // An end that has passed is left out. The client would ask for another credential before each
        // request.
        if (end_ && *end_ > now) look = std::min(look, *end_);
        return Credential::api_key(std::move(value), std::move(uid), look);
    }
    [[nodiscard]] bool has_ended(Instant now) const noexcept { return end_ && *end_ <= now; }

    std::shared_ptr<palette::lifecycle::SecretSink> sink_;
    std::chrono::milliseconds recheck_;
    std::optional<Instant> end_;  // of the last key, by the service's clock
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
