# HTTP over TCP, from outside: every route with curl, good and bad; clients that are slow, many or gone.
load helper

# Starts `london` with a token. The URL is in $url, what curl needs for the token in $auth.
start_web() {
    (umask 077; echo 'a-token-of-enough-length' >token)
    auth="Authorization: Bearer a-token-of-enough-length"
    start_node london --http-token token --http-tcp 127.0.0.1:0 "$@"
    url=$(sed -n '2s,^london serves HTTP at \(http://127.0.0.1:[0-9]*\)/$,\1,p' london.out)
    [ "$url" ]
}

# The answer's body goes to $output, its status to $code, its header fields to the file `head`.
http() {
    output=$(curl -sS -m 60 -H "$auth" -D head -o body -w '%{http_code}' "$@" && echo " $(<body)")
    code=${output%% *} output=${output#* }
}

# http, and the status must be the first.
http_expect() {
    local wanted=$1
    shift
    http "$@"
    [ "$code" = "$wanted" ] && return
    echo "status $code, not $wanted: $* ($output)"
    return 1
}

# A connection of our own, as descriptor 7.
dial() { exec 7<>"/dev/tcp/127.0.0.1/${url##*:}"; }
request() { printf '%s\r\n' "$1 HTTP/1.1" 'Host: london' "$auth" "${@:2}" '' >&7; }
# What the server may refuse before it has all: neither an error nor a signal of the write counts (printf
# writes line by line), only what it answers.
offer() { (trap '' PIPE; printf '%s\r\n' "$@" >&7) || true; }
# The status line of the answer.
answer() { timeout 60 head -n 1 <&7; }

@test "it says where it serves; a port alone is one of loopback" {
    start_web
    equal "$(wc -l <london.out)" 2
    http_expect 200 "$url/v1/node"
    equal "$(jq -r '.node[0].name' <<<"$output")" london
    port=${url##*:}
    expect 1 rusm node --name oslo --http-token token --http-tcp "$port"
    like "$stderr" "rusm: node: HTTP at 127.0.0.1:$port: Address already in use"
    rusm stop london
    start_node oslo --http-token token --http-tcp "$port" --http
    has_line oslo.out "oslo serves HTTP at http://127.0.0.1:$port/"
    expect 0 rusm node --name rome --http-token token --http-tcp 0 --detach
    like "$output" "rome ready at *"$'\n'"rome serves HTTP at http://127.0.0.1:*/"
    rusm stop rome
}

@test "no HTTP without a token, or with one that others can read" {
    expect_error 2 "rusm: node: HTTP over TCP has no certificates, so it needs a token: give a file (--http-token)" \
        rusm node --name london --http-tcp 0
    rusm cert new >new
    echo a-token-of-enough-length >token
    chmod 644 token
    expect_error 5 "rusm: node: token token can be read by others. Run: chmod 600 token" \
        rusm node --name london --http-token token --http-tcp 0
    expect 5 rusm node --name london --http-token none --http-tcp 0
    (umask 077; echo short >small)
    expect 1 rusm node --name london --http-token small --http-tcp 0
    mv token open
    (umask 077; cat open >token)
    expect 2 rusm node --name london --http-token token --http-tcp nonsense
}

@test "on another address than loopback it warns that it is not encrypted" {
    start_web --log-level warn
    not has_text london.err encrypted
    start_node oslo --http-token token --http-tcp 0.0.0.0:0
    has_text oslo.err "not encrypted: anyone on the way can read the token"
}

@test "tables: the rows of attach --json; HEAD has the head alone" {
    start_web
    for table in processes peers names spawnables counters; do
        http_expect 200 "$url/v1/$table"
        like "$(tr -d '\r' <head)" "*content-type: application/json*"
        keys=$(jq -r --arg t "$table" '.[$t] | type' <<<"$output")
        equal "$keys" array
    done
    equal "$(curl -sS -H "$auth" "$url/v1/spawnables" | jq -c '.spawnables[]')" \
        "$(rusm attach london --spawnables --json)"
    equal "$(curl -sS -H "$auth" -I -o /dev/null -w '%{http_code} %{size_download}' \
        "$url/v1/processes")" "200 0"
}

@test "send, call, spawn and kill" {
    start_web
    http_expect 200 -d hi "$url/v1/call/greeter"
    equal "$output" "hello, hi"
    http_expect 204 -d over-http "$url/v1/send/greeter"
    wait_until has_line london.out "greeter received: over-http"
    http_expect 201 -H 'Content-Type: application/json' -d '{"args": ["greeter"], "name": "fan"}' \
        "$url/v1/spawn/relay"
    pid=$(jq -r .pid <<<"$output")
    equal "$pid" "$(json pid '.name == "fan"' rusm attach london)"
    http_expect 200 -d by-way "$url/v1/call/fan"
    equal "$output" "hello, by-way"
    http_expect 204 -X DELETE "$url/v1/processes/${pid/\#/%23}?reason=done"
    http_expect 404 -X DELETE "$url/v1/processes/${pid/\#/%23}"
    http_expect 201 -X POST "$url/v1/spawn/echo?name=e"
    head -c 3000000 /dev/urandom >bytes
    curl -sSf -H "$auth" --data-binary @bytes -o reply "$url/v1/call/e"
    cmp bytes reply
}

@test "what is spawned over HTTP is spread over all schedulers, as what rusm spawn starts" {
    start_web --schedulers 4
    for n in 1 2 3 4 5 6 7 8; do
        http_expect 201 -d '' "$url/v1/spawn/echo?name=e$n"
        jq -r .pid <<<"$output" >>pids.txt
    done
    # The lower two bits of a serial say whose it is.
    equal "$(cut -d@ -f1 pids.txt | awk '{ print $1 % 4 }' | sort | uniq -c | tr -s ' \n' ' ')" \
        " 2 0 2 1 2 2 2 3 "
    equal "$(rusm attach --json london | jq -r 'select(.behaviour == "echo").pid' | sort)" \
        "$(sort pids.txt)"
    for n in 1 2 3 4; do # whichever scheduler's tick it is
        http_expect 200 -d "hi $n" "$url/v1/call/e$n"
        equal "$output" "hi $n"
        http_expect 409 -d '' "$url/v1/spawn/echo?name=e$n"
        equal "$output" '{"error": "the name '"'e$n'"' is taken on london"}'
        http_expect 422 -d '' "$url/v1/spawn/relay" # without its argument
        http_expect 404 -d '' "$url/v1/spawn/nothing"
    done
    equal "$(rusm attach --json london | jq -s 'map(select(.behaviour == "echo")) | length')" 8
}

# One that reads nothing: two messages are with its program, one has the mailbox.
stuff() {
    rusm spawn "$1" deaf --name d >/dev/null
    head -c 100000 /dev/zero >zeros
    for _ in 1 2 3; do http_expect 204 --data-binary @zeros "$url/v1/send/d$2"; done
}

@test "a send to another node is done when it is in the mailbox there" {
    start_web --schedulers 1
    start_node tokyo --mailbox 1 --spawnable deaf='exec:exec sleep 1000'
    wait_until connected london tokyo
    gone=$(rusm spawn tokyo echo --global parrot)
    for to in greeter@tokyo 'parrot?global=1' parrot "${gone/\#/%23}"; do
        http_expect 204 -d over-http "$url/v1/send/$to"
    done
    wait_until has_line tokyo.out "greeter received: over-http"
    taken() { [ "$(json received '.name == "parrot"' rusm attach tokyo)" = 3 ]; }
    wait_until taken
    http_expect 202 -X DELETE "$url/v1/processes/parrot@tokyo" # a global name is none of the node's
    http_expect 204 -d x "$url/v1/send/${gone/\#/%23}"
    rusm spawn tokyo echo --name k >/dev/null
    http_expect 202 -X DELETE "$url/v1/processes/k@tokyo"
    http_expect 202 -X DELETE "$url/v1/processes/${gone/\#/%23}"
    ended() { [ "$(json value '.counter == "processes_ended"' rusm attach --counters tokyo)" = 2 ]; }
    wait_until ended
    for to in nobody@tokyo k@tokyo "${gone/\#/%23}"; do
        http_expect 404 -d x "$url/v1/send/$to"
        http_expect 202 -X DELETE "$url/v1/processes/$to"
    done
    stuff tokyo @tokyo
    http_expect 504 -d late "$url/v1/send/d@tokyo?timeout=0.2"
    like "$output" "*no receipt of 'd@tokyo' within 0.200 s*the message may still arrive*"
    head -c 400000 /dev/zero >many # more than a lane takes
    http_expect 504 --data-binary @many "$url/v1/send/d@tokyo?timeout=0.2"
    http_expect 503 -d x "$url/v1/send/d@tokyo"
    like "$(tr -d '\r' <head)" "*retry-after: *"
    http_expect 204 -d others-do "$url/v1/send/greeter@tokyo"
    rusm spawn tokyo deaf --name e >/dev/null
    for _ in 1 2 3; do http_expect 204 --data-binary @zeros "$url/v1/send/e@tokyo"; done
    requests() { json value '.counter == "http_requests"' rusm attach --counters london; }
    before=$(requests)
    curl -sS -m 60 -H "$auth" -d waits "$url/v1/send/e@tokyo?timeout=50" >lost 3>&- &
    waits=$!
    echo $waits >>pids
    asked() { [ "$(requests)" -gt "$before" ]; }
    wait_until asked
    kill -9 "$pid"
    wait $waits
    has_text lost "the node of 'e@tokyo' was lost: the message may have arrived"
    http_expect 502 -d x "$url/v1/send/greeter@tokyo"
}

@test "a send to a full mailbox is answered in time, though nothing else happens" {
    start_web --schedulers 1 --mailbox 1 --spawnable deaf='exec:exec sleep 1000'
    stuff london ''
    http_expect 503 -m 15 -d x "$url/v1/send/d"
    http_expect 503 -m 15 -d x "$url/v1/call/d?timeout=0.2"
}

@test "so it is when another scheduler has the connection" {
    start_web --schedulers 4
    for node in tokyo oslo rome; do
        start_node $node --mailbox 1 --spawnable deaf='exec:exec sleep 1000'
        echo "$pid" >$node.pid
        wait_until connected london $node
        http_expect 204 -d x "$url/v1/send/greeter@$node"
        http_expect 404 -d x "$url/v1/send/nobody@$node"
        stuff $node @$node
    done
    for node in tokyo oslo rome; do
        curl -sS -m 60 -H "$auth" -d waits "$url/v1/send/d@$node?timeout=50" >$node.lost 3>&- &
        echo $! >>pids
    done
    http_expect 504 -d x "$url/v1/send/d@rome?timeout=0.5" # by then the others have been asked too
    kill -9 $(cat tokyo.pid oslo.pid rome.pid)
    for node in tokyo oslo rome; do
        wait_until has_text $node.lost "the node of 'd@$node' was lost: the message may have arrived"
        http_expect 502 -d x "$url/v1/send/greeter@$node"
    done
}

@test "a send or kill of another scheduler's process is done when it says so" {
    start_web --schedulers 2 --mailbox 1 --spawnable deaf='exec:exec sleep 1000'
    for n in 1 2; do
        pid_text=$(rusm spawn london echo --name "e$n")
        http_expect 204 -d x "$url/v1/send/e$n"
        http_expect 204 -X DELETE "$url/v1/processes/e$n"
        http_expect 404 -X DELETE "$url/v1/processes/${pid_text/\#/%23}"
        http_expect 404 -d x "$url/v1/send/${pid_text/\#/%23}"
        stuff london ''
        http -d x "$url/v1/send/d?timeout=0.2" # 503 if it is of the gateway's scheduler
        case $code in 503 | 504) ;; *) equal "$code" "503 or 504" ;; esac
        codes+=" $code"
        http_expect 204 -X DELETE "$url/v1/processes/d"
        gone_d() { [ "$(curl -sS -H "$auth" -d x -o /dev/null -w '%{http_code}' "$url/v1/send/d")" = 404 ]; }
        wait_until gone_d
    done
    like "$codes" "*504*"
}

