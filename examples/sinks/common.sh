# SPDX-License-Identifier: BSL-1.0
# shellcheck shell=sh
# What the recipes in this folder share: the verbs of palette::lifecycle::command_sink(), for a tool that keeps
# values under names. A recipe defines these functions and then calls `run_verb`. PLACE is current, pending or
# previous.
#
#   place_note PLACE                prints the note of the value there; nothing if there never was one
#   place_read PLACE                prints the value
#   place_write PLACE NOTE VERSION  stores its standard input, with the note; status 3 if VERSION is not the
#                                   one that is stored
#   place_version PLACE             prints a version for that; nothing if the tool has none
#
# A note is one line: GENERATION ROTATION_ID KEY_UID EXPIRY. A place that was cleared keeps the generation alone,
# so that none is given twice. A tool that fails ends the recipe with a status of the contract (75 or 1) and not
# with its own, for 3 and 4 say that another value is current, or that there is none. A value is in a pipe or in a
# variable of the shell: never in an argument, in the environment, or in a file.
set -eu
umask 077

fail() { # STATUS WORD...
    status=$1
    shift
    printf '%s\n' "$*" >&2
    exit "$status"
}

place_version() { :; }

# The words of a note.
generation_of() { printf '%s\n' "${1%% *}"; }
rotation_of() {
    # shellcheck disable=SC2086
    set -- $1
    printf '%s\n' "${2:-}"
}
is_held() { case $1 in *' '*) true ;; *) false ;; esac; }
is_meant() { is_held "$1" && [ "$(generation_of "$1")" = "$PALETTE_GENERATION" ] &&
    [ "$(rotation_of "$1")" = "${PALETTE_ROTATION_ID:--}" ]; }

json_of() { # NOTE
    is_held "$1" || { printf null && return; }
    # shellcheck disable=SC2086
    set -- $1
    printf '{"generation": %s, "rotation_id": "%s", "key_uid": "%s", "expiry": "%s"}' \
        "$1" "${2#-}" "${3#-}" "$4"
}

new_note() { # GENERATION
    for word in "${PALETTE_ROTATION_ID:=-}" "${PALETTE_KEY_UID:=-}"; do
        case $word in *[!A-Za-z0-9._:-]*) fail 64 "an id has a character that this recipe does not store" ;; esac
    done
    printf '%s %s %s %s\n' "$1" "$PALETTE_ROTATION_ID" "$PALETTE_KEY_UID" "$PALETTE_KEY_EXPIRY"
}

# Sets current, pending and previous to the notes, as far as they are true: a promote that was interrupted may
# have left a value in two places.
read_notes() {
    current=$(place_note current)
    pending=$(place_note pending)
    previous=$(place_note previous)
    last=0
    for note in "$current" "$pending" "$previous"; do
        generation=$(generation_of "$note")
        [ "${generation:-0}" -le "$last" ] || last=$generation
    done
    if is_held "$current"; then
        [ "$pending" != "$current" ] || pending=
        [ "$previous" != "$current" ] || previous=
    fi
}

clear_place() { # PLACE NOTE
    printf none | place_write "$1" "$(generation_of "$2")" ''
}

move() { # FROM TO NOTE VERSION
    value=$(place_read "$1")
    printf %s "$value" | place_write "$2" "$3" "$4"
}

stage() {
    read_notes
    note=$(new_note $((last + 1)))
    # The same again has the same receipt, and the value is stored again.
    is_held "$pending" && [ "${pending#* }" = "${note#* }" ] && note=$pending
    place_write pending "$note" ''
    generation_of "$note"
}

read_value() {
    read_notes
    for place in current pending previous; do
        eval "note=\$$place"
        # shellcheck disable=SC2154
        is_meant "$note" || continue
        value=$(place_read "$place")
        printf %s "$value"
        return
    done
    fail 4 "no value of generation $PALETTE_GENERATION"
}

promote() {
    version=$(place_version current) # before the note, so that who is faster is noticed
    left_over=$(place_note pending)
    read_notes
    if ! is_meant "$current"; then
        found=none
        is_held "$current" && found=$(generation_of "$current")
        [ "$found" = "$PALETTE_EXPECTED_GENERATION" ] ||
            fail 3 "generation $found is current, and not $PALETTE_EXPECTED_GENERATION"
        is_meant "$pending" || fail 4 "generation $PALETTE_GENERATION is not pending"
        ! is_held "$current" || move current previous "$current" ''
        move pending current "$pending" "$version"
    fi
    ! is_meant "$left_over" || clear_place pending "$left_over"
}

discard() {
    read_notes
    ! is_meant "$current" || fail 3 "generation $PALETTE_GENERATION is the current value"
    ! is_meant "$pending" || clear_place pending "$pending"
    ! is_meant "$previous" || clear_place previous "$previous"
}

contents() {
    read_notes
    printf '{"current": %s, "pending": %s, "previous": %s}\n' \
        "$(json_of "$current")" "$(json_of "$pending")" "$(json_of "$previous")"
}

run_verb() {
    case $PALETTE_SINK_VERB in
        stage | promote | discard | contents) "$PALETTE_SINK_VERB" ;;
        read) read_value ;;
        *) fail 64 "no such verb: $PALETTE_SINK_VERB" ;;
    esac
}
