// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/secret_sink.hpp>
#include <palette/result.hpp>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

namespace sinks = palette::lifecycle;

// {"generation": 3, "rotation_id": "…", "key_uid": "…", "expiry": "2027-01-31T12:00:00.000Z"}
boost::json::object json_of(const sinks::Receipt& receipt);

// The object of a text. errc::bad_value says what is wrong with it, and quotes nothing.
Result<boost::json::object> json_object(std::string_view text);

// Each reads a field of an object. errc::bad_value names the field.
Result<std::uint64_t> number_field(const boost::json::object& object, const char* name);
Result<std::string> text_field(const boost::json::object& object, const char* name);
Result<sinks::Receipt> receipt_of(const boost::json::object& object);

// The object that a field holds; nothing if it is null, or not there.
Result<std::optional<boost::json::object>> object_field(const boost::json::object& object, const char* name);

// Whether both were made by the same call of stage(). The other members are for people.
inline bool same_value(const sinks::Receipt& a, const sinks::Receipt& b) noexcept {
    return a.generation == b.generation && a.rotation_id == b.rotation_id;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/sinks/receipt_json.ipp>
#endif
