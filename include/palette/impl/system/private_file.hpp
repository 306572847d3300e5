// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <cstddef>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::files {

inline constexpr std::size_t max_private_size = std::size_t{64} << 10;

// All that is in a file which nobody else can have read or changed. Neither a FIFO nor a device makes it
// wait. errc::auth_provider names the file and the rule that it breaks.
Result<Secret> read_private_file(const std::string& path, bool allow_symlink);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::files

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/system/private_file.ipp>
#endif
