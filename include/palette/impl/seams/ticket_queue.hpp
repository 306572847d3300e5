// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/rate_limiter.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::detail {

// The tickets that wait before a bucket, in their order: how many are before one, and one that leaves out of
// the middle, take time that grows with the logarithm of their number. A treap, whose nodes know how many
// they have below them; its order of priorities is a hash of the tickets, so that it needs no chance.
class TicketQueue {
public:
    using Ticket = RateLimiter::Ticket;

    struct Waiting {
        Ticket ticket;
        std::chrono::nanoseconds asks;  // when it was told to ask again
    };

    [[nodiscard]] bool empty() const noexcept { return root_ == nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return size_of(root_); }

    [[nodiscard]] std::size_t count_before(Ticket ticket) const noexcept {
        std::size_t before = 0;
        for (auto const* node = root_.get(); node != nullptr;) {
            if (node->waiting.ticket < ticket) {
                before += size_of(node->left) + 1;
                node = node->right.get();
            } else {
                node = node->left.get();
            }
        }
        return before;
    }

    [[nodiscard]] Waiting* find(Ticket ticket) noexcept {
        auto* node = root_.get();
        while (node != nullptr && node->waiting.ticket != ticket)
            node = (ticket < node->waiting.ticket ? node->left : node->right).get();
        return node == nullptr ? nullptr : &node->waiting;
    }

    // Of a queue that is not empty.
    [[nodiscard]] const Waiting& front() const noexcept {
        auto const* node = root_.get();
        while (node->left)
            node = node->left.get();
        return node->waiting;
    }

    // One that is not there yet. When memory runs out, nothing has happened.
    void insert(Waiting waiting) {
        auto node = std::make_unique<Node>(waiting);
        auto* place = &root_;
        // Nothing below throws: sizes are counted up on the way, and must stay right.
        while (*place && (*place)->priority > node->priority) {
            ++(*place)->size;
            place = &child_towards(**place, waiting.ticket);
        }
        split(std::move(*place), waiting.ticket, node->left, node->right);
        node->count();
        *place = std::move(node);
    }

    void erase(Ticket ticket) noexcept {
        // Looked for first: the sizes on the way are counted down, and must be right if it is not there.
        if (find(ticket) == nullptr) return;
        auto* place = &root_;
        while ((*place)->waiting.ticket != ticket) {
            --(*place)->size;
            place = &child_towards(**place, ticket);
        }
        auto const gone = std::move(*place);
        *place = merge(std::move(gone->left), std::move(gone->right));
    }

    template <class F>
    void for_each(F f) {
        for_each_below(root_, f);
    }

    // How many steps the longest way down has: no function takes more than a few times as many.
    [[nodiscard]] std::size_t height() const noexcept { return height_of(root_); }

private:
    struct Node;
    using Owner = std::unique_ptr<Node>;

    struct Node {
        explicit Node(Waiting w) noexcept
            : waiting(w),
              priority(hash(static_cast<std::uint64_t>(w.ticket))) {}
        void count() noexcept { size = 1 + size_of(left) + size_of(right); }

        Waiting waiting;
        std::uint64_t priority;  // not below those of its children
        std::size_t size = 1;
        Owner left;
        Owner right;
    };

    static std::size_t size_of(const Owner& node) noexcept { return node ? node->size : 0; }

    static std::size_t height_of(const Owner& node) noexcept {
        return node ? 1 + std::max(height_of(node->left), height_of(node->right)) : 0;
    }

    static Owner& child_towards(Node& node, Ticket ticket) noexcept {
        return ticket < node.waiting.ticket ? node.left : node.right;
    }

    // Tickets come in order, and priorities must not.
    static std::uint64_t hash(std::uint64_t x) noexcept {
        x = (x ^ (x >> 31)) * 0x9E3779B97F4A7C15U;
        x = (x ^ (x >> 29)) * 0xD6E8FEB86659FD93U;
        return x ^ (x >> 32);
    }

    // `less` and `rest` are not of the tree.
    static void split(Owner tree, Ticket at, Owner& less, Owner& rest) noexcept {
        if (!tree) return;
        if (tree->waiting.ticket < at) {
            less = std::move(tree);
            auto right = std::move(less->right);
            split(std::move(right), at, less->right, rest);
            less->count();
        } else {
            rest = std::move(tree);
            auto left = std::move(rest->left);
            split(std::move(left), at, less, rest->left);
            rest->count();
        }
    }

    static Owner merge(Owner left, Owner right) noexcept {
        if (!left) return right;
        if (!right) return left;
        if (left->priority > right->priority) {
            left->right = merge(std::move(left->right), std::move(right));
            left->count();
            return left;
        }
        right->left = merge(std::move(left), std::move(right->left));
        right->count();
        return right;
    }

    template <class F>
    static void for_each_below(const Owner& node, F& f) {
        if (!node) return;
        for_each_below(node->left, f);
        f(node->waiting);
        for_each_below(node->right, f);
    }

    Owner root_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::detail
