#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# lint.sh CLANG_TIDY JOBS [--full]: what clang-tidy says of the library, the programs, the examples and the tests'
# support; with --full its static analyzer too, which takes as long as all the rest. Run it in the root of the project.
#
# clang-tidy takes longer to look through Boost than through all of ours, so it reads many files as one. Their text
# is copied, for some checks look into the main file only.
set -euo pipefail

clang_tidy=$1 jobs=$2
export left_out=,-clang-analyzer-*
[[ ${3:-} != --full ]] || left_out=
units=build/lint # what is found there is said with the lines of these
rm -rf "$units"
mkdir -p "$units"

# unit NAME FILE...: writes one file with what all of them include, and then the rest of each. Examples have a
# main() each, so each is in a namespace of its own.
unit() {
    local name=$1 file
    shift
    printf '%s\n' "$@" >>"$units/files"
    {
        sed -n '/^#include/p' "$@" | sort -u
        for file; do
            echo "// $file"
            [[ $name != examples ]] || echo "namespace example_$(basename "$file" .cpp) {"
            sed '/^#include/d' "$file"
            [[ $name != examples ]] || echo "}"
        done
    } >"$units/$name.cpp"
}

unit library src/*.cpp src/at_once/*.cpp src/palette-emulator/*.cpp
unit support tests/support/{chaos,connect_proxy,counting_allocator,create_storm,fake_etcd,killed_at,known_names,precompiled,process,raw_http,scene,secret_forms,tls_server}.cpp
unit support_by_itself tests/support/failing_allocations.cpp # it replaces operator new as another one does
unit examples examples/*.cpp

missed=$(git ls-files 'src/*.cpp' 'tests/support/*.cpp' 'examples/*.cpp' | sort | comm -23 - <(sort "$units/files"))
[[ -z $missed ]] || { echo "lint.sh leaves out $missed" && exit 1; }

# lint CLANG_TIDY UNIT: the checks are those of the folder that the unit's files are in. The folders are absolute, for
# .clang-tidy knows our headers by that.
lint() {
    local checks= folder options=()
    case $2 in
        */examples.cpp) checks=$(sed '1,/^Checks:/d' examples/.clang-tidy | tr -d ' \n') ;;
        */support*.cpp) checks=$(sed '1,/^Checks:/d' tests/.clang-tidy | tr -d ' \n') ;;
    esac
    for folder in include tests examples src/palette-emulator; do options+=(-I "$PWD/$folder"); done
    "$1" --quiet --config-file=.clang-tidy --checks="$checks$left_out" "$2" -- -std=c++20 "${options[@]}" \
        -D PALETTE_KEYS_SEPARATE_COMPILATION
}
export -f lint

echo '#include "structure/lint_bait.hpp"' >"$units/bait.cc"
found=$(lint "$clang_tidy" "$units/bait.cc" 2>&1) || true
[[ $found == *lint_bait.hpp*modernize-use-nullptr* ]] || { echo "lint.sh does not see into headers: $found" && exit 1; }

find "$units" -name '*.cpp' | xargs -P "$jobs" -n 1 bash -c 'lint "$0" "$1"' "$clang_tidy"
