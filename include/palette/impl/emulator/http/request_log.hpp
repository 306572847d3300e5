// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/http.hpp>
#include <palette/testing/received_request.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// The last requests, without credentials.
class RequestLog {
public:
    explicit RequestLog(std::size_t kept) : kept_(kept) {}

    // Its number. `target`: none if it could not be taken apart.
    std::uint64_t add(const Request& request, const std::optional<Target>& target);

    // What came of it; nothing if it is not kept any more.
    [[nodiscard]] testing::ReceivedRequest* find(std::uint64_t number) noexcept;

    [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
    [[nodiscard]] std::vector<testing::ReceivedRequest> all() const { return {log_.begin(), log_.end()}; }

private:
    std::size_t kept_;
    std::uint64_t count_ = 0;
    std::deque<testing::ReceivedRequest> log_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/http/request_log.ipp>
#endif
