// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/wire/schema.hpp>
#include <palette/result.hpp>

#include <cstddef>
#include <limits>
#include <memory>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

struct Limits {
    std::size_t bytes = 1 << 20;
    std::size_t depth = 32;
    // Of one element of the outermost array, and of what stands between, before or after the elements: about,
    // without blanks. For a text that is not held as a whole.
    std::size_t part = std::numeric_limits<std::size_t>::max();
};

// Reads one JSON text, given in pieces of any size, straight into a value, as its Shape says.
//
// Fields that the shape does not know are skipped. Of duplicate names the first counts. Every error
// carries the path of the field and is the same however the text was cut; after one, write() and
// finish() repeat it. The value is complete only after finish() has succeeded.
//
// Memory: what the elements of arrays take is held in proportion to the text that was read, so that
// a body like [{},{},{}] cannot ask for a hundred times its size (errc::too_large).
class JsonReader {
public:
    // `root` is the object that `shape` describes; it outlives the reader. `on_error` is the effect
    // that an unreadable answer leaves.
    JsonReader(const Shape& shape, void* root, Limits limits, Effect on_error);
    JsonReader(const JsonReader&) = delete;
    JsonReader& operator=(const JsonReader&) = delete;
    ~JsonReader();

    Result<void> write(std::string_view chunk);
    Result<void> finish();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/wire/json_reader.ipp>
#endif
