# helper: what the tests of several nodes share. A node "apart" has a run folder of its own, so
# that it finds the others by --join alone; one "behind" has a relay before it too, whose address
# it advertises. Chances are of $SEED, which is printed: SEED=… replays a test that failed.
source "$BATS_TEST_DIRNAME/../cmd/helper.bash"

: "${TEST_FLAVOUR:=dev}"
: "${RELAY:=$BATS_TEST_DIRNAME/../../build/$TEST_FLAVOUR/test/net/relay}"
: "${TRAFFIC:=$BATS_TEST_DIRNAME/../../build/$TEST_FLAVOUR/test/net/traffic}"
: "${SEED:=$(date +%s)}"
export SEED

seed() {
    echo "SEED=$SEED"
    RANDOM=$SEED
}

# Runs a command with the run folder of that node, if it has one of its own.
at() {
    local own=$BATS_TEST_TMPDIR/run.$1
    [ -d "$own" ] || own=$RUSM_RUNDIR
    shift
    RUSM_RUNDIR=$own "$@"
}

# start_node in a run folder of its own.
start_apart() {
    mkdir -p -m 700 "run.$1"
    at "$1" start_node "$@"
}

# Starts a relay without a target; $relay_address is where it listens. Takes the relay's options.
start_relay() {
    local name=$1
    shift
    mkfifo "$name.control"
    : >"$name.relay"
    # Open for reading too, so that the relay's input does not end with our first line.
    "$RELAY" --seed "$SEED" "$@" <>"$name.control" >"$name.relay" 2>&1 3>&- &
    echo $! >>pids
    wait_until has_text "$name.relay" "relay ready at"
    relay_address=$(sed -n '1s/^relay ready at //p' "$name.relay")
}

# Tells a relay something: relay london cut both.
relay() {
    local name=$1 before
    shift
    before=$(wc -l <"$name.relay")
    echo "$*" >"$name.control"
    answered() { [ "$(wc -l <"$name.relay")" -gt "$before" ]; }
    wait_until answered
    equal "$(tail -n 1 "$name.relay")" ok
}

# start_apart, behind a relay of the node's name that start_relay has started.
start_behind() {
    local name=$1
    shift
    start_apart "$name" --advertise "$relay_address" "$@"
    relay "$name" to "$address"
}

# Whether node A has a live connection to node B; both may be apart.
sees() { [ "$(state_of "$1" "$2")" = connected ]; }
# Lost, and perhaps dialled right now, or known to be gone for good.
lost() { case $(state_of "$1" "$2") in lost | connecting | left) ;; *) false ;; esac; }
state_of() { json state ".node == \"$2\"" at "$1" rusm attach --peers "$1"; }
whole() { sees "$1" "$2" && sees "$2" "$1"; }

# Whether a node has exactly one connection, besides that of the client who asks.
has_one() {
    [ "$(json value '.counter == "connections"' at "$1" rusm attach --counters "$1")" = 2 ]
}

# Whether A knows of a global name.
knows() { at "$1" rusm whereis "$2" --via "$1"; }
not_knows() { ! knows "$1" "$2"; }

milliseconds() { echo $(($(date +%s%N) / 1000000)); }

# Fails when more than so many milliseconds have gone by since then.
took() { at_most "$(($(milliseconds) - $1))" "$2"; }
at_most() { [ "$1" -le "$2" ] || { echo "took $1 ms, not $2"; return 1; }; }

# Whether A has lost B by now, and by its own log (--log-level info) within so many milliseconds
# after the start: what a busy machine takes to ask does not count.
lost_within() {
    local when
    wait_until lost "$3" "$4" || return
    when=$(sed -n "s/ [a-z]* $3: $4 disconnected: .*//p" "$3.err" | tail -n 1)
    echo "$3 lost $4 at $when"
    at_most $(($(date -d "$when" +%s%N) / 1000000 - $1)) "$2"
}

# ---- traffic: two nodes, london and tokyo, of test/net/traffic.c ----

# Pairs of processes, one here, the other there, numbered on: pairs FROM TO HOW_MANY MESSAGES SIZE
pairs() {
    local from=$1 to=$2 n
    for ((n = 0; n < $3; n++)); do
        at "$to" expect 0 rusm spawn "$to" check --name "check_$from$n"
        at "$from" expect 0 rusm spawn "$from" source "check_$from$n@$to" "$4" "$5" \
            --name "source_$from$n"
    done
}

# Each message that was taken has arrived, in order, once, as it was.
all_arrived() {
    local from=$1 to=$2 n
    for ((n = 0; n < $3; n++)); do
        wait_until says "$to" "check_$from$n" "received $4"
        says "$from" "source_$from$n" "sent $4"
    done
}
says() {
    local answer
    answer=$(at "$1" rusm call "$1" "$2") && equal "$answer" "$3"
}

# A message that goes to and fro between the two, for ever, and how often it has.
throw_ball() {
    at london expect 0 rusm spawn london relay pong@tokyo --name ping
    at tokyo expect 0 rusm spawn tokyo relay ping@london --name pong
    at london expect 0 rusm send london ping ball
    wait_until thrown 2
}
round_trips() { json received '.name == "ping"' at london rusm attach london; }
thrown() { [ "$(round_trips)" -ge "$1" ]; }

# They have never lost each other; needs --log-level info.
never_parted() { not grep -h disconnected london.err tokyo.err; }
