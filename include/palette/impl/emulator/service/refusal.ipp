// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/service/answers.hpp>
#include <palette/impl/emulator/service/crypto.hpp>
#include <palette/impl/emulator/service/refusal.hpp>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

PALETTE_KEYS_INLINE Response Refusal::response() const {
    Response response{.status = status_, .headers = headers_};
    append_error(response.body, code_, message_, random_hex(8));
    return response;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
