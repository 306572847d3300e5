// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/service/permissions.hpp>
#include <palette/testing/fault.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// The faults that one request meets.
class ActiveFaults {
public:
    using Kind = testing::FaultRule::Kind;

    [[nodiscard]] const testing::FaultRule* delivery() const noexcept;
    [[nodiscard]] const testing::FaultRule* answer() const noexcept;
    [[nodiscard]] const testing::FaultRule* find(Kind kind) const noexcept;
    [[nodiscard]] bool has(Kind kind) const noexcept { return find(kind) != nullptr; }

    [[nodiscard]] bool empty() const noexcept { return rules_.empty(); }

    // "garbage drip"
    [[nodiscard]] std::string names() const;

private:
    friend class FaultList;
    std::vector<testing::FaultRule> rules_;
};

// The rules that are in force, and how often each has been injected.
class FaultList {
public:
    void add(testing::FaultRule rule) { rules_.push_back({std::move(rule)}); }
    void clear() noexcept { rules_.clear(); }

    // `operation`: null if the path and method ask for nothing that is there.
    ActiveFaults inject(std::string_view method, std::string_view path, const Operation* operation);

    [[nodiscard]] std::uint64_t injected() const noexcept { return injected_; }

private:
    struct Counted {
        testing::FaultRule rule;
        std::uint64_t matched = 0;
        std::uint64_t injected = 0;
    };

    std::vector<Counted> rules_;
    std::uint64_t injected_ = 0;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/faults/fault_list.ipp>
#endif
