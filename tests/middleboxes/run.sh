#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# run.sh EMULATOR TESTS [OPTION...]: runs the program TESTS with OPTION... between servers and proxies of the
# real world, before instances of the program EMULATOR, all on loopback. Where they are, the environment
# says to TESTS (boxes.hpp). Exits as TESTS does; with 77 where the servers are not installed, unless
# PALETTE_KEYS_NO_SKIP is set.
set -euo pipefail

(($# >= 2)) || { echo "usage: run.sh EMULATOR TESTS [OPTION...]" >&2; exit 2; }
emulator=$1 tests=$2
shift 2
PATH=$PATH:/usr/sbin

missing=()
for needed in nginx haproxy tinyproxy openssl; do
    command -v "$needed" >/dev/null || missing+=("$needed")
done
if ((${#missing[@]})); then
    echo "skipped: not installed here: ${missing[*]}"
    [[ -z ${PALETTE_KEYS_NO_SKIP:-} ]] || exit 1
    exit 77
fi

scratch=$(mktemp -d)
processes=()

# Stops what was started, the last first.
stop() {
    local i
    for ((i = ${#processes[@]} - 1; i >= 0; --i)); do
        kill "${processes[i]}" 2>/dev/null || true
    done
    for i in "${processes[@]}"; do wait "$i" 2>/dev/null || true; done
    processes=()
}
end() {
    stop
    rm -rf "$scratch"
}
trap end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Should this script be killed, what it started ends all the same.
start() {
    timeout --kill-after=5 120 "$@" </dev/null &
    processes+=($!)
}

# start_emulator NAME OPTION...: its one line is in $scratch/NAME.
start_emulator() {
    local name=$1
    start "$emulator" --rate-limit off --quiet "${@:2}" >"$scratch/$name" 2>"$scratch/$name.log"
    for ((i = 0; i < 600; ++i)); do
        [[ ! -s $scratch/$name ]] || return 0
        sleep 0.05
    done
    echo "run.sh: the emulator does not get ready" >&2
    exit 1
}
url_of() { sed -n 's/.*"url":"\([^"]*\)".*/\1/p' "$scratch/$1"; }
key_of() { sed -n 's/.*"role":"tenant_admin"[^}]*"api_key":"\([^"]*\)".*/\1/p' "$scratch/$1"; }

# certificate NAME AUTHORITY EXTENSION
certificate() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
        -keyout "$1.key" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 \
        -extfile <(echo "$3") -out "$1.pem"
}
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -keyout "$1.key" -out "$1.pem"
}
make_certificates() {
    cd "$scratch"
    authority authority
    authority stranger
    certificate server authority "subjectAltName=IP:127.0.0.1,DNS:localhost"
    certificate client authority "extendedKeyUsage=clientAuth"
    certificate impostor stranger "extendedKeyUsage=clientAuth"
}

source "$(dirname "${BASH_SOURCE[0]}")/boxes.sh"

# Starts all of them, on ports that nobody had a moment ago.
start_boxes() {
    local port pid
    base=$((20000 + RANDOM % 10000))
    for ((port = base; port < base + port_count; ++port)); do
        ! is_listening "$port" || return 1
    done
    nginx_configuration >"$scratch/nginx.conf"
    haproxy_configuration >"$scratch/haproxy.cfg"
    tinyproxy_configuration >"$scratch/tinyproxy.conf"
    start nginx -p "$scratch" -e nginx.log -c nginx.conf
    start haproxy -q -db -f "$scratch/haproxy.cfg"
    start tinyproxy -d -c "$scratch/tinyproxy.conf"
    for ((port = base; port < base + port_count; ++port)); do await "$port" || return 1; done
    for pid in "${processes[@]}"; do kill -0 "$pid" || return 1; done
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

# Only root may keep a connection from telling its peer that it is gone.
can_drop_silently() {
    local capabilities
    capabilities=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
    ((EUID == 0 && (16#$capabilities >> 12 & 1)))
}

(make_certificates) >"$scratch/openssl.log" 2>&1 || { cat "$scratch/openssl.log" >&2; exit 1; }
for ((try = 1; ; ++try)); do
    start_emulator plain --plain-http
    start_emulator tls --ca-out "$scratch/emulator.pem"
    start_boxes >"$scratch/boxes.log" 2>&1 && break
    stop
    ((try < 5)) || { cat "$scratch"/*.log >&2; echo "run.sh: the servers do not start" >&2; exit 1; }
done

tell_where_they_are
# In the background: a signal would have to wait for one in the foreground.
"$tests" "$@" &
processes+=($!)
wait "$!"