@test "what is wrong is said, with the right status" {
    start_web --boot greeter=greeter --boot 'mute=exec:cat >/dev/null'
    http_expect 404 -d x "$url/v1/call/nobody"
    equal "$output" '{"error": "no process '"'nobody'"'"}'
    http_expect 404 -d '' "$url/v1/spawn/nothing"
    http_expect 404 "$url/nothing"
    http_expect 405 -X PUT -d x "$url/v1/call/greeter"
    like "$(tr -d '\r' <head)" "*allow: POST*"
    http_expect 405 -X DELETE "$url/v1/node"
    http_expect 400 "$url/v1/node?x=1"
    http_expect 400 -d x "$url/v1/call/greeter?timeout=never"
    http_expect 400 "$url/v1/%zz"
    http_expect 422 -d '' "$url/v1/spawn/relay" # without its argument
    http_expect 409 -d '' "$url/v1/spawn/echo?name=greeter"
    http_expect 504 -d x "$url/v1/call/mute?timeout=0.1"
    long=$(printf 'x%.0s' {1..5000})
    http_expect 431 "$url/v1/call/$long"
    http_expect 431 -H "X: $long$long$long$long" "$url/v1/node"
    http_expect 200 "$url/v1/node"
}

@test "the token: none, a wrong one, too many wrong ones" {
    start_web
    right=$auth
    for auth in "X: y" "Authorization: Basic x" "Authorization: Bearer" "Authorization: Bearer x" \
        "Authorization: Bearer a-token-of-enough-lengtH"; do
        for path in /v1/node /metrics /nothing /v1/events; do
            [ "$auth" = "X: y" ] || [ $path = /v1/node ] || continue
            http_expect 401 "$url$path"
            like "$(tr -d '\r' <head)" "*www-authenticate: Bearer*"
        done
    done
    auth=$right
    http_expect 200 "$url/v1/node"
    # In one go: so many at a time, and a time may end meanwhile.
    curl -sS -m 60 -H "Authorization: Bearer guess-guess-guess-guess" -D heads -o body -w '%{http_code}\n' \
        "$url/v1/node#[1-60]" >codes
    equal "$(sort codes | uniq | xargs)" "401 429"
    [ "$(grep -c 401 codes)" -lt 40 ]
    equal "$(grep -ci '^retry-after: ' heads)" "$(grep -c 429 codes)"
    # The right one is taken in the midst of them.
    curl -sS -m 60 -H "Authorization: Bearer guess-guess-guess-guess" -o body -w '%{http_code}\n' \
        "$url/v1/node#[1-60]" --next -sS -m 60 -H "$auth" -o body -w '%{http_code}\n' "$url/v1/node" >codes
    equal "$(tail -n 1 codes)" 200
}

