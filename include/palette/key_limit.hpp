// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <cstddef>
#include <iosfwd>
#include <string>

namespace palette::inline PALETTE_KEYS_ABI {

/// Tells how many API keys a user of the tenant may have.
class KeyLimit {
public:
    /// Constructs a limit of no keys.
    KeyLimit() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Bounds the keys of one user, revoked and expired ones included.
    std::size_t limit = 0;
    /// Bounds the limit itself: a tenant may raise it up to this.
    std::size_t max_limit = 0;
    /// Names the limit, as the service's own pages do; may be empty.
    std::string label;

    /// Compares all members.
    friend bool operator==(const KeyLimit&, const KeyLimit&) = default;
};

/// Writes the limit on one line, escaped.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const KeyLimit& limit);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/key_limit.ipp>
#endif
