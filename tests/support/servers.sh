# SPDX-License-Identifier: BSL-1.0
# shellcheck shell=bash
# For scripts that run tests beside servers of the real world: starts and stops them, in a folder of their own.
# Whoever sources it gets $scratch, and is cleaned up after.

# exit_unless_installed PROGRAM...: exits with 77 where one is missing, and fails where PALETTE_KEYS_NO_SKIP is set.
exit_unless_installed() {
    local needed missing=()
    for needed; do
        command -v "$needed" >/dev/null || missing+=("$needed")
    done
    ((${#missing[@]})) || return 0
    echo "skipped: not installed here: ${missing[*]}"
    [[ -z ${PALETTE_KEYS_NO_SKIP:-} ]] || exit 1
    exit 77
}

# begin_scratch [FOLDER]: in FOLDER, if it can be written to.
begin_scratch() {
    if [[ -n ${1:-} && -w $1 ]]; then scratch=$(mktemp -d -p "$1"); else scratch=$(mktemp -d); fi
    processes=()
    trap end_scratch EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}
end_scratch() {
    stop
    rm -rf "$scratch"
}

# Stops what was started, the last first.
stop() {
    local i
    for ((i = ${#processes[@]} - 1; i >= 0; --i)); do
        kill "${processes[i]}" 2>/dev/null || true
        kill -CONT -- "-${processes[i]}" 2>/dev/null || true # a test may have stopped it
    done
    for i in "${processes[@]}"; do wait "$i" 2>/dev/null || true; done
    processes=()
}

# Each in a process group of its own. Should this script be killed, what it started ends all the same.
start() {
    timeout --kill-after=5 "${max_seconds:-120}" "$@" </dev/null &
    processes+=($!)
}

# In the background: a signal would have to wait for one in the foreground.
run_tests() {
    "$@" &
    processes+=($!)
    wait "$!"
}

# free_ports COUNT: the first of as many ports that nobody has at this moment.
free_ports() {
    local port base=$((20000 + RANDOM % 10000))
    for ((port = base; port < base + $1; ++port)); do
        ! is_listening "$port" || return 1
    done
    echo "$base"
}

is_listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

await() {
    local i
    for ((i = 0; i < 100; ++i)); do
        ! is_listening "$1" || return 0
        sleep 0.05
    done
    return 1
}

# authority NAME: NAME.pem and NAME.key, here.
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -keyout "$1.key" -out "$1.pem"
}

# certificate NAME AUTHORITY EXTENSIONS: the same, with a line for each extension.
certificate() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
        -keyout "$1.key" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 \
        -extfile <(echo "$3") -out "$1.pem"
}

# make_certificates FUNCTION: what it makes lies in $scratch.
make_certificates() {
    (cd "$scratch" && "$1") >"$scratch/openssl.log" 2>&1 || { cat "$scratch/openssl.log" >&2; exit 1; }
}
