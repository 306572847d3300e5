// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hostile {

// Texts of `size` bytes, and a little more, that are made to be read in as many ways as can be.
inline std::vector<std::string> texts(std::size_t size) {
    std::vector<std::string> pieces;
    for (std::string_view const escape :
         {"x41", "u0041", "n", "\"", "ud83d\\udd11", "%41", "%5c", "b\\\\f", "u005c", "A", ""})
        for (std::size_t const backslashes : {0u, 1u, 2u, 3u, 4u, 7u, 16u})
            for (std::size_t const letters : {0u, 4u}) {
                auto piece = std::string(backslashes, '\\') + std::string(escape) + std::string(letters, 'B');
                if (!piece.empty()) pieces.push_back(std::move(piece));
            }
    for (std::size_t times = 0; times < 6; ++times)
        for (std::string_view const end : {"41", "%41", "5c", "5Cx41", "25b%2525", ""}) {
            std::string piece = "%";
            for (std::size_t i = 0; i < times; ++i)
                piece += "25";
            pieces.push_back(piece += end);
        }
    pieces.emplace_back("\\u005c%5cb");
    pieces.emplace_back("\\b\\f\\n\\r\\t\\\\");
    std::vector<std::string> texts;
    for (auto const& piece : pieces) {
        auto& text = texts.emplace_back();
        while (text.size() < size)
            text += piece;
    }
    return texts;
}

}  // namespace hostile
