// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/sinks/sink_state.hpp>
#include <palette/impl/values/text.hpp>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <boost/json/serialize.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

inline constexpr std::uint64_t sink_schema = 1;

inline std::optional<sinks::Receipt> receipt_in(const std::optional<StoredValue>& value) {
    return value ? std::optional(value->receipt) : std::nullopt;
}

PALETTE_KEYS_INLINE sinks::SinkContents SinkState::contents() const {
    sinks::SinkContents contents;
    contents.current = receipt_in(current);
    contents.pending = receipt_in(pending);
    contents.previous = receipt_in(previous);
    return contents;
}

PALETTE_KEYS_INLINE SinkState new_sink_state() {
    // Random, so that the digests of two sinks do not show whether they hold the same value.
    std::array<unsigned char, 16> salt{};
    if (::RAND_bytes(salt.data(), static_cast<int>(salt.size())) != 1)
        detail::throw_exception(Error(errc::system, "the system has no randomness to give"));
    SinkState state;
    state.salt = palette::detail::to_hex(salt);
    return state;
}

PALETTE_KEYS_INLINE std::string digest_of(const SinkState& state, std::string_view value) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    auto const* const bytes = reinterpret_cast<const unsigned char*>(value.data());
    if (::HMAC(EVP_sha256(), state.salt.data(), static_cast<int>(state.salt.size()), bytes, value.size(),
               digest.data(), &size) == nullptr)
        detail::throw_exception(Error(errc::system, "OpenSSL cannot compute a digest"));
    return palette::detail::to_hex(std::span(digest).first(size));
}

PALETTE_KEYS_INLINE SinkState settled(const SinkState& written, const FoundValues& found) {
    auto const holds = [](const std::optional<std::string>& file, const std::optional<StoredValue>& value) {
        return file && value && *file == value->digest;
    };
    // What is written gives the salt and the last generation, and the files say which values there are.
    auto state = written;
    state.current.reset();
    state.pending.reset();
    state.previous.reset();

    auto const has_pending = holds(found.pending, written.pending);
    // The pending file takes the name of the current one, so it is gone when that step is done: where both
    // values are equal, this tells them apart.
    auto const is_promoted = holds(found.current, written.pending) && !has_pending;
    if (is_promoted) {
        state.current = written.pending;
        // The copy is made before the rename, and may have been removed since by somebody else.
        if (holds(found.previous, written.current)) state.previous = written.current;
        return state;
    }

    // What the file holds is what consumers read, also if the state does not know the value.
    if (holds(found.current, written.current))
        state.current = written.current;
    else if (found.current)
        state.current.emplace(sinks::Receipt(), *found.current);
    if (has_pending) state.pending = written.pending;
    if (holds(found.previous, written.previous)) state.previous = written.previous;
    return state;
}

inline boost::json::value json_of(const std::optional<StoredValue>& value) {
    if (!value) return nullptr;
    auto object = json_of(value->receipt);
    object["digest"] = value->digest;
    return object;
}

PALETTE_KEYS_INLINE std::string to_text(const SinkState& state) {
    boost::json::object object;
    object["schema"] = sink_schema;
    object["salt"] = state.salt;
    object["last_generation"] = state.last_generation;
    object["current"] = json_of(state.current);
    object["pending"] = json_of(state.pending);
    object["previous"] = json_of(state.previous);
    return boost::json::serialize(object) + '\n';
}

inline Result<std::optional<StoredValue>> stored_value_of(const boost::json::object& object,
                                                          const char* name) {
    auto const found = object_field(object, name);
    if (!found) return found.error();
    if (!*found) return std::optional<StoredValue>();
    auto receipt = receipt_of(**found);
    if (!receipt) return receipt.error();
    auto digest = text_field(**found, "digest");
    if (!digest) return digest.error();
    return std::optional<StoredValue>(std::in_place, *std::move(receipt), *std::move(digest));
}

PALETTE_KEYS_INLINE Result<SinkState> sink_state_of(std::string_view text) {
    auto const object = json_object(text);
    if (!object) return object.error();
    auto const schema = number_field(*object, "schema");
    if (!schema) return schema.error();
    if (*schema != sink_schema)
        return Error(errc::bad_value,
                     "it has schema " + std::to_string(*schema) + ", of a later version of this library");
    SinkState state;
    auto salt = text_field(*object, "salt");
    if (!salt) return salt.error();
    state.salt = *std::move(salt);
    auto const last = number_field(*object, "last_generation");
    if (!last) return last.error();
    state.last_generation = *last;
    struct Place {
        const char* name;
        std::optional<StoredValue>* value;
    };
    for (auto const& [name, value] : {Place{"current", &state.current}, Place{"pending", &state.pending},
                                      Place{"previous", &state.previous}}) {
        auto read = stored_value_of(*object, name);
        if (!read) return read.error();
        *value = *std::move(read);
        // The next value would be given a generation that another one has had.
        if (*value && (*value)->receipt.generation > state.last_generation)
            return bad_field("last_generation", "is less than the generation of a value");
    }
    return state;
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
