# Help, versions, and what is said to those who mistype.
load helper

commands() { rusm help | awk '/^commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }'; }

@test "without a command: the list of commands, exit status 2" {
    expect 2 rusm
    like "$stderr" "usage: rusm COMMAND*commands:*send*attach*"
    equal "$output" ""
}

@test "help, --help and -h list the commands" {
    for word in help --help -h; do
        expect 0 rusm $word
        like "$output" "usage: rusm COMMAND*commands:*node*stop*nodes*whereis*send*call*spawn*kill*attach*cert*"
        equal "$stderr" ""
    done
}

@test "--version" {
    expect 0 rusm --version
    like "$output" "rusm [0-9]*.[0-9]*"
}

@test "every command has --help and -h, at any place" {
    [ "$(commands | wc -l)" -ge 10 ]
    for command in $(commands); do
        expect 0 rusm "$command" --help
        like "$output" "usage: rusm $command *options:*--help*"
        first=$output
        expect 0 rusm "$command" a b -h
        equal "$output" "$first"
    done
}

@test "help COMMAND shows the manual page with man, else the short help" {
    mkdir bin
    printf '#!/bin/sh\necho "page $*"\n' >bin/man
    chmod +x bin/man
    PATH=$BATS_TEST_TMPDIR/bin:$PATH expect 0 rusm help send
    like "$output" "page *rusm-send*"
    printf '#!/bin/sh\nexit 16\n' >bin/man
    PATH=$BATS_TEST_TMPDIR/bin:$PATH expect 0 rusm help send
    like "$output" "usage: rusm send *"
    expect 0 env PATH=/nonexistent "$RUSM" help send
    like "$output" "usage: rusm send *"
}

@test "unknown commands, with a guess where there is one" {
    expect_error 2 "rusm: unknown command 'sned', did you mean 'send'? (try 'rusm help')" rusm sned
    expect_error 2 "rusm: unknown command 'att', did you mean 'attach'? (try 'rusm help')" rusm att
    expect_error 2 "rusm: unknown command 'frobnicate' (try 'rusm help')" rusm frobnicate
    expect_error 2 "rusm: unknown command 'sned', did you mean 'send'? (try 'rusm help')" \
        rusm help sned
    expect_error 2 "rusm: unknown option '--frob' (try 'rusm help')" rusm --frob
}

@test "options: unknown, without value, with one too many" {
    expect_error 2 "rusm: send: unknown option '--foo' (try 'rusm send --help')" rusm send --foo
    expect_error 2 "rusm: send: unknown option '--foo' (try 'rusm send --help')" \
        rusm send london greeter --foo=1
    expect_error 2 "rusm: send: unknown option '-x' (try 'rusm send --help')" rusm send -x
    expect_error 2 "rusm: send: option '--timeout' needs a value: SECONDS (try 'rusm send --help')" \
        rusm send london greeter hi --timeout
    expect_error 2 "rusm: send: option '--lines' takes no value (try 'rusm send --help')" \
        rusm send --lines=yes london greeter
    for seconds in 0 -1 1e3 nan soon '' 1000001; do
        expect_error 2 "rusm: send: --timeout: '$seconds' is not a number of seconds from 0.001 to 1000000" \
            rusm send "--timeout=$seconds" london greeter hi
    done
}

@test "arguments: missing, too many" {
    expect_error 2 "rusm: send: NODE is missing (try 'rusm send --help')" rusm send
    expect_error 2 "rusm: send: PROCESS is missing (try 'rusm send --help')" rusm send london
    expect_error 2 "rusm: call: PROCESS is missing (try 'rusm call --help')" rusm call london
    expect_error 2 "rusm: spawn: SPAWNABLE is missing (try 'rusm spawn --help')" rusm spawn london
    expect_error 2 "rusm: kill: PROCESS is missing (try 'rusm kill --help')" rusm kill london
    expect_error 2 "rusm: kill: unexpected argument 'b' (try 'rusm kill --help')" \
        rusm kill london p a b
    expect_error 2 "rusm: stop: NODE is missing (try 'rusm stop --help')" rusm stop
    expect_error 2 "rusm: stop: unexpected argument 'tokyo' (try 'rusm stop --help')" \
        rusm stop london tokyo
    expect_error 2 "rusm: attach: NODE is missing (try 'rusm attach --help')" rusm attach
    expect_error 2 "rusm: attach: only one table can be shown: give one of --peers, --names, --spawnables, --counters (try 'rusm attach --help')" \
        rusm attach london --peers --names
    expect_error 2 "rusm: whereis: NAME is missing (try 'rusm whereis --help')" rusm whereis
    expect_error 2 "rusm: nodes: unexpected argument 'x' (try 'rusm nodes --help')" rusm nodes x
    expect_error 2 "rusm: node: --name is missing (try 'rusm node --help')" rusm node
    expect_error 2 "rusm: node: unexpected argument 'london' (try 'rusm node --help')" \
        rusm node london
    expect_error 2 "rusm: cert: new or show is missing (try 'rusm cert --help')" rusm cert
    expect_error 2 "rusm: cert: unknown word 'old': write new or show (try 'rusm cert --help')" \
        rusm cert old
}

@test "what does not go together" {
    expect_error 2 "rusm: send: --via works only with --global (try 'rusm send --help')" \
        rusm send --via london london greeter hi
    expect_error 2 "rusm: send: give a message or --file, not both (try 'rusm send --help')" \
        rusm send --file x london greeter hi
    expect_error 2 "rusm: send: give a message or --lines, not both (try 'rusm send --help')" \
        rusm send --lines london greeter hi
    expect_error 2 "rusm: spawn: give --name or --global, not both (try 'rusm spawn --help')" \
        rusm spawn london echo --name a --global b
    expect_error 2 "rusm: cert: --json works only with show (try 'rusm cert --help')" rusm cert new --json
}

@test "node: values that are none" {
    expect_error 2 "rusm: node: --boot: 'x' is not NAME=SPEC[ ARG...]" rusm node --name a --boot x
    expect_error 2 "rusm: node: --boot: '=x' is not NAME=SPEC[ ARG...]" rusm node --name a --boot =x
    expect_error 2 "rusm: node: --spawnable: 'x=' is not NAME=SPEC" rusm node --name a --spawnable x=
    expect_error 2 "rusm: node: --log-level: 'loud' is not error, warn, info or debug" \
        rusm node --name a --log-level loud
    expect_error 2 "rusm: node: --spin: 'long' is not a whole number from 0 to 1000000" \
        rusm node --name x --spin long
    expect_error 2 "rusm: node: --mailbox: '0' is not a whole number from 1 to 4294967295" \
        rusm node --name a --mailbox 0
    [ ! -e "$RUSM_IDENTITY" ] # nothing was made meanwhile
}

@test "output that cannot be written is a failure" {
    run bash -c '"$RUSM" --version 2>&1 >/dev/full'
    equal "$status" 1
    equal "$output" "rusm: cannot write the output: No space left on device"
}
