// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/lifecycle/secret_sink.hpp>

#include <ostream>

namespace palette::inline PALETTE_KEYS_ABI::lifecycle {

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const Receipt& receipt) {
    return out << "Receipt{generation " << receipt.generation << ", rotation "
               << detail::printable(receipt.rotation_id) << ", key " << detail::printable(receipt.key_uid)
               << ", expires " << receipt.expiry << '}';
}

PALETTE_KEYS_INLINE std::ostream& operator<<(std::ostream& out, const SinkContents& contents) {
    auto const show = [&out](const char* name, const std::optional<Receipt>& receipt) {
        out << name;
        if (receipt)
            out << *receipt;
        else
            out << "none";
    };
    show("SinkContents{current ", contents.current);
    show(", pending ", contents.pending);
    show(", previous ", contents.previous);
    return out << '}';
}

}  // namespace palette::inline PALETTE_KEYS_ABI::lifecycle
