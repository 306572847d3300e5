// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

// Text that must not leak: the value of a key, a token, a password.
//
//     palette::Secret password = palette::Secret::take(line);   // `line` is wiped
//     connect(user, password.expose());                         // the one way to read it
//
// It owns memory pages of its own, which a core dump leaves out, and wipes them when it is destroyed,
// moved from, assigned to, cleared or outgrown. It cannot be copied, printed, formatted, hashed,
// ordered or converted; a copy that is really wanted is Secret(other.expose()). Comparing for
// equality takes the same time wherever two secrets of one length differ.
//
// Not promised: swap space, and whatever a caller copies out of expose(). A Secret takes at least one
// page: it is for a few credentials, not for thousands.
//
// Errors: std::bad_alloc when memory runs out. Not synchronised.
class PALETTE_KEYS_DECL Secret {
public:
    Secret() noexcept = default;

    // Copies `text`; the source stays as it is. See take().
    explicit Secret(std::string_view text);
    Secret(std::nullptr_t) = delete;

    // Takes over the text of `source`, which is wiped, short or long, and left empty.
    [[nodiscard]] static Secret take(std::string& source);

    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret();

    // The text, valid until the secret is changed, moved or destroyed.
    // A temporary secret is gone before its text could be used, and refuses to compile.
    [[nodiscard]] std::string_view expose() const& noexcept { return {data_, size_}; }
    void expose() const&& = delete;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    // Adds to the end. `text` may be part of this secret.
    void append(std::string_view text);

    // Wipes and empties.
    void clear() noexcept;

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
