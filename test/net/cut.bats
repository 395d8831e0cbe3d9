# A peer that is cut off, one way or both, for long or again and again, or dies: noticed within the
# idle timeout, whole again by itself, no name without a live owner. Mostly waits.
load helper

# With --idle-timeout 1: a keep-alive (each 333 ms) that was on its way and 1 s of silence; more on a
# busy machine, as QUIC waits for three probes at least, which a slow round trip makes rarer. Without it: 10 s.
WITHIN=8000

# Two nodes, tokyo behind a relay, each with a global name.
two_nodes() {
    seed
    start_relay tokyo
    start_behind tokyo --idle-timeout 1 --log-level info --boot drain=sink \
        --boot-global parrot_tokyo=echo
    tokyo_pid=$pid
    start_apart london --idle-timeout 1 --log-level info --boot-global parrot_london=echo \
        --join "tokyo@$relay_address"
    healed
}

# All is as it was before.
healed() {
    wait_until whole london tokyo
    wait_until knows london parrot_tokyo
    wait_until knows tokyo parrot_london
    at london expect 0 rusm call --global parrot_tokyo --via london polly
    equal "$output" polly
}

# Both have noticed so many milliseconds after the start, and know no name of the other.
noticed_within() {
    lost_within "$1" "$2" london tokyo
    lost_within "$1" "$2" tokyo london
    wait_until not_knows london parrot_tokyo
    wait_until not_knows tokyo parrot_london
}

@test "cut both ways: lost within the idle timeout, its names gone; healed: all is back" {
    two_nodes
    start=$(milliseconds)
    relay tokyo cut both
    noticed_within "$start" $WITHIN
    start=$(milliseconds)
    at london expect 4 rusm call --global parrot_tokyo --via london polly
    took "$start" 10000 # at once, not when its time is over
    like "$stderr" "rusm: call: *'parrot_tokyo'*"
    at london expect 4 rusm whereis parrot_tokyo --via london
    # One's own name is one's own still.
    at london expect 0 rusm call --global parrot_london --via london polly
    relay tokyo heal
    healed
}

@test "cut off: what is sent there is counted, and a client is told that it is not answered" {
    two_nodes
    at london expect 0 rusm spawn london relay drain@tokyo --name to_drain
    at london expect 0 rusm send london to_drain first
    wait_until drained 1
    start=$(milliseconds)
    relay tokyo cut both
    noticed_within "$start" $WITHIN
    at london expect 0 rusm send london to_drain second
    undelivered() {
        [ "$(json value '.counter == "undelivered_noconnection"' \
            at london rusm attach --counters london)" -gt 0 ]
    }
    wait_until undelivered
    at london expect 3 rusm call --timeout 1 "tokyo@$relay_address" drain
    like "$stderr" "rusm: call: *$relay_address*"
    relay tokyo heal
    healed
    at london expect 0 rusm send london to_drain third
    wait_until drained 2
}
drained() { [ "$(at tokyo rusm call tokyo drain)" = "$1" ]; }

@test "cut off while much is under way: its sender is told how many may be lost; no others are" {
    local sent unknown received
    seed
    start_relay tokyo --delay 2
    RUSM=$TRAFFIC start_behind tokyo --idle-timeout 1
    RUSM=$TRAFFIC start_apart london --idle-timeout 1 --join "tokyo@$relay_address"
    wait_until whole london tokyo
    pairs london tokyo 1 1000000000 200
    received() { [ "$(at tokyo rusm call tokyo check_london0 | cut -d' ' -f2)" -ge "$1" ]; }
    wait_until received 5000
    relay tokyo cut both
    wait_until lost london tokyo
    wait_until lost tokyo london
    at london expect 0 rusm call london source_london0
    like "$output" "sent * unknown *"
    sent=$(cut -d' ' -f2 <<<"${output//[:,]/ }") unknown=${output##* }
    relay tokyo heal
    wait_until whole london tokyo
    at tokyo expect 0 rusm call tokyo check_london0
    received=${output#received }
    echo "$sent were sent, of $unknown it is unknown, $received arrived"
    [ "$unknown" -gt 0 ]
    [ "$received" -le "$sent" ]
    [ "$received" -ge $((sent - unknown)) ]
}

@test "cut in one direction: lost on both sides; healed: all is back" {
    two_nodes
    start=$(milliseconds)
    relay tokyo cut in
    noticed_within "$start" $WITHIN # who hears nothing first; and tells the other, who hears it
    has_text london.err "your packets no longer arrive"
    relay tokyo heal
    healed
}

@test "cut in the other direction: lost on both sides; healed: all is back" {
    two_nodes
    start=$(milliseconds)
    relay tokyo cut out
    noticed_within "$start" $WITHIN
    has_text tokyo.err "your packets no longer arrive"
    relay tokyo heal
    healed
}

@test "flapping: ten cuts, some shorter and some longer than the idle timeout; then all is back" {
    two_nodes
    local ways=(both in out)
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        relay tokyo cut "${ways[RANDOM % 3]}"
        pause $((RANDOM % 4 ? RANDOM % 600 : 1500))
        relay tokyo heal
        pause $((RANDOM % 400))
    done
    healed
    wait_until has_one london
    wait_until has_one tokyo
}
pause() { sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; } # the disturbance's own time

@test "a peer elsewhere that is killed is lost within the idle timeout; started again, it is back" {
    two_nodes
    start=$(milliseconds)
    kill -9 "$tokyo_pid"
    lost_within "$start" $WITHIN london tokyo
    wait_until not_knows london parrot_tokyo
    at london expect 4 rusm call --global parrot_tokyo --via london polly
    start_behind tokyo --idle-timeout 1 --boot-global parrot_tokyo=echo
    healed
}
