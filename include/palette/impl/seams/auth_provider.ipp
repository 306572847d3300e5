// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/seams/auth_provider.hpp>

#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::detail {

class SameAnswer final : public AuthProvider {
public:
    explicit SameAnswer(Result<std::shared_ptr<const Credential>> answer) : answer_(std::move(answer)) {}

    boost::asio::awaitable<Result<std::shared_ptr<const Credential>>> credential(CredentialRequest) override {
        // Also an error: a value that cannot be used does not become better by asking again.
        co_return answer_;
    }

private:
    Result<std::shared_ptr<const Credential>> answer_;
};

PALETTE_KEYS_INLINE std::shared_ptr<AuthProvider> always(
    const Result<std::shared_ptr<const Credential>>& answer) {
    return std::make_shared<SameAnswer>(answer);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
