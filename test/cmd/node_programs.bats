# rusm node with programs of exec:, apart from node.bats as the thread sanitizer runs that one: it
# loses count of a thread that has started a program, whose child shares its memory at first.
load helper

children_down() { [ "$(json value '.counter == "children_down"' rusm attach --counters london)" = "$1" ]; }

@test "SIGHUP: --log-file is opened again; if it cannot be, the old one goes on" {
    mkdir logs
    start_node london --log-file logs/london.log --log-level info --spawnable 'cry=exec:echo "$1" >&2'
    mv logs old
    kill -HUP $pid
    wait_until has_text old/london.log "cannot open 'logs/london.log': No such file or directory"
    expect 0 rusm spawn london cry first
    wait_until has_text old/london.log first
    mkdir logs
    kill -HUP $pid
    wait_until test -e logs/london.log
    expect 0 rusm spawn london cry second
    wait_until has_text logs/london.log second
    has_text logs/london.log "london: opened again, as SIGHUP asked"
    not has_text old/london.log "opened again"
    not has_text old/london.log second
    # A FIFO that nobody reads holds up nothing.
    mkfifo fifo
    mv fifo logs/london.log
    kill -HUP $pid
    kill -TERM $pid
    wait $pid
}

@test "--log-format json: every line of the log is an object" {
    expect 2 rusm node --name london --log-format xml
    equal "$stderr" "rusm: node: --log-format: 'xml' is not text or json"
    start_node london --log-format json --log-level info --spawnable 'cry=exec:printf "%b\n" "$1" >&2'
    expect 0 rusm spawn london cry 'a "q\\b"\0377\tend'
    cried() { jq -e 'select(.text | test("a \"q.b\"\ufffd\tend$"))' london.err; }
    wait_until cried
    rusm stop london
    wait $pid
    jq -es 'length > 2 and all(.node == "london" and (.level | IN("warn", "info")) and
        (.time | test("^20..-..-..T..:..:..[.]...Z$"))) and
        any(.text | startswith("made the cluster'"'"'s identity"))' london.err
}

json_error() { jq -es --arg text "$1" 'length == 1 and (.[0] | .level == "error" and .text == $text and
    (.time | test("^20..-..-..T..:..:..[.]...Z$")))' <<<"$stderr"; }

@test "--log-format json: why a node does not start is an object too" {
    expect 2 rusm node --name london --log-format json --lisen 0
    json_error "unknown option '--lisen', did you mean '--listen'? (try 'rusm node --help')"
    expect 2 rusm node --no-such --log-format=json
    json_error "unknown option '--no-such' (try 'rusm node --help')"
    expect 2 rusm node --name 'l"o\n' --log-format json
    jq -e '.text | contains("l\"o\\n")' <<<"$stderr"
    expect 2 rusm node --name $'\xff' --log-format json
    jq -e '.level == "error"' <<<"$stderr"
    printf '%s\n' 'log-format = json' 'name = london' 'mailbox = 0' >config
    expect 2 rusm node --config config
    jq -e '.text | startswith("config:3: mailbox: ")' <<<"$stderr"
    RUSM_LOG_FORMAT=json expect 2 rusm node --no-such
    json_error "unknown option '--no-such' (try 'rusm node --help')"
    RUSM_LOG_FORMAT=json expect_error 2 "rusm: node: --name is missing (try 'rusm node --help')" \
        rusm node --log-format text
    RUSM_LOG_FORMAT=json expect_error 2 "rusm: unknown command 'nod', did you mean 'node'? (try 'rusm help')" \
        rusm nod
}

@test "--boot: a program that fails until what it needs is there is tried until it works" {
    start_node london --boot 'late=exec:test -e there && exec cat' --boot 'gone=exec:no-such-program'
    wait_until has_text london.err "'late' is down (exit status 1): it is tried again"
    wait_until has_text london.err "'gone' is down (exit status 127): it is tried again"
    wait_until children_down 2
    expect 4 rusm send london late x
    touch there
    wait_until rusm call london late hi
    wait_until children_down 1
    equal "$(rusm call london late hi)" hi
    wait_until has_text london.err "'late' has run for 5 s: it works again"
    equal "$(grep -c 'is down' london.err)" 2
}

@test "--restart exit: a process that ends too often ends the node, with status 1" {
    start_node london --restart exit --boot calm=echo --boot 'p=exec:exit 3' || true
    wait_until gone "$pid"
    wait "$pid" && false || equal $? 1
    has_text london.err "'p' was restarted 3 times in 5 s and ended again (exit status 3): the node leaves"
    has_text london.err "rusm: node: left, because a process of --boot ended too often: see the log"
    not test -e run/london.json
}
