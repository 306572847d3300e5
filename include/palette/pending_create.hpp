// SPDX-License-Identifier: BSL-1.0
#pragma once

// Declares PendingCreate, the record of keys that a create may have made and whose values nobody has, and
// Reconciliation, the result of cleaning them up.
#include <palette/detail/pending_create.hpp>

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/wire/pending_create_text.ipp>
#endif
