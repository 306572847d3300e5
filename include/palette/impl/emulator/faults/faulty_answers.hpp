// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/instant.hpp>
#include <palette/impl/emulator/http/http.hpp>
#include <palette/testing/fault.hpp>

#include <optional>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// What is answered instead of doing what was asked for; nothing if the fault is not of that kind.
// `parameter` is what the path holds: it may be a token.
std::optional<Response> answer_in_place(const testing::FaultRule& fault, const Request& request,
                                        std::string_view parameter, Instant now);

// Makes a good answer bad; faults that answer in the service's place leave it as it is.
void spoil(Response& response, const testing::FaultRule& fault);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/faults/faulty_answers.ipp>
#endif
