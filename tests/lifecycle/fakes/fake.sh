# SPDX-License-Identifier: BSL-1.0
# shellcheck shell=sh
# What the fakes share. FAKE_STORE: a directory with what they keep, and the arguments of every call.
set -eu
printf '%s ' "${0##*/}" "$@" >>"$FAKE_STORE/calls"
echo >>"$FAKE_STORE/calls"

file_of() { printf '%s\n' "$FAKE_STORE/$(printf %s "$1" | tr / _)"; }
refuse() {
    printf '%s\n' "$*" >&2
    exit 1
}
