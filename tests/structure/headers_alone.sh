#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# headers_alone.sh COMPILER JOBS [--full]: every header, public or not, compiles on its own, and twice; the public
# ones in the header-only form too, which brings all bodies with them. Run it in the root of the project.
#
# Unless --full is given, the internal headers and the bodies get what they include of other libraries from a
# precompiled header, which takes a third of the time and does not see when they leave out such an include.
set -euo pipefail

compiler=$1 jobs=$2
options=(-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I include)

precompiled=none
if [[ ${3:-} != --full ]]; then
    precompiled=$(mktemp --suffix .pch)
    trap 'rm -f "$precompiled"' EXIT
    "$compiler" "${options[@]}" -fpch-instantiate-templates -x c++-header -o "$precompiled" \
        tests/support/precompiled.hpp
fi

# check HEADER FORM PRECOMPILED COMMAND...: COMMAND compiles it.
check() {
    local header=$1 form=$2 precompiled=$3 more=()
    shift 3
    [[ $form == header_only ]] || more+=(-D PALETTE_KEYS_SEPARATE_COMPILATION)
    if [[ $precompiled != none ]] && [[ $form == header_only || $header == */impl/* ]]; then
        more+=(-include-pch "$precompiled")
    fi
    "$@" "${more[@]}" -fsyntax-only -x c++ - <<<"#include <$header>
#include <$header>" || {
        echo "in $header, $form"
        return 1
    }
}
export -f check

headers=$(cd include && find palette -name '*.hpp' ! -path palette/src.hpp ! -path palette/testing/src.hpp | sort)
{
    sed 's/$/ keys/' <<<"$headers"
    grep -v /impl/ <<<"$headers" | sed 's/$/ header_only/'
} | xargs -P "$jobs" -n 2 bash -c 'check "${@: -2}" "${@:1:$#-2}"' - "$precompiled" "$compiler" "${options[@]}"
