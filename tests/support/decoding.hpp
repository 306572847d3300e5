// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/wire/decode.hpp>

#include <cstddef>
#include <string_view>
#include <vector>

namespace decoding {

template <class T>
palette::Result<T> from_pieces(const std::vector<std::string_view>& pieces) {
    palette::impl::wire::Decoder<T> decoder;
    for (auto const piece : pieces)
        if (auto ok = decoder.write(piece); !ok) return ok.error();
    return decoder.finish();
}

// The body in pieces of `size` bytes, the last one shorter.
template <class T>
palette::Result<T> from_equal_pieces(std::string_view body, std::size_t size) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < body.size(); at += size)
        pieces.push_back(body.substr(at, size));
    return from_pieces<T>(pieces);
}

}  // namespace decoding
