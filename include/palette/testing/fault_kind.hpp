// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>

namespace palette::inline PALETTE_KEYS_ABI::testing {

/// Names the kinds of faults. palette/testing/fault.hpp says what each does.
enum class FaultKind {
    delay,              ///< "delay:MS"
    drop_before,        ///< "drop-before"
    drop_after,         ///< "drop-after"
    apply_late,         ///< "apply-late:MS"
    truncate,           ///< "truncate"
    reset,              ///< "reset"
    stall,              ///< "stall"
    drip,               ///< "drip:MS"
    close_idle,         ///< "close-idle"
    status,             ///< "status:CODE"
    retry_after,        ///< "retry-after:VALUE"
    html,               ///< "html:CODE"
    redirect,           ///< "redirect:URL"
    echo_credential,    ///< "echo-credential"
    garbage,            ///< "garbage"
    trailing,           ///< "trailing"
    wrong_type,         ///< "wrong-type"
    huge,               ///< "huge:BYTES"
    deep,               ///< "deep:N"
    legacy_create,      ///< "legacy-create"
    uid_is_user,        ///< "uid-is-user"
    page,               ///< "page:N"
    list_lag,           ///< "list-lag:MS"
    strip_annotations,  ///< "strip-annotations"
    deny_delete,        ///< "deny-delete"
    deny_list,          ///< "deny-list"
    late_activation,    ///< "late-activation:MS"
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing
