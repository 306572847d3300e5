#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# first_program.sh CHECKOUT PREFIX SCRATCH: the first program of README is built as README says, against the library
# installed in PREFIX. It ends with one line of error where its environment is missing, and lists keys of the
# emulator. The program of docs/create.md, built with FetchContent from CHECKOUT as docs/reference.md says, creates
# one key, and refuses to overwrite that key's file. CXX and the like say which compiler.
set -euo pipefail

checkout=$1 prefix=$2 scratch=$3
fetched=$scratch-fetched # ccache knows again what another build compiled as deep in the tree

emulator=
stop() { [[ -z $emulator ]] || { kill "$emulator" && wait "$emulator"; } || true; }
trap stop EXIT

fail() {
    echo "first_program.sh: $1" >&2
    exit 1
}

# block PAGE LANGUAGE: the first block of code in that language.
block() {
    awk -v opening="\`\`\`$2" '
        $0 == opening && !found { inside = found = 1; next }
        $0 == "```" { inside = 0 }
        inside' "$checkout/$1" | grep . || fail "$1 has no code in $2"
}

unset PALETTE_HOST PALETTE_API_KEY SPECTROCLOUD_APIKEY PALETTE_CA_FILE HTTPS_PROXY https_proxy
rm -rf "$scratch" "$fetched" && mkdir -p "$scratch/checkout" "$scratch/first" "$scratch/fetched"
block README.md cpp >"$scratch/first/first.cpp"
block README.md cmake >"$scratch/first/CMakeLists.txt"
block docs/create.md cpp >"$scratch/fetched/first.cpp"
block docs/reference.md cmake >"$scratch/fetched/CMakeLists.txt"

# As README has it, from a checkout beside the program and with the library installed at home.
ln -s "$prefix" "$scratch/palette-keys"
commands=$(block README.md sh | sed -n '/^cd \.\.\/first/p')
[[ -n $commands ]] || fail "README does not say how to build the program"
status=0
(cd "$scratch/checkout" && HOME=$scratch bash -c "$commands") >"$scratch/out" 2>"$scratch/err" || status=$?
program=$scratch/first/build/first
[[ -x $program ]] || fail "the program was not built: $(cat "$scratch/out" "$scratch/err")"
((status == 1)) || fail "without its environment it ended with $status: $(cat "$scratch/err")"
(($(wc -l <"$scratch/err") == 1)) || fail "its error is not one line: $(cat "$scratch/err")"
grep -q PALETTE_ "$scratch/err" || fail "its error does not name what is missing: $(cat "$scratch/err")"

# start OPTION...: an emulator with these options, in place of the last one.
start() {
    stop
    "$prefix/bin/palette-emulator" --ca-out "$scratch/ca.pem" "$@" >"$scratch/ready" 2>"$scratch/requests" &
    emulator=$!
    exec 3<"$scratch/ready"
    read -r -t 60 ready <&3 || fail "the emulator does not get ready"
    PALETTE_HOST=$(sed -n 's/.*"url":"\([^"]*\)".*/\1/p' <<<"$ready")
    PALETTE_API_KEY=$(sed -n 's/.*"role":"tenant_admin"[^}]*"api_key":"\([^"]*\)".*/\1/p' <<<"$ready")
}

mkfifo "$scratch/ready"
export PALETTE_HOST PALETTE_API_KEY PALETTE_CA_FILE=$scratch/ca.pem
start
"$program" >"$scratch/out" || fail "against the emulator it ended with $?"
grep -q ', expiry: ' "$scratch/out" || fail "it lists: $(cat "$scratch/out")"

cmake -G Ninja -S "$scratch/fetched" -B "$fetched" -D "FETCHCONTENT_SOURCE_DIR_PALETTE-KEYS=$checkout" \
    -D "CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER:-}" -D "CMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE:-}" \
    -D BUILD_SHARED_LIBS=ON >"$scratch/out"
cmake --build "$fetched" >>"$scratch/out" 2>&1 || fail "FetchContent: $(tail -20 "$scratch/out")"
program=$fetched/first

mkdir "$scratch/run" && cd "$scratch/run"
"$program" >"$scratch/out" || fail "against the emulator it ended with $?"
grep -q '^created ' "$scratch/out" || fail "it says: $(cat "$scratch/out")"
first=$(cat ci.key)
[[ -n $first && $(stat -c %a ci.key) == 600 ]] || fail "ci.key is empty, or open to others"
status=0
"$program" 2>"$scratch/err" || status=$?
((status == 1)) || fail "the second run ended with $status"
[[ $(cat ci.key) == "$first" ]] || fail "the second run has overwritten ci.key"
(($(wc -l <"$scratch/err") == 1)) || fail "its error is not one line: $(cat "$scratch/err")"
[[ $(grep -c 'POST /v1/apiKeys' "$scratch/requests") == 1 ]] || fail "the second run created a key"

# In a directory that is gone nothing can be written: the key, whose value nobody has then, is deleted.
mkdir "$scratch/gone" && cd "$scratch/gone" && rmdir "$scratch/gone"
status=0
"$program" 2>"$scratch/err" || status=$?
((status == 1)) || fail "where nothing can be written it ended with $status"
grep -q 'DELETE /v1/apiKeys/.* 204' "$scratch/requests" || fail "a key without a value is left: $(cat "$scratch/err" "$scratch/requests")"

# The record of a key that may be there, and that was not found, is not thrown away.
mkdir "$scratch/lost" && cd "$scratch/lost"
start --fault 'POST /v1/apiKeys drop-after' --fault 'GET /v1/apiKeys list-lag:600000'
status=0
"$program" 2>"$scratch/err" || status=$?
((status == 1)) || fail "where the response is lost it ended with $status"
grep -q '"nonce":' "$scratch/err" || fail "the record of a lost key is not in: $(cat "$scratch/err")"
