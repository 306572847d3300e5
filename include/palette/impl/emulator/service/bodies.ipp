// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/string_map_builder.hpp>
#include <palette/impl/emulator/service/answers.hpp>
#include <palette/impl/emulator/service/bodies.hpp>
#include <palette/impl/emulator/service/refusal.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// The members of one JSON object. What is absent or null is empty.
class Members {
public:
    Members(const boost::json::value& value, std::string path) : path_(std::move(path)) {
        if (value.is_null()) return;
        object_ = value.if_object();
        if (object_ == nullptr)
            throw bad_request((path_.empty() ? "the body" : path_) + ": an object is expected");
    }

    [[nodiscard]] Members object(std::string_view name) const {
        // An object that is absent has members that are absent: Go decodes both to the zero value.
        static boost::json::value const none;
        auto const* const found = find(name);
        return {found == nullptr ? none : *found, path_of(name)};
    }

    [[nodiscard]] std::string text(std::string_view name) const {
        auto const* const value = find(name);
        if (value == nullptr) return {};
        if (!value->is_string()) throw bad_request(path_of(name) + ": a string is expected");
        return std::string(value->get_string());
    }

    [[nodiscard]] bool flag(std::string_view name) const {
        auto const* const value = find(name);
        if (value == nullptr) return false;
        if (!value->is_bool()) throw bad_request(path_of(name) + ": true or false is expected");
        return value->get_bool();
    }

    // The year 1 is never.
    [[nodiscard]] std::optional<Expiry> time(std::string_view name) const {
        if (find(name) == nullptr) return std::nullopt;
        auto const when = text(name);
        auto time = Expiry::parse(when);
        // Expiry::parse() takes "never" from users; no JSON of the service has it.
        if (!time || when == "never") throw bad_request(path_of(name) + ": an RFC 3339 time is expected");
        return *time;
    }

    [[nodiscard]] StringMap texts(std::string_view name) const {
        auto const members = object(name);
        if (members.object_ == nullptr) return {};
        // Before they are copied: a body of 1 MiB holds a hundred thousand of them.
        if (members.object_->size() > max_texts) throw too_many_texts(members.path_);
        StringMapBuilder map;
        for (auto const& [key, value] : *members.object_)
            map.add(key, members.text(key));
        return map.finish();
    }

private:
    [[nodiscard]] const boost::json::value* find(std::string_view name) const {
        auto const* const value = object_ == nullptr ? nullptr : object_->if_contains(name);
        // W1: null equals absence.
        return value == nullptr || value->is_null() ? nullptr : value;
    }

    [[nodiscard]] std::string path_of(std::string_view name) const {
        return path_.empty() ? std::string(name) : path_ + '.' + std::string(name);
    }

    const boost::json::object* object_ = nullptr;
    std::string path_;
};

inline boost::json::value parse_body(std::string_view body) {
    boost::system::error_code ec;
    auto value = boost::json::parse(body, ec);
    if (ec) throw bad_request("the body is not JSON: " + ec.message());
    // Also `null`, which Members would take for an object without members.
    if (!value.is_object()) throw bad_request("the body: an object is expected");
    return value;
}

inline KeyBody key_body_of(const Members& members) {
    auto const metadata = members.object("metadata");
    // Read and dropped: the server owns these, but refuses a body in which they have the wrong type, as a
    // decoder of Go does.
    for (auto const* const time : {"creationTimestamp", "lastModifiedTimestamp", "deletionTimestamp"})
        (void)metadata.time(time);
    (void)metadata.text("uid");
    return {
        .name = metadata.text("name"),
        .annotations = metadata.texts("annotations"),
        .labels = metadata.texts("labels"),
        .expiry = members.object("spec").time("expiry"),
    };
}

PALETTE_KEYS_INLINE Refusal too_many_texts(std::string_view field) {
    return bad_request(std::string(field) + ": more than " + std::to_string(max_texts) + " are not accepted");
}

PALETTE_KEYS_INLINE KeyBody read_key_body(std::string_view body) {
    auto const value = parse_body(body);
    return key_body_of(Members(value, {}));
}

PALETTE_KEYS_INLINE NewKeyBody read_new_key_body(std::string_view body) {
    auto const value = parse_body(body);
    Members const members(value, {});
    return {key_body_of(members), members.object("spec").text("userUid")};
}

PALETTE_KEYS_INLINE bool read_is_active(std::string_view body) {
    auto const value = parse_body(body);
    return Members(value, {}).flag("isActive");
}

PALETTE_KEYS_INLINE LogInBody read_log_in_body(std::string_view body) {
    auto const value = parse_body(body);
    Members const members(value, {});
    return {
        .email = members.text("emailId"), .password = members.text("password"), .org = members.text("org")};
}

PALETTE_KEYS_INLINE bool is_utf8(std::string_view text) {
    // By the parser that reads bodies, so that both have the same idea of it.
    std::string json;
    append_text(json, text);
    boost::system::error_code ec;
    boost::json::parse(json, ec);
    return !ec;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
