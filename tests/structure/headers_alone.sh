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


# check COMPILER PRECOMPILED HEADER FORM
check() {
    local options=(-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only -I include)
    [[ $4 == header_only ]] || options+=(-D PALETTE_KEYS_SEPARATE_COMPILATION)
    [[ $2 == none || $3,$4 != */impl/*,* && $4 != header_only ]] || options+=(-include-pch "$2")
    "$1" "${options[@]}" -x c++ - <<<"#include <$3>
#include <$3>" || {
        echo "in $3, $4"
        return 1
    }
}
export -f check

precompiled=none
if [[ ${3:-} != --full ]]; then
    precompiled=$(mktemp --suffix .pch)
    trap 'rm -f "$precompiled"' EXIT
    "$compiler" "${options[@]}" -fpch-instantiate-templates -x c++-header -o "$precompiled" tests/support/precompiled.hpp
fi

headers=$(cd include && find palette -name '*.hpp' ! -path palette/src.hpp ! -path palette/testing/src.hpp | sort)
{
    sed 's/$/ keys/' <<<"$headers"
    grep -v /impl/ <<<"$headers" | sed 's/$/ header_only/'
} | xargs -P "$jobs" -n 2 bash -c 'check "$0" "$1" "$2" "$3"' "$compiler" "$precompiled"
