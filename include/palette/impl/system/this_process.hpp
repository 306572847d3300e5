// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <string>

namespace palette::inline PALETTE_KEYS_ABI::impl::processes {

// The name that this machine gives itself; empty if it has none.
std::string host_name();

// The id of this process.
long process_id() noexcept;

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::processes

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/system/this_process.ipp>
#endif
