// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/sinks/receipt_json.hpp>
#include <palette/lifecycle/secret_sink.hpp>
#include <palette/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// What the file `path`.json of a file sink says.
//
// The values lie in files of their own, so that no change of several files is one step. For each value the
// state has a digest, which tells which value a file really holds: what is written here is believed only as
// far as the files agree. The digests are keyed with a salt of each sink, so that equal values in two sinks
// do not show.

// A value that the state knows.
struct StoredValue {
    StoredValue(sinks::Receipt receipt_, std::string digest_)
        : receipt(std::move(receipt_)),
          digest(std::move(digest_)) {}

    sinks::Receipt receipt;
    std::string digest;  // HMAC-SHA-256 of the value, in hexadecimal

    friend bool operator==(const StoredValue&, const StoredValue&) = default;
};

struct SinkState {
    std::string salt;
    std::uint64_t last_generation = 0;
    std::optional<StoredValue> current;
    std::optional<StoredValue> pending;
    std::optional<StoredValue> previous;

    friend bool operator==(const SinkState&, const SinkState&) = default;

    [[nodiscard]] sinks::SinkContents contents() const;
};

// The digests of what the files hold; nothing where there is no file.
struct FoundValues {
    std::optional<std::string> current;
    std::optional<std::string> pending;
    std::optional<std::string> previous;
};

// A state for a sink that was never used, with a new salt. Throws Exception (errc::system) when the system
// has no randomness to give.
SinkState new_sink_state();

std::string digest_of(const SinkState& state, std::string_view value);

// What the sink really holds, whichever step of a change a kill has interrupted:
// - The file of the current value holds the pending one: it was promoted, and the current one is previous.
// - It holds a value that is not known: somebody else wrote it, and it has generation 0.
// - Another file holds a value that is not known, or no file is there: that value is not held.
SinkState settled(const SinkState& written, const FoundValues& found);

// The state as one line of JSON, and back. errc::bad_value says what is wrong.
std::string to_text(const SinkState& state);
Result<SinkState> sink_state_of(std::string_view text);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/sinks/sink_state.ipp>
#endif
