// SPDX-License-Identifier: BSL-1.0
#pragma once

// Keys as JSON, for reports, caches and other programs. This is the only public header that opens Boost.JSON,
// and <palette/api_keys.hpp> does not include it. A program that includes it links Boost::json itself.

#include <palette/api_key.hpp>
#include <palette/result.hpp>

#include <boost/json/value.hpp>

#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI {

/// Makes the JSON object of a key:
/// ```
///     field        JSON type       from
///     uid          string          ApiKey::uid
///     name         string          ApiKey::name
///     description  string          ApiKey::description
///     owner        object          ApiKey::owner: the strings uid, first_name, last_name
///     expiry       string or null  ApiKey::expiry, in RFC 3339; null: never
///     is_active    boolean         ApiKey::is_active
///     created      string or null  ApiKey::created, in RFC 3339; null: unknown
///     modified     string or null  ApiKey::modified
///     deleted      string or null  ApiKey::deleted
///     annotations  object          ApiKey::annotations: a string for each of them
///     labels       object          ApiKey::labels
/// ```
/// All fields are always there, in this order. Times are in UTC and have milliseconds. These names are part
/// of the interface: later versions may add fields, and rename none. The service's own JSON has other names.
///
/// from_json() reads an equal key from it. A time that RFC 3339 cannot write, before the year 2 or after
/// 9999, becomes the nearest that it can.
///
/// Throws nothing but std::bad_alloc. Precondition: no text has 2 GiB.
[[nodiscard]] PALETTE_KEYS_DECL boost::json::value to_json(const ApiKey& key);

/// Makes the JSON object of a list: `as_of`, a string in RFC 3339, is KeyList::as_of(), and `keys` is the
/// array of its keys, in the list's order. Otherwise as for a key.
///
///     std::cout << boost::json::serialize(palette::to_json(keys)) << '\n';
[[nodiscard]] PALETTE_KEYS_DECL boost::json::value to_json(const KeyList& keys);

/// Reads an ApiKey or a KeyList from what to_json() makes. T: one of these two.
///
///     boost::system::error_code ec;
///     auto const json = boost::json::parse(text, ec);
///     if (ec) co_return log(ec.message());
///     palette::Result<palette::KeyList> keys = palette::from_json<palette::KeyList>(json);
///
/// Required are `uid`, `expiry` and `is_active` of a key, and `keys` of a list. Any other field may be
/// missing or null, and then has its default. Unknown fields are ignored.
///
/// Errors, each with the field in Error::path(), such as "keys[3].owner.uid":
/// - errc::wrong_type: the field has another JSON type, or `json` is no object.
/// - errc::bad_value: a required field is missing, or a time is not RFC 3339.
///
/// The error quotes no value. Throws nothing but std::bad_alloc.
template <class T>
Result<T> from_json(const boost::json::value& json) = delete;

/// Reads an ApiKey.
template <>
PALETTE_KEYS_DECL Result<ApiKey> from_json<ApiKey>(const boost::json::value& json);
/// Reads a KeyList.
template <>
PALETTE_KEYS_DECL Result<KeyList> from_json<KeyList>(const boost::json::value& json);

/// Refused: a text would be taken for a JSON string. Parse the text first.
template <class T>
Result<T> from_json(std::string_view text) = delete;

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/wire/json.ipp>
#endif
