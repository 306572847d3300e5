// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/blocks.hpp>
#include <palette/instant.hpp>

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

/// Holds what a list of the service gives, in the service's order, and the service's time when it answered. A
/// range with random access; base of KeyList, UserList and AuditEventList.
///
///     for (const palette::ApiKey& key : keys)
///         if (key.state(keys.as_of()) == palette::KeyState::expired) log(key.name);
template <class T>
class ListOf {
public:
    /// Names the type of the elements.
    using value_type = T;
    /// Names the type of the iterators.
    using iterator = typename detail::Blocks<T>::iterator;
    /// Names the type of the iterators of a const list.
    using const_iterator = typename detail::Blocks<T>::const_iterator;
    /// Names the type of sizes and positions.
    using size_type = std::size_t;

    /// Constructs an empty list.
    ListOf() = default;
    /// Constructs a list of these elements, which the service gave at the time `as_of`.
    ListOf(std::initializer_list<T> elements, Instant as_of = {})
        : ListOf(elements.begin(), elements.end(), as_of) {}
    /// Same, from the storage of a list; for the library itself.
    explicit ListOf(detail::Blocks<T> elements, Instant as_of)
        : elements_(std::move(elements)),
          as_of_(as_of) {}

    /// Same, from a range of elements.
    template <std::input_iterator It>
    ListOf(It first, std::sentinel_for<It> auto last, Instant as_of = {}) : as_of_(as_of) {
        for (; first != last; ++first)
            push_back(*first);
    }

    /// Returns whether there are no elements.
    [[nodiscard]] bool empty() const noexcept { return elements_.empty(); }
    /// Returns the number of elements.
    [[nodiscard]] size_type size() const noexcept { return elements_.size(); }

    /// Returns an iterator to the first element. Iterators of a temporary list would dangle, and do not
    /// compile.
    [[nodiscard]] iterator begin() & noexcept { return elements_.begin(); }
    /// Returns the end of the range.
    [[nodiscard]] iterator end() & noexcept { return elements_.end(); }
    /// Same, for a const object.
    [[nodiscard]] const_iterator begin() const& noexcept { return elements_.begin(); }
    /// Same, for a const object.
    [[nodiscard]] const_iterator end() const& noexcept { return elements_.end(); }
    void begin() const&& = delete;
    void end() const&& = delete;

    /// Returns the element at position `i`; from a temporary list by value. Precondition: i < size().
    [[nodiscard]] T& operator[](size_type i) & noexcept { return elements_[i]; }
    /// Same, for a const object.
    [[nodiscard]] const T& operator[](size_type i) const& noexcept { return elements_[i]; }
    /// Same, from a temporary: moves the content out.
    [[nodiscard]] T operator[](size_type i) && noexcept { return std::move(elements_[i]); }
    void operator[](size_type i) const&& = delete;
    /// Returns the first element; from a temporary list by value. Precondition: the list is not empty.
    [[nodiscard]] T& front() & noexcept { return elements_[0]; }
    /// Same, for a const object.
    [[nodiscard]] const T& front() const& noexcept { return elements_[0]; }
    /// Same, from a temporary: moves the content out.
    [[nodiscard]] T front() && noexcept { return std::move(elements_[0]); }
    void front() const&& = delete;
    /// Returns the last element; from a temporary list by value. Precondition: the list is not empty.
    [[nodiscard]] T& back() & noexcept { return elements_[size() - 1]; }
    /// Same, for a const object.
    [[nodiscard]] const T& back() const& noexcept { return elements_[size() - 1]; }
    /// Same, from a temporary: moves the content out.
    [[nodiscard]] T back() && noexcept { return std::move(elements_[size() - 1]); }
    void back() const&& = delete;

    /// Appends an element. Other elements do not move; iterators to them remain valid.
    void push_back(T element) { elements_.emplace_back(std::move(element)); }

    /// Returns the service's time when it answered, to the second. If the response has no Date, or one
    /// outside of the years 2020 to 2199: the time that ApiKeyClient::async_service_time() tells, if that is
    /// known, and otherwise this machine's time.
    [[nodiscard]] Instant as_of() const noexcept { return as_of_; }

    /// Compares the elements, in their order, and as_of().
    friend bool operator==(const ListOf&, const ListOf&) = default;

private:
    detail::Blocks<T> elements_;
    Instant as_of_{};
};

}  // namespace palette::inline PALETTE_KEYS_ABI
