// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/stores/etcd_messages.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/impl/values/wipe.hpp>

#include <openssl/evp.h>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd {

// --- base64 --------------------------------------------------------------------------------------

PALETTE_KEYS_INLINE std::string to_base64(std::string_view bytes) {
    std::string digits((bytes.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a NUL
    auto const size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(digits.data()),
                                        reinterpret_cast<const unsigned char*>(bytes.data()),
                                        static_cast<int>(bytes.size()));
    digits.resize(static_cast<std::size_t>(size));
    return digits;
}

PALETTE_KEYS_INLINE std::optional<std::string> from_base64(std::string_view digits) {
    // By hand, for OpenSSL accepts blanks around it, and counts the padding as bytes.
    if (digits.size() % 4 != 0) return std::nullopt;
    std::string bytes;
    bytes.reserve(digits.size() / 4 * 3);
    auto const padding = digits.size() - std::min(digits.find_last_not_of('=') + 1, digits.size());
    if (padding > 2) return std::nullopt;
    std::uint32_t bits = 0;
    int count = 0;
    for (char const c : digits.substr(0, digits.size() - padding)) {
        // The alphabet for URLs is not etcd's.
        auto const digit = c == '-' || c == '_' ? -1 : detail::base64_digit(c);
        if (digit < 0) return std::nullopt;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes += static_cast<char>(bits >> count & 0xFFU);
    }
    // The last digit has bits of no byte, which are zero.
    if ((bits & ((1U << count) - 1U)) != 0) return std::nullopt;
    return bytes;
}

// --- what is sent --------------------------------------------------------------------------------

PALETTE_KEYS_INLINE Transaction& Transaction::compare(std::string_view key, const char* target,
                                                      const char* field, std::uint64_t revision) {
    compares_.push_back(Object{
        {"key", to_base64(key)}, {"target", target}, {"result", "EQUAL"}, {field, std::to_string(revision)}});
    return *this;
}

PALETTE_KEYS_INLINE Transaction& Transaction::if_modified_at(std::string_view key, std::uint64_t revision) {
    return compare(key, "MOD", "mod_revision", revision);
}

PALETTE_KEYS_INLINE Transaction& Transaction::if_created_at(std::string_view key, std::uint64_t revision) {
    return compare(key, "CREATE", "create_revision", revision);
}

PALETTE_KEYS_INLINE Transaction& Transaction::then_put(std::string_view key, std::string_view value,
                                                       std::uint64_t lease) {
    Object put{{"key", to_base64(key)}, {"value", to_base64(value)}};
    // Left out where there is none: a record stays when the lock ends.
    if (lease != 0) put["lease"] = std::to_string(lease);
    puts_.push_back(Object{{"request_put", std::move(put)}});
    return *this;
}

PALETTE_KEYS_INLINE Transaction& Transaction::else_read(std::string_view key) {
    reads_.push_back(Object{{"request_range", Object{{"key", to_base64(key)}}}});
    return *this;
}

PALETTE_KEYS_INLINE std::string Transaction::body() const {
    return boost::json::serialize(Object{{"compare", compares_}, {"success", puts_}, {"failure", reads_}});
}

PALETTE_KEYS_INLINE std::string range_body(std::string_view key) {
    return boost::json::serialize(Object{{"key", to_base64(key)}});
}

PALETTE_KEYS_INLINE std::string grant_body(std::uint64_t seconds) {
    return boost::json::serialize(Object{{"TTL", std::to_string(seconds)}});
}

PALETTE_KEYS_INLINE std::string lease_body(std::uint64_t lease) {
    return boost::json::serialize(Object{{"ID", std::to_string(lease)}});
}

// For a string that has room for it already: one that grows leaves a copy behind.
inline void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    for (char const c : text) {
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (detail::is_control(c)) {
            out += "\\u00";
            out += detail::lower_hex[static_cast<unsigned char>(c) >> 4];
            out += detail::lower_hex[static_cast<unsigned char>(c) & 15U];
        } else {
            out += c;
        }
    }
    out += '"';
}

PALETTE_KEYS_INLINE Result<Secret> authenticate_body(std::string_view user, std::string_view password) {
    // JSON cannot hold other bytes, and replacing them would log in with another password.
    for (auto const text : {user, password})
        if (detail::valid_utf8_prefix(text) != text.size())
            return Error(errc::invalid_argument, "the user or the password of etcd is not UTF-8");
    std::string body;
    constexpr std::size_t longest_escape = 6;
    // Six times the text and what stands around it: the string never grows, and Secret::take() wipes it.
    body.reserve(64 + longest_escape * (user.size() + password.size()));
    body += R"({"name":)";
    append_json_string(body, user);
    body += R"(,"password":)";
    append_json_string(body, password);
    body += '}';
    return Secret::take(body);
}

// --- what comes back -----------------------------------------------------------------------------

inline Error unreadable(errc code, const char* field) {
    return Error(code, "an answer of etcd cannot be read").path(field);
}

PALETTE_KEYS_INLINE Result<Object> read_object(std::string_view answer) {
    boost::system::error_code ec;
    auto parsed = boost::json::parse({answer.data(), answer.size()}, ec);
    if (ec) return Error(errc::not_json, "an answer of etcd is not JSON");
    if (!parsed.is_object()) return unreadable(errc::wrong_type, "");
    return std::move(parsed.get_object());
}

