# The run folder on a file system that hangs: strace holds up each call of the node that touches it.
load helper

setup_file() { command -v strace >/dev/null || skip "there is no strace"; }

# Traces a node from now on: trace PID OPTION... The result is in the file calls.
trace() {
    strace -f -qq -o calls -p "$@" 2>strace.err 3>&- &
    strace=$!
    echo "$strace" >>pids
    attached() { grep -q "^TracerPid:[[:space:]]*$strace$" "/proc/$1/task/"*/status; }
    if ! wait_until attached "$1"; then
        cat strace.err
        grep -q "not permitted" strace.err && skip "nobody may trace here"
        return 1
    fi
}

@test "no scheduler touches a file while the node runs" {
    start_node london --schedulers 2
    local threads
    trace "$pid" -e trace=%file
    start_node tokyo --schedulers 2
    wait_until whole london tokyo
    start_apart oslo --join "tokyo@$address"
    oslo=$pid
    wait_until whole london oslo
    kill -9 "$oslo"
    wait_until lost london oslo
    rm -r "$RUSM_RUNDIR"
    wait_until has_text london.err "were gone: written again"
    wait_until has_text tokyo.err "were gone: written again"
    rusm stop tokyo
    left() { equal "$(state_of london tokyo)" left; }
    wait_until left
    expect 0 rusm call london greeter Ada
    kill "$strace"
    wait_until gone "$strace"
    # All of them are one helper's, and it is not the thread that started.
    cut -d ' ' -f 1 calls | sort | uniq -c
    threads=$(cut -d ' ' -f 1 calls | sort -u)
    equal "$(wc -w <<<"$threads")" 1
    not equal "$threads" "$(jq -r .os_pid "$RUSM_RUNDIR/london.json")"
}

@test "a run folder that hangs holds up neither messages nor the end" {
    start_node london --schedulers 1 --log-level info
    local london=$pid begun
    start_apart tokyo --join "london@$address"
    wait_until whole london tokyo
    trace "$london" -P "$RUSM_RUNDIR/london.lock" -e trace=%file -e inject=%file:delay_enter=40s
    wait_until has_text london.err "the run folder $RUSM_RUNDIR does not answer"
    begun=$(milliseconds)
    at tokyo expect 0 rusm spawn tokyo relay greeter@london --name way
    at tokyo expect 0 rusm call tokyo way Ada
    at tokyo expect 0 rusm call tokyo way Ada
    start_apart oslo --join "tokyo@$address" # a new peer, of which the folder would be asked
    wait_until sees london tokyo
    wait_until whole tokyo oslo
    took "$begun" 8000
    begun=$(milliseconds)
    kill "$london"
    wait_until has_text london.err "the run folder does not answer: this node's files stay in it"
    took "$begun" 3000
    kill -9 "$strace" # which keeps the thread that it holds up from ending
    wait_until gone "$london"
}