# Whether the node takes the token of $1 now.
takes() { [ "$(curl -sS -m 60 -H "Authorization: Bearer $1" -o body -w '%{http_code}' "$url/v1/node")" = 200 ]; }

@test "the token: a changed file is read again; a bad one changes nothing, and the log says so" {
    start_web --log-level info
    first=a-token-of-enough-length
    (umask 077; echo second-token-of-enough >token)
    wait_until takes second-token-of-enough
    not takes $first
    has_text london.err "HTTP clients need the new token now: token has changed"
    for bad in 'echo short >token' 'chmod 644 token' 'rm token'; do
        : >london.err
        (umask 077; eval "$bad")
        said() { takes second-token-of-enough && has_text london.err "HTTP clients still need the old token"; }
        wait_until said
    done
    # As an orchestrator changes it: the link of the folder goes to another one, in one go.
    mkdir ..1 ..2
    (umask 077; echo third-token-of-enough >..1/token; echo fourth-token-of-enough >..2/token)
    ln -s ..1 ..data
    ln -s ..data/token token
    wait_until takes third-token-of-enough
    ln -s ..2 ..new
    mv -T ..new ..data
    wait_until takes fourth-token-of-enough
    not takes third-token-of-enough
}

@test "a body that is too long is refused, at once if its length is announced" {
    start_web
    truncate -s 70000000 large # more than a message has
    http_expect 413 -H "Expect: 100-continue" --expect100-timeout 60 --data-binary @large "$url/v1/send/greeter"
    like "$output" '{"error": "*67108864*"}'
    http_expect 413 -X GET -d x "$url/v1/node"
    # Who sends it without asking, or does not say how long it is: it is broken off. Whether the answer
    # is read before the end of the connection is seen is the client's luck.
    for field in 'Expect:' 'Transfer-Encoding: chunked'; do
        run --separate-stderr curl -sS -m 60 -H "$auth" -H "$field" --data-binary @large "$url/v1/send/greeter"
        [ "$status" -ne 0 ] || like "$output" '{"error": "*67108864*"}'
    done
    http_expect 200 -d still "$url/v1/call/greeter"
}

