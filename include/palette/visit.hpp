// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/api_key.hpp>
#include <palette/instant.hpp>
#include <palette/result.hpp>
#include <palette/user.hpp>

#include <concepts>
#include <cstddef>
#include <functional>
#include <iosfwd>
#include <type_traits>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {

/// Takes the keys of ApiKeyClient::async_visit(), one after another. An error that it returns ends the
/// operation with that error.
using KeyVisitor = std::function<Result<void>(ApiKey&&)>;

namespace detail {

// What a visit is given: a KeyVisitor or UserVisitor, or what converts to one.
template <class T>
class VisitorOf {
public:
    using Function = std::function<Result<void>(T&&)>;

    template <std::convertible_to<Function> Visitor>
    VisitorOf(Visitor&& visitor) : function_(std::forward<Visitor>(visitor)) {
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 14
        static_assert(std::is_lvalue_reference_v<Visitor> || std::is_trivially_destructible_v<Visitor> ||
                          std::is_same_v<std::remove_cv_t<Visitor>, Function>,
                      "g++ 12 destroys this lambda twice if it is a temporary in a co_await expression: name "
                      "the visitor, as a KeyVisitor or UserVisitor, and pass that");
#endif
    }

    [[nodiscard]] Function take() && noexcept { return std::move(function_); }

private:
    Function function_;
};

}  // namespace detail

/// Takes the users of ApiKeyClient::async_visit_users(), one after another. An error that it returns ends the
/// operation with that error.
using UserVisitor = std::function<Result<void>(User&&)>;

/// Tells what a visit of a list has come to.
class Visit {
public:
    /// Constructs a visit of nothing.
    Visit() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await

    /// Gives the service's time when it answered, as ListOf::as_of() does.
    Instant as_of{};
    /// Counts the elements that the visitor was given.
    std::size_t count = 0;

    /// Compares all members.
    friend bool operator==(const Visit&, const Visit&) = default;
};

/// Writes the object on one line.
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const Visit& visit);

}  // namespace palette::inline PALETTE_KEYS_ABI

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/values/visit.ipp>
#endif
