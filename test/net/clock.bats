# The wall clock of a node is wrong, or is set while it runs, forward and back: it starts and joins,
# connections, timers and what is under way do not notice, and who holds a global name stays agreed.
load helper

# From here on $RUSM has a wall clock of its own (libfaketime), which set_clock sets.
faked() {
    local library=(/usr/lib/*/faketime/libfaketime.so.1)
    [ -f "${library[0]}" ] || skip "there is no libfaketime"
    BINARY=$RUSM RUSM=$BATS_TEST_TMPDIR/faked
    set_clock +0
    printf '#!/bin/sh\nexec env LD_PRELOAD=%s %s %s "%s" "$@"\n' "${library[0]}" \
        "FAKETIME_TIMESTAMP_FILE=$BATS_TEST_TMPDIR/clock" \
        "FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1" "$BINARY" >faked
    chmod +x faked
}

# In seconds, from the true time.
set_clock() {
    echo "$1" >clock.new
    mv clock.new clock
}

# london's clock is faked, tokyo's is true; a relay between the two.
two_clocks() {
    seed
    start_relay tokyo
    start_behind tokyo --idle-timeout 3 --log-level info
    faked
    start_apart london --idle-timeout 3 --log-level info --join "tokyo@$relay_address"
    RUSM=$BINARY
    wait_until whole london tokyo
}

# What time london thinks it is, from the true one: it logs it when a node comes.
clock_of_london() {
    local name=$1 when
    at london start_node "$name"
    wait_until has_text london.err " info london: $name connected"
    when=$(sed -n "s/ info london: $name connected.*//p" london.err | tail -n 1)
    echo $(($(date -d "$when" +%s) - $(date +%s)))
}

near() {
    echo "$1 seconds from the true time, $2 wanted"
    [ $(($1 - $2)) -gt -30 ] && [ $(($1 - $2)) -lt 30 ]
}

@test "an hour forward, two back, and a day forward: nobody is lost, timers go on, all arrives" {
    two_clocks
    throw_ball
    at london expect 0 rusm spawn london bounce --name silent
    local city=city0 step
    for step in +3600 -3600 +86400 +0; do
        set_clock "$step"
        city=city$((${city#city} + 1))
        near "$(clock_of_london "$city")" "$step"
        wait_until has_text london.err "london: the clock was set"
        # Three seconds of silence would lose a peer; more than that goes by, by true time.
        wait_until thrown $(($(round_trips) + 100))
        at london expect 6 rusm call --timeout 4 london silent hello
        wait_until whole london tokyo
    done
    never_parted
    # Ages are true ones, and never negative.
    at london rusm attach --json london | jq -es 'map(select(.name == "ping")) |
        length == 1 and .[0].age >= 4 and .[0].age < 600'
}

@test "a timeout of a command ends while its clock is set back" {
    local start
    faked
    start_node london --boot silent=bounce
    start=$(milliseconds)
    "$RUSM" call --timeout 2 london silent hello 2>errors &
    caller=$!
    wait_until received_one
    set_clock -3600
    status=0
    wait "$caller" || status=$?
    equal "$status" 6
    took "$start" 60000
    [ $(($(milliseconds) - start)) -ge 2000 ]
}
received_one() { [ "$(json received '.name == "silent"' rusm attach london)" = 1 ]; }

# A name is held on tokyo; while the two are apart, london gives it away too. SECONDS is by how much
# london's clock is wrong then.
claimed_twice() {
    two_clocks
    at tokyo expect 0 rusm spawn tokyo echo --global prize
    wait_until knows london prize
    set_clock "$1"
    relay tokyo cut both
    wait_until lost london tokyo
    wait_until lost tokyo london
    wait_until not_knows london prize
    at london expect 0 rusm spawn london echo --global prize
    relay tokyo heal
    wait_until whole london tokyo
}
holds() { like "$(at "$2" rusm whereis prize --via "$2")" "*@$1#*"; }

@test "a clock set back by an hour does not make a later claim the earlier one" {
    claimed_twice -3600
    wait_until holds tokyo london
    wait_until holds tokyo tokyo
}

@test "a clock set forward by an hour: the earlier claim holds, for all; and the clock is counted" {
    claimed_twice +3600
    wait_until holds tokyo london
    wait_until holds tokyo tokyo
    [ "$(json value '.counter == "clock_ahead"' at tokyo rusm attach --counters tokyo)" -ge 1 ]
    # Tokyo's own clock was not moved: its next claim is by the true time, before any of london's.
    relay tokyo cut both
    wait_until lost london tokyo
    wait_until lost tokyo london
    at london expect 0 rusm spawn london echo --global second
    at tokyo expect 0 rusm spawn tokyo echo --global second
    relay tokyo heal
    wait_until whole london tokyo
    agree() {
        like "$(at london rusm whereis second --via london)" "*@tokyo#*" &&
            like "$(at tokyo rusm whereis second --via tokyo)" "*@tokyo#*"
    }
    wait_until agree
}

@test "a node and a client start and join whatever their clocks say" {
    faked
    BEHIND=$RUSM
    RUSM=$BINARY
    start_apart london
    seed=$address
    for wrong in -220000000 +1050000000 -1780000000; do # years: 7 behind, 33 ahead, near 1970
        set_clock "$wrong"
        RUSM=$BEHIND start_apart tokyo --join "london@$seed"
        RUSM=$BINARY
        wait_until whole london tokyo
        equal "$(RUSM=$BEHIND at london rusm call london greeter Ada)" "hello, Ada"
        equal "$(RUSM=$BEHIND at tokyo rusm call tokyo greeter Ada)" "hello, Ada"
        equal "$(at tokyo rusm call tokyo greeter Ada)" "hello, Ada"
        at tokyo expect 0 rusm stop tokyo
        RUSM=$BEHIND at tokyo expect 0 rusm node --name tokyo --detach
        at tokyo expect 0 rusm stop tokyo
        RUSM=$BEHIND expect 0 rusm cert new "made.$wrong.pem" # and one that is made then
        expect 0 rusm cert show "made.$wrong.pem"
    done
}