@test "a connection goes on after an answer, a refused body too; requests come one behind the other" {
    start_web
    equal "$(curl -sS -H "$auth" -d x -o /dev/null -w '%{num_connects}' "$url/v1/call/nobody" \
        --next -sS -H "$auth" -d x -o /dev/null -w '%{num_connects}' "$url/v1/node" \
        --next -sS -H "$auth" -d hi -w '%{num_connects}' "$url/v1/call/greeter")" "100hello, hi0" ||
        equal "$(curl -sS -H "$auth" -d x -o /dev/null -w '%{num_connects}' "$url/v1/call/nobody" \
            --next -sS -H "$auth" -d hi -w '%{num_connects}' "$url/v1/call/greeter")" "1hello, hi0"
    dial
    request "POST /v1/call/greeter" "Content-Length: 1" >/dev/null
    printf a >&7
    request "POST /v1/call/greeter" "Content-Length: 1" "Connection: close"
    printf b >&7
    equal "$(grep -ao 'hello, .' <&7 | tr '\n' ' ')" "hello, a hello, b "
}

@test "what is not HTTP closes its connection and nothing else" {
    start_web
    for text in 'GET / HTTP/9.9' 'GET /v1/node' 'GET  /  HTTP/1.1'; do
        dial
        offer "$text" ''
        like "$(answer)" "HTTP/1.1 [45]*"
        exec 7>&-
    done
    for text in $'\r\n\r\n' 'GET' $'\x16\x03\x01\x02\x00\x01'; do # waits for more, or closes
        dial
        offer "$text" ''
        exec 7>&-
    done
    dial
    offer "POST /v1/send/greeter HTTP/1.1" "Host: x" "$auth" "Content-Length: -1" ''
    like "$(answer)" "HTTP/1.1 4*"
    http_expect 200 "$url/v1/node"
}

