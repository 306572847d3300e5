#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# headers_alone.sh COMPILER JOBS: every header, public or not, compiles on its own, and twice; the public ones
# in the header-only form too, which brings all bodies with them. Run it in the root of the project.
set -euo pipefail

# check HEADER FORM COMPILER
check() {
    local form=()
    [[ $2 == header_only ]] || form=(-D PALETTE_KEYS_SEPARATE_COMPILATION)
    "$3" -std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only "${form[@]}" -I include \
        -x c++ - <<<"#include <$1>
#include <$1>" || {
        echo "in ${1}, ${2}"
        return 1
    }
}
export -f check

cd include
headers=$(find palette -name '*.hpp' ! -path palette/src.hpp ! -path palette/testing/src.hpp | sort)
cd ..
{
    sed 's/$/ keys/' <<<"$headers"
    grep -v /impl/ <<<"$headers" | sed 's/$/ header_only/'
} | xargs -P "$2" -n 2 bash -c 'check "$1" "$2" "$0"' "$1"
