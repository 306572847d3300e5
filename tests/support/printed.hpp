// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <sstream>
#include <string>
#include <string_view>

template <class T>
std::string printed(const T& value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

// Nothing in it can break a line or drive a terminal.
inline bool is_one_plain_line(std::string_view text) {
    return std::ranges::none_of(text,
                                [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

inline bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

// A text that would clear the screen, break the line, and go on for long.
inline const std::string hostile_text = "\x1b[2J\r\n\xc2\x9b\x80\"\\" + std::string(1'000, 'x');
