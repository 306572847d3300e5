// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/string_map.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::testing {

/// Describes a request as the emulator received it, without credentials.
class ReceivedRequest {
public:
    /// Tells what authenticated a request.
    enum class Credential {
        none,     ///< None, or a credential that is not valid.
        api_key,  ///< An API key.
        token,    ///< A token.
    };

    /// Numbers the requests, from 1.
    std::uint64_t number = 0;
    /// Numbers the connections, from 1: two requests with the same number came over one connection.
    std::uint64_t connection = 0;
    /// Gives the address of the sender.
    std::string source;
    /// Names the method.
    std::string method;
    /// Gives the path as it was sent, without the query; what could be a credential is "<redacted>".
    std::string path;
    /// Holds the query; what could be a credential is "<redacted>".
    StringMap query;
    /// Holds the headers, their names in lower case: accept, accept-encoding, authorization and apikey as
    /// "<redacted>", connection, content-length, content-type, expect, host, origin, projectuid, traceparent,
    /// transfer-encoding and user-agent; of other headers the name alone.
    StringMap headers;
    /// Counts the bytes of the body.
    std::size_t body_bytes = 0;
    /// Tells what authenticated the request.
    Credential credential = Credential::none;
    /// Identifies the user whose credential it was.
    std::string user_uid;
    /// Gives the status of the response; 0 if there was none.
    int status = 0;
    /// Lists the faults that were injected into the request: "drop-after", "garbage drip".
    std::string faults;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
