// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/values/insist.hpp>

#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/query.hpp>
#include <boost/asio/require.hpp>

#include <concepts>
#include <type_traits>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

namespace asio = boost::asio;

// What a strand runs on. Asio's strand that finds no memory when it asks its executor to be run is never run
// again, and all that it was given is lost: this executor goes on asking.
template <class Inner>
class InsistingExecutor {
public:
    // Of that very type: an any_io_executor could be made of this one, too.
    template <std::same_as<Inner> Executor>
    explicit InsistingExecutor(Executor inner) noexcept : inner_(std::move(inner)) {}

    // Copies `f` for every try.
    template <class F>
    void execute(F f) const {
        detail::insist([&] { inner_.execute(F(f)); });
    }

    template <class Property>
        requires asio::can_query_v<const Inner&, Property>
    [[nodiscard]] decltype(auto) query(const Property& property) const {
        return asio::query(inner_, property);
    }
    template <class Property>
        requires asio::can_require_v<const Inner&, Property>
    [[nodiscard]] auto require(const Property& property) const {
        return wrapped(asio::require(inner_, property));
    }
    template <class Property>
        requires asio::can_prefer_v<const Inner&, Property>
    [[nodiscard]] auto prefer(const Property& property) const {
        return wrapped(asio::prefer(inner_, property));
    }

    friend bool operator==(const InsistingExecutor& a, const InsistingExecutor& b) noexcept {
        return a.inner_ == b.inner_;
    }

private:
    template <class Other>
    static InsistingExecutor<std::remove_cvref_t<Other>> wrapped(Other&& other) {
        return InsistingExecutor<std::remove_cvref_t<Other>>(std::forward<Other>(other));
    }

    Inner inner_;
};

template <class Inner>
InsistingExecutor(Inner) -> InsistingExecutor<Inner>;

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
