// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

// Declarations without a contract, which docs.sh must report.
namespace palette::inline PALETTE_KEYS_ABI {

class undocumented_class {
public:
    void undocumented_member_of_it();
};

/// Has a contract.
class BaitWithContract {
public:
    void undocumented_function();
    /// Has a contract.
    void function_with_contract();
    template <class T>
        requires requires(T t) { t; }
    void undocumented_template(T&& t) const&;
    int undocumented_field = 0;
    using undocumented_type = int;
    enum class undocumented_inner_enum { one };
    struct undocumented_inner_struct {
        int member = 0;
    };
    friend void undocumented_friend(const BaitWithContract&);
};

// A comment with two slashes is no contract.
void undocumented_free_function();
PALETTE_KEYS_DECL void undocumented_exported_function();
using undocumented_alias = int;
enum class undocumented_enum { one };
inline constexpr int undocumented_constant = 3;

/// Has a contract, with a link to nowhere: #undocumented_target.
void function_with_contract();

namespace detail {
void internal();
}
}  // namespace palette::inline PALETTE_KEYS_ABI
