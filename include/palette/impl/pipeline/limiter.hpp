// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/options.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::pipeline {

// Who may send when, so that the service's limit is not met: a bucket of tokens for each kind of path.
// First come, first served: who comes is told how long to wait, and later ones wait longer.
class Limiter {
public:
    explicit Limiter(RateLimitOptions limit) noexcept : limit_(limit) {}

    // How long the next one to come would wait.
    [[nodiscard]] std::chrono::nanoseconds wait(std::string_view kind, std::chrono::nanoseconds now) {
        if (limit_.is_off()) return {};
        auto const lacking = 1 - filled(bucket_of(kind), now);
        if (lacking <= 0) return {};
        return std::chrono::ceil<std::chrono::nanoseconds>(
            std::chrono::duration<double>(lacking / limit_.per_second));
    }

    // Takes the place that wait() told of; give_back() leaves it to those who come later.
    void take(std::string_view kind) { add(kind, -1); }
    void give_back(std::string_view kind) { add(kind, 1); }

private:
    struct Bucket {
        double tokens;
        std::chrono::nanoseconds filled{};
    };

    void add(std::string_view kind, double tokens) {
        if (!limit_.is_off()) bucket_of(kind).tokens += tokens;
    }

    Bucket& bucket_of(std::string_view kind) {
        return buckets_.try_emplace(std::string(kind), Bucket{most()}).first->second;
    }

    double filled(Bucket& bucket, std::chrono::nanoseconds now) const {
        std::chrono::duration<double> const passed = std::max(now, bucket.filled) - bucket.filled;
        bucket.tokens = std::min(most(), bucket.tokens + passed.count() * limit_.per_second);
        bucket.filled = std::max(now, bucket.filled);
        return bucket.tokens;
    }

    // A tenth of the burst is never used up: the service counts when a request arrives, and what has to
    // connect first arrives later than what follows it.
    [[nodiscard]] double most() const noexcept { return std::max(1.0, limit_.burst * 0.9); }

    RateLimitOptions limit_;
    std::map<std::string, Bucket> buckets_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::pipeline
