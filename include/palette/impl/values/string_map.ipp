// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/detail/string_map_builder.hpp>
#include <palette/impl/values/wipe.hpp>
#include <palette/string_map.hpp>

#include <algorithm>
#include <limits>
#include <new>
#include <ostream>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI {
namespace detail {

// Whether the first character decides that a < b, as it does for most names in an ordered list.
inline bool starts_lower(std::string_view a, std::string_view b) noexcept {
    return !a.empty() && !b.empty() && static_cast<unsigned char>(a[0]) < static_cast<unsigned char>(b[0]);
}

}  // namespace detail

PALETTE_KEYS_INLINE StringMap::StringMap(std::initializer_list<value_type> entries) {
    StringMapBuilder builder;
    for (auto const& [key, value] : entries)
        builder.add(key, value);
    *this = builder.finish();
}

PALETTE_KEYS_INLINE StringMap::StringMap(const StringMap& other) {
    if (other.empty()) return;
    auto const size = sizeof(Header) + other.header().bytes;
    block_ = std::make_unique_for_overwrite<char[]>(size);
    std::memcpy(block_.get(), other.block_.get(), size);
}

PALETTE_KEYS_INLINE StringMap& StringMap::operator=(const StringMap& other) {
    // The copy is made first: self-assignment and a lack of memory leave the map as it was.
    return *this = StringMap(other);
}

PALETTE_KEYS_INLINE StringMap::const_iterator StringMap::find(std::string_view key) const& noexcept {
    // No index and no binary search: entries differ in length, and a handful of them is scanned at once.
    return std::find_if(begin(), end(), [key](auto const& entry) { return entry.first == key; });
}

PALETTE_KEYS_INLINE bool StringMap::contains(std::string_view key) const noexcept {
    return find(key) != end();
}

PALETTE_KEYS_INLINE std::string_view StringMap::operator[](std::string_view key) const& noexcept {
    auto const it = find(key);
    return it == end() ? std::string_view() : it->second;
}

PALETTE_KEYS_INLINE void StringMap::set(std::string_view key, std::string_view value) {
    StringMapBuilder builder;
    // All entries stand in one block, in order: a change writes it anew.
    auto it = begin();
    // In order, so that finish() need not sort. The texts may be views into this map, which is as it was
    // until the end.
    for (; it != end() && it->first < key; ++it)
        builder.add(it->first, it->second);
    builder.add(key, value);
    if (it != end() && it->first == key) ++it;
    for (; it != end(); ++it)
        builder.add(it->first, it->second);
    *this = builder.finish();
}

PALETTE_KEYS_INLINE bool StringMap::erase(std::string_view key) {
    if (!contains(key)) return false;
    StringMapBuilder builder;
    for (auto const& [k, v] : *this)
        if (k != key) builder.add(k, v);
    *this = builder.finish();
    return true;
}

// Entries are ordered and stored without padding, so equal maps are equal bytes.
PALETTE_KEYS_INLINE bool operator==(const StringMap& a, const StringMap& b) noexcept {
    if (a.empty() || b.empty()) return a.empty() == b.empty();
    auto const size = sizeof(StringMap::Header) + a.header().bytes;
    return a.header().bytes == b.header().bytes && std::memcmp(a.block_.get(), b.block_.get(), size) == 0;
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const StringMap& map) {
    out << '{';
    char const* separator = "";
    for (auto const& [key, value] : map) {
        out << separator << detail::in_quotes(key) << ": " << detail::in_quotes(value);
        separator = ", ";
    }
    return out << '}';
}

// The buffer may hold what the service repeated of a credential.
PALETTE_KEYS_INLINE void StringMapBuilder::wipe() noexcept {
    if (capacity_ != 0) detail::wipe(buffer_.get(), capacity_);
}

// Makes room for `size` more bytes, uninitialised, and gives their place.
PALETTE_KEYS_INLINE char* StringMapBuilder::grow(std::size_t size) {
    // Lengths and starts are kept in 32 bits.
    if (size > std::numeric_limits<std::uint32_t>::max() - size_) throw std::bad_alloc();
    if (size > capacity_ - size_) {
        auto const capacity = std::max<std::size_t>({size_ + size, 2 * capacity_, 256});
        auto larger = std::make_unique_for_overwrite<char[]>(capacity);
        // The old buffer is null at first, which memcpy() does not allow even for zero bytes.
        if (size_ != 0) std::memcpy(larger.get(), buffer_.get(), size_);
        wipe();
        buffer_ = std::move(larger);
        capacity_ = capacity;
    }
    char* const place = buffer_.get() + size_;
    size_ += size;
    return place;
}

