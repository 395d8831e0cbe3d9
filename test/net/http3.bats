# HTTP/3 from outside: real nodes, a client of its own (http3.c), good networks and bad ones.
load helper

: "${HTTP3:=$BATS_TEST_DIRNAME/../../build/${TEST_FLAVOUR:-dev}/test/net/http3}"

# Starts `london` with HTTP/3 and a token, in $token.
start_http() {
    (umask 077; echo 'a-token-of-enough-length' >token)
    token=a-token-of-enough-length
    start_node london --http --http-token token --boot e=echo "$@"
}

# One request: its body is in $output, its status in $code.
http3() {
    run --separate-stderr "$HTTP3" "$@"
    [ "$status" = 0 ] || { echo "no answer: $* ($stderr)"; return 1; }
    code=${lines[0]}
    output=${output#"$code"}
    output=${output#$'\n'}
}

http3_expect() {
    local wanted=$1
    shift
    http3 "$@" || return
    [ "$code" = "$wanted" ] && return
    echo "status $code, not $wanted: $* ($output)"
    return 1
}

@test "every route, on the node's own port" {
    start_http
    printf 'hello' >hello
    http3_expect 200 "$address" /v1/node
    equal "$(jq -r '.node[0].address' <<<"$output")" "$address"
    http3_expect 200 "$address" /v1/processes
    equal "$(jq -c '.processes[] | select(.name == "e") | del(.age)' <<<"$output")" \
        "$(rusm attach london --json | jq -c 'select(.name == "e") | del(.age)')"
    for table in peers names spawnables counters; do
        http3_expect 200 "$address" /v1/$table
        jq -e ".$table" <<<"$output"
    done
    http3_expect 200 --method POST --file hello "$address" /v1/call/e
    equal "$output" hello
    http3_expect 204 --method POST --file hello "$address" /v1/send/e
    http3_expect 201 --method POST "$address" '/v1/spawn/greeter?name=g'
    http3_expect 200 --method POST --file hello "$address" /v1/call/g
    equal "$output" 'hello, hello'
    http3_expect 204 --method DELETE "$address" '/v1/processes/g?reason=enough'
    http3_expect 404 --method POST "$address" /v1/call/g
    http3_expect 405 --method PUT "$address" /v1/node
    http3_expect 200 "$address" /metrics
    grep -q '^rusm_processes_started_total ' <<<"$output"
    ! grep -q '^# EOF' <<<"$output" || return 1
    http3_expect 200 --accept application/openmetrics-text "$address" /metrics
    has_line <(cat <<<"$output") '# EOF'
}

@test "who may: the certificate or the token; neither makes a node" {
    start_http
    rusm cert new other.pem
    http3_expect 401 --anonymous "$address" /v1/node
    http3_expect 401 --anonymous --token wrong "$address" /v1/node
    http3_expect 200 --anonymous --token "$token" "$address" /v1/node
    http3_expect 200 "$address" /v1/node
    # Another cluster's: the server is not the one that it trusts, nor the client.
    expect 1 "$HTTP3" --identity other.pem "$address" /v1/node
    # The token opens HTTP alone: who speaks rusm needs the certificate.
    RUSM_IDENTITY=$PWD/other.pem expect 5 rusm attach "$address"
    expect 0 rusm attach "$address"
    start_node tokyo
    wait_until connected london tokyo
}

@test "with --http alone a certificate is needed; without it there is no HTTP/3" {
    start_node london --http
    http3_expect 200 "$address" /v1/node
    expect 1 "$HTTP3" --anonymous "$address" /v1/node
    start_node tokyo
    expect 1 "$HTTP3" "$address" /v1/node
    like "$stderr" 'http3: *'
    expect_error 2 "rusm: node: a token needs HTTP: give an address too (--http, --http-tcp)" \
        rusm node --name oslo --http-token token
}

@test "processes of all schedulers: what is sent is in the mailbox, who is full is waited for" {
    start_http --schedulers 2 --mailbox 4
    printf 'hello' >hello
    for n in 1 2 3 4; do # in turn: at least one is not the gateway's peer_process
        rusm spawn london sink --name "s$n"
        http3_expect 204 --method POST --file hello "$address" "/v1/send/s$n"
        equal "$(rusm call london "s$n")" 1
        http3_expect 200 --method POST --file hello "$address" "/v1/call/s$n"
        equal "$output" 1
    done
    rusm spawn london echo --global everywhere
    http3_expect 204 --method POST --file hello "$address" '/v1/send/everywhere?global=1'
    http3_expect 204 --method DELETE "$address" /v1/processes/e
    http3_expect 404 --method POST --file hello "$address" /v1/send/nobody
    for n in 1 2; do # more at once than a mailbox takes
        expect 0 "$HTTP3" --method POST --file hello --repeat 400 --at-once 40 "$address" "/v1/send/s$n"
        equal "$output" '204: 400'
        equal "$(rusm call london "s$n")" 401
    done
}

@test "calls to processes of another node, and when that is gone" {
    start_http
    start_node tokyo --boot t=echo --boot-global 'postman=relay t'
    tokyo=$pid london=$(sed -n '1s/^london ready at //p' london.out)
    wait_until connected london tokyo
    wait_until rusm whereis postman --via london
    printf 'hello' >hello
    http3_expect 200 --method POST --file hello "$london" /v1/call/t@tokyo
    equal "$output" hello
    http3_expect 200 --method POST --file hello "$london" '/v1/call/postman?global=1'
    equal "$output" hello
    http3_expect 204 --method POST --file hello "$london" /v1/send/t@tokyo
    http3_expect 404 --method POST --file hello "$london" /v1/send/nobody@tokyo
    http3_expect 404 --method POST --file hello "$london" /v1/call/nobody@tokyo
    kill -9 "$tokyo"
    not_connected() { ! connected london tokyo; }
    wait_until not_connected
    http3_expect 502 --method POST --file hello "$london" /v1/call/t@tokyo
}

@test "1,000 streams at once, again and again: all are answered, memory stays" {
    start_http
    head -c 10000 /dev/urandom >body
    memory() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$pid/status"; }
    at_thousand() {
        expect 0 "$HTTP3" --method POST --file body --repeat 3000 --at-once 1000 "$address" "/v1/call/e?timeout=60"
        equal "$output" '200: 3000'
    }
    at_thousand
    before=$(memory)
    for _ in 1 2 3; do at_thousand; done
    stays() {
        after=$(memory)
        [ "$after" -lt $((before + 8192)) ]
    }
    wait_until stays || { echo "$before KiB, $after KiB"; return 1; }
}

@test "through a bad network every request is answered, and bodies come back as they were" {
    seed
    (umask 077; echo 'a-token-of-enough-length' >token)
    start_relay london --loss 3 --delay 5 --jitter 3 --reorder 3 --duplicate 3
    start_behind london --http --http-token token --boot e=echo
    expect 0 "$HTTP3" --anonymous --token a-token-of-enough-length --repeat 500 --at-once 100 \
        "$relay_address" /v1/node
    equal "$output" '200: 500'
    head -c 300000 /dev/urandom >body
    "$HTTP3" --method POST --file body "$relay_address" /v1/call/e >answer
    tail -c +5 answer | cmp - body
}
