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

source "$(dirname "${BASH_SOURCE[0]}")/../support/servers.sh"
exit_unless_installed nginx haproxy tinyproxy openssl
begin_scratch

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

certificates() {
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
    base=$(free_ports "$port_count") || return 1
    nginx_configuration >"$scratch/nginx.conf"
    haproxy_configuration >"$scratch/haproxy.cfg"
    tinyproxy_configuration >"$scratch/tinyproxy.conf"
    start nginx -p "$scratch" -e nginx.log -c nginx.conf
    start haproxy -q -db -f "$scratch/haproxy.cfg"
    start tinyproxy -d -c "$scratch/tinyproxy.conf"
    for ((port = base; port < base + port_count; ++port)); do await "$port" || return 1; done
    for pid in "${processes[@]}"; do kill -0 "$pid" || return 1; done
}

# Only root may keep a connection from telling its peer that it is gone.
can_drop_silently() {
    local capabilities
    capabilities=$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)
    ((EUID == 0 && (16#$capabilities >> 12 & 1)))
}

make_certificates certificates
for ((try = 1; ; ++try)); do
    start_emulator plain --plain-http
    start_emulator tls --ca-out "$scratch/emulator.pem"
    start_boxes >"$scratch/boxes.log" 2>&1 && break
    stop
    ((try < 5)) || { cat "$scratch"/*.log >&2; echo "run.sh: the servers do not start" >&2; exit 1; }
done

tell_where_they_are
run_tests "$tests" "$@"