PALETTE_KEYS_INLINE void StringMapBuilder::begin_entry(std::string_view key) {
    begun_ = size_;
    char* const place = grow(sizeof open_ + key.size());
    open_ = {static_cast<std::uint32_t>(key.size()), 0};
    if (!key.empty()) std::memcpy(place + sizeof open_, key.data(), key.size());
}

PALETTE_KEYS_INLINE void StringMapBuilder::append_value(std::string_view part) {
    if (part.empty()) return;
    std::memcpy(grow(part.size()), part.data(), part.size());
    open_.value += static_cast<std::uint32_t>(part.size());
}

PALETTE_KEYS_INLINE std::string_view StringMapBuilder::key() const noexcept {
    return {buffer_.get() + begun_ + sizeof open_, open_.key};
}

PALETTE_KEYS_INLINE void StringMapBuilder::drop_entry() noexcept {
    // The text stays in the buffer, and is overwritten or wiped later.
    size_ = begun_;
}

PALETTE_KEYS_INLINE void StringMapBuilder::end_entry() noexcept {
    // One after the other: read together, what was written apart would have to wait.
    std::memcpy(buffer_.get() + begun_, &open_.key, sizeof open_.key);
    std::memcpy(buffer_.get() + begun_ + sizeof open_.key, &open_.value, sizeof open_.value);
    if (previous_ != none_) {
        auto const before = StringMap::const_iterator(buffer_.get() + previous_)->first;
        if (!detail::starts_lower(before, key())) {
            // Those that are next to each other go at once; others when they are sorted.
            if (before == key()) return drop_entry();
            if (before > key()) ordered_ = false;
        }
    }
    previous_ = begun_;
    ++count_;
}

PALETTE_KEYS_INLINE StringMap StringMapBuilder::finish() {
    StringMap map;
    if (!ordered_) sort_and_drop_repeated();
    if (count_ != 0) {
        StringMap::Header const header{count_, static_cast<std::uint32_t>(size_)};
        // Of the exact size: a list holds thousands of maps. The buffer, which has room to spare, stays for
        // the next one.
        map.block_ = std::make_unique_for_overwrite<char[]>(sizeof header + size_);
        std::memcpy(map.block_.get(), &header, sizeof header);
        std::memcpy(map.block_.get() + sizeof header, buffer_.get(), size_);
    }
    size_ = 0;
    previous_ = none_;
    count_ = 0;
    ordered_ = true;
    return map;
}

PALETTE_KEYS_INLINE void StringMapBuilder::sort_and_drop_repeated() {
    // Entries differ in length and cannot be swapped: their places are sorted, and the block is written anew.
    std::vector<std::uint32_t> starts;
    starts.reserve(count_);
    auto const entry = [this](std::size_t start) { return StringMap::const_iterator(buffer_.get() + start); };
    for (auto it = entry(0); it != entry(size_); ++it)
        starts.push_back(static_cast<std::uint32_t>(it.at_ - buffer_.get()));

    std::ranges::sort(starts, [&](auto a, auto b) {
        auto const order = entry(a)->first <=> entry(b)->first;
        return order != 0 ? order < 0 : a < b;  // of equal keys, the one that came first stays first
    });
    auto const repeated =
        std::ranges::unique(starts, [&](auto a, auto b) { return entry(a)->first == entry(b)->first; });
    starts.erase(repeated.begin(), repeated.end());

    auto sorted = std::make_unique_for_overwrite<char[]>(capacity_);
    std::size_t size = 0;
    for (auto const start : starts) {
        auto const begin = entry(start);
        auto const length = static_cast<std::size_t>(std::next(begin).at_ - begin.at_);
        std::memcpy(sorted.get() + size, begin.at_, length);
        size += length;
    }
    wipe();
    buffer_ = std::move(sorted);
    size_ = size;
    count_ = static_cast<std::uint32_t>(starts.size());
}

}  // namespace palette::inline PALETTE_KEYS_ABI
