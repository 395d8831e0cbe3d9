# What keeps nodes apart is said at the default log level: once, with what to do, and when it is over.
load helper

count() { grep -cF -e "$2" "$1" || true; }
has_count() { [ "$(count "$1" "$2")" = "$3" ]; }

# A node in a run folder of its own, so that only --join leads to others: apart FOLDER COMMAND...
apart() {
    [ -d "$1" ] || mkdir -m 700 "$1"
    RUSM_RUNDIR=$PWD/$1 "${@:2}"
}

@test "a --join that fails is said once, with the cure, and again when it works" {
    start_node_at_port tokyo
    rusm stop tokyo
    later=$address
    apart run2 start_node london --join "tokyo@$later"
    wait_until has_text london.err "cannot join tokyo at $later: Connection refused; this node tries"
    start_node tokyo --listen "$later"
    wait_until has_text london.err "tokyo is connected now ("
    has_count london.err "cannot join" 1
}

@test "--join of a host that has no address" {
    apart run2 start_node london --join tokyo@host.invalid:7400
    wait_until has_text london.err "cannot join tokyo at host.invalid:7400: cannot resolve host.invalid"
}

@test "--join of an address where another node answers" {
    start_node oslo
    seed=$address
    apart run2 start_node london --join "tokyo@$seed"
    wait_until has_text london.err "cannot join tokyo at $seed: oslo answers there, not tokyo"
}

@test "a node whose name the cluster has does not start, detached or not" {
    start_node oslo
    seed=$address
    apart run2 start_node london --join "oslo@$seed"
    wait_until connected oslo london
    reason="rusm: node: cannot join oslo at $seed: refused: a live node of the cluster has the name london already*"
    apart run3 expect 1 rusm node --name london --join "oslo@$seed" --detach
    like "$stderr" "$reason"
    equal "$output" ""
    has_text run3/london.log "a live node of the cluster has the name london already"
    [ ! -e run3/london.json ]
    apart run3 expect 1 rusm node --name london --join "oslo@$seed"
    like "$stderr" "*$reason"
    equal "$output" ""
    connected oslo london
    wait_until has_text oslo.err "refused a second london from"
    has_count oslo.err "refused a second london" 1
}

@test "a foreign certificate is said by both nodes; --detach says it on the terminal too" {
    start_node oslo
    seed=$address
    rusm cert new other.pem 2>/dev/null
    RUSM_IDENTITY=$PWD/other.pem apart run2 expect 0 rusm node --name london --join "oslo@$seed" --detach
    like "$stderr" "rusm: node: cannot join oslo at $seed: refused: *identity file*"
    has_text run2/london.log "cannot join oslo at $seed: refused: "
    wait_until has_text oslo.err "refused a connection from 127.0.0.1:"
}

@test "a stranger does not fill the log" {
    start_node oslo
    rusm cert new other.pem 2>/dev/null
    for _ in 1 2 3 4 5; do
        RUSM_IDENTITY=$PWD/other.pem expect 5 rusm attach "$address"
    done
    refused() { [ "$(json value '.counter == "connections_refused"' rusm attach oslo --counters)" -ge 5 ]; }
    wait_until refused
    has_count oslo.err "refused a connection" 1
}

@test "a lost peer is said, and its return; one that left is not" {
    start_node oslo
    seed=$address
    apart run2 start_node london --join "oslo@$seed"
    wait_until connected oslo london
    kill -STOP $pid
    kill -9 $pid
    wait $pid || true
    apart run2 start_node london --join "oslo@$seed"
    wait_until connected oslo london
    wait_until has_text oslo.err "london is connected now ("
    apart run2 rusm stop london
    left() { [ "$(json state '.node == "london"' rusm attach --peers oslo)" = left ]; }
    wait_until left
    not has_text oslo.err "it left"
}

@test "a node whose place another of its name takes is said to be lost, to observers too" {
    (umask 077; printf '0123456789abcdef\n' >token)
    start_node oslo --http-tcp 0 --http-token token
    seed=$address
    url=$(sed -n 's/^oslo serves HTTP at //p' oslo.out)
    curl -sSN -H "Authorization: Bearer $(cat token)" "${url}v1/events?type=node_down" >events 3>&- &
    echo $! >>pids
    apart run2 start_node london --join "oslo@$seed"
    wait_until connected oslo london
    kill -STOP $pid
    apart run3 start_node london --join "oslo@$seed"
    wait_until has_text oslo.err "warn oslo: london disconnected: replaced by a newer connection ("
    wait_until has_text oslo.err "warn oslo: london is connected now ("
    wait_until has_text events '"reason":"replaced by a newer connection"'
}

@test "a node that was stopped says so when it runs again" {
    start_node oslo
    kill -STOP $pid
    sleep 4 # the time that it says
    kill -CONT $pid
    wait_until has_text oslo.err "warn oslo: this node stood still for "
    rusm call oslo greeter Ada
}

@test "the time that a dial waited in a stopped node's socket is not taken for the way there" {
    start_node oslo --idle-timeout 1
    seed=$address oslo=$pid
    apart run2 start_node london --join "oslo@$seed" --idle-timeout 1
    wait_until connected oslo london
    kill -STOP $oslo
    wait_until has_text london.err "oslo disconnected: "
    sleep 5 # the time that it waits
    kill -CONT $oslo
    wait_until has_text london.err "oslo is connected now"
    [ "$(apart run2 json rtt_us '.node == "oslo"' rusm attach --peers london)" -lt 500000 ]
}

@test "a log on a full disk: the node goes on, and says how many lines are missing when there is room" {
    [ "$(id -u)" = 0 ] && unshare -m true || skip "only root mounts a disk of its own"
    mkdir disk
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nexec unshare -m sh -c '\''mount -t tmpfs -o size=64k none disk && exec "$0" "$@"'\'' %s "$@"\n' \
        "$RUSM" >inside
    chmod +x inside
    RUSM=$PWD/inside start_node london --log-file disk/log --log-level info \
        --boot 'noise=exec:exec cat >&2' --boot greeter=greeter
    disk=/proc/$pid/cwd/disk
    wait_until lines_lost
    not grep -q '.....Z.*20..-..-..T..:..:..' $disk/log # no line goes on a line that was cut
}
# Fills the disk, lets the node log more than the last page of the file takes, and makes room again.
lines_lost() {
    dd if=/dev/zero of=$disk/filler bs=1k
    printf 'line of the log, which may not get in %d\n' {1..100} | rusm send --lines london noise
    rusm call london greeter Ada || return
    rm $disk/filler
    rusm send london noise last
    has_text $disk/log "lines of the log are missing here: No space left on device"
    [ "$(json value '.counter == "log_dropped"' rusm attach --counters london)" -gt 0 ]
}

@test "what a process prints comes after the ready line, though the node waits for others" {
    start_node oslo
    seed=$address
    start_node tokyo --boot pipe='relay shouter@london'
    export RUSM_RUNDIR=$PWD/run2
    mkdir -m 700 run2
    start_node london --join "oslo@$seed" --boot shouter=greeter
    like "$(head -n 1 london.out)" "london ready at *"
    expect 0 rusm send london shouter now
    wait_until has_line london.out "greeter received: now"
}
