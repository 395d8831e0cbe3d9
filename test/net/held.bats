# Guarantee 3 over a bad network: a process that takes nothing holds back those who send to it and
# nobody else, in both directions at once; memory stays bounded however much they have to say; and
# when it goes on, all that was taken arrives, in order, once. Whatever the network does: each seed
# is another one. HELD_SEEDS=FIRST:LAST runs others than those three.
load helper

PATIENCE=60
SMALL=40        # bytes of a message to stuck_$1, whose mailbox is full before its lanes are
LARGE=2000      # and to victim_$1, whose lanes are full before its mailbox is
TOLD=9000      # messages that each source has for the former, more than its lane holds
ASIDE=200       # messages of a pair aside
LANE=278528     # bytes that a lane takes while nothing is taken from it: queue and window
BOUND_KIB=16384 # see bounded

# Those who send to stuck_$1: two sources, one that parks, and one that sends to another process too.
# And two to victim_$1, without end.
flood() {
    local from=$1 to=$2 n
    at "$to" expect 0 rusm spawn "$to" sink --name "latch_$from"
    at "$to" expect 0 rusm spawn "$to" held "latch_$from" --name "stuck_$from"
    at "$to" expect 0 rusm spawn "$to" held "latch_$from" --name "victim_$from"
    at "$to" expect 0 rusm spawn "$to" check --name "aside_$from"
    at "$from" expect 0 rusm spawn "$from" hand --name "hand_$from"
    for n in 0 1; do
        at "$from" expect 0 rusm spawn "$from" source "stuck_$from@$to" "$TOLD" "$SMALL" \
            --name "stuck_source$n"
        at "$from" expect 0 rusm spawn "$from" source "victim_$from@$to" 0 "$LARGE" \
            --name "victim_source$n"
    done
    at "$from" expect 0 rusm spawn "$from" patient "stuck_$from@$to" "$TOLD" "$SMALL" --name patient
    at "$from" expect 0 rusm spawn "$from" source "aside_$from@$to" "$TOLD" "$SMALL" \
        --name both_source "stuck_$from@$to"
}

