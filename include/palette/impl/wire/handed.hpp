// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/impl/wire/decode.hpp>
#include <palette/user.hpp>

#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::wire {

// Stands where a document has an array, holds one element at a time, and hands each on once it is complete:
// when the next one begins, and when hand_on() is called at the end.
template <class T>
class Handed {
public:
    using value_type = T;

    void to(std::function<void(T&&)> receiver) { receiver_ = std::move(receiver); }

    T& emplace_back() {
        hand_on();
        return element_.emplace();
    }

    void hand_on() {
        if (!element_) return;
        receiver_(std::move(*element_));
        element_.reset();
    }

private:
    std::function<void(T&&)> receiver_;
    std::optional<T> element_;
};

// A page of a list of which nothing is kept.
template <class T>
struct HandedPage {
    Handed<T> items;
    std::string next;
};

// Its size has no bound, for it is not held; one element and the token of the next page are.
template <class T>
struct HandedDocument : SimpleDocument<HandedPage<T>> {
    static constexpr Limits limits{.bytes = std::numeric_limits<std::size_t>::max(),
                                   .part = Document<T>::limits.bytes};
};

template <>
struct Document<HandedPage<ApiKey>> : HandedDocument<ApiKey> {
    static const Shape& shape() noexcept;
};

template <>
struct Document<HandedPage<User>> : HandedDocument<User> {
    static const Shape& shape() noexcept;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::wire

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/wire/handed.ipp>
#endif
