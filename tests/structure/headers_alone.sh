#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# headers_alone.sh COMPILER JOBS [--full]: every public header compiles on its own, and twice; with --full the
# internal ones too, and the public ones in the header-only form, which brings all bodies with them. Run it in the
# root of the project.
set -euo pipefail

compiler=$1 jobs=$2
options=(-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -I include)

# check HEADER FORM COMMAND...: COMMAND compiles it.
check() {
    local header=$1 form=$2 more=()
    shift 2
    [[ $form == header_only ]] || more+=(-D PALETTE_KEYS_SEPARATE_COMPILATION)
    "$@" "${more[@]}" -fsyntax-only -x c++ - <<<"#include <$header>
#include <$header>" || {
        echo "in $header, $form"
        return 1
    }
}
export -f check

headers=$(cd include && find palette -name '*.hpp' ! -path palette/src.hpp ! -path palette/testing/src.hpp | sort)
public=$(grep -v /impl/ <<<"$headers")
{
    if [[ ${3:-} == --full ]]; then
        sed 's/$/ keys/' <<<"$headers"
        sed 's/$/ header_only/' <<<"$public"
    else
        sed 's/$/ keys/' <<<"$public"
    fi
} | xargs -P "$jobs" -n 2 bash -c 'check "${@: -2}" "${@:1:$#-2}"' - "$compiler" "${options[@]}"
