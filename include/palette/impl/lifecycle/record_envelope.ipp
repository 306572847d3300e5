// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/record_envelope.hpp>
#include <palette/impl/values/text.hpp>

#include <openssl/evp.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

PALETTE_KEYS_INLINE std::string digest_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    // OpenSSL 3 takes the digest from a provider, which the system's configuration may leave out.
    if (::EVP_Digest(text.data(), text.size(), bytes.data(), &size, ::EVP_sha256(), nullptr) != 1)
        throw Exception(Error(errc::system, "OpenSSL has no SHA-256"));
    return detail::to_hex(std::span(bytes).first(size));
}

// The mark is sealed too: a version that was edited, or a text under another mark, does not pass.
inline std::string digest_of(const SealedRecord& record) {
    return digest_of(boost::json::serialize(record.mark) + '\n' + record.text);
}

PALETTE_KEYS_INLINE Error RecordPlace::damaged(const std::string& how) const {
    return Error(errc::bad_value, name + ' ' + how).advice(advice);
}

PALETTE_KEYS_INLINE std::string seal(std::string_view mark_name, const SealedRecord& record) {
    boost::json::object const sealed{
        {"schema", 1},
        {mark_name, record.mark},
        {"sha256", digest_of(record)},
        {"record", record.text},
    };
    return boost::json::serialize(sealed);
}

PALETTE_KEYS_INLINE Result<SealedRecord> unseal(std::string_view mark_name, std::string_view text,
                                                const RecordPlace& place) {
    // A file system may leave an empty file behind after a crash. That is damage, and not a slot without a
    // record.
    if (text.empty()) return place.damaged("is empty");
    boost::system::error_code ec;
    auto const parsed = boost::json::parse({text.data(), text.size()}, ec);
    auto const* const sealed = ec ? nullptr : parsed.if_object();
    if (sealed == nullptr) return place.damaged("is torn, or is no record");
    auto const* const schema = sealed->if_contains("schema");
    // Before the checksum, which a newer version may make in another way: "damaged" would have a person
    // restore a backup of a record that is whole.
    if (schema != nullptr && schema->is_int64() && schema->get_int64() > 1)
        return Error(errc::bad_value,
                     place.name + " has a newer schema, " + std::to_string(schema->get_int64()))
            .path("schema")
            .advice("use the version of the library that wrote it, or a newer one");
    auto const* const mark = sealed->if_contains(mark_name);
    auto const* const digest = sealed->if_contains("sha256");
    auto const* const record = sealed->if_contains("record");
    if (schema == nullptr || mark == nullptr || digest == nullptr || record == nullptr ||
        !digest->is_string() || !record->is_string())
        return place.damaged("is no record");
    SealedRecord found{*mark, std::string(record->get_string())};
    // The digest finds a file that was cut, or edited by hand. Whoever means to can make a new one: who may
    // write here is the directory's affair.
    if (digest->get_string() != digest_of(found))
        return place.damaged("was changed: its checksum is another");
    return found;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