@test "a client that goes away or does not read holds nobody up" {
    start_web
    rusm spawn london echo --name e >pid
    dial # goes away in the middle of a body
    request "POST /v1/call/e" "Content-Length: 1000000"
    printf 'a part' >&7
    exec 7>&-
    head -c 30000000 /dev/zero >zeros
    dial # reads nothing of a long reply
    request "POST /v1/call/e" "Content-Length: 30000000"
    cat zeros >&7
    for i in {1..20}; do
        http_expect 200 -m 20 -d $i "$url/v1/call/greeter" # less than what a stalled one is given
    done
    exec 7>&-
    http_expect 200 "$url/v1/node"
}

@test "500 connections at a time, again and again: all are answered, memory stays" {
    [ "$(ulimit -n)" -ge 2048 ] || ulimit -n 2048 # a client has three quarters of half of them
    start_web
    for i in {1..500}; do
        printf 'url = "%s/v1/call/greeter?timeout=60"\noutput = "out/%s"\n' "$url" "$i"
    done >calls
    rss() { awk '/VmRSS/ { print $2 }' "/proc/$pid/status"; }
    descriptors() { find "/proc/$pid/fd" -type l | wc -l; }
    closed() { [ "$(descriptors)" -le "$before" ]; }
    before=$(($(descriptors) + 1)) # the first line that the greeter writes takes one
    mkdir out
    for round in 1 2 3 4; do
        rm -f out/*
        curl -sS -m 60 -H "$auth" -d x -Z --parallel-max 500 --parallel-immediate -K calls
        equal "$(cat out/* | grep -o 'hello, x' | wc -l)" 500
        wait_until closed
        [ $round -gt 1 ] || first=$(rss)
    done
    case ${TEST_FLAVOUR:-dev} in
    dev | release) [ $(($(rss) - first)) -lt 4096 ] ;;
    esac
}

@test "one client has no more than three quarters of the connections" {
    printf '#!/bin/sh\nulimit -n 80\nexec "%s" "$@"\n' "$RUSM" >few
    chmod +x few
    all=$RUSM RUSM=$PWD/few
    start_web
    RUSM=$all
    for ((i = 0; i < 30; i++)); do # of 40
        exec {fd}<>"/dev/tcp/127.0.0.1/${url##*:}"
        printf 'GET / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n' "$auth" >&$fd
        read -r -t 60 line <&$fd
        like "$line" "HTTP/1.1 200*"
    done
    run curl -sS -m 5 -H "$auth" "$url/v1/node"
    not [ "$status" = 0 ]
    http_expect 200 --interface 127.0.0.2 "$url/v1/counters"
    equal "$(jq '.counters[] | select(.counter == "http_crowded").value' <<<"$output")" 1
    exec {fd}>&-
    let_in() { curl -sSf -m 5 -H "$auth" "$url/v1/node"; }
    wait_until let_in
}

@test "events: as they happen, those that are wanted; the stream ends when the node leaves" {
    start_web
    curl -sSN -H "$auth" "$url/v1/events" >all 3>&- &
    curl=$!
    curl -sSN -H "$auth" "$url/v1/events?type=node_up&type=node_down" >some 3>&- &
    some=$!
    echo $curl $some | tr ' ' '\n' >>pids
    wait_until has_text all retry:
    wait_until has_text some retry:
    echo=$(rusm spawn london echo --name 'e"<b>')
    rusm kill london 'e"<b>' 'bad "news"'
    rusm spawn london crash --global fragile >crash
    rusm send --global fragile x
    wait_until has_text all '"behaviour":"crash","reason":'
    start_node tokyo
    wait_until has_text some '"node":"tokyo"'
    rusm stop tokyo
    wait_until has_text some 'event: node_down'
    wait_until has_text all 'event: counters'
    rusm stop london
    wait $curl
    wait $some
    sed -n 's/^data: //p' all some | jq -e '.time > 1700000000' >checked
    data() { grep -A 1 "^event: $1\$" "${2:-all}" | sed -n 's/^data: //p'; }
    equal "$(data process_started | jq -r "select(.pid == \"$echo\").behaviour")" echo
    equal "$(data name_registered | jq -r "select(.pid == \"$echo\").name")" 'e"<b>'
    equal "$(data process_ended | jq -r "select(.pid == \"$echo\") | .name, .reason")" \
        'e"<b>'$'\n''bad "news"'
    equal "$(data name_registered | jq -r 'select(.scope == "global").name')" fragile
    equal "$(data node_down some | jq -r .reason)" "it left"
    equal "$(grep -c '^event: ' some)" 2
}

@test "events: proxies pass them on at once; they come to a client of HTTP/1.0 too" {
    start_web
    for version in 1.1 1.0; do
        curl -sSN "--http$version" --raw -H "$auth" -D "head$version" "$url/v1/events" >"$version" 3>&- &
        echo $! >>pids
        wait_until has_text $version ': what happens'
        equal "$(tr -d '\r' <head$version | grep -cxiE \
            'x-accel-buffering: no|cache-control: no-cache, no-transform|content-type: text/event-stream')" 3
    done
    rusm spawn london echo --name e >pid
    wait_until has_text 1.0 process_started
    wait_until has_text 1.1 process_started
    grep -qi '^transfer-encoding: chunked' head1.1
    not grep -qi transfer-encoding head1.0
    equal "$(head -n 1 1.0)" "retry: 2000"
    like "$(tr -d '\r' <1.1 | head -n 1)" "[0-9A-Fa-f]*[0-9A-Fa-f]"
    http_expect 200 "$url/v1/node" # the others have what they had
    equal "$(tr -d '\r' <head | grep -ic 'cache-control: no-store')" 1
}

# The data of the last event of a spawn.
last_spawn() { sed -n 's/^data: //p' spawns | tail -n 1; }
spawned_by() { [ "$(last_spawn | jq -r '.by, .from' | xargs)" = "$*" ]; }
watch_spawns() {
    curl -sSN -H "$auth" "$url/v1/events?type=spawn" >spawns 3>&- &
    echo $! >>pids
    wait_until has_text spawns retry:
}
post_spawn() { http_expect 201 -X POST "$@"; }

@test "events: a spawn says which, and who asked" {
    start_web
    watch_spawns
    pid=$(rusm spawn london echo --name e)
    wait_until has_text spawns '"by":"client"'
    like "$(last_spawn | jq -r .from)" '127.0.0.1:*'
    equal "$(last_spawn | jq -r '.pid, .spawnable, .name' | xargs)" "$pid echo e"
    post_spawn "$url/v1/spawn/sink"
    wait_until spawned_by http 127.0.0.1
    equal "$(last_spawn | jq -r '.spawnable, .name' | xargs)" "sink null"
    http_expect 404 -X POST "$url/v1/spawn/nothing"
    equal "$(grep -c '^event: spawn' spawns)" 2
}

# The client of the next spawn over HTTP, which has these fields.
client_is() {
    local wanted=$1 fields=() value
    shift
    for value in "$@"; do fields+=(-H "X-Forwarded-For: $value"); done
    post_spawn "${fields[@]}" "$url/v1/spawn/sink"
    wait_until spawned_by http "$wanted" || { last_spawn; return 1; }
    : >spawns
}

@test "--http-proxy: the client is the last address that is not one of a trusted proxy" {
    start_web --http-proxy 127.0.0.1 --http-proxy 10.1.0.0/16 --http-proxy 2001:db8:1::/48
    watch_spawns
    client_is 127.0.0.1
    client_is 198.51.100.7 198.51.100.7
    client_is 198.51.100.7 '203.0.113.9, 198.51.100.7'
    client_is 198.51.100.7 '203.0.113.9, 198.51.100.7:4711 ,10.1.2.3,'
    client_is 198.51.100.7 '203.0.113.9,198.51.100.7' '10.1.2.3, 127.0.0.1'
    client_is 10.2.2.3 198.51.100.7 10.2.2.3
    client_is 2001:db8:2::1 '[2001:db8:2::1]:80, 2001:db8:1::9'
    client_is 10.1.2.3 10.1.2.3
    # What is not an address, and what stands before it, is not believed.
    client_is 10.1.2.3 '198.51.100.7, unknown, 10.1.2.3'
    client_is 127.0.0.1 198.51.100.7 _hidden
    client_is 127.0.0.1 '1.2.3.4.5, "1.2.3.4'
    client_is 127.0.0.1 ',, ,'
    client_is 198.51.100.7 "$(printf '%.0s1.1.1.1,' {1..1500})198.51.100.7"
    client_is 10.1.2.3 "$(printf '%.0s10.1.2.3,' {1..1500})"
    client_is 127.0.0.1 "$(printf '%.0sx' {1..12000})"
    http_expect 431 -H "X-Forwarded-For: $(printf '%.0s1.1.1.1,' {1..2500})" "$url/v1/node"
}

@test "--http-proxy: wrong tokens count for the client, and the log names it" {
    start_web --http-proxy 127.0.0.1
    good=$auth auth="Authorization: Bearer not-the-right-token-at-all"
    for i in {1..10}; do http_expect 401 -H 'X-Forwarded-For: 198.51.100.7' "$url/v1/node"; done
    http_expect 429 -H 'X-Forwarded-For: 203.0.113.9, 198.51.100.7' "$url/v1/node"
    http_expect 401 -H 'X-Forwarded-For: 198.51.100.8' "$url/v1/node"
    has_text london.err "HTTP client 198.51.100.7: more than 10 wrong tokens within 10 s"
    auth=$good
    http_expect 200 -H 'X-Forwarded-For: 198.51.100.7' "$url/v1/node"
}

@test "--http-proxy: others are not believed; what is not an address is refused" {
    start_web --http-proxy 10.1.0.0/16
    watch_spawns
    client_is 127.0.0.1 198.51.100.7
    for bad in nonsense 10.0.0.0/33 2001:db8::/129 10.0.0.1/ /8 10.0.0.1/-1; do
        expect_error 2 "rusm: node: HTTP proxy '$bad' is not ADDRESS or ADDRESS/BITS, such as 10.1.0.0/16" \
            rusm node --name oslo --http-token token --http-tcp 0 --http-proxy "$bad"
    done
    expect_error 2 "rusm: node: a proxy needs HTTP: give an address too (--http, --http-tcp)" \
        rusm node --name oslo --http-proxy 10.1.2.3
}

@test "--http-proxy: behind nginx, and events pass it at once" {
    command -v nginx >/dev/null || skip "there is no nginx"
    start_web --http-proxy 127.0.0.1
    port=$(port_by_chance)
    cat >nginx.conf <<N
daemon off; pid $PWD/nginx.pid; error_log $PWD/nginx.err; events {}
http {
    access_log off;
    server {
        listen 127.0.0.2:$port;
        location / {
            proxy_pass $url;
            proxy_set_header X-Forwarded-For \$proxy_add_x_forwarded_for;
        }
    }
}
N
    nginx -c "$PWD/nginx.conf" -e "$PWD/nginx.err" 3>&- &
    echo $! >>pids
    url=http://127.0.0.2:$port
    wait_until curl -sSf -o page "$url/"
    watch_spawns
    post_spawn --interface 127.0.0.3 -H 'X-Forwarded-For: 198.51.100.7' "$url/v1/spawn/sink"
    PATIENCE=5 wait_until spawned_by http 127.0.0.3
}

@test "events: a supervised process that is restarted" {
    start_web --boot fragile=crash
    curl -sSN -H "$auth" "$url/v1/events?type=process_restarted" >restarts 3>&- &
    echo $! >>pids
    wait_until has_text restarts retry:
    rusm send london fragile x
    wait_until grep -qE '^data: .*"behaviour":"crash".*}$' restarts
    equal "$(sed -n 's/^data: //p' restarts | jq -r .pid)" "$(json pid '.name == "fragile"' rusm attach london)"
}

# The content type of /metrics for a client with these Accept fields; the text is in the file `body`.
metrics() {
    http_expect 200 "${@/#/-HAccept: }" "$url/metrics"
    tr -d '\r' <head | sed -n 's/^content-type: //p'
}

@test "events, metrics: a booted process that cannot be kept running" {
    start_web --boot dead='exec:exit 4' --boot 'gone=exec:read x; exit 3'
    down() { http_expect 200 "$url/metrics" && has_line body "rusm_children_down $1"; }
    wait_until down 1
    curl -sSN -H "$auth" "$url/v1/events?type=process_down" >downs 3>&- &
    echo $! >>pids
    wait_until has_text downs retry:
    failing() { rusm send london gone x; has_text downs '"name":"gone"'; }
    wait_until failing
    equal "$(sed -n 's/^data: //p' downs | jq -r .reason)" "exit status 3"
}

@test "metrics: every counter and the peers, as Prometheus' text and as OpenMetrics" {
    start_web
    start_node tokyo
    wait_until connected london tokyo
    equal "$(metrics)" "text/plain; version=0.0.4; charset=utf-8"
    mv body classic
    equal "$(metrics 'application/openmetrics-text; version=1.0.0')" \
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    mv body open
    like "$(tr -d '\r' <head)" "*vary: accept*"
    equal "$(tail -n 1 open)" "# EOF"
    not grep -qE '^# (EOF|UNIT)' classic
    # Each family once: TYPE, UNIT perhaps, HELP, then its samples; a counter's end with _total. In the
    # classic text the family has the name of its samples.
    for format in classic open; do
        awk -v open=$([ $format = classic ] || echo 1) '
            $1 == "#" && $2 == "TYPE" {
                if (seen[$3]++) exit 1
                family = $3; type = $4
                if (!open && (type == "info" || (type == "counter") != (family ~ /_total$/))) exit 1
                next }
            $1 == "#" && $2 == "UNIT" { if ($3 != family || $3 !~ $4 "$") exit 1; next }
            $1 == "#" && $2 == "HELP" { if ($3 != family) exit 1; next }
            $0 == "# EOF" { end = 1; next }
            { name = $1; sub(/{.*/, "", name)
              want = family (!open ? "" : type == "counter" ? "_total" : type == "info" ? "_info" : "")
              if (end || name != want || $NF !~ /^[0-9]+(\.[0-9]+)?$/) { print; exit 1 }
              samples++ }
            END { if (samples < 30 || open && !end) exit 1 }' $format
        equal "$(grep -c '^rusm_peer_up{peer="tokyo"} 1$' $format)" 1
    done
    equal "$(grep -v '^#' open | sed 's/ [^ ]*$//')" "$(grep -v '^#' classic | sed 's/ [^ ]*$//')"
    if command -v promtool >/dev/null; then # it finds no fault
        equal "$(promtool check metrics <classic 2>&1)" ""
    fi
    http_expect 200 "$url/v1/counters"
    # node_info, uptime, processes, peers, cpu, memory, descriptors and how many may be; six of the peer.
    equal "$(grep -vc '^#' open)" $((8 + 6 + $(jq '.counters | length' <<<"$output")))
}

