// SPDX-License-Identifier: BSL-1.0
#pragma once

// The bodies of the compiled library. palette::keys includes this file in its one translation unit;
// a build that does without CMake includes it in one of its own, and defines
// PALETTE_KEYS_SEPARATE_COMPILATION in all of them.

#include <palette/detail/config.hpp>

#ifndef PALETTE_KEYS_SEPARATE_COMPILATION
#    error \
        "palette/src.hpp is for separate compilation: define PALETTE_KEYS_SEPARATE_COMPILATION everywhere, or leave this include out and use the library header-only"
#endif

#include <palette/impl/api_key.ipp>
#include <palette/impl/endpoint.ipp>
#include <palette/impl/error.ipp>
#include <palette/impl/expiry.ipp>
#include <palette/impl/key_requests.ipp>
#include <palette/impl/printable.ipp>
#include <palette/impl/rfc3339.ipp>
#include <palette/impl/secret.ipp>
#include <palette/impl/string_map.ipp>
#include <palette/impl/user.ipp>
#include <palette/impl/wire/decode.ipp>
#include <palette/impl/wire/encode.ipp>
#include <palette/impl/wire/json_reader.ipp>
#include <palette/impl/wire/text.ipp>
