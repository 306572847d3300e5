// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/string_map.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

// Makes StringMaps, one after another, from values that arrive in pieces; its buffer is used again, and
// wiped in the end: what does not become a map may be a credential that the service repeated.
//
//     b.begin_entry("scope"); b.append_value("ten"); b.append_value("ant"); b.end_entry();
//     StringMap map = b.finish();
//
// Of equal keys the first counts. Entries that come in order, as Go servers send them, cost nothing
// to order; others are sorted once, at the end.
class PALETTE_KEYS_DECL StringMapBuilder {
public:
    StringMapBuilder() = default;
    StringMapBuilder(const StringMapBuilder&) = delete;
    StringMapBuilder& operator=(const StringMapBuilder&) = delete;
    ~StringMapBuilder() { wipe(); }

    void begin_entry(std::string_view key);
    void append_value(std::string_view part);
    void end_entry() noexcept;

    void add(std::string_view key, std::string_view value) {
        begin_entry(key);
        append_value(value);
        end_entry();
    }

    // Of the entry that is begun and not ended yet: its key.
    [[nodiscard]] std::string_view key() const noexcept;

    // Forgets that entry.
    void drop_entry() noexcept;

    // The map of all entries, each of them ended; the builder is empty again.
    [[nodiscard]] StringMap finish();

    // How many entries there are so far, those ended.
    [[nodiscard]] std::size_t entries() const noexcept { return count_; }
    // What the entries take so far.
    [[nodiscard]] std::size_t bytes() const noexcept { return size_; }

private:
    void wipe() noexcept;
    void sort_and_drop_repeated();
    char* grow(std::size_t size);

    static constexpr std::size_t none_ = static_cast<std::size_t>(-1);

    std::unique_ptr<char[]> buffer_;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    StringMap::Lengths open_{};
    std::size_t begun_ = 0;         // where the entry that was begun last starts
    std::size_t previous_ = none_;  // where the last entry that was ended starts
    std::uint32_t count_ = 0;
    bool ordered_ = true;
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/string_map.ipp>
#endif
