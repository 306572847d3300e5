// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/testing/emulator_options.hpp>

#include <string>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// The options, if they go together; throws Exception (errc::invalid_argument) if they do not.
testing::EmulatorOptions checked(testing::EmulatorOptions options);

// What the emulator is called beside localhost, 127.0.0.1 and ::1: the address that it listens on; for
// "any address", this machine's name.
std::vector<std::string> more_names(const testing::EmulatorOptions& options);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/http/hosts.ipp>
#endif
