#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Every operation of the service at $PALETTE_HOST, once or more, with curl. One line per step; ends at the
# first status that is not the right one.
set -euo pipefail

: "${PALETTE_HOST:?}" "${PALETTE_API_KEY:?}" "${PALETTE_EMAIL:?}" "${PALETTE_PASSWORD:?}" "${PALETTE_ORG:?}" "${PALETTE_TENANT_UID:?}"
no_key=000000000000000000000000

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
: >"$scratch/body"

main() {
    step "log in" 200 POST "/v1/auth/authenticate?setCookie=false" \
        "{\"emailId\":\"$PALETTE_EMAIL\",\"password\":\"$PALETTE_PASSWORD\",\"org\":\"$PALETTE_ORG\"}"
    token=$(field Authorization)
    as "Authorization: $token"
    step "who am I, with the token" 200 GET /v1/users/info
    step "refresh" 200 GET "/v1/auth/refresh/$token?setCookie=false"
    token=$(field Authorization)
    as "authorization: $token"
    step "who am I, with the new token" 200 GET /v1/users/info
    as "ApiKey: $PALETTE_API_KEY"
    step "who am I, with the API key" 200 GET /v1/users/info
    user=$(field userUid)
    step "users" 200 GET "/v1/users?limit=50"
    holds "$user"
    step "a page of users" 200 GET "/v1/users?limit=1"
    next=$(field continue)
    step "the next page of users" 200 GET "/v1/users?limit=1&continue=$next"

    step "one user" 200 GET "/v1/users/$user"
    holds "$PALETTE_EMAIL"
    step "a user who is not there" 404 GET "/v1/users/$no_key"
    step "the audit log" 200 GET "/v1/audits?limit=50"
    step "the audit log, by every filter" 200 GET "/v1/audits?startTime=2026-01-01T00:00:00.000Z&endTime=2099-01-01T00:00:00.000Z&userUid=$user&resourceKind=apiKey&resourceUid=$no_key&actionType=create&limit=1"
    step "limits" 200 GET "/v1/tenants/$PALETTE_TENANT_UID/resourceLimits"
    holds apiKey

    step "list" 200 GET /v1/apiKeys
    step "create" 201 POST /v1/apiKeys "{
        \"metadata\":{\"name\":\"contract\",\"annotations\":{\"description\":\"made by a test\"},\"labels\":{\"a\":\"b\"}},
        \"spec\":{\"expiry\":\"2099-01-01T00:00:00.000Z\",\"userUid\":\"$user\"}}"
    uid=$(field uid)
    value=$(field apiKey)
    key=/v1/apiKeys/$uid
    step "list, with the key in it" 200 GET /v1/apiKeys
    holds "$uid"
    step "create without an expiry" 201 POST /v1/apiKeys '{"metadata":{"name":"contract-2"}}'
    other=$(field uid)
    step "delete that one" 204 DELETE "/v1/apiKeys/$other"
    step "read" 200 GET "$key"
    step "update" 204 PUT "$key" \
        '{"metadata":{"name":"contract-3","labels":{"c":"d"}},"spec":{"expiry":"2098-01-01T00:00:00.000Z"}}'
    step "read what was updated" 200 GET "$key"
    holds contract-3
    step "patch: deactivate" 204 PATCH "$key" '{"isActive":false}'
    step "read it, inactive" 200 GET "$key"
    step "patch: activate" 204 PATCH "$key" '{"isActive":true}'
    as "ApiKey: $value"
    step "use it" 200 GET /v1/users/info
    as "ApiKey: $PALETTE_API_KEY"
    step "revoke" 204 PUT "$key/state" '{"isActive":false}'
    as "apikey: $value"
    step "a revoked key is refused" 401 GET /v1/users/info
    as "ApiKey: $PALETTE_API_KEY"
    step "re-activate" 204 PUT "$key/state" '{"isActive":true}'
    as "ApiKey: $value"
    step "use it again" 200 GET /v1/users/info
    as "ApiKey: $PALETTE_API_KEY"
    step "delete" 204 DELETE "$key"
    as "ApiKey: $value"
    step "a deleted key is refused" 401 GET /v1/users/info
    as "ApiKey: $PALETTE_API_KEY"

    step "read after the delete" 404 GET "$key"
    step "update after the delete" 404 PUT "$key" '{"metadata":{"name":"contract"}}'
    step "patch after the delete" 404 PATCH "$key" '{"isActive":true}'
    step "re-activate after the delete" 404 PUT "$key/state" '{"isActive":true}'
    step "delete after the delete" 404 DELETE "$key"
    step "create for nobody" 404 POST /v1/apiKeys \
        "{\"metadata\":{\"name\":\"contract\"},\"spec\":{\"userUid\":\"$no_key\"}}"
    step "create without a name" 400 POST /v1/apiKeys '{}'
    step "create with an expiry that has passed" 400 POST /v1/apiKeys \
        '{"metadata":{"name":"contract"},"spec":{"expiry":"2001-01-01T00:00:00.000Z"}}'
    step "log in with a wrong password" 401 POST /v1/auth/authenticate \
        "{\"emailId\":\"$PALETTE_EMAIL\",\"password\":\"wrong\",\"org\":\"$PALETTE_ORG\"}"
    as "Authorization: no.such.token"
    step "list with no good credential" 401 GET /v1/apiKeys
    step "refresh what is no token" 401 GET /v1/auth/refresh/no.such.token
}

credential=

# as HEADER: what the next steps are done with.
as() { credential=$1; }

# step TITLE STATUS METHOD PATH [BODY]: credentials are in no argument of curl, which others could see.
step() {
    local title=$1 expected=$2 method=$3 path=$4 status
    local options=(--silent --show-error --max-time 30 --output "$scratch/body" --write-out '%{http_code}'
        --request "$method" --config "$scratch/request")
    {
        printf 'url = "%s"\n' "$PALETTE_HOST$path"
        [[ -z $credential ]] || printf 'header = "%s"\n' "$credential"
    } >"$scratch/request"
    if (($# > 4)); then
        options+=(--header "Content-Type: application/json" --data-binary @-)
        status=$(curl "${options[@]}" <<<"$5") || fail "$title: curl failed"
    else
        status=$(curl "${options[@]}") || fail "$title: curl failed"
    fi
    printf '%s  %-6s %s\n' "$status" "$method" "$title"
    [[ $status == "$expected" ]] || fail "$title: $expected was expected: $(cat "$scratch/body")"
}

# field NAME: the first string of that name in the last answer.
field() {
    local value
    value=$(tr ',{}' '\n' <"$scratch/body" | sed -n "s/^ *\"$1\" *: *\"\([^\"]*\)\" *$/\1/p" | sed -n 1p)
    [[ -n $value ]] || fail "the answer has no $1"
    printf '%s' "$value"
}

holds() { grep -q -F -- "$1" "$scratch/body" || fail "the answer does not hold $1"; }

fail() {
    printf 'happy_path.sh: %s\n' "$1" >&2
    exit 1
}

main
