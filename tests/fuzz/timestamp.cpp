// SPDX-License-Identifier: BSL-1.0

// Whatever the text is: no crash, and what is read is written and read again as the same instant.

#include <palette/expiry.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<const char*>(data), size);
    auto const expiry = palette::Expiry::parse(text);
    if (!expiry) {
        if (expiry.error().message().find('\n') != std::string::npos) std::abort();
        return 0;
    }
    auto const again = palette::Expiry::parse(expiry->to_string());
    if (!again || *again != *expiry) std::abort();
    return 0;
}
