#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# standards.sh COMPILER STANDARD...: compiles the examples, and the code in pages and contracts, to each of these
# standards ("20", "23"), without making programs of them. Run it in the root of the project.
#
# A compiler takes longer to look through Boost than through all of ours, so it reads all of them as one.
set -euo pipefail

compiler=$1
shift
unit=build/standards
mkdir -p "$unit"

# The includes of each example, with their conditions, and then the rest. The examples have a main() each, so each is in
# a namespace of its own, where main() needs a return. What one of them forgets to include is found by ./run test.
heads() { awk '/^#line/ { next } FNR == 1 { head = 1 } !/^(#|\/\/|$)/ { head = 0 } head' "$@"; }
rest() { awk '!/^(#|\/\/|$)/ { body = 1 } { print body ? $0 : "" }' "$1"; }
{
    heads examples/*.cpp
    for file in examples/*.cpp; do
        echo "namespace example_$(basename "$file" .cpp) {"
        printf '#line 1 "%s"\n' "$PWD/$file"
        rest "$file"
        echo "}"
    done
} >"$unit/all.cpp"
snippets() { awk -f tests/readme/contract_code.awk -f tests/readme/snippets.awk "$@"; }
for page in $(grep -l '^int main(' ./*.md docs/*.md); do
    snippets -v programs=1 "$page" >"$unit/program.cpp"
    heads "$unit/program.cpp"
    echo "namespace program_of_$(basename "$page" .md) {"
    grep '^#line' "$unit/program.cpp"
    rest "$unit/program.cpp"
    echo "}"
done >>"$unit/all.cpp"
# Pages name everything in full, so they come before the using-directives that contracts are read with.
snippets -v environment=fragment.hpp ./*.md docs/*.md | sed 's/snippet_/page_&/' >>"$unit/all.cpp"
snippets -v environment=contract.hpp \
    include/palette/*.hpp include/palette/{auth,lifecycle,observe,testing}/*.hpp include/palette/detail/*.hpp >>"$unit/all.cpp"

warnings=(-Wall -Wextra -Wpedantic -Wconversion -Werror -Wno-unused -Wno-return-type)
# g++ takes a lambda of an example for one in a header, since it is told that the lines are those of a header.
[[ $compiler == *clang* ]] || warnings+=(-Wno-subobject-linkage)
for standard; do
    "$compiler" -std="c++$standard" -fsyntax-only "${warnings[@]}" -Iinclude -Iexamples -Itests/readme -DPALETTE_KEYS_SEPARATE_COMPILATION "$unit/all.cpp"
done
