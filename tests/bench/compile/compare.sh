#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# compare.sh ROUNDS COMPILER [FLAG...]
#
# What it takes to compile one call: with the compiled library, with the header-only one, and by hand. The
# compiler's own time on a core; the two of a row take turns, and the median of their ratios counts. No
# compiler cache.
set -euo pipefail
here=$(dirname "${BASH_SOURCE[0]}")
rounds=$1
compiler=("${@:2}" -std=c++20 -c -o /dev/null)
missed=0

main() {
    local form
    printf '\n%-58s %-13s %-13s %7s  %s\n' "compile one call" ours theirs ratio "to reach"
    # What they open is in memory then; and what is wrong with them is said.
    for form in compiled header_only by_hand; do "$form" -fsyntax-only; done
    row "compiled library: header-only library" compiled header_only 0.20
    row "header-only library: Beast by hand, TLS, JSON" header_only by_hand 1.50
    list_opened_headers
    return "$missed"
}

compiled() { "${compiler[@]}" -DPALETTE_KEYS_SEPARATE_COMPILATION "$@" "$here/one_call.cpp"; }
header_only() { "${compiler[@]}" "$@" "$here/one_call.cpp"; }
by_hand() { "${compiler[@]}" "$@" "$here/by_hand.cpp"; }

# row TITLE OURS THEIRS REACH
row() {
    local ours theirs all=()
    for ((i = 0; i < rounds; ++i)); do
        ours=$(seconds "$2")
        theirs=$(seconds "$3")
        all+=("$ours $theirs")
    done
    printf '%s\n' "${all[@]}" | awk '{ print $1 / $2, $1, $2 }' | sort -n |
        awk -v title="$1" -v reach="$4" '
            { line[NR] = $0 }
            END {
                split(line[int((NR + 1) / 2)], middle)
                printf "  %-56s %9.2f s   %9.2f s   %7.3f  <= %.2f%s\n", title, middle[2], middle[3], middle[1],
                    reach, middle[1] <= reach ? "" : "  MISSED"
                exit middle[1] > reach
            }' || missed=1
}

# What COMMAND takes of a core.
seconds() {
    local TIMEFORMAT='%U %S'
    { time "$@" 1>&2; } 2>&1 | awk 'END { print $1 + $2 }'
}

# What a user of the compiled library opens of what it hides.
list_opened_headers() {
    local opened
    opened=$(compiled -M | tr ' \\' '\n\n' | grep -E '/(boost/(beast|json|asio/ssl)|openssl)[/.]' || true)
    if [[ -z $opened ]]; then
        echo "    the compiled library opens no header of Beast, OpenSSL or Boost.JSON"
    else
        printf '    the compiled library opens these:  MISSED\n%s\n' "$opened"
        missed=1
    fi
}

main