@test "metrics: a peer that left is not lost; lines that nobody reads" {
    start_web
    shows() { http_expect 200 "$url/metrics" && grep -qE "$1" body; }
    for how in STOP KILL; do
        start_node tokyo --idle-timeout 2
        wait_until shows '^rusm_peer_up{peer="tokyo"} 1$'
        if [ $how = STOP ]; then
            rusm stop tokyo
            wait_until not shows '^rusm_peer_up{peer="tokyo"}'
            shows '^rusm_peer_lanes{peer="tokyo"} 0$'
        else
            kill -9 "$pid"
            wait_until shows '^rusm_peer_up{peer="tokyo"} 0$'
        fi
    done
    mkfifo pipe
    "$RUSM" node --name oslo --http-token token --http-tcp 0 >pipe 2>oslo.err 3>&- &
    echo $! >>pids
    exec {out}<pipe
    read -r -t 60 -u "$out" _
    read -r -t 60 -u "$out" line
    url=$(sed 's,^oslo serves HTTP at \(.*\)/$,\1,' <<<"$line")
    shows '^rusm_output_dropped_total 0$'
    head -c 3000 /dev/zero | tr '\0' x >long
    for ((i = 0; i < 500; i++)); do printf '%s\n' "$(<long)"; done | rusm send --lines oslo greeter
    wait_until shows '^rusm_output_dropped_total [1-9]'
    exec {out}<&-
}

