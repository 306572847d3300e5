# SPDX-License-Identifier: BSL-1.0
# shellcheck shell=bash
# Part of run.sh: what the servers are to do, on which ports, and what the tests are told of them.

# What listens at $base and the ports after it.
port_names=(tls12 mutual limited bad_gateway unavailable gateway_timeout
    bad_gateway_at_times unavailable_at_times gateway_timeout_at_times
    says_503 never_answers drops_all drops_keys normalises proxy)
port_count=${#port_names[@]}

port() {
    local i
    for ((i = 0; i < port_count; ++i)); do
        [[ ${port_names[i]} != "$1" ]] || { echo $((base + i)); return; }
    done
    return 1
}

proxy_user=ada proxy_password='correct-horse.7'

# front NAME UPSTREAM [DIRECTIVE...]: a server for TLS that asks UPSTREAM.
front() {
    echo "server { listen 127.0.0.1:$(port "$1") ssl; ${*:3} location / { proxy_pass http://$2; } }"
}

# Where one of two does not answer, and nginx does not try the other one.
# Two of three requests find the service: of every other one it could be the same kind that never does.
in_turns() { echo "upstream $1 { server $2 max_fails=0; server ${plain#http://} weight=2 max_fails=0; }"; }

nginx_configuration() {
    local plain user='' silent refused=127.0.0.1:1
    plain=$(url_of plain)
    silent=127.0.0.1:$(port never_answers)
    ((EUID != 0)) || user='user root root;'
    cat <<END
$user
daemon off;
worker_processes 1;
pid nginx.pid;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxied;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    ssl_certificate server.pem; ssl_certificate_key server.key;
    proxy_http_version 1.1;
    proxy_read_timeout 100ms;
    proxy_next_upstream off;
    proxy_set_header Host 127.0.0.1;
    limit_req_zone \$server_port zone=few:1m rate=50r/s;
    $(in_turns refused_in_turns $refused)
    $(in_turns says_503_in_turns "127.0.0.1:$(port says_503)")
    $(in_turns silent_in_turns "$silent")
    server { listen 127.0.0.1:$(port says_503); return 503; }
    # With a path behind it, proxy_pass decodes what the client sent, and follows the dots in it.
    server { listen 127.0.0.1:$(port normalises); location /v1/ { proxy_pass $plain/v1/; } }
    $(front tls12 "${plain#http://}" 'ssl_protocols TLSv1.2;')
    $(front mutual "${plain#http://}" 'ssl_verify_client on; ssl_client_certificate authority.pem;')
    $(front limited "${plain#http://}" 'limit_req zone=few burst=5 nodelay; limit_req_status 429;')
    $(front bad_gateway $refused)
    $(front unavailable "127.0.0.1:$(port says_503)")
    $(front gateway_timeout "$silent")
    $(front bad_gateway_at_times refused_in_turns)
    $(front unavailable_at_times says_503_in_turns)
    $(front gateway_timeout_at_times silent_in_turns)
}
END
}

# A connection that is dropped silently is closed here, and its peer is not told.
haproxy_configuration() {
    local plain
    plain=$(url_of plain)
    cat <<END
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 60s
    timeout tarpit 60s
frontend never_answers
    bind 127.0.0.1:$(port never_answers)
    http-request tarpit
frontend drops_all
    bind 127.0.0.1:$(port drops_all)
    http-request silent-drop
frontend drops_keys
    bind 127.0.0.1:$(port drops_keys)
    http-request silent-drop if { path_beg /v1/apiKeys }
    default_backend emulator
backend emulator
    server emulator ${plain#http://}
END
}

tinyproxy_configuration() {
    ((EUID != 0)) || printf 'User root\nGroup root\n'
    cat <<END
Port $(port proxy)
Listen 127.0.0.1
Allow 127.0.0.1
Timeout 60
MaxClients 100
BasicAuth $proxy_user $proxy_password
LogFile "$scratch/tinyproxy.log"
END
}

tell_where_they_are() {
    local name
    for name in tls12 mutual limited bad_gateway unavailable gateway_timeout \
        bad_gateway_at_times unavailable_at_times gateway_timeout_at_times; do
        export "MIDDLEBOX_${name^^}=https://127.0.0.1:$(port "$name")"
    done
    MIDDLEBOX_NEVER_ANSWERS=http://127.0.0.1:$(port never_answers)
    MIDDLEBOX_NORMALISES=http://127.0.0.1:$(port normalises)
    MIDDLEBOX_CA_FILE=$scratch/authority.pem
    MIDDLEBOX_STRANGER_CA_FILE=$scratch/stranger.pem
    MIDDLEBOX_CLIENT=$scratch/client
    MIDDLEBOX_IMPOSTOR=$scratch/impostor
    MIDDLEBOX_API_KEY=$(key_of plain)
    export MIDDLEBOX_NEVER_ANSWERS MIDDLEBOX_NORMALISES MIDDLEBOX_CA_FILE MIDDLEBOX_STRANGER_CA_FILE MIDDLEBOX_CLIENT \
        MIDDLEBOX_IMPOSTOR MIDDLEBOX_API_KEY
    if can_drop_silently; then
        export MIDDLEBOX_DROPS_ALL=http://127.0.0.1:$(port drops_all)
        export MIDDLEBOX_DROPS_KEYS=http://127.0.0.1:$(port drops_keys)
    fi
    MIDDLEBOX_PROXY=http://127.0.0.1:$(port proxy)
    MIDDLEBOX_PROXY_USER=$proxy_user
    MIDDLEBOX_PROXY_PASSWORD=$proxy_password
    MIDDLEBOX_BEHIND_PROXY=$(url_of tls)
    MIDDLEBOX_BEHIND_PROXY_CA_FILE=$scratch/emulator.pem
    MIDDLEBOX_BEHIND_PROXY_API_KEY=$(key_of tls)
    export MIDDLEBOX_PROXY MIDDLEBOX_PROXY_USER MIDDLEBOX_PROXY_PASSWORD MIDDLEBOX_BEHIND_PROXY \
        MIDDLEBOX_BEHIND_PROXY_CA_FILE MIDDLEBOX_BEHIND_PROXY_API_KEY
}
