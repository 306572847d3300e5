// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iosfwd>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

/// Holds the annotations or labels of a key: a small map from text to text, ordered by key.
///
///     for (auto [name, value] : key.labels) print(name, value);
///     if (key.annotations.contains("scope")) use(key.annotations["scope"]);
///     key.labels.set("team", "infra");
///
/// The whole map is one block of memory, and an empty map takes eight bytes: a list of ten thousand keys
/// holds twenty thousand maps. Lookup and change take time in proportion to the size, which is a handful of
/// entries. Views and iterators are valid until the map is changed or destroyed; on a temporary map,
/// functions that return them do not compile.
///
/// Errors: std::bad_alloc, also for more than 4 GiB of text. Threads: not synchronised.
class PALETTE_KEYS_DECL StringMap {
public:
    /// Names the type of an entry: key and value.
    using value_type = std::pair<std::string_view, std::string_view>;
    class const_iterator;
    /// Names the type of the iterators; entries are changed with set().
    using iterator = const_iterator;

    /// Constructs an empty map.
    StringMap() noexcept = default;

    /// Constructs a map of these entries. Of equal keys the first counts.
    StringMap(std::initializer_list<value_type> entries);

    /// Copies the content.
    StringMap(const StringMap& other);
    /// Copies the content.
    StringMap& operator=(const StringMap& other);
    /// Moves the content.
    StringMap(StringMap&&) noexcept = default;
    /// Moves the content.
    StringMap& operator=(StringMap&&) noexcept = default;
    ~StringMap() = default;

    /// Returns the number of entries.
    [[nodiscard]] std::size_t size() const noexcept { return block_ ? header().count : 0; }
    /// Returns whether there are no entries.
    [[nodiscard]] bool empty() const noexcept { return !block_; }
    /// Returns an iterator to the entry with the least key.
    [[nodiscard]] const_iterator begin() const& noexcept;
    /// Returns the end of the range.
    [[nodiscard]] const_iterator end() const& noexcept;
    void begin() const&& = delete;
    void end() const&& = delete;

    /// Returns an iterator to the entry of that key; end() if there is none.
    [[nodiscard]] const_iterator find(std::string_view key) const& noexcept;
    void find(std::string_view key) const&& = delete;
    /// Returns whether there is an entry of that key.
    [[nodiscard]] bool contains(std::string_view key) const noexcept;

    /// Returns the value of that key; empty if there is none. Adds nothing.
    [[nodiscard]] std::string_view operator[](std::string_view key) const& noexcept;
    void operator[](std::string_view key) const&& = delete;

    /// Adds the key, or changes its value. The texts may be views into this map.
    void set(std::string_view key, std::string_view value);

    /// Removes the entry of that key. Returns whether there was one.
    bool erase(std::string_view key);

    /// Removes all entries.
    void clear() noexcept { block_.reset(); }

    /// Compares the entries.
    PALETTE_KEYS_DECL friend bool operator==(const StringMap& a, const StringMap& b) noexcept;

private:
    friend class StringMapBuilder;

    // A block is a Header, then for each entry two lengths and the two texts, without padding.
    struct Header {
        std::uint32_t count;
        std::uint32_t bytes;  // of all entries
    };
    struct Lengths {
        std::uint32_t key;
        std::uint32_t value;
    };

    [[nodiscard]] Header header() const noexcept {
        Header h;
        std::memcpy(&h, block_.get(), sizeof h);
        return h;
    }
    [[nodiscard]] const char* entries() const noexcept { return block_.get() + sizeof(Header); }

    std::unique_ptr<char[]> block_;  // null when empty
};

/// Iterates over the entries; a forward iterator that returns each entry by value.
class StringMap::const_iterator {
public:
    /// Tells C++17 algorithms: an input iterator, since entries are returned by value.
    using iterator_category = std::input_iterator_tag;
    /// Tells C++20 algorithms: a forward iterator.
    using iterator_concept = std::forward_iterator_tag;
    /// Names the type of an entry: key and value.
    using value_type = StringMap::value_type;
    /// Names the type of distances.
    using difference_type = std::ptrdiff_t;
    /// Names the type that operator* returns.
    using reference = value_type;

    /// Holds the entry to which operator-> gives access.
    struct pointer {
        /// Holds the entry.
        value_type entry;
        /// Returns a pointer to the entry.
        const value_type* operator->() const noexcept { return &entry; }
    };

    const_iterator() noexcept = default;

    /// Returns the entry. Precondition: not the end of the range.
    reference operator*() const noexcept {
        auto const n = lengths();
        char const* const key = at_ + sizeof n;
        return {{key, n.key}, {key + n.key, n.value}};
    }
    /// Gives access to the members of the entry. Precondition: not the end of the range.
    pointer operator->() const noexcept { return {**this}; }

    /// Moves to the next entry. Precondition: not the end of the range.
    const_iterator& operator++() noexcept {
        auto const n = lengths();
        at_ += sizeof n + n.key + n.value;
        return *this;
    }
    /// Moves to the next entry, and returns the iterator as it was before.
    const_iterator operator++(int) noexcept {
        auto const old = *this;
        ++*this;
        return old;
    }

    /// Returns whether both are at the same entry.
    friend bool operator==(const const_iterator&, const const_iterator&) noexcept = default;

private:
    friend class StringMap;
    friend class StringMapBuilder;
    explicit const_iterator(const char* at) noexcept : at_(at) {}

    [[nodiscard]] Lengths lengths() const noexcept {
        Lengths n;
        std::memcpy(&n, at_, sizeof n);
        return n;
    }

    const char* at_ = nullptr;
};

inline StringMap::const_iterator StringMap::begin() const& noexcept {
    return const_iterator(block_ ? entries() : nullptr);
}

inline StringMap::const_iterator StringMap::end() const& noexcept {
    return const_iterator(block_ ? entries() + header().bytes : nullptr);
}

/// Writes {"a": "1", "b": "2"}, escaped and shortened.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const StringMap& map);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/detail/string_map_builder.hpp>  // which includes the bodies of both
#endif
