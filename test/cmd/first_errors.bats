# The first errors of a new user. Each message says what happened, to what, and what to do; nothing
# else is printed, and the exit status is that of rusm(1).
load helper

@test "first errors: a wrong port, another cluster's certificate, no network" {
    start_node london
    expect_error 3 "rusm: call: cannot reach 127.0.0.1:9: nobody listens there: 'rusm nodes' on its machine shows its address" \
        rusm call 127.0.0.1:9 greeter hi
    (umask 077; RUSM_IDENTITY=$PWD/other.pem rusm cert new >other)
    RUSM_IDENTITY=$PWD/other.pem expect_error 5 \
        "rusm: call: london at $address refused: it does not share the cluster certificate in $PWD/other.pem: copy the file of its machine there, or name it with RUSM_IDENTITY" \
        rusm call london greeter hi
    expect 3 rusm call nosuch.invalid:7400 greeter hi
    like "$stderr" "rusm: call: cannot resolve nosuch.invalid: *"
    [ "$(id -u)" = 0 ] && unshare -n true || return 0
    expect_error 3 "rusm: call: cannot reach 10.1.2.3:7400: Network is unreachable" \
        unshare -n "$RUSM" call 10.1.2.3:7400 greeter hi
}

@test "first errors: an identity that others can read, that is missing, that is a folder" {
    expect_error 5 "rusm: call: no identity at $RUSM_IDENTITY: run \`rusm cert new\`, or copy the cluster's file here" \
        rusm call 127.0.0.1:9 greeter hi
    rusm cert new >made
    chmod 644 "$RUSM_IDENTITY"
    for command in "call 127.0.0.1:9 greeter hi" "node --name london"; do
        # shellcheck disable=SC2086
        expect_error 5 "rusm: ${command%% *}: identity $RUSM_IDENTITY can be read by others. Run: chmod 600 $RUSM_IDENTITY" \
            rusm $command
    done
    RUSM_IDENTITY=$PWD expect_error 5 "rusm: call: identity $PWD is not a regular file: give the path of a regular file" \
        rusm call 127.0.0.1:9 greeter hi
}

@test "first errors: a node that does not run, and a name twice" {
    expect_error 3 "rusm: call: no node 'tokyo' (known: none; looked in $RUSM_RUNDIR and $PWD/nodes)" \
        rusm call tokyo greeter hi
    expect_error 3 "rusm: whereis: no node is running here: start one with 'rusm node --name NAME', or name one with --via" \
        rusm whereis leader
    start_node london
    expect_error 3 "rusm: stop: no node 'tokyo' (known: london; looked in $RUSM_RUNDIR and $PWD/nodes)" \
        rusm stop tokyo
    for detach in "" --detach; do
        # shellcheck disable=SC2086
        expect_error 1 "rusm: node: a node 'london' is running already (process $pid at $address): choose another name, or stop it with 'rusm stop london' or 'kill $pid'" \
            rusm node --name london $detach
    done
    expect_error 1 "rusm: node: $address: cannot listen: Address already in use: take another port, or 0 for a free one" \
        rusm node --name oslo --listen "$address"
}

@test "first errors: an unknown spawnable, process and name" {
    start_node london
    expect_error 4 "rusm: spawn: no spawnable 'ecko' on london (known: echo, greeter, sink, crash, relay, bounce)" \
        rusm spawn london ecko
    expect_error 4 "rusm: node: cannot boot 'x': no behaviour 'ecko' (built in: echo, greeter, sink, crash, relay, bounce; from a file: lib:FILE.so; any program: exec:COMMAND)" \
        rusm node --name oslo --boot x=ecko
    expect_error 4 "rusm: call: no process 'greter' on london" rusm call london greter hi
    expect_error 4 "rusm: send: no process 'greter' on london" rusm send london greter hi
    expect_error 4 "rusm: call: no process 99@london" rusm call london 99@london hi
    expect_error 4 "rusm: send: no global name 'leader'" rusm send --global leader hi
}

@test "first errors: a mistyped command, option and argument" {
    expect_error 2 "rusm: unknown command 'cal', did you mean 'call'? (try 'rusm help')" rusm cal london
    expect_error 2 "rusm: node: unknown option '--nmae', did you mean '--name'? (try 'rusm node --help')" \
        rusm node --nmae london
    expect_error 2 "rusm: node: unknown option '--log-levl', did you mean '--log-level'? (try 'rusm node --help')" \
        rusm node --name london --log-levl=warn
    expect_error 2 "rusm: call: unknown option '--timout', did you mean '--timeout'? (try 'rusm call --help')" \
        "$RUSM" call london greeter hi --timout 3
    expect_error 2 "rusm: call: unknown option '--frobnicate' (try 'rusm call --help')" \
        "$RUSM" call london greeter --frobnicate
    expect_error 2 "rusm: call: PROCESS is missing (try 'rusm call --help')" rusm call london
    expect_error 2 "rusm: node: --name is missing (try 'rusm node --help')" rusm node
    expect_error 2 "rusm: node: 'a b' is not a node name: 1 to 63 of A-Z a-z 0-9 . _ -, the first one a letter or digit" \
        rusm node --name "a b"
    expect_error 2 "rusm: call: --timeout: 'soon' is not a number of seconds from 0.001 to 1000000" \
        "$RUSM" call london greeter hi --timeout soon
}

@test "first errors: a file where a folder is wanted, and a folder where a file is" {
    rusm cert new >made
    touch file
    for command in nodes "node --name london"; do
        # shellcheck disable=SC2086
        RUSM_RUNDIR=$PWD/file expect_error 5 "rusm: ${command%% *}: run folder $PWD/file is not a folder: remove it, or set RUSM_RUNDIR" \
            rusm $command
    done
    expect_error 1 "rusm: node: cannot write '$PWD': Is a directory" rusm node --name london --log-file "$PWD"
    expect_error 1 "rusm: node: cannot read '$PWD': Is a directory" rusm node --name london --config "$PWD"
    expect_error 1 "rusm: node: cannot read 'none': No such file or directory" \
        rusm node --name london --config none
    expect_error 1 "rusm: send: cannot read $PWD: Is a directory" rusm send london greeter --file "$PWD"
}

@test "first errors: HTTP without a token" {
    expect_error 2 "rusm: node: HTTP over TCP has no certificates, so it needs a token: give a file (--http-token)" \
        rusm node --name london --http-tcp 0
    rusm cert new >made
    expect_error 5 "rusm: node: no token at token: make one: (umask 077; openssl rand -hex 32 >token)" \
        rusm node --name london --http-tcp 0 --http-token token
    (umask 077; openssl rand -hex 32 >token)
    start_node london --http-tcp 0 --http-token token
    url=$(sed -n 's/^london serves HTTP at //p' london.out)
    equal "$(curl -sS -w ' %{http_code}' "${url}v1/node")" \
        '{"error": "send the node'"'"'s token (Authorization: Bearer TOKEN) or present the cluster'"'"'s certificate"}'$'\n'' 401'
    equal "$(curl -sS -H 'Authorization: Bearer wrong' -w ' %{http_code}' "${url}v1/node")" \
        '{"error": "this is not the node'"'"'s token: send the one of its --http-token file"}'$'\n'' 401'
}