inline Result<std::uint64_t> number_in(const Object& object, const char* field) {
    auto const* const found = object.if_contains(field);
    // Left out when it is zero.
    if (found == nullptr) return std::uint64_t{0};
    // The JSON of protocol buffers has strings here, and asks a reader to accept numbers as well.
    if (found->is_int64() && found->get_int64() >= 0) return static_cast<std::uint64_t>(found->get_int64());
    if (found->is_uint64()) return found->get_uint64();
    if (!found->is_string()) return unreadable(errc::wrong_type, field);
    std::string_view const text = found->get_string();
    std::uint64_t number = 0;
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec != std::errc() || end != text.data() + text.size()) return unreadable(errc::bad_value, field);
    return number;
}

inline Result<const Object*> object_in(const Object& object, const char* field) {
    auto const* const found = object.if_contains(field);
    if (found == nullptr || !found->is_object()) return unreadable(errc::wrong_type, field);
    return &found->get_object();
}

// The elements of an array; none if it is left out.
inline Result<std::vector<const Object*>> objects_in(const Object& object, const char* field) {
    std::vector<const Object*> objects;
    auto const* const found = object.if_contains(field);
    if (found == nullptr) return objects;
    if (!found->is_array()) return unreadable(errc::wrong_type, field);
    for (auto const& element : found->get_array()) {
        if (!element.is_object()) return unreadable(errc::wrong_type, field);
        objects.push_back(&element.get_object());
    }
    return objects;
}

inline Result<KeyValue> read_key_value(const Object& object) {
    KeyValue found;
    struct Field {
        const char* name;
        std::uint64_t& number;
    };
    for (auto const& [name, number] :
         {Field{"create_revision", found.create_revision}, Field{"mod_revision", found.mod_revision},
          Field{"lease", found.lease}}) {
        auto read = number_in(object, name);
        if (!read) return std::move(read.error());
        number = *read;
    }
    // Revision 0 stands for a key that is not there. Taken for a version, the next save would create the
    // record anew.
    if (found.create_revision == 0 || found.mod_revision == 0)
        return unreadable(errc::bad_value, "mod_revision");
    auto const* const value = object.if_contains("value");
    // An empty value is left out.
    if (value == nullptr) return found;
    if (!value->is_string()) return unreadable(errc::wrong_type, "value");
    auto bytes = from_base64(value->get_string());
    if (!bytes) return unreadable(errc::bad_value, "value");
    found.value = *std::move(bytes);
    return found;
}

PALETTE_KEYS_INLINE Result<std::optional<KeyValue>> read_range(const Object& answer) {
    // What is no answer to a range is never taken for one that found nothing.
    auto const header = object_in(answer, "header");
    if (!header) return header.error();
    auto const found = objects_in(answer, "kvs");
    if (!found) return found.error();
    if (found->empty()) return std::optional<KeyValue>();
    auto value = read_key_value(*found->front());
    if (!value) return std::move(value.error());
    return std::optional<KeyValue>(std::move(*value));
}

PALETTE_KEYS_INLINE Result<TransactionAnswer> read_transaction(const Object& answer, std::size_t reads) {
    TransactionAnswer read;
    auto const header = object_in(answer, "header");
    if (!header) return header.error();
    auto const* const succeeded = answer.if_contains("succeeded");
    if (succeeded != nullptr && !succeeded->is_bool()) return unreadable(errc::wrong_type, "succeeded");
    // Left out when it is false.
    read.is_applied = succeeded != nullptr && succeeded->get_bool();
    auto const revision = number_in(**header, "revision");
    if (!revision) return revision.error();
    // The version of the record is this number, and 0 would mean that there is none.
    if (*revision == 0) return unreadable(errc::bad_value, "header.revision");
    read.revision = *revision;
    if (read.is_applied) return read;
    auto const responses = objects_in(answer, "responses");
    if (!responses) return responses.error();
    // Each answer belongs to a key by its place alone.
    if (responses->size() != reads) return unreadable(errc::bad_value, "responses");
    for (auto const* const response : *responses) {
        auto const range = object_in(*response, "response_range");
        if (!range) return range.error();
        auto found = read_range(**range);
        if (!found) return std::move(found.error());
        read.found.push_back(std::move(*found));
    }
    return read;
}

PALETTE_KEYS_INLINE Result<std::uint64_t> read_lease(const Object& answer) {
    auto lease = number_in(answer, "ID");
    // As a lease of 0 the lock's key would have none, and would stay for ever.
    if (lease && *lease == 0) return unreadable(errc::bad_value, "ID");
    return lease;
}

PALETTE_KEYS_INLINE Result<std::uint64_t> read_keepalive(const Object& answer) {
    auto const result = object_in(answer, "result");
    if (!result) return result.error();
    return number_in(**result, "TTL");
}

PALETTE_KEYS_INLINE Result<Secret> read_token(std::string_view answer) {
    // The parser's strings lie in memory that is wiped: an answer that is longer than this has no token.
    constexpr std::size_t longest = 8 * 1024;
    detail::WipedVector<unsigned char> memory(4 * longest);
    if (answer.size() > longest) return unreadable(errc::too_large, "token");
    boost::json::monotonic_resource resource(memory.data(), memory.size());
    boost::system::error_code ec;
    auto const parsed = boost::json::parse({answer.data(), answer.size()}, ec, &resource);
    if (ec) return Error(errc::not_json, "an answer of etcd is not JSON");
    auto const* const object = parsed.if_object();
    auto const* const token = object == nullptr ? nullptr : object->if_contains("token");
    if (token == nullptr || !token->is_string()) return unreadable(errc::wrong_type, "token");
    std::string_view const text = token->get_string();
    if (text.empty() || detail::has_control(text)) return unreadable(errc::bad_value, "token");
    return Secret(text);
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd
