# Every command ends when --timeout says, wherever it is stuck: the name service is silent, nobody
# answers at any address of a host, the node is stopped before or in the middle of it, or it does not
# leave. Mostly waits.
load helper

# UDP ports that take everything and say nothing, on the addresses. Their number is in $port.
mute() {
    : >mute.out
    python3 - "$@" >mute.out 3>&- <<'P' &
import socket, sys, time
sockets, port = [], int(sys.argv[1])
for at in sys.argv[2:]:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((at, port))
    port = s.getsockname()[1]
    sockets.append(s)
print(port, flush=True)
time.sleep(600)
P
    echo $! >>pids
    wait_until test -s mute.out
    port=$(<mute.out)
}

# Runs a command with a timeout of a second: it ends within 1.5 s, with the status and the error. A
# busy machine may need more than one try: in_time STATUS ERROR COMMAND...
in_time() {
    local begun ms try
    for try in 1 2 3 4; do
        begun=$(date +%s%N)
        run --separate-stderr "$RUSM" "$3" --timeout 1 "${@:4}"
        ms=$((($(date +%s%N) - begun) / 1000000))
        [ $ms -gt 1500 ] || break
    done
    [ $ms -le 1500 ] || { echo "$ms ms: ${*:3}"; return 1; }
    [ "$status" = "$1" ] || { echo "status $status, not $1: ${*:3} (${stderr:-})"; return 1; }
    like "${stderr:-}" "${2:+rusm: $3: $2}"
}

# Every command that asks a node, for one that does not answer: all_in_time ERROR NODE
all_in_time() {
    in_time 3 "$1" call "$2" echo hello
    in_time 3 "$1" send "$2" echo hello
    in_time 3 "$1" send "$2" echo --lines
    in_time 3 "$1" kill "$2" echo
    in_time 3 "$1" spawn "$2" echo
    in_time 3 "$1" attach "$2"
    in_time 3 "$1" attach --counters "$2"
    in_time 3 "$1" whereis --via "$2" leader
    in_time 3 "$1" call --via "$2" --global leader hello
    in_time 3 "$1" stop "$2"
}

# Commands and mute run in a mount and a network namespace of their own from now on, with these
# addresses of the host many.example, and a name server at 127.0.0.1. Skips where it may not.
apart() {
    [ "$(id -u)" = 0 ] || skip "only root makes namespaces"
    printf '%s\n' "127.0.0.1 localhost" "${@/%/ many.example}" >hosts
    echo "nameserver 127.0.0.1" >resolv.conf
    unshare -m -n true || skip "no namespaces here"
    unshare -m -n sh -c 'mount --bind hosts /etc/hosts && mount --bind resolv.conf /etc/resolv.conf &&
        ip link set lo up && echo ready && exec sleep 600' >holder.out 3>&- &
    holder=$!
    echo $holder >>pids
    wait_until test -s holder.out
    printf '#!/bin/sh\nexec nsenter -m -n --wd=. -t %s -- %s "$@"\n' $holder "$RUSM" >inside
    chmod +x inside
    RUSM=$PWD/inside
    python3() { nsenter -m -n --wd=. -t $holder -- python3 "$@"; }
}

@test "--timeout: nobody answers at an address" {
    rusm cert new
    mute 0 127.0.0.1
    all_in_time "cannot reach 127.0.0.1:$port: no answer within 1 s" "127.0.0.1:$port"
    echo "silent 127.0.0.1:$port" >nodes
    all_in_time "cannot reach silent at 127.0.0.1:$port: no answer within 1 s" silent
    in_time 0 "" nodes
    like "$output" "*silent*unreachable*"
    # It does not count for those that ask any node of this machine.
    expect 3 timeout 10 "$RUSM" whereis leader --timeout 60
    like "$stderr" "*no node is running here: *"
}

@test "--timeout: the node is stopped" {
    start_node london
    kill -STOP "$pid"
    all_in_time "cannot reach london at $address: no answer within 1 s" london
    in_time 3 "cannot reach london at $address: no answer within 1 s" whereis leader
}

@test "--timeout: of two nodes here, the one that is stopped does not take all the time" {
    start_node london
    kill -STOP "$pid"
    start_node tokyo
    rusm spawn tokyo echo --global leader
    expect 0 "$RUSM" call --global leader hello --timeout 20
    equal "$output" hello
}

@test "--timeout: the node is stopped in the middle" {
    start_node london --boot deaf='exec:sleep 600' --boot echo=echo
    in_time 6 "no reply within 1 s: process 'deaf' on london has the message *" call london deaf hello
    seq 30000 >many
    "$RUSM" send london deaf --lines --timeout 1 <many 2>err 3>&- &
    sender=$!
    mailbox() { [ "$(json mailbox '.name == "deaf"' rusm attach london)" -gt 100 ]; }
    wait_until mailbox
    kill -STOP "$pid"
    status=0
    PATIENCE=4 wait_until gone $sender
    wait $sender || status=$?
    equal "$status" 6
}

@test "--timeout: the node does not leave" {
    start_node london --boot stubborn="exec:trap '' TERM; while :; do sleep 1; done"
    in_time 6 "london has not left within 1 s; it may still be leaving" stop london
}

@test "--timeout: lines that come late have a timeout each" {
    start_node london --boot echo=echo
    mkfifo slow
    "$RUSM" send london echo --lines --timeout 2 <slow 2>err 3>&- &
    sender=$!
    exec 4>slow
    received() { [ "$(json received '.name == "echo"' rusm attach london)" = "$1" ]; }
    echo one >&4
    wait_until received 1
    begun=$SECONDS
    wait_until test_after
    echo two >&4
    wait_until received 2
    exec 4>&-
    wait $sender
}
test_after() { [ $SECONDS -ge $((begun + 4)) ]; }

@test "--timeout: the name service is silent" {
    apart
    rusm cert new
    mute 53 127.0.0.1
    all_in_time "cannot look up tokyo.example:7400: no answer of the name service within 1 s" \
        tokyo.example:7400
    printf '%s\n' "tokyo tokyo.example:7400" "paris paris.example:7400" >nodes
    in_time 0 "" nodes
    like "$output" "*tokyo*unreachable*paris*unreachable*"
}

@test "--timeout: no address of a host answers, or only the last one" {
    apart 127.0.0.{2..6}
    rusm cert new
    mute 0 127.0.0.{2..5}
    all_in_time "cannot reach many.example:$port: no answer within 1 s" "many.example:$port"
    start_node london --listen "127.0.0.6:$port" --boot echo=echo
    begun=$(date +%s%N)
    expect 0 "$RUSM" call "many.example:$port" echo hello --timeout 60
    equal "$output" hello
    ms=$((($(date +%s%N) - begun) / 1000000))
    echo "$ms ms"
    [ $ms -lt 10000 ] # an address after the other would have taken 48 s
}
