#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# run.sh PROGRAM CHECKER COMMAND [OPTION...]: COMMAND uses the emulator PROGRAM, run with OPTION..., under the
# eyes of CHECKER, which compares requests and answers with the API's description. Exits as CHECKER does;
# with 77 where it cannot be run.
set -euo pipefail

(($# >= 3)) || { echo "usage: run.sh PROGRAM CHECKER COMMAND [OPTION...]" >&2; exit 2; }
program=$1 checker=$2 command=$3
shift 3

skip() {
    echo "skipped: $1"
    exit 77
}

[[ -x $checker ]] || skip "there is no contract checker at $checker"
for needed in npm node curl; do
    command -v "$needed" >/dev/null || skip "the contract checker needs $needed"
done
for needed in "$program" "$command"; do
    [[ -x $needed ]] || { echo "run.sh: there is no program at $needed" >&2; exit 2; }
done

scratch=$(mktemp -d)
emulator=
stop() {
    [[ -z $emulator ]] || { kill "$emulator" && wait "$emulator"; } || true
    rm -rf "$scratch"
}
trap stop EXIT

mkfifo "$scratch/ready"
"$program" --plain-http --rate-limit off --quiet "$@" >"$scratch/ready" &
emulator=$!
exec 3<"$scratch/ready"
read -r -t 60 ready <&3 || { echo "run.sh: the emulator does not get ready" >&2; exit 1; }

# text_of NAME TEXT: the string of that name, the only one in TEXT.
text_of() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$2"; }

admin=$(sed -n 's/.*{\("role":"tenant_admin"[^}]*\)}.*/\1/p' <<<"$ready")
tenant=${ready%%'"users"'*}
PALETTE_API_KEY=$(text_of api_key "$admin")
PALETTE_API_KEY_UID=$(text_of api_key_uid "$admin")
PALETTE_TENANT_UID=$(text_of tenant_uid "$tenant")
PALETTE_EMAIL=$(text_of email "$admin")
PALETTE_PASSWORD=$(text_of password "$admin")
PALETTE_ORG=$(text_of org "$tenant")
export PALETTE_API_KEY PALETTE_API_KEY_UID PALETTE_EMAIL PALETTE_PASSWORD PALETTE_ORG PALETTE_TENANT_UID

status=0
"$checker" "$(text_of url "$tenant")" -- "$command" 3<&- || status=$?
exit "$status"
