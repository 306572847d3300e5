// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/string_map.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::testing {

// A request as the emulator saw it, without credentials.
class ReceivedRequest {
public:
    enum class Credential { none, api_key, token };

    std::uint64_t number = 0;      // from 1
    std::uint64_t connection = 0;  // from 1; two requests with the same one came over one connection
    std::string source;            // the address
    std::string method;
    std::string path;  // as sent, without query; what could be a credential is "<redacted>"
    StringMap query;   // likewise
    // accept, accept-encoding, authorization and apikey as "<redacted>", connection, content-length,
    // content-type, expect, host, origin, projectuid, traceparent, transfer-encoding, user-agent;
    // of others the name alone. Names in small letters.
    StringMap headers;
    std::size_t body_bytes = 0;
    Credential credential = Credential::none;  // none: or one that is not valid
    std::string user_uid;                      // whose credential it was
    int status = 0;                            // answered; 0: not at all
    std::string faults;                        // those that it met: "drop-after", "garbage drip"
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
