// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/sinks/receipt_json.hpp>

#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>

#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

inline Error bad_field(const char* name, const char* what) {
    return Error(errc::bad_value, std::string("the field \"") + name + "\" " + what);
}

PALETTE_KEYS_INLINE boost::json::object json_of(const sinks::Receipt& receipt) {
    boost::json::object object;
    object["generation"] = receipt.generation;
    object["rotation_id"] = receipt.rotation_id;
    object["key_uid"] = receipt.key_uid;
    object["expiry"] = receipt.expiry.to_string();
    return object;
}

PALETTE_KEYS_INLINE Result<boost::json::object> json_object(std::string_view text) {
    boost::system::error_code fault;
    auto value = boost::json::parse({text.data(), text.size()}, fault);
    // The message is the parser's own. Of the text, which may hold a value, nothing is quoted.
    if (fault) return Error(errc::bad_value, "it is no JSON: " + fault.message());
    if (!value.is_object()) return Error(errc::bad_value, "it is no object of JSON");
    return std::move(value.get_object());
}

PALETTE_KEYS_INLINE Result<std::uint64_t> number_field(const boost::json::object& object, const char* name) {
    auto const* const value = object.if_contains(name);
    if (value == nullptr) return bad_field(name, "is missing");
    // The parser reads a number as a signed one wherever it fits.
    if (value->is_uint64()) return value->get_uint64();
    if (value->is_int64() && value->get_int64() >= 0) return static_cast<std::uint64_t>(value->get_int64());
    return bad_field(name, "is not a number");
}

PALETTE_KEYS_INLINE Result<std::string> text_field(const boost::json::object& object, const char* name) {
    auto const* const value = object.if_contains(name);
    if (value == nullptr) return bad_field(name, "is missing");
    if (!value->is_string()) return bad_field(name, "is not a text");
    auto const& text = value->get_string();
    return std::string(text.data(), text.size());
}

PALETTE_KEYS_INLINE Result<sinks::Receipt> receipt_of(const boost::json::object& object) {
    auto const generation = number_field(object, "generation");
    if (!generation) return generation.error();
    auto rotation_id = text_field(object, "rotation_id");
    if (!rotation_id) return rotation_id.error();
    auto key_uid = text_field(object, "key_uid");
    if (!key_uid) return key_uid.error();
    auto const expiry = text_field(object, "expiry");
    if (!expiry) return expiry.error();
    auto const parsed = Expiry::parse(*expiry);
    if (!parsed) return bad_field("expiry", "is not a time");
    return sinks::Receipt(*generation, *std::move(rotation_id), *std::move(key_uid), *parsed);
}

PALETTE_KEYS_INLINE Result<std::optional<boost::json::object>> object_field(const boost::json::object& object,
                                                                            const char* name) {
    auto const* const value = object.if_contains(name);
    if (value == nullptr || value->is_null()) return std::optional<boost::json::object>();
    if (!value->is_object()) return bad_field(name, "is not an object");
    return std::optional<boost::json::object>(value->get_object());
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
