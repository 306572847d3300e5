// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/credential.hpp>
#include <palette/impl/pipeline/guard.hpp>

#include <memory>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline {

/// What a request needs beside what its kind says.
class Conditions {
public:
    Conditions() {}  // NOLINT(modernize-use-equals-default): g++ 12 and aggregates in co_await
    Conditions(Guard* guards) : guard(guards) {}

    /// Is asked about this request, beside the call's own guard. A kind of Safety::checked needs one.
    Guard* guard = nullptr;
    /// The uid of the key that the request takes away from whoever uses it. It is not sent with that key
    /// itself.
    std::string_view takes_away{};
    /// The only credential that it is sent with, whoever's that is: guards are not asked about it. None: the
    /// one in use.
    std::shared_ptr<const Credential> credential{};
};

/// Of a request that needs nothing beside: a constant, of which no coroutine keeps a copy.
inline const Conditions no_conditions;

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::pipeline
