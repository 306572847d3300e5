// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

/// Holds text that must not leak: the value of a key, a token, a password.
///
///     palette::Secret password = palette::Secret::take(line);   // `line` is wiped
///     connect(user, password.expose());                         // the one way to read it
///
/// A secret owns memory pages of its own, which a core dump leaves out, and wipes them when it is destroyed,
/// moved from, assigned to, cleared or outgrown. A secret cannot be copied, printed, formatted, hashed,
/// ordered or converted; an intended copy is Secret(other.expose()). Comparing for equality takes the same
/// time wherever two secrets of the same length differ.
///
/// Swap space, and copies that a caller makes of expose(), are not protected. A secret takes at least one
/// page: the class is for a few credentials, not for thousands.
///
/// Errors: std::bad_alloc when memory runs out. Threads: not synchronised.
class PALETTE_KEYS_DECL Secret {
public:
    /// Constructs an empty secret.
    Secret() noexcept = default;

    /// Copies `text`. The source is not wiped; see take().
    explicit Secret(std::string_view text);
    Secret(std::nullptr_t) = delete;

    /// Returns a secret with the text of `source`, which is wiped, short or long, and left empty.
    [[nodiscard]] static Secret take(std::string& source);

    /// Moves the text; the source is left empty.
    Secret(Secret&& other) noexcept;
    /// Wipes the text, and moves that of `other`, which is left empty.
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret();

    /// Returns the text, valid until the secret is changed, moved or destroyed. On a temporary, whose text
    /// would be gone before it could be used, this does not compile.
    [[nodiscard]] std::string_view expose() const& noexcept { return {data_, size_}; }
    void expose() const&& = delete;

    /// Returns the length of the text in bytes.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Returns whether the text is empty.
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// Appends `text`, which may be part of this secret.
    void append(std::string_view text);

    /// Wipes the text and leaves the secret empty.
    void clear() noexcept;

    /// Compares in a time that does not depend on where two secrets of the same length differ.
    PALETTE_KEYS_DECL friend bool operator==(const Secret& a, const Secret& b) noexcept;

private:
    void release() noexcept;

    char* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/secret.ipp>
#endif
