// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/http.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// An answer as it goes over the wire, piece by piece: it may be larger than what anybody wants to hold
// in memory.
class AnswerBytes {
public:
    // `with_body`: an answer to HEAD has none, whatever its header says. The response outlives this.
    AnswerBytes(std::string head, const Response& response, bool with_body)
        : response_(response),
          text_(std::move(head)),
          head_size_(text_.size()),
          body_size_(with_body ? response.body_size() : 0) {
        if (with_body) text_ += response.body;
    }

    [[nodiscard]] std::uint64_t head_size() const noexcept { return head_size_; }
    [[nodiscard]] std::uint64_t body_size() const noexcept { return body_size_; }

    [[nodiscard]] bool at_end() const noexcept { return sent_ == head_size_ + body_size_; }

    // Empty at the end. Good until the next call.
    std::string_view next(std::size_t most) {
        while (at_ == text_.size() && !at_end())
            load();
        auto const piece = std::string_view(text_).substr(at_, most);
        at_ += piece.size();
        sent_ += piece.size();
        return piece;
    }

private:
    // As much of the repeated text that comes now as is good for memory.
    void load() {
        // As much as one write takes.
        constexpr std::uint64_t most = 64 * 1024;
        auto const& [text, times] = response_.rest[repeated_];
        auto const count = std::min(times - done_, std::max<std::uint64_t>(1, most / text.size()));
        text_.clear();
        at_ = 0;
        for (std::uint64_t i = 0; i < count; ++i)
            text_ += text;
        done_ += count;
        if (done_ == times) {
            ++repeated_;
            done_ = 0;
        }
    }

    const Response& response_;
    std::string text_;  // what is loaded
    std::uint64_t head_size_;
    std::uint64_t body_size_;
    std::size_t at_ = 0;  // in `text_`
    std::uint64_t sent_ = 0;
    std::size_t repeated_ = 0;  // in `response_.rest`
    std::uint64_t done_ = 0;    // of its times
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
