# trace: the messages of a process, as they happen. (test/unit/actor_trace.c has which events come.)
load helper

# Traces in the background: trace NAME, the arguments of trace. The process id is in $tracer.
trace() {
    "$RUSM" trace "${@:2}" >"$1.events" 2>"$1.log" 3>&- &
    tracer=$!
    echo $tracer >>pids
    wait_until has_text "$1.log" "rusm: trace: tracing on "
}
# Waits for the tracer's end; its exit status must be 0.
ends() {
    local status=0
    wait "$tracer" || status=$?
    equal $status 0
}
# What happened, without times, clients' pids and refs.
shown() {
    sed -E 's/^20[0-9-]{8}T[0-9:]{8}\.[0-9]{3}Z //; s/us=[0-9]+ //; s/1@client#[0-9a-f]+/CLIENT/; s/ref=[1-9][0-9]*/ref=N/' "$1.events"
}

@test "trace: what a process receives, takes, sends, and why it ends" {
    start_node london --schedulers 2 --boot g=greeter
    trace g london g --payload
    equal "$(rusm call london g ann)" "hello, ann"
    rusm send london g $'b\x01b'
    rusm kill london g tired
    ends
    equal "$(shown g)" 'london queued kind=call from=CLIENT size=3 ref=N data=ann
london taken kind=call from=CLIENT size=3 ref=N data=ann
london sent kind=reply to=CLIENT size=10 ref=N data="hello, ann"
london queued kind=send from=CLIENT size=3 ref=0 data=b\x01b
london taken kind=send from=CLIENT size=3 ref=0 data=b\x01b
london ended reason=tired'
    not grep -vE '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z london [a-z]+ us=[0-9]+ ' g.events
}

@test "trace: ends after N events, after a time, on a signal, when nobody reads" {
    start_node london --boot e=echo
    trace two london e --count 2 --json
    rusm call london e x >/dev/null
    ends
    equal "$(jq -c '[.at, .type, .kind, .size]' two.events)" '["london","queued","call",1]
["london","taken","call",1]'
    equal "$(jq -c 'keys' two.events | sort -u)" '["at","from","id","kind","ref","size","time","type","us"]'
    expect 0 rusm trace --seconds 0.1 london e
    equal "$output" ""
    trace int london e
    kill -INT "$tracer"
    ends
    trace head london e
    kill -TERM "$tracer"
    ends
    (rusm trace london e 2>pipe.log || true) | head -n 1 >first &
    echo $! >>pids
    wait_until has_text pipe.log "tracing on"
    wait_until eval 'rusm call london e y >/dev/null; [ -s first ]'
    wait_until gone $!
}

@test "trace: several tracers of a process each see all, whatever the others do" {
    start_node london --schedulers 2 --boot e=echo
    trace one london e --count 3
    first=$tracer
    trace two london e --payload
    rusm call london e x >/dev/null
    tracer_two=$tracer
    tracer=$first
    ends
    rusm call london e y >/dev/null
    rusm kill london e enough
    tracer=$tracer_two
    ends
    equal "$(wc -l <one.events)" 3
    equal "$(wc -l <two.events)" 7
    not grep -q data= one.events
}

@test "trace: a global name's process, on the node where it is" {
    start_node london
    start_node paris --join "london@$address"
    rusm spawn paris echo --global parrot
    wait_until rusm whereis --via london parrot
    trace p --via london --global parrot --count 2
    equal "$(rusm call --via london --global parrot x)" x
    ends
    equal "$(shown p | cut -d ' ' -f 1,2)" 'paris queued
paris taken'
}

@test "trace: no process, no node, no sense" {
    start_node london
    expect_error 4 "rusm: trace: no process 'nobody' on london" rusm trace london nobody
    expect 3 rusm trace tokyo x
    expect 2 rusm trace london
    expect_error 2 "rusm: trace: --count: '0' is not a whole number from 1 to 4294967295" \
        rusm trace --count 0 london greeter
    for i in $(seq 32); do trace "t$i" london greeter; done
    expect 1 rusm trace london greeter
    equal "$stderr" "rusm: trace: london has 32 tracers already, the most it may"
    kill -9 "$tracer" # its place is free when the node has noticed
    wait_until eval 'rusm trace --seconds 0.01 london greeter'
}
