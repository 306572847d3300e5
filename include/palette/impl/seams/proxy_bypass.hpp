// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// The value of NO_PROXY in pieces: commas, blanks or both lie between them.
std::vector<std::string> split_bypass(std::string_view text);

// Which endpoints are reached without a proxy. See ProxyOptions::bypass.
class ProxyBypass {
public:
    // errc::invalid_argument says which entry cannot be understood, and why.
    static Result<ProxyBypass> parse(const std::vector<std::string>& entries);

    // `host`: as Endpoint::host() gives it.
    [[nodiscard]] bool covers(const std::string& host, std::uint16_t port) const;

private:
    // IPv4 as IPv6 (::ffff:10.0.0.0), so that there is one kind.
    using Bytes = std::array<unsigned char, 16>;

    struct Rule {
        enum class Kind { all, name, below_name, network };
        Kind kind = Kind::all;
        std::string name{};
        Bytes address{};
        int bits = 0;            // of the address that count
        std::uint16_t port = 0;  // 0: any
    };

    static std::optional<Bytes> bytes_of(const std::string& address);
    static Result<Rule> parse_rule(std::string_view entry);
    static Result<Rule> parse_network(std::string_view entry);
    static bool is_in_network(const Bytes& address, const Rule& rule) noexcept;

    std::vector<Rule> rules_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/seams/proxy_bypass.ipp>
#endif
