# A bad network below two nodes: packets that are lost, a wire that is narrow, grows narrower, or is
# pulled out. What is sent arrives, all of it, in order, once; and the two keep each other, or find
# each other again. Mostly waits.
load helper
load spaces

PATIENCE=60

# Pairs both ways, of small and large messages, and a ball beside them.
lossy() {
    two_spaces 1500
    lose_percent "$1"
    two_nodes "${V4[@]}"
    throw_ball
    pairs london tokyo 4 "$2" mixed
    pairs tokyo london 4 "$2" mixed
    all_arrived london tokyo 4 "$2"
    all_arrived tokyo london 4 "$2"
    wait_until thrown 100
    was_lossy
    never_parted
    all_arrived london tokyo 4 "$2"
    all_arrived tokyo london 4 "$2"
}

@test "1 % is lost: all of 8 pairs arrives, in order, once; the two keep each other" { lossy 1 2000; }
@test "5 % is lost: all of 8 pairs arrives, in order, once; the two keep each other" { lossy 5 1000; }
@test "20 % is lost: all of 8 pairs arrives, in order, once; the two keep each other" { lossy 20 250; }

@test "1 % is lost: 64 MiB arrive as they were, and a ball goes to and fro meanwhile" {
    local before now during=0
    two_spaces 1500
    lose_percent 1
    two_nodes "${V4[@]}"
    throw_ball
    before=$(round_trips) now=$before
    pairs london tokyo 1 1 67108864
    # Those that were counted before it was not there yet were beside it.
    while says tokyo check_london0 "received 0"; do
        during=$((now - before))
        now=$(round_trips)
    done
    echo "$during round trips"
    [ "$during" -ge 20 ]
    all_arrived london tokyo 1 1
    was_lossy
    never_parted
}

@test "1 % is lost, at 40 ms there and back: 64 MiB arrive all the same" {
    two_spaces 1500
    PROGRAM=$RELAY RELAY=$BATS_TEST_TMPDIR/inside.tokyo start_relay tokyo --listen 10.77.0.2:0 \
        --loss 1 --delay 20
    RUSM=$TRAFFIC at tokyo start_node tokyo --log-level info --listen 10.77.0.2:0 \
        --advertise "$relay_address"
    relay tokyo to "$address"
    RUSM=$TRAFFIC at london start_node london --log-level info --listen 10.77.0.1:0 \
        --join "tokyo@$relay_address"
    wait_until whole london tokyo
    pairs london tokyo 1 1 67108864
    all_arrived london tokyo 1 1
    relay tokyo counters
    not like "$(tail -n 2 tokyo.relay | head -n 1)" "* lost 0 *"
    never_parted
}

# What arrives is whole, no packet was cut into fragments; in time they are as long as discovery can
# find; and an idle node sleeps.
narrow() {
    two_spaces 1280
    lose meta length '>' 1280
    count_long "$3"
    two_nodes "$1" "$2"
    pairs london tokyo 1 20 500000
    pairs tokyo london 1 20 500000
    all_arrived london tokyo 1 20
    all_arrived tokyo london 1 20
    head -c 500000 /dev/urandom >half
    wait_until grown london tokyo
    wait_until grown tokyo london
    never_parted
    unfragmented london
    unfragmented tokyo
    wait_until sleeps "$pid"
}
grown() {
    send_half "$1" "$2"
    [ "$(packets "$2" long)" -gt 300 ]
}
send_half() {
    at "$1" rusm spawn "$1" relay "to_$2@$2" --name "to_$2"
    at "$2" rusm spawn "$2" sink --name "to_$2"
    at "$1" rusm send --file half "$1" "to_$2"
}
unfragmented() {
    inside "$1" sh -c 'cat /proc/net/snmp /proc/net/snmp6' >snmp
    equal "$(awk '$1 == "Ip:" && !at { for (i = 2; i <= NF; i++) if ($i == "FragCreates") at = i
                                       next }
                  $1 == "Ip:" { sum += $at }
                  $1 == "Ip6FragCreates" { sum += $2 }
                  END { print sum + 0 }' snmp)" 0
}
# Less than a tenth of a second of processor time in a second.
sleeps() {
    local before
    before=$(cpu "$1")
    sleep 1 # the time that is looked at
    [ $(($(cpu "$1") - before)) -lt 10 ]
}
cpu() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

@test "packets of 1,280 bytes over IPv4: all arrives, in packets as long as they may be" {
    narrow "${V4[@]}" 1260
}

@test "packets of 1,280 bytes over IPv6: all arrives, in packets as long as they may be" {
    narrow "${V6[@]}" 1280
}

@test "a path that grows narrower in the middle, and says nothing: all arrives, on one connection" {
    two_spaces 1500
    count_long 1480
    two_nodes "${V4[@]}"
    pairs london tokyo 1 20 500000
    all_arrived london tokyo 1 20
    [ "$(packets tokyo long)" -gt 5000 ]
    lose meta length '>' 1280
    at tokyo expect 0 rusm spawn tokyo check --name check
    at london expect 0 rusm spawn london source check@tokyo 20 500000
    pairs tokyo london 1 20 500000
    all_arrived tokyo london 1 20
    wait_until says tokyo check "received 20"
    head -c 500000 /dev/urandom >half
    wait_until met london tokyo
    wait_until met tokyo london
    never_parted
}
# Something was too long for the path. (Not yet, when a busy machine had made it seem narrow before.)
met() {
    [ "$(packets_lost "$2")" -gt 0 ] || { send_half "$1" "$2"; return 1; }
}

@test "the wire is pulled out: both notice; plugged in again: the two find each other" {
    local start
    two_spaces 1500
    two_nodes "${V4[@]}" --idle-timeout 1
    start=$(milliseconds)
    inside london ip link set wire down
    lost_within "$start" 8000 london tokyo
    lost_within "$start" 8000 tokyo london
    inside london ip link set wire up
    wait_until whole london tokyo
    pairs london tokyo 2 500 mixed
    pairs tokyo london 2 500 mixed
    all_arrived london tokyo 2 500
    all_arrived tokyo london 2 500
}
