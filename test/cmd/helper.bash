# helper: what the tests of the commands share. Each test has its own run folder and identity and
# runs the binary $RUSM. Nodes are ended by their process id, also when the test fails.
bats_require_minimum_version 1.5.0

setup() {
    : "${RUSM:?is not set: the absolute path of the binary under test}"
    export HOME=$BATS_TEST_TMPDIR/home RUSM_RUNDIR=$BATS_TEST_TMPDIR/run
    export RUSM_IDENTITY=$BATS_TEST_TMPDIR/cluster.pem LC_ALL=C.UTF-8
    unset XDG_CONFIG_HOME XDG_RUNTIME_DIR NO_COLOR
    mkdir -m 700 "$HOME" "$RUSM_RUNDIR"
    cd "$BATS_TEST_TMPDIR" || return 1
    : >pids
}

teardown() {
    local file pid
    for file in "$BATS_TEST_TMPDIR"/run*/*.json; do # those that --detach left
        [ -f "$file" ] && jq -r .os_pid "$file" >>"$BATS_TEST_TMPDIR/pids"
    done
    # Gently first: a node that ends by itself is one whose leaks a sanitizer sees.
    while read -r pid; do kill -CONT "$pid"; kill "$pid"; done <"$BATS_TEST_TMPDIR/pids" 2>/dev/null
    while read -r pid; do
        wait_until gone "$pid" || kill -9 "$pid"
    done <"$BATS_TEST_TMPDIR/pids" 2>/dev/null
    return 0
}

# Commands have the time that a busy machine may need; a --timeout of the test's own counts more.
rusm() {
    case ${1:-} in
    send | call | spawn | kill | attach | stop | nodes | whereis | wait) "$RUSM" "$1" --timeout 30 "${@:2}" ;;
    *) "$RUSM" "$@" ;;
    esac
}

# Runs a command; its output is in $output, its errors in $stderr; the status must be the first.
expect() {
    local status_wanted=$1
    shift
    run --separate-stderr "$@"
    [ "$status" = "$status_wanted" ] && return
    echo "status $status, not $status_wanted: $*"
    echo "output: $output"
    echo "errors: ${stderr:-}"
    return 1
}

# The same, and standard error is exactly the text, standard output empty.
expect_error() {
    local text=$2 status_wanted=$1
    shift 2
    expect "$status_wanted" "$@" || return
    equal "$stderr" "$text" && equal "$output" ""
}

# Runs a command that gets no answer in time, exit status 6. When a busy machine took all the time to
# reach the node (3), again with more: times_out COMMAND of rusm, its arguments
times_out() {
    local seconds
    for seconds in 0.5 3 20; do
        run --separate-stderr rusm "$1" "${@:2}" --timeout $seconds
        [ "$status" = 3 ] || break
    done
    [ "$status" = 6 ] || { echo "status $status, not 6: $* ($output, ${stderr:-})"; return 1; }
}

equal() {
    [ "$1" = "$2" ] && return
    printf 'got:    %s\nwanted: %s\n' "$1" "$2"
    return 1
}

# Whether the first matches the pattern of the second (as in case).
like() {
    # shellcheck disable=SC2254
    case $1 in $2) return 0 ;; esac
    printf 'got:    %s\nwanted: %s\n' "$1" "$2"
    return 1
}

# Tries a command again and again until it succeeds; fails after $PATIENCE seconds (60).
wait_until() {
    local deadline=$((SECONDS + ${PATIENCE:-60}))
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $deadline ] || { echo "waited in vain for: $*"; return 1; }
        sleep 0.02
    done
}

# For a test's line: a bare ! would never fail one.
not() { ! "$@"; }

gone() { ! kill -0 "$1" 2>/dev/null; }
has_line() { grep -qxF -e "$2" "$1"; }
has_text() { grep -qF -e "$2" "$1"; }

# Starts a node in the background and waits for its ready line. Its process id is in $pid, its
# address in $address, its output in NAME.out and NAME.err.
start_node() {
    local name=$1
    shift
    : >"$name.out"
    "$RUSM" node --name "$name" "$@" >"$name.out" 2>"$name.err" 3>&- &
    pid=$!
    echo "$pid" >>pids
    if ! wait_until started "$name"; then
        cat "$name.out" "$name.err"
        return 1
    fi
    address=$(sed -n "1s/^$name ready at //p" "$name.out")
    [ -n "$address" ]
}

# start_node at a port that is free still when the node comes back to it: below those that the kernel
# gives to whoever asks for any.
start_node_at_port() {
    local try
    for try in {1..20}; do
        start_node "$1" --listen "127.0.0.1:$(port_by_chance)" "${@:2}" && return
    done
    return 1
}
port_by_chance() {
    local first=1024 any
    read -r any _ </proc/sys/net/ipv4/ip_local_port_range
    [ "$any" -gt 5000 ] || any=65536
    echo $((first + (RANDOM * 32768 + RANDOM) % (any - first)))
}

# Its first line is there, or it has ended.
started() { [ "$(head -c 1 "$1.out")" ] || gone "$pid"; }

# One field of the first JSON object that a jq condition picks: json FIELD CONDITION COMMAND...
json() {
    local field=$1 condition=$2
    shift 2
    "$@" --json | jq -r "select($condition) | .$field"
}

# Whether node A has a live connection to node B.
connected() { [ "$(json state ".node == \"$2\"" rusm attach --peers "$1")" = connected ]; }
