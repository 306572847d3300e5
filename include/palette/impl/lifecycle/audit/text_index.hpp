// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// Numbers different texts from 0 on, in the order in which they come. The texts lie one after another in one
// string, and a table of numbers finds them: for many short texts that takes a third of the time and of the
// memory of a std::unordered_map.
class TextIndex {
public:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    [[nodiscard]] std::size_t size() const noexcept { return places_.size(); }
    // Valid until the next insert().
    [[nodiscard]] std::string_view operator[](std::size_t number) const noexcept {
        return std::string_view(texts_).substr(places_[number].begin, places_[number].length);
    }

    // The number of the text, and whether it is a new one.
    std::pair<std::size_t, bool> insert(std::string_view text) {
        // At most half of the slots are used, so that a search is short, and ends at an empty one.
        if (2 * (places_.size() + 1) > slots_.size()) grow();
        auto const hash = hash_of(text);
        auto& slot = slots_[slot_of(text, hash)];
        if (slot.number != empty) return {slot.number, false};
        slot = Slot{hash, static_cast<std::uint32_t>(places_.size())};
        places_.push_back(Place{texts_.size(), text.size()});
        texts_ += text;
        return {slot.number, true};
    }
    // `none` if it never was inserted.
    [[nodiscard]] std::size_t find(std::string_view text) const noexcept {
        if (slots_.empty()) return none;
        auto const& slot = slots_[slot_of(text, hash_of(text))];
        return slot.number == empty ? none : slot.number;
    }

private:
    static constexpr std::uint32_t empty = 0xFFFFFFFF;
    struct Slot {
        std::uint32_t hash = 0;
        std::uint32_t number = empty;
    };
    struct Place {
        std::size_t begin;
        std::size_t length;
    };

    // Half of the bits are kept beside the number: most slots of other texts are passed without a look at the
    // text, and growing reads none.
    static std::uint32_t hash_of(std::string_view text) noexcept {
        auto const hash = std::hash<std::string_view>{}(text);
        return static_cast<std::uint32_t>(hash ^ (hash >> 32U));
    }

    // Where the text is, or where it would be. There always is an empty slot.
    [[nodiscard]] std::size_t slot_of(std::string_view text, std::uint32_t hash) const noexcept {
        auto const mask = slots_.size() - 1;
        auto at = hash & mask;
        while (slots_[at].number != empty && (slots_[at].hash != hash || (*this)[slots_[at].number] != text))
            at = (at + 1) & mask;
        return at;
    }

    void grow() {
        std::vector<Slot> larger(slots_.empty() ? 64 : 2 * slots_.size());
        auto const mask = larger.size() - 1;
        for (auto const& slot : slots_) {
            if (slot.number == empty) continue;
            auto at = slot.hash & mask;
            while (larger[at].number != empty)
                at = (at + 1) & mask;
            larger[at] = slot;
        }
        slots_ = std::move(larger);
    }

    std::vector<Slot> slots_;  // a power of two
    std::vector<Place> places_;
    std::string texts_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
