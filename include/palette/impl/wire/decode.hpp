// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/audit_event.hpp>
#include <palette/detail/blocks.hpp>
#include <palette/impl/wire/json_reader.hpp>
#include <palette/secret.hpp>
#include <palette/user.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

// The answers of the service, beside the values of the public headers.

struct KeyPage {
    detail::Blocks<ApiKey> items;
    std::string next;  // the token of the following page; empty for the last
};

struct UserPage {
    detail::Blocks<User> items;
    std::string next;
    std::optional<std::size_t> total;  // of users; may change from page to page
};

struct AuditPage {
    detail::Blocks<AuditEvent> items;
    std::string next;
};

struct ResourceLimit {
    std::string kind;
    std::string label;
    std::optional<std::size_t> limit;
    std::optional<std::size_t> max_limit;
};

struct ResourceLimits {
    detail::Blocks<ResourceLimit> resources;
};

struct UserToken {
    Secret token;
    bool is_mfa = false;
};

// In wiping memory: some servers quote the credential that they refuse.
struct ErrorBody {
    Secret code;
    Secret message;
    Secret ref;
};

// What an answer is read into, and as what.
template <class T>
struct Document;

template <class T>
struct SimpleDocument {
    using Value = T;
    static constexpr Effect on_error = Effect::not_applied;
    static Result<T> finish(T&& value) { return std::move(value); }
};

template <>
struct Document<ApiKey> : SimpleDocument<ApiKey> {
    static const Shape& shape() noexcept;
    static constexpr Limits limits{.bytes = 1 << 20};
};

template <>
struct Document<KeyPage> : SimpleDocument<KeyPage> {
    static const Shape& shape() noexcept;
    static constexpr Limits limits{.bytes = 64 << 20};
};

template <>
struct Document<UserPage> : SimpleDocument<UserPage> {
    static const Shape& shape() noexcept;
    static constexpr Limits limits{.bytes = 16 << 20};
};

template <>
struct Document<User> : SimpleDocument<User> {
    static const Shape& shape() noexcept;
    static constexpr Limits limits{.bytes = 1 << 20};
};

template <>
struct Document<AuditPage> : SimpleDocument<AuditPage> {
    static const Shape& shape() noexcept;
    static constexpr Limits limits{.bytes = 64 << 20};
};

template <>
struct Document<ResourceLimits> : SimpleDocument<ResourceLimits> {
    static const Shape& shape() noexcept;
    static constexpr Limits limits{.bytes = 1 << 20};
};

template <>
struct Document<UserToken> : SimpleDocument<UserToken> {
    static const Shape& shape() noexcept;
    static constexpr Limits limits{.bytes = 64 << 10};
};

template <>
struct Document<Identity> : SimpleDocument<Identity> {
    static const Shape& shape() noexcept;
    static constexpr Limits limits{.bytes = 64 << 10};
};

template <>
struct Document<ErrorBody> : SimpleDocument<ErrorBody> {
    static const Shape& shape() noexcept;
    static constexpr Limits limits{.bytes = 64 << 10};
};

// W8: an answer with a uid and no value is errc::missing_key_value, applied, and names the uid; one
// with a value and no uid is a key all the same. An unreadable answer leaves the effect unknown.
template <>
struct Document<CreatedApiKey> {
    struct Value {
        std::string uid;
        Secret secret;
    };
    static constexpr Effect on_error = Effect::unknown;
    static Result<CreatedApiKey> finish(Value&& value);
    static const Shape& shape() noexcept;
    static constexpr Limits limits{.bytes = 64 << 10};
};

// Decodes one answer from pieces of its body.
//
//     Decoder<KeyPage> decoder;
//     while (auto chunk = read()) if (auto ok = decoder.write(chunk); !ok) return ok.error();
//     return decoder.finish();
//
// What is absent or null is empty, "no time" or inactive (W1). Unknown fields are skipped (W23).
template <class T>
class Decoder {
public:
    Decoder() : Decoder(Document<T>::limits) {}
    explicit Decoder(Limits limits) : reader_(Document<T>::shape(), &value_, limits, Document<T>::on_error) {}

    // Errors as JsonReader has them. The first error is final.
    Result<void> write(std::string_view chunk) { return reader_.write(chunk); }

    // Whether what is read is the T itself: after end() it can be taken from partial(), and need not be moved
    // once more.
    static constexpr bool reads_value = std::is_base_of_v<SimpleDocument<T>, Document<T>>;

    // Once, when the body has ended.
    Result<void> end() { return reader_.finish(); }
    Result<T> finish() {
        if (auto ended = end(); !ended) return std::move(ended).error();
        return Document<T>::finish(std::move(value_));
    }

    // What was read so far, to be taken when nothing more is written.
    [[nodiscard]] typename Document<T>::Value& partial() noexcept { return value_; }

private:
    typename Document<T>::Value value_{};
    JsonReader reader_;
};

// A whole body at once.
template <class T>
Result<T> decode(std::string_view body) {
    Decoder<T> decoder;
    if (auto ok = decoder.write(body); !ok) return std::move(ok).error();
    return decoder.finish();
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/wire/decode.ipp>
#endif
