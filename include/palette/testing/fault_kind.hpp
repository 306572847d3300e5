// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

namespace palette::inline PALETTE_KEYS_ABI::testing {

// The kinds of misbehaviour; palette/testing/fault.hpp says what each does.
enum class FaultKind {
    delay,
    drop_before,
    drop_after,
    apply_late,
    truncate,
    reset,
    stall,
    drip,
    close_idle,
    status,
    retry_after,
    html,
    redirect,
    echo_credential,
    garbage,
    trailing,
    wrong_type,
    huge,
    deep,
    legacy_create,
    uid_is_user,
    page,
    list_lag,
    strip_annotations,
    deny_delete,
    late_activation,
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
