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

# The examples have a main() each, so each is in a namespace of its own, where main() needs a return.
{
    sed -n '/^#include/p' examples/*.cpp | sort -u
    for file in examples/*.cpp; do
        echo "namespace example_$(basename "$file" .cpp) {"
        printf '#line 1 "%s"\n' "$PWD/$file"
        sed 's/^#include.*//' "$file"
        echo "}"
    done
} >"$unit/all.cpp"
snippets() { awk -f tests/readme/contract_code.awk -f tests/readme/snippets.awk "$@"; }
# Pages name everything in full, so they come before the using-directives that contracts are read with.
snippets -v environment=fragment.hpp ./*.md docs/*.md | sed 's/snippet_/page_&/' >>"$unit/all.cpp"
snippets -v environment=contract.hpp \
    include/palette/*.hpp include/palette/{auth,observe,testing}/*.hpp include/palette/detail/*.hpp >>"$unit/all.cpp"

for standard; do
    # The first program of README is a file of its own, too: it includes what it needs.
    snippets -v programs=1 ./*.md docs/*.md >"$unit/programs.cpp"
    for file in all programs; do
        "$compiler" -std="c++$standard" -fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Werror -Wno-unused \
            -Wno-return-type -Iinclude -Iexamples -Itests/readme -DPALETTE_KEYS_SEPARATE_COMPILATION "$unit/$file.cpp"
    done
done
