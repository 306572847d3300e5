#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# run.sh TESTS [OPTION...]: runs the program TESTS with OPTION... beside three instances of etcd on loopback: one
# in the clear, one that wants certificates, and one that wants a user and a password. Where they are, the
# environment says to TESTS (real_etcd.hpp). Exits as TESTS does; with 77 where etcd is not installed, unless
# PALETTE_KEYS_NO_SKIP is set.
set -euo pipefail

(($# >= 1)) || { echo "usage: run.sh TESTS [OPTION...]" >&2; exit 2; }
tests=$1
shift
PATH=$PATH:/usr/sbin

source "$(dirname "${BASH_SOURCE[0]}")/../support/servers.sh"
exit_unless_installed etcd openssl
# etcd flushes each change to the disk, where there is one.
begin_scratch /dev/shm
# It takes them for options.
unset "${!ETCD_@}"

# Its own gateway speaks to it with the same certificate.
certificates() {
    authority authority
    authority stranger
    certificate server authority $'subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth,clientAuth'
    certificate client authority "extendedKeyUsage=clientAuth"
}

# start_etcd NAME SCHEME OPTION...
start_etcd() {
    local name=$1 url=$2://127.0.0.1:$port peers=http://127.0.0.1:$((port + 1))
    start etcd --name "$name" --data-dir "$scratch/$name" --listen-client-urls "$url" \
        --advertise-client-urls "$url" --listen-peer-urls "$peers" --initial-advertise-peer-urls "$peers" \
        --initial-cluster "$name=$peers" "${@:3}" >"$scratch/$name.log" 2>&1
    export "REAL_ETCD_${name^^}=$url"
    port=$((port + 2))
}

start_all() {
    local pid base
    base=$(free_ports 6) || return 1
    port=$base
    start_etcd plain http
    start_etcd tls https --cert-file "$scratch/server.pem" --key-file "$scratch/server.key" \
        --trusted-ca-file "$scratch/authority.pem" --client-cert-auth
    start_etcd login http
    for ((port = base; port < base + 6; ++port)); do await "$port" || return 1; done
    for pid in "${processes[@]}"; do kill -0 "$pid" || return 1; done
    has_leader "$base" && has_leader $((base + 4)) && require_login $((base + 4))
}

# post PORT PATH BODY: asks the gateway, and prints the answer.
post() {
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'POST %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
        "$2" "${#3}" "$3" >&3
    cat <&3
    exec 3>&-
}
done_by() { [[ $(post "$@") == "HTTP/1.1 200 "* ]] || { echo "$2: refused" >&2; return 1; }; }
base64_of() { printf %s "$1" | base64; }

has_leader() {
    local i
    for ((i = 0; i < 100; ++i)); do
        ! done_by "$1" /v3/kv/range '{"key":"YQ=="}' || return 0
        sleep 0.05
    done
    return 1
}

# The user of the tests may change what begins with /fleet/, and nothing else.
require_login() {
    local range
    range="\"key\":\"$(base64_of /fleet/)\",\"range_end\":\"$(base64_of /fleet0)\""
    done_by "$1" /v3/auth/user/add '{"name":"root","password":"root-password"}' &&
        done_by "$1" /v3/auth/role/add '{"name":"root"}' &&
        done_by "$1" /v3/auth/user/grant '{"user":"root","role":"root"}' &&
        done_by "$1" /v3/auth/role/add '{"name":"fleet"}' &&
        done_by "$1" /v3/auth/role/grant "{\"name\":\"fleet\",\"perm\":{\"permType\":\"READWRITE\",$range}}" &&
        done_by "$1" /v3/auth/user/add '{"name":"rotator","password":"rotator \"password\""}' &&
        done_by "$1" /v3/auth/user/grant '{"user":"rotator","role":"fleet"}' &&
        done_by "$1" /v3/auth/enable '{}'
}

make_certificates certificates
for ((try = 1; ; ++try)); do
    start_all >"$scratch/start.log" 2>&1 && break
    stop
    ((try < 5)) || { cat "$scratch"/*.log >&2; echo "run.sh: etcd does not start" >&2; exit 1; }
    rm -rf "${scratch:?}"/{plain,tls,login}
done

export REAL_ETCD_CA_FILE=$scratch/authority.pem
export REAL_ETCD_STRANGER_CA_FILE=$scratch/stranger.pem
export REAL_ETCD_CLIENT=$scratch/client
export REAL_ETCD_USER=rotator REAL_ETCD_PASSWORD='rotator "password"'
export REAL_ETCD_ROOT_PASSWORD=root-password
export REAL_ETCD_PLAIN_GROUP=${processes[0]} # to stop it, and to let it go on
run_tests "$tests" "$@"
