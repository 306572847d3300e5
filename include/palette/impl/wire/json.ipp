// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/detail/rfc3339.hpp>
#include <palette/detail/string_map_builder.hpp>
#include <palette/json.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/string_view.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

// The JSON of keys that users see. It has nothing to do with that of the service.
namespace palette::inline PALETTE_KEYS_ABI {

namespace impl::wire {

inline boost::json::value json_of(Instant time) {
    char text[detail::rfc3339_length];
    // RFC 3339 has four digits for the year: times outside are written as the nearest inside.
    detail::format_rfc3339(detail::clamp(time), text);
    return boost::json::string_view(text, sizeof text);
}

inline boost::json::value json_of(std::optional<Instant> time) {
    return time ? json_of(*time) : boost::json::value();
}

inline boost::json::value json_of(const StringMap& map) {
    boost::json::object out;
    out.reserve(map.size());
    for (auto const [key, value] : map)
        out.emplace(boost::json::string_view(key.data(), key.size()),
                    boost::json::string_view(value.data(), value.size()));
    return out;
}

enum class Presence { optional, required };

/// Reads the fields of one JSON object. The first error is kept, and nothing is read after it.
class FieldReader {
public:
    using Value = boost::json::value;

    /// Reads `json`, which is at `path` of the document.
    FieldReader(const Value& json, std::string path, std::optional<Error>& error)
        : object_(json.if_object()),
          path_(std::move(path)),
          error_(error) {
        // Each read looks at the error first, so that a null object_ is never dereferenced.
        if (object_ == nullptr) fail(errc::wrong_type, "an object is expected", path_);
    }

    void read(std::string_view name, std::string& out, Presence presence = Presence::optional) {
        auto const* const json = find(name, presence);
        if (json == nullptr) return;
        if (auto const* const text = json->if_string())
            out.assign(text->data(), text->size());
        else
            fail(errc::wrong_type, "a string is expected", path_of(name));
    }

    void read(std::string_view name, bool& out, Presence presence) {
        auto const* const json = find(name, presence);
        if (json == nullptr) return;
        if (auto const* const flag = json->if_bool())
            out = *flag;
        else
            fail(errc::wrong_type, "true or false is expected", path_of(name));
    }

    void read(std::string_view name, std::optional<Instant>& out) {
        if (find(name, Presence::optional) == nullptr) return;
        std::string text;
        read(name, text);
        if (error_) return;
        auto const time = detail::parse_rfc3339(text);
        if (!time) return fail(errc::bad_value, "a time of RFC 3339, or null, is expected", path_of(name));
        // Year 1 means "no time" here too (W3).
        if (!detail::is_unset(*time)) out = time;
    }

    /// Reads an expiry, which has to be there: what is missing must not be taken for "never".
    void read(std::string_view name, Expiry& out) {
        if (error_) return;
        auto const* const json = lookup(name);
        if (json != nullptr && json->is_null()) return;
        std::string text;
        read(name, text, Presence::required);
        if (error_) return;
        auto const expiry = Expiry::parse(text);
        if (!expiry) return fail(errc::bad_value, "a time of RFC 3339, or null, is expected", path_of(name));
        out = *expiry;
    }

    void read(std::string_view name, StringMap& out) {
        auto const* const json = find(name, Presence::optional);
        if (json == nullptr) return;
        auto const* const object = json->if_object();
        if (object == nullptr) return fail(errc::wrong_type, "an object is expected", path_of(name));
        StringMapBuilder builder;
        for (auto const& [key, value] : *object) {
            std::string_view const entry(key.data(), key.size());
            auto const* const text = value.if_string();
            if (text == nullptr)
                return fail(errc::wrong_type, "a string is expected",
                            path_of(name) + '.' + detail::printable(entry));
            builder.add(entry, {text->data(), text->size()});
        }
        out = builder.finish();
    }

    /// Gives the field if it is there and not null.
    const Value* find(std::string_view name, Presence presence) {
        if (error_) return nullptr;
        auto const* const json = lookup(name);
        if (json != nullptr && !json->is_null()) return json;
        if (presence == Presence::required) fail(errc::bad_value, "the field is missing", path_of(name));
        return nullptr;
    }

