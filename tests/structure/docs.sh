#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# docs.sh DOXYGEN: makes the API reference in build/docs/html, and fails at a public declaration without a contract,
# at what Doxygen does not understand, and at a link that leads nowhere. Run it in the root of the project.
set -euo pipefail

doxygen=$1

# make OPTION...: makes the reference with these options beside those of docs/Doxyfile.
make() {
    local version
    version=$(sed -n 's/^#define PALETTE_KEYS_VERSION "\(.*\)"/\1/p' include/palette/version.hpp)
    { cat docs/Doxyfile && printf '%s\n' "PROJECT_NUMBER = $version" "$@"; } | "$doxygen" -
}

# What must be found is named so in the bait.
rm -rf build/docs
mkdir -p build/docs/bait
if found=$(make "INPUT = docs/doxygen/topics.dox tests/structure/docs_bait.hpp" "OUTPUT_DIRECTORY = build/docs/bait" \
    "GENERATE_HTML = NO" "GENERATE_XML = YES" 2>&1); then
    echo "docs.sh does not fail at what has no contract" && exit 1
fi
for name in $(grep -Eo 'undocumented_[a-z_]+' tests/structure/docs_bait.hpp | sort -u); do
    [[ $found == *"$name"* ]] || { echo "docs.sh does not find $name, but: $found" && exit 1; }
done
[[ $found != *"_with_contract"* ]] || { echo "docs.sh finds what has a contract: $found" && exit 1; }

make

# Doxygen passes links to files on as they are.
links=$(cd build/docs/html && grep -oh 'href="[^"]*"' -- *.html | sed 's/^href="//; s/"$//' | sort -u |
    grep -Ev '^(https?:|mailto:|javascript:|#)')
broken=()
while IFS= read -r link; do
    [[ -e build/docs/html/${link%%#*} ]] || broken+=("$link")
done <<<"$links"
((${#broken[@]} == 0)) || { printf 'a link that leads nowhere: %s\n' "${broken[@]}" && exit 1; }
