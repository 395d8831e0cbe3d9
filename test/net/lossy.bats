# A bad network between two nodes: nothing is lost, nothing comes twice or out of order. Mostly waits.
load helper

bad_network() {
    seed
    start_relay tokyo --loss 5 --delay "$1" --jitter "$(($1 / 2))" --reorder 5 --duplicate 5
    start_behind tokyo --boot drain=sink --boot greeter=greeter --boot parrot=echo
    start_apart london --join "tokyo@$relay_address" --boot to_drain='relay drain@tokyo' \
        --boot to_greeter='relay greeter@tokyo'
    wait_until whole london tokyo
}

# The relay has done what it is for: so many lines need few datagrams.
was_bad() {
    relay tokyo counters
    local counters
    counters=$(tail -n 2 tokyo.relay | head -n 1)
    echo "$counters"
    like "$counters" "* overflowed 0 *"
    not like "$counters" "* lost 0 * reordered 0 duplicated 0 *"
}

received() { at "$1" rusm call "$1" "$2"; }
has_received() { [ "$(received "$1" "$2")" = "$3" ]; }

@test "10,000 lines through a bad network all arrive, once" {
    bad_network 20
    seq 10000 >lines
    at london expect 0 rusm send --lines --timeout 60 london to_drain <lines
    wait_until has_received tokyo drain 10000
    was_bad
}

@test "10,000 lines of a client through a bad network: when it is done, they are there" {
    bad_network 20
    seq 10000 >lines
    at london expect 0 rusm send --lines --timeout 60 "tokyo@$relay_address" drain <lines
    has_received tokyo drain 10000
    was_bad
}

@test "2,000 lines through a bad network arrive in order" {
    bad_network 20
    seq 2000 >lines
    at london expect 0 rusm send --lines --timeout 60 london to_greeter <lines
    wait_until has_line tokyo.out "greeter received: 2000"
    sed -n 's/^greeter received: //p' tokyo.out | cmp - lines
    was_bad
}

@test "a megabyte of a client through a bad network and back comes back as it was" {
    bad_network 4
    head -c 1048576 /dev/urandom >megabyte
    at london rusm call --raw --timeout 60 --file megabyte "tokyo@$relay_address" parrot >answer
    cmp megabyte answer
    was_bad
}

@test "megabytes and small messages between nodes through a bad network all arrive" {
    bad_network 4
    head -c 1048576 /dev/urandom >megabyte
    at london expect 0 rusm send --file megabyte london to_drain
    at london expect 0 rusm send london to_greeter "overtakes it"
    wait_until has_line tokyo.out "greeter received: overtakes it"
    wait_until has_received tokyo drain 1
    was_bad
}

# Two nodes of traffic.c behind a relay of these options, with pairs both ways of so many messages, and
# a ball beside them.
traffic_through() {
    local messages=$1
    shift
    PATIENCE=60
    seed
    start_relay tokyo "$@"
    RUSM=$TRAFFIC start_behind tokyo --log-level info
    RUSM=$TRAFFIC start_apart london --log-level info --join "tokyo@$relay_address"
    wait_until whole london tokyo
    throw_ball
    pairs london tokyo 4 "$messages" mixed
    pairs tokyo london 4 "$messages" mixed
    all_arrived london tokyo 4 "$messages"
    all_arrived tokyo london 4 "$messages"
    wait_until thrown 20
    never_parted
    all_arrived london tokyo 4 "$messages"
    all_arrived tokyo london 4 "$messages"
}

@test "a third out of order and a third twice: all of 8 pairs arrives, in order, once" {
    traffic_through 1000 --delay 5 --jitter 5 --reorder 33 --duplicate 33
    was_bad
}

@test "200 ms of delay: all of 8 pairs arrives, in order, once" {
    traffic_through 110 --delay 200
}

@test "20 % lost, at 5 ms: all of 8 pairs arrives, in order, once" {
    traffic_through 100 --delay 5 --loss 20
    was_bad
}

@test "64 MiB through a relay that loses 1 % arrive as they were" {
    PATIENCE=60
    seed
    start_relay tokyo --loss 1
    RUSM=$TRAFFIC start_behind tokyo --log-level info
    RUSM=$TRAFFIC start_apart london --log-level info --join "tokyo@$relay_address"
    wait_until whole london tokyo
    pairs london tokyo 1 1 67108864
    all_arrived london tokyo 1 1
    never_parted
    was_bad
}