    [[nodiscard]] std::string path_of(std::string_view name) const {
        return path_.empty() ? std::string(name) : path_ + '.' + std::string(name);
    }

    void fail(errc code, const char* what, std::string path) {
        if (!error_)
            error_ = Error(code, what)
                         .path(std::move(path))
                         .advice("correct the document; palette/json.hpp describes its fields");
    }

private:
    [[nodiscard]] const Value* lookup(std::string_view name) const noexcept {
        return object_->if_contains(boost::json::string_view(name.data(), name.size()));
    }

    const boost::json::object* object_;
    std::string path_;
    // Of the whole document: nested readers share it, and the first error counts.
    std::optional<Error>& error_;
};

inline void read_owner(FieldReader& key, Owner& out, std::optional<Error>& error) {
    auto const* const json = key.find("owner", Presence::optional);
    if (json == nullptr) return;
    FieldReader owner(*json, key.path_of("owner"), error);
    owner.read("uid", out.uid);
    owner.read("first_name", out.first_name);
    owner.read("last_name", out.last_name);
}

inline ApiKey read_key(const boost::json::value& json, std::string path, std::optional<Error>& error) {
    FieldReader fields(json, std::move(path), error);
    ApiKey key;
    fields.read("uid", key.uid, Presence::required);
    fields.read("name", key.name);
    fields.read("description", key.description);
    read_owner(fields, key.owner, error);
    fields.read("expiry", key.expiry);
    fields.read("is_active", key.is_active, Presence::required);
    fields.read("created", key.created);
    fields.read("modified", key.modified);
    fields.read("deleted", key.deleted);
    fields.read("annotations", key.annotations);
    fields.read("labels", key.labels);
    return key;
}

}  // namespace impl::wire

PALETTE_KEYS_INLINE boost::json::value to_json(const ApiKey& key) {
    return boost::json::object{
        {"uid", key.uid},
        {"name", key.name},
        {"description", key.description},
        {"owner",
         {{"uid", key.owner.uid}, {"first_name", key.owner.first_name}, {"last_name", key.owner.last_name}}},
        {"expiry", impl::wire::json_of(key.expiry.instant())},
        {"is_active", key.is_active},
        {"created", impl::wire::json_of(key.created)},
        {"modified", impl::wire::json_of(key.modified)},
        {"deleted", impl::wire::json_of(key.deleted)},
        {"annotations", impl::wire::json_of(key.annotations)},
        {"labels", impl::wire::json_of(key.labels)}};
}

PALETTE_KEYS_INLINE boost::json::value to_json(const KeyList& keys) {
    boost::json::array items;
    items.reserve(keys.size());
    for (auto const& key : keys)
        items.push_back(to_json(key));
    boost::json::object out;
    // Moved in afterwards: an initializer list would copy every key.
    out.emplace("as_of", impl::wire::json_of(keys.as_of()));
    out.emplace("keys", std::move(items));
    return out;
}

template <>
PALETTE_KEYS_INLINE Result<ApiKey> from_json<ApiKey>(const boost::json::value& json) {
    std::optional<Error> error;
    auto key = impl::wire::read_key(json, "", error);
    if (error) return *std::move(error);
    return key;
}

template <>
PALETTE_KEYS_INLINE Result<KeyList> from_json<KeyList>(const boost::json::value& json) {
    std::optional<Error> error;
    impl::wire::FieldReader fields(json, "", error);
    std::optional<Instant> as_of;
    fields.read("as_of", as_of);
    detail::Blocks<ApiKey> keys;
    if (auto const* const items = fields.find("keys", impl::wire::Presence::required)) {
        auto const* const array = items->if_array();
        if (array == nullptr) fields.fail(errc::wrong_type, "an array is expected", "keys");
        for (std::size_t i = 0; !error && i < array->size(); ++i)
            keys.emplace_back(impl::wire::read_key((*array)[i], "keys[" + std::to_string(i) + ']', error));
    }
    if (error) return *std::move(error);
    return KeyList(std::move(keys), as_of.value_or(Instant()));
}

}  // namespace palette::inline PALETTE_KEYS_ABI