# stuck_$2 on $1 has all that its mailbox takes; the other's lanes have filled their windows.
full() {
    at "$1" rusm attach --json "$1" >processes
    jq -es "map(select((.name == \"stuck_$2\" and .mailbox == 1024) or
        (.name == \"victim_$2\" and .mailbox == 2 * (16384 / $LARGE | floor)))) | length == 2" processes
}

# Each of them is held back by what takes nothing, and by nothing else; the one that parks leaves
# what it gets untaken.
held_back() {
    local from=$1 n
    for n in stuck_source0 stuck_source1 victim_source0 victim_source1; do
        at "$from" expect 0 rusm call "$from" "$n" && like "$output" "sent *: held back" || return
    done
    at "$from" expect 0 rusm call "$from" both_source &&
        like "$output" "sent $TOLD *: held back" || return
    at "$from" expect 0 rusm send "$from" patient anything
    equal "$(json state '.name == "patient" and .mailbox > 0' at "$from" rusm attach "$from")" holding
}

# What a node took for them fits a mailbox of 1,024 messages and the lanes, one a source.
taken_fits() {
    local from=$1
    sent_at_most "$((1024 + 3 * LANE / SMALL))" "$from" stuck_source0 stuck_source1 both_source
    sent_at_most "$((2 * LANE / LARGE + 2))" "$from" victim_source0 victim_source1
}
sent_at_most() {
    local most=$1 from=$2 all=0 name
    shift 2
    for name in "$@"; do
        at "$from" expect 0 rusm call "$from" "$name"
        [[ $output =~ ([0-9]+):\ held\ back$ ]]
        all=$((all + BASH_REMATCH[1]))
    done
    echo "$* of $from: $all taken, at most $most"
    [ $all -le "$most" ]
}

# At its highest a node has grown by no more than the queues and windows of what is held back (12
# lanes of 272 KiB, 3.2 MiB) and, by 13 MiB, what passes through meanwhile: the pairs aside and their
# windows. Sources that nothing held back would fill that in a moment.
kib() { awk -v key="$2:" '$1 == key { print $2 }' "/proc/$1/status"; }
bounded() {
    local grown=$(($(kib "$2" VmHWM) - $3))
    echo "$1 has grown by $grown KiB"
    [ $grown -le $BOUND_KIB ]
}

# Whatever is not sent to what is stuck goes on, between the same two nodes.
goes_on() {
    local from=$1 to=$2 pid
    all_arrived "$from" "$to" 4 "$ASIDE"
    wait_until says "$to" "aside_$from" "received $TOLD"
    at "$from" expect 0 rusm call "$from" "hand_$from" "spawn $to sink"
    pid=$output
    like "$pid" "*@$to#*"
    at "$from" expect 0 rusm call "$from" "hand_$from" "kill $pid"
    equal "$output" "told to"
    at "$to" times_out send "$to" "stuck_$from" hi
    # Stuck as it is, it can be killed from over there: those that it held back are free, and told.
    at "$to" rusm attach --json "$to" >processes
    pid=$(jq -r "select(.name == \"victim_$from\") | .pid" processes)
    at "$from" expect 0 rusm call "$from" "hand_$from" "kill $pid"
    equal "$output" "told to"
    for n in 0 1; do
        wait_until at "$from" like_answer "$from" "victim_source$n" "sent *: it has ended"
    done
}
like_answer() {
    local answer
    answer=$(rusm call "$1" "$2") && like "$answer" "$3"
}

# All that was taken, of each source, in order, once; and each has had its say.
drained() {
    local from=$1 to=$2 n
    wait_until says "$to" "stuck_$from" "received $((4 * TOLD)) of 4 sources"
    for n in stuck_source0 stuck_source1 patient; do says "$from" "$n" "sent $TOLD"; done
    says "$from" both_source "sent $TOLD $TOLD"
}

through() {
    local SEED=$1 london tokyo london_kib tokyo_kib
    seed
    start_relay tokyo --loss $((1 + RANDOM % 5)) --delay $((1 + RANDOM % 8)) --jitter $((RANDOM % 6)) \
        --reorder $((RANDOM % 30)) --duplicate $((RANDOM % 30))
    RUSM=$TRAFFIC start_behind tokyo --log-level info
    tokyo=$pid
    RUSM=$TRAFFIC start_apart london --log-level info --join "tokyo@$relay_address"
    london=$pid
    wait_until whole london tokyo
    london_kib=$(kib "$london" VmRSS) tokyo_kib=$(kib "$tokyo" VmRSS)
    flood london tokyo
    flood tokyo london
    pairs london tokyo 4 $ASIDE mixed
    pairs tokyo london 4 $ASIDE mixed
    wait_until full tokyo london
    wait_until full london tokyo
    wait_until held_back london
    wait_until held_back tokyo
    taken_fits london
    taken_fits tokyo
    goes_on london tokyo
    goes_on tokyo london
    bounded london "$london" "$london_kib"
    bounded tokyo "$tokyo" "$tokyo_kib"
    at tokyo expect 0 rusm kill tokyo latch_london
    at london expect 0 rusm kill london latch_tokyo
    drained london tokyo
    drained tokyo london
    goes_by_once london tokyo
    never_parted
    relay tokyo counters
    tail -n 2 tokyo.relay
}
# A message that goes to and fro behind all of that: nothing more has come.
goes_by_once() {
    throw_ball
    drained "$1" "$2"
    drained "$2" "$1"
}

@test "a process that takes nothing holds back its senders alone, through any bad network" {
    local seed seeds=${HELD_SEEDS:-1:3} top=$BATS_TEST_TMPDIR
    for ((seed = ${seeds%:*}; seed <= ${seeds#*:}; seed++)); do
        BATS_TEST_TMPDIR=$top/$seed
        mkdir "$BATS_TEST_TMPDIR"
        setup
        through "$seed"
        teardown
    done
}
