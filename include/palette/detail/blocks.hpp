// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

#include <compare>
#include <cstddef>
#include <iterator>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// A sequence that grows at its end, in blocks: elements never move, there is one allocation for many,
// and no moment at which twice the memory is held. Between std::vector, which moves and doubles, and
// std::deque, which allocates once for each element of this size.
template <class T>
class Blocks {
    static_assert(std::is_copy_constructible_v<T>);

    template <bool Const>
    class Iterator;

public:
    using value_type = T;
    using iterator = Iterator<false>;
    using const_iterator = Iterator<true>;

    Blocks() noexcept = default;
    Blocks(const Blocks& other) : Blocks() {  // whole from here on, should a copy below throw
        for (T const& element : other)
            emplace_back(element);
    }
    Blocks(Blocks&& other) noexcept
        : blocks_(std::exchange(other.blocks_, {})),
          size_(std::exchange(other.size_, 0)) {}
    Blocks& operator=(Blocks other) noexcept {
        std::swap(blocks_, other.blocks_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~Blocks() {
        for (std::size_t i = 0; i < size_; ++i)
            std::destroy_at(at(i));
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] T& operator[](std::size_t i) noexcept { return *at(i); }
    [[nodiscard]] const T& operator[](std::size_t i) const noexcept { return *at(i); }

    [[nodiscard]] iterator begin() noexcept { return {this, 0}; }
    [[nodiscard]] iterator end() noexcept { return {this, size_}; }
    [[nodiscard]] const_iterator begin() const noexcept { return {this, 0}; }
    [[nodiscard]] const_iterator end() const noexcept { return {this, size_}; }

    template <class... Args>
    T& emplace_back(Args&&... args) {
        if (size_ == blocks_.size() * per_block) blocks_.push_back(std::make_unique_for_overwrite<Block>());
        T* const element = std::construct_at(at(size_), std::forward<Args>(args)...);
        ++size_;
        return *element;
    }

    // Destroys the elements from `size` on. Precondition: there are as many.
    void shorten(std::size_t size) noexcept {
        while (size_ > size)
            std::destroy_at(at(--size_));
        blocks_.resize((size_ + per_block - 1) / per_block);
    }

    friend bool operator==(const Blocks& a, const Blocks& b) {
        if (a.size_ != b.size_) return false;
        for (std::size_t i = 0; i < a.size_; ++i)
            if (!(a[i] == b[i])) return false;
        return true;
    }

    static constexpr std::size_t per_block = 16;

private:
    struct Block {
        alignas(T) std::byte storage[per_block * sizeof(T)];
    };

    [[nodiscard]] T* at(std::size_t i) const noexcept {
        auto* const block = blocks_[i / per_block]->storage;
        return std::launder(reinterpret_cast<T*>(block) + i % per_block);
    }

    std::vector<std::unique_ptr<Block>> blocks_;
    std::size_t size_ = 0;
};

template <class T>
template <bool Const>
class Blocks<T>::Iterator {
    using Owner = std::conditional_t<Const, const Blocks, Blocks>;

public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using reference = std::conditional_t<Const, const T&, T&>;
    using pointer = std::conditional_t<Const, const T*, T*>;

    Iterator() noexcept = default;
    Iterator(Owner* owner, std::size_t at) noexcept : owner_(owner), at_(static_cast<difference_type>(at)) {}
    operator Iterator<true>() const noexcept
        requires(!Const)
    {
        return {owner_, static_cast<std::size_t>(at_)};
    }

    reference operator*() const noexcept { return (*owner_)[static_cast<std::size_t>(at_)]; }
    pointer operator->() const noexcept { return &**this; }
    reference operator[](difference_type n) const noexcept { return *(*this + n); }

    Iterator& operator++() noexcept { return *this += 1; }
    Iterator& operator--() noexcept { return *this += -1; }
    Iterator operator++(int) noexcept { return std::exchange(*this, *this + 1); }
    Iterator operator--(int) noexcept { return std::exchange(*this, *this - 1); }
    Iterator& operator+=(difference_type n) noexcept { return at_ += n, *this; }
    Iterator& operator-=(difference_type n) noexcept { return at_ -= n, *this; }

    friend Iterator operator+(Iterator it, difference_type n) noexcept { return it += n; }
    friend Iterator operator+(difference_type n, Iterator it) noexcept { return it += n; }
    friend Iterator operator-(Iterator it, difference_type n) noexcept { return it -= n; }
    friend difference_type operator-(Iterator a, Iterator b) noexcept { return a.at_ - b.at_; }
    friend bool operator==(Iterator a, Iterator b) noexcept { return a.at_ == b.at_; }
    friend auto operator<=>(Iterator a, Iterator b) noexcept { return a.at_ <=> b.at_; }

private:
    Owner* owner_ = nullptr;
    difference_type at_ = 0;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
