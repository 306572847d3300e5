// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/impl/wire/text.hpp>
#include <palette/options.hpp>
#include <palette/result.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_set>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// The pages of one list: as many as the service names, none of them twice (W11), and all together within the
// client's limits. Does no I/O.
//
//     Paging paging("/v1/apiKeys", limits);
//     for (;;) {
//         ... send GET paging.path(); take at most paging.bytes_left() ...
//         if (auto more = paging.advance(next, bytes, items); !more || !*more) break;
//     }
class Paging {
public:
    Paging(std::string first, const ListLimits& limits) : path_(std::move(first)), limits_(limits) {}

    // The target of the next request.
    [[nodiscard]] std::string path() const {
        if (token_.empty()) return path_;
        auto const separator = path_.find('?') == std::string::npos ? '?' : '&';
        return path_ + separator + "continue=" + wire::query_value(token_);
    }

    // What the next page may have, and the error if it has more.
    [[nodiscard]] std::size_t bytes_left() const noexcept { return limits_.max_bytes - bytes_; }
    [[nodiscard]] Error too_many_bytes() const { return beyond("max_bytes", limits_.max_bytes); }

    // Takes account of a page that was received. Whether the list goes on.
    Result<bool> advance(std::string token, std::size_t bytes, std::size_t items) {
        bytes_ += bytes;
        items_ += items;
        ++pages_;
        token_ = std::move(token);
        if (items_ > limits_.max_items) return beyond("max_items", limits_.max_items);
        if (token_.empty()) return false;
        if (token_.size() > limits_.max_token_length)
            return beyond("max_token_length", limits_.max_token_length).path("listmeta.continue");
        if (pages_ == limits_.max_pages) return beyond("max_pages", limits_.max_pages);
        // A hash: of ten thousand pages, the tokens themselves might take forty megabytes.
        if (!seen_.insert(std::hash<std::string>{}(token_)).second)
            return Error(errc::bad_value, "the service's list leads back to where it has been")
                .path("listmeta.continue");
        return true;
    }

private:
    static Error beyond(const char* option, std::size_t bound) {
        return Error(errc::too_large, std::string("the service's list is beyond list_limits.") + option +
                                          " (" + std::to_string(bound) + ")")
            .advice("check that the host is the Palette API, or raise that option of the client");
    }

    std::string path_;
    ListLimits limits_;
    std::string token_;
    std::unordered_set<std::size_t> seen_;  // hashes of tokens
    std::size_t bytes_ = 0;
    std::size_t items_ = 0;
    std::size_t pages_ = 0;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
