# A node in a container: as its first process, with the limits and the little that a container has.
load helper

# Starts a node as PID 1 of a namespace of its own. The reaper's process id, seen from here, is in
# $pid. The run folder has a name that teardown does not look at: process ids there are others.
start_first() {
    unshare --pid --fork --mount-proc true 2>/dev/null || skip "no namespaces here"
    mkdir -pm 700 inner
    : >"$1.out"
    RUSM_RUNDIR=$PWD/inner unshare --pid --fork --kill-child --mount-proc "$RUSM" node --name "$@" \
        >"$1.out" 2>"$1.err" 3>&- &
    outside=$!
    pid=$outside
    wait_until started "$1"
    address=$(sed -n "1s/^$1 ready at //p" "$1.out")
    [ -n "$address" ]
    pid=$(ps -o pid= --ppid "$outside" | tr -d ' ')
    echo "$pid" >>pids
}

# Starts a node that is a child subreaper, by whatever it is told before.
start_subreaper() {
    : >"$1.out"
    python3 -c 'import ctypes, os, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) # PR_SET_CHILD_SUBREAPER
os.execv(sys.argv[1], sys.argv[1:])' "$RUSM" node --name "$@" >"$1.out" 2>"$1.err" 3>&- &
    pid=$!
    echo "$pid" >>pids
    wait_until started "$1"
    address=$(sed -n "1s/^$1 ready at //p" "$1.out")
    [ -n "$address" ]
}

# An answer of it leaves an orphan behind, which ends at once.
orphans='o=exec:while read -r x; do (true & echo "$x"); done'

no_zombies() { ! ps -A -o ppid=,stat= | awk -v parent="$1" '$1 == parent && $2 ~ /^Z/' | grep -q .; }

@test "as PID 1 it reaps orphans, and knows how its own programs ended" {
    start_first london --boot "$orphans" --spawnable 'three=exec:read -r x; exit 3' --log-level info
    for i in {1..8}; do expect 0 rusm call "$address" o "$i"; done
    wait_until no_zombies "$pid"
    three=$(rusm spawn "$address" three)
    expect 4 rusm call "$address" "$three" x
    like "$stderr" "*exit status 3*"
}

@test "as PID 1 it leaves at SIGTERM, and ends as the node ends" {
    start_first london
    kill -TERM "$pid"
    wait "$outside"
    start_first tokyo
    node=$(ps -o pid= --ppid "$pid" | tr -d ' ')
    kill -9 "$node"
    ended=0
    wait "$outside" || ended=$?
    equal "$ended" 137
}

@test "a child subreaper reaps orphans too" {
    start_subreaper london --boot "$orphans"
    for i in {1..8}; do expect 0 rusm call london o "$i"; done
    wait_until no_zombies "$pid"
    kill "$pid"
    wait "$pid"
    [ ! -e "$RUSM_RUNDIR/london.json" ]
}

@test "the node ends with its reaper" {
    start_subreaper london
    node=$(jq .os_pid "$RUSM_RUNDIR/london.json")
    not equal "$node" "$pid"
    kill -9 "$pid"
    wait_until gone "$node"
}

@test "whoever ignores SIGCHLD does not make it forget how programs ended" {
    printf '#!/bin/sh\nexec perl -e '\''$SIG{CHLD} = "IGNORE"; exec @ARGV'\'' %s "$@"\n' "$RUSM" >ignoring
    chmod +x ignoring
    RUSM=$PWD/ignoring start_node london --spawnable 'three=exec:read -r x; exit 3'
    three=$(rusm spawn london three)
    expect 4 rusm call london "$three" x
    like "$stderr" "*exit status 3*"
}

@test "the soft limit of descriptors is raised, and programs have the one from before" {
    limits='l=exec:while read -r x; do echo "$(ulimit -Sn) $(ulimit -Hn)"; done'
    ulimit -Sn 256
    ulimit -Hn 4096
    start_node london --boot "$limits"
    equal "$(prlimit --noheadings --nofile -o SOFT,HARD --pid "$pid" | xargs)" '4096 4096'
    expect 0 rusm call london l x
    equal "$output" '256 4096'
    rusm stop london
    ulimit -Sn 4096
    start_node london --boot "$limits"
    expect 0 rusm call london l x
    equal "$output" '4096 4096'
}

@test "no HOME, no TMPDIR, no such locale, a read-only root: a writable run folder is enough" {
    unshare --mount mount -o remount,ro,bind / 2>/dev/null || skip "no namespaces here"
    expect 0 rusm cert new "$RUSM_IDENTITY"
    mkdir -m 700 inner
    : >london.out
    unshare --mount bash -c 'mount -o remount,ro,bind / && mount -t tmpfs -o mode=700 tmpfs "$1" &&
        shift && exec env -i "$@"' sh "$PWD/inner" LC_ALL=xx_YY.nonsense RUSM_RUNDIR="$PWD/inner" \
        RUSM_IDENTITY="$RUSM_IDENTITY" "$RUSM" node --name london --boot greeter=greeter \
        --boot 'e=exec:while read -r x; do echo "got $x"; done' >london.out 2>london.err 3>&- &
    pid=$!
    echo $pid >>pids
    wait_until started london
    address=$(sed -n '1s/^london ready at //p' london.out)
    equal "$(env -i RUSM_RUNDIR="$RUSM_RUNDIR" RUSM_IDENTITY="$RUSM_IDENTITY" \
        "$RUSM" call --timeout 30 "$address" e x)" 'got x'
    expect 0 rusm call "$address" greeter Ada
    equal "$(cat london.err)" ''
}
