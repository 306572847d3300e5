// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/blocks.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include <cstddef>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

namespace asio = boost::asio;

/// How many elements of a list one turn of the event loop deals with. To look at a key or to destroy it takes
/// less than a microsecond, and a list may have a quarter of a million of them.
inline constexpr std::size_t elements_per_turn = 4'096;

/// Destroys the elements of a list, a turn's share at a time, in turns of the executor.
///
/// Without memory for a turn, and where the context ends, all are destroyed at once.
template <class T>
void discard(const asio::any_io_executor& executor, detail::Blocks<T> elements) noexcept {
    if (elements.size() <= elements_per_turn) return;
    auto next = [executor, rest = std::move(elements)]() mutable {
        rest.shorten(rest.size() - elements_per_turn);
        discard(executor, std::move(rest));
    };
    try {
        asio::post(executor, std::move(next));
    } catch (...) {  // NOLINT(bugprone-empty-catch): the elements have gone with the function
    }
}

/// Elements that are kept until they are taken, and discarded otherwise.
template <class T>
class Kept {
public:
    explicit Kept(asio::any_io_executor executor) : executor_(std::move(executor)) {}
    Kept(const Kept&) = delete;
    Kept& operator=(const Kept&) = delete;
    ~Kept() { discard(executor_, std::move(elements)); }

    detail::Blocks<T> elements;

private:
    asio::any_io_executor executor_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
