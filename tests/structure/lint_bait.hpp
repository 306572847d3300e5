// SPDX-License-Identifier: BSL-1.0
#pragma once

// A mistake that lint.sh must report: it shows that clang-tidy looks into headers.
inline int* lint_bait() {
    return 0;
}
