// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/known_secrets.hpp>

#include <openssl/crypto.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// Memory that is wiped when it is given back.
template <class T>
struct WipingAllocator {
    using value_type = T;

    WipingAllocator() = default;
    template <class U>
    WipingAllocator(const WipingAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor)

    T* allocate(std::size_t n) { return std::allocator<T>().allocate(n); }
    void deallocate(T* p, std::size_t n) noexcept {
        OPENSSL_cleanse(p, n * sizeof(T));
        std::allocator<T>().deallocate(p, n);
    }
    friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

// Takes secrets out of a text that comes in pieces: "<redacted>" stands for what is known, and the output
// is the same however the text was cut.
//
//     Redactor redactor(known);
//     while (read(piece)) redactor.write(piece, out);
//     redactor.finish(out);
//
// A secret is known as it is; percent-encoded; with the escapes of JSON, or those of printable(); in base64
// of either alphabet, wherever in a group it begins; in base64 that is escaped; and with any of its
// characters in any of these ways, as a server does that escapes some of them only.
//
// For that, every way to read the text is followed at once: what may be an escape may be just its
// characters as well. Text without '%' and '\' has one reading, and usual
// escapes a few; what has hundreds is made to have them, and not shown from there on. It holds back what the
// last few characters take, less than a kilobyte.
class Redactor {
public:
    // `known` outlives it, and stays as it is.
    explicit Redactor(const KnownSecrets& known);
    Redactor(const Redactor&) = delete;
    Redactor& operator=(const Redactor&) = delete;
    ~Redactor() = default;

    // Adds to `out` what is certain now.
    void write(std::string_view piece, std::string& out);
    void finish(std::string& out);

    // Whether there was anything to hide so far.
    [[nodiscard]] bool has_found() const noexcept { return has_found_; }

private:
    // One way to read the text until some place: its last characters, and how many bytes of the text each
    // of them takes, six bits for each, the last one lowest.
    struct Reading {
        std::uint64_t bytes = 0;
        std::uint64_t digits = 0;  // of base64, in a row
        std::uint64_t lengths = 0;
        unsigned byte_count = 0;
        unsigned digit_count = 0;
    };

    // What stands at a place: some bytes, for `length` bytes of the text.
    struct Token {
        std::size_t length;
        std::array<char, 4> bytes;
        unsigned count;
    };

    static constexpr std::size_t longest_token = 12;  // two halves of a character
    static constexpr std::size_t places = 16;
    static constexpr std::size_t most_readings = 640;

    void write_some(std::string_view piece, bool is_last, std::string& out);
    void read_place();
    void read_escapes(std::string_view text);
    void read_json_escape(std::string_view text);
    void read_token(const Token& token);
    void skip_backslash();
    void put(Reading& reading, char c, std::size_t length) const noexcept;
    void look(const Reading& reading, std::size_t end, std::size_t length_behind);
    void add(std::size_t end, const Reading& reading);
    template <class T>
    using Wiped = std::vector<T, WipingAllocator<T>>;

    [[nodiscard]] static std::size_t held_by(const Wiped<Reading>& readings) noexcept;
    [[nodiscard]] std::size_t certain() const noexcept;
    void show(std::size_t size, std::string& out);

    const KnownSecrets* known_;
    Wiped<char> text_;                             // what is held back and what was not read yet
    Wiped<char> hidden_;                           // of each of its bytes
    std::size_t at_ = 0;                           // until where it was read
    std::size_t turn_ = 0;                         // the place in the ring that belongs to it
    std::array<Wiped<Reading>, places> readings_;  // until that place and the following ones
    Wiped<Reading> here_;
    bool shows_mark_ = false;
    bool hides_rest_ = false;
    bool has_found_ = false;
};

// All of `text` at once. Of what is longer than `limit`, enough to tell that it is.
std::string redacted(std::string_view text, const KnownSecrets& known,
                     std::size_t limit = std::numeric_limits<std::size_t>::max());

}  // namespace palette::inline PALETTE_KEYS_ABI::detail

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/redactor.ipp>
#endif