@test "metrics: the format that the client prefers" {
    start_web
    old='application/openmetrics-text;version=0.0.1'
    new='application/openmetrics-text;version=1.0.0'
    for accept in '*/*' text/html text/plain "$new;q=0" "$new;q=0.4, text/plain;q=0.5" \
        'application/openmetrics-text;version=9'; do
        like "$(metrics "$accept")" "text/plain; *"
    done
    for accept in "$new" "text/plain;q=0.3,$new;q=0.5,$old;q=0.4,*/*;q=0.2" "$new, */*"; do
        like "$(metrics "$accept")" "application/openmetrics-text; version=1.0.0; *"
    done
    like "$(metrics "$old" 'text/plain;q=0.5')" "application/openmetrics-text; version=0.0.1; *"
}

@test "the page: for everyone, from this program alone, with nothing of the node in it" {
    start_web
    auth="X: y"
    page=$BATS_TEST_DIRNAME/../../lib/gateway/page
    for file in index.html page.css page.js; do
        path=/${file#index.html}
        http_expect 200 "$url$path"
        cmp body "$page/$file"
        like "$(tr -d '\r' <head)" "*content-security-policy: default-src 'none'; script-src 'self';*"
    done
    not grep -nE 'innerHTML|outerHTML|insertAdjacentHTML|document.write|eval\(' "$page/page.js"
    not grep -nE '(src|href)="?(https?:)?//' "$page/index.html" "$page/page.css" "$page/page.js"
    http_expect 401 -d x "$url/page.js" # no such method there, but who has no token is not told
}

@test "connections without the token do not keep one out that has it, from the same address" {
    printf '#!/bin/sh\nulimit -n 80\nexec "%s" "$@"\n' "$RUSM" >few
    chmod +x few
    all=$RUSM RUSM=$PWD/few
    start_web
    RUSM=$all
    for ((i = 0; i < 40; i++)); do # of 40: idle ones, and ones that send a body for nothing
        exec {fd}<>"/dev/tcp/127.0.0.1/${url##*:}"
        ((i % 2)) || printf 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n' >&$fd || true
    done
    for i in 1 2 3; do
        http_expect 200 -m 20 "$url/v1/node"
    done
}

# How many milliseconds a node takes to leave that has two connections, one in the middle of an answer.
leave_ms() {
    start_web >&2
    dial
    request "GET /v1/node"
    read -r -t 60 line <&7
    curl -sSN -H "$auth" "$url/v1/events" >all 3>&- &
    echo $! >>pids
    wait_until has_text all retry: >&2
    before=$(date +%s%N)
    rusm stop london
    echo $((($(date +%s%N) - before) / 1000000))
    exec 7>&-
}

@test "it leaves at once, though connections are open" {
    for _ in 1 2 3 4 5; do # a busy machine may be slow, but not each time
        ms=$(leave_ms)
        echo "$ms ms"
        [ "$ms" -ge 1500 ] || break
    done
    [ "$ms" -lt 1500 ]
}
