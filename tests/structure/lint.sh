#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# lint.sh CLANG_TIDY JOBS: what clang-tidy says of the library, the programs, the examples and the tests' support.
# Run it in the root of the project.
#
# It takes longer to look through Boost than through all of ours, so many files are read as one.
set -euo pipefail

clang_tidy=$1 jobs=$2
units=$(mktemp -d)
trap 'rm -rf "$units"' EXIT

# Writes to the unit NAME all FILES, one after the other.
unit() {
    local name=$1 file
    shift
    for file; do echo "#include \"$file\""; done >"$units/$name.cpp"
}

# Programs have a main() each: what they include comes first, then each in a namespace of its own.
unit_of_programs() {
    local name=$1 file
    shift
    {
        cat "$@" | grep '^#include' | sort -u
        for file; do
            echo "namespace program_$(basename "$file" .cpp) {"
            echo "#include \"$file\""
            echo "}"
        done
    } >"$units/$name.cpp"
}

unit client src/{auth,client,pipeline}.cpp
unit emulator src/emulator_*.cpp src/palette-emulator/*.cpp
unit network src/{net,redaction,seams,system,time,values,wire}.cpp
unit support tests/support/{chaos,connect_proxy,counting_allocator,create_storm,process,raw_http,tls_server}.cpp
unit_of_programs examples examples/*.cpp

left_out=$(comm -23 <(git ls-files 'src/*.cpp' | sort) <(cat "$units"/*.cpp | sed -n 's/^#include "\(src.*\)"/\1/p' | sort))
[[ -z $left_out ]] || { echo "lint.sh leaves out $left_out" && exit 1; }

# lint CLANG_TIDY UNIT: the checks are those of the folder that the unit's files are in.
lint() {
    local checks=-bugprone-suspicious-include # which is what a unit is made of
    case $2 in
        */examples.cpp) checks+=,$(sed '1,/^Checks:/d' examples/.clang-tidy | tr -d ' \n') ;;
        */support.cpp) checks+=,$(sed '1,/^Checks:/d' tests/.clang-tidy | tr -d ' \n') ;;
    esac
    "$1" --quiet --config-file=.clang-tidy --checks="$checks" "$2" -- -std=c++20 -I . -I include -I tests \
        -I examples -D PALETTE_KEYS_SEPARATE_COMPILATION
}
export -f lint
find "$units" -name '*.cpp' | xargs -P "$jobs" -n 1 bash -c 'lint "$0" "$1"' "$clang_tidy"
