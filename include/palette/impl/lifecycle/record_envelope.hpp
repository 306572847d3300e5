// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>

#include <boost/json/value.hpp>

#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// A record as a store keeps it: one line of JSON with a checksum over all that can change, so that what was
// torn, cut or edited is told from what was stored.
//
//     {"schema":1,"version":5,"sha256":"…","record":"…"}
//
// The mark is the store's own, and has a name of its own: a version, or which call has written it.
struct SealedRecord {
    boost::json::value mark;
    std::string text;
};

// Where a record lies, and what to do about one that is damaged; for errors.
struct RecordPlace {
    std::string name;
    std::string advice;

    [[nodiscard]] Error damaged(const std::string& how) const;
};

// The SHA-256 of a text, in hexadecimal digits.
std::string digest_of(std::string_view text);

std::string seal(std::string_view mark_name, const SealedRecord& record);

// Reads what seal() wrote. errc::bad_value for anything else.
Result<SealedRecord> unseal(std::string_view mark_name, std::string_view text, const RecordPlace& place);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/record_envelope.ipp>
#endif
