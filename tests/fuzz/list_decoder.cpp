// SPDX-License-Identifier: BSL-1.0

// Whatever the bytes are: no crash, no hang, and the same outcome however they are cut.

#include "support/decoding.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using palette::impl::wire::KeyPage;
    std::string_view const body(reinterpret_cast<const char*>(data), size);
    auto const whole = palette::impl::wire::decode<KeyPage>(body);
    for (std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, size / 2 + 1}) {
        auto const cut = decoding::from_equal_pieces<KeyPage>(body, piece);
        if (whole.has_value() != cut.has_value()) std::abort();
        if (whole ? !(whole->items == cut->items && whole->next == cut->next) : whole.error() != cut.error())
            std::abort();
    }
    if (!whole && whole.error().message().find('\n') != std::string::npos) std::abort();
    return 0;
}
