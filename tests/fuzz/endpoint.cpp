// SPDX-License-Identifier: BSL-1.0

// Whatever the text is: no crash, and an endpoint that is accepted is a host, a port and no more, which
// reads back as itself and is not dialled in the clear unless it is this machine.

#include <palette/endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view const text(reinterpret_cast<const char*>(data), size);
    auto const endpoint = palette::Endpoint::parse(text);
    if (!endpoint) {
        if (endpoint.error().message().find('\n') != std::string::npos) std::abort();
        return 0;
    }
    auto const again = palette::Endpoint::parse(endpoint->to_string());
    if (!again || *again != *endpoint) std::abort();
    if (endpoint->port() == 0 || (!endpoint->is_secure() && !endpoint->is_loopback())) std::abort();
    if (endpoint->host().find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.:") != std::string::npos)
        std::abort();
    return 0;
}
