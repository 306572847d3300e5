// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>
#include <palette/testing/emulator_options.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// A token bucket for every source address and path prefix.
class TenantRateLimit {
public:
    explicit TenantRateLimit(testing::RateLimit limit) noexcept : limit_(limit) {}

    // Takes a token. Zero: there was one. Otherwise nothing is taken, and one is there after that time.
    std::chrono::milliseconds take(const std::string& source, std::string_view prefix, Instant now) {
        if (limit_.is_off()) return {};
        forget_full_buckets(now);
        auto& bucket =
            buckets_.try_emplace({source, std::string(prefix)}, Bucket{limit_.burst, now}).first->second;
        bucket = {tokens_in(bucket, now), now};
        if (bucket.tokens >= 1) {
            bucket.tokens -= 1;
            return {};
        }
        auto const seconds = std::chrono::duration<double>((1 - bucket.tokens) / limit_.per_second);
        // Rounded up: after that time the token is there.
        return std::chrono::ceil<std::chrono::milliseconds>(seconds);
    }

private:
    struct Bucket {
        double tokens;
        Instant filled;
    };

    [[nodiscard]] double tokens_in(const Bucket& bucket, Instant now) const noexcept {
        // A clock that is set back gives nothing and takes nothing.
        std::chrono::duration<double> const passed = std::max(now, bucket.filled) - bucket.filled;
        return std::min(limit_.burst, bucket.tokens + passed.count() * limit_.per_second);
    }

    // There are sixteen million loopback addresses.
    void forget_full_buckets(Instant now) {
        if (buckets_.size() < max_buckets) return;
        // A full bucket is as one that was never used: nothing is lost with it.
        std::erase_if(buckets_,
                      [&](auto const& entry) { return tokens_in(entry.second, now) >= limit_.burst; });
    }

    static constexpr std::size_t max_buckets = 1'024;

    testing::RateLimit limit_;
    std::map<std::pair<std::string, std::string>, Bucket> buckets_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
