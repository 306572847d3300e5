// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/pending_create.hpp>

#include <memory>
#include <optional>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

/// How far a create has come. Its call owns it, where the loss of the create's coroutine does not reach: Asio
/// destroys a coroutine that waits when memory runs out over that.
class CreateProgress {
public:
    /// A key was made, and its value is here: from now on the create delivers it, whatever fails.
    void receive(CreatedApiKey key) { received_.emplace(std::move(key)); }
    [[nodiscard]] bool has_received() const noexcept { return received_.has_value(); }

    /// Precondition of both: has_received().
    [[nodiscard]] const CreatedApiKey& received() const noexcept { return *received_; }
    [[nodiscard]] CreatedApiKey take_received() noexcept { return *std::exchange(received_, std::nullopt); }

    /// Keys may exist whose values were not received; null: none.
    void set_pending(std::shared_ptr<const PendingCreate> pending) noexcept { pending_ = std::move(pending); }
    [[nodiscard]] const std::shared_ptr<const PendingCreate>& pending() const noexcept { return pending_; }

private:
    std::optional<CreatedApiKey> received_;
    std::shared_ptr<const PendingCreate> pending_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
