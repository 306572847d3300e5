// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/error.hpp>
#include <palette/impl/values/error_of_exception.hpp>
#include <palette/instant.hpp>
#include <palette/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

// Gives the elements of a list to a visitor, each of them once, although a page may come in part and then
// again: a read that fails is sent once more. Of a page, only how many of its elements have been given is
// kept, and a hash of their uids. Does no I/O.
//
//     begin_page();
//     for (each attempt) { begin_attempt(); take(element)...; end_attempt() if it came to its end }
template <class T>
class Visiting {
public:
    using Visitor = std::function<Result<void>(T&&)>;
    using Wanted = std::function<bool(const T& element, Instant as_of)>;

    // `wanted`: null, if all are.
    Visiting(Visitor visitor, Wanted wanted) : visitor_(std::move(visitor)), wanted_(std::move(wanted)) {}

    // The service's time when it began to give the list. The first counts.
    void heard(Instant as_of) noexcept {
        if (!as_of_) as_of_ = as_of;
    }

    void begin_page() noexcept { given_ = Place(); }
    void begin_attempt() noexcept { at_ = Place(); }

    // The next element of the page, by this attempt. Nothing after an error.
    void take(T&& element) noexcept {
        if (error_) return;
        at_.pass(element.uid);
        // It came in an attempt before, and was given then.
        if (at_.number <= given_.number) {
            if (at_.number == given_.number && at_.hash != given_.hash) fail_changed();
            return;
        }
        given_ = at_;
        try {
            if (wanted_ && !wanted_(element, *as_of_)) return;
            ++count_;
            if (auto good = visitor_(std::move(element)); !good) error_ = std::move(good.error());
        } catch (...) {
            error_ = detail::error_of_exception(errc::system, "the visitor failed");
        }
    }

    // The page is at its end.
    void end_attempt() noexcept {
        if (!error_ && at_.number < given_.number) fail_changed();
    }

    // Why the visit ends before the list does.
    [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

    // After a page.
    [[nodiscard]] Instant as_of() const noexcept { return *as_of_; }
    [[nodiscard]] std::size_t count() const noexcept { return count_; }

private:
    // After how many elements of a page, and after which.
    struct Place {
        std::size_t number = 0;
        std::uint64_t hash = 14'695'981'039'346'656'037ULL;  // FNV-1a

        void pass(std::string_view uid) noexcept {
            ++number;
            for (char const c : uid)
                mix(static_cast<unsigned char>(c));
            mix(0xFF);  // in no UTF-8: where one uid ends and the next begins counts
        }
        void mix(unsigned char byte) noexcept {
            hash ^= byte;
            hash *= 1'099'511'628'211ULL;
        }
    };

    void fail_changed() noexcept {
        error_ = detail::unless_out_of_memory([] {
            return Error(errc::conflict, "the list changed while it was read")
                .advice("start again, and be prepared to be given the same elements once more");
        });
    }

    Visitor visitor_;
    Wanted wanted_;
    Place given_;  // of the page, by all attempts
    Place at_;     // by this one
    std::optional<Instant> as_of_;
    std::size_t count_ = 0;
    std::optional<Error> error_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client
