// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/client/core.hpp>
#include <palette/impl/client/create_machine.hpp>
#include <palette/impl/client/service_time.hpp>
#include <palette/pending_create.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// One create under way: does what the machine says, and tells it what came of that.
class Creation {
public:
    // All that can be refused has been. The core and the call outlive it.
    Creation(Core& core, pipeline::Call& call, NewApiKey key, std::string nonce);

    asio::awaitable<Result<CreatedApiKey>> run();

private:
    using Machine = CreateMachine;

    asio::awaitable<void> step();
    asio::awaitable<void> identify_owner();
    asio::awaitable<void> post(int suffix, Machine::Time reserved);
    asio::awaitable<void> list_marked();
    asio::awaitable<void> wait(Machine::Time time);
    asio::awaitable<void> remove(std::string uid);
    asio::awaitable<void> read(std::string uid);
    asio::awaitable<void> revoke(std::string uid);

    [[nodiscard]] Machine::Now now() const;
    [[nodiscard]] Instant service_now() const noexcept;
    [[nodiscard]] Machine::Read what_is(const ApiKey& read) const;
    [[nodiscard]] std::shared_ptr<const PendingCreate> pending(std::vector<int> attempts) const;
    [[nodiscard]] Result<CreatedApiKey> delivery();
    [[nodiscard]] Error failure() const;
    [[nodiscard]] Error blamed() const;

    Core& core_;
    pipeline::Call& call_;
    NewApiKey key_;
    std::string nonce_;
    Instant started_at_;
    Machine machine_;
    Machine::Action next_;
    int suffix_ = 0;  // of the last POST
    Identity caller_;
    ServiceTime service_time_;  // from when the caller is known
    std::string owner_;
    std::shared_ptr<const Credential> posted_with_;
    std::vector<std::string> bearing_;  // keys that bore the nonce before the first POST
    pipeline::CreateProgress& progress_;
    std::optional<Error> post_error_;
    std::optional<Error> step_error_;
    bool is_revoked_ = false;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/client/creation.ipp>
#endif
