# Many nodes: in whatever order they start, each sees each, and knows each other's names; until one
# leaves or is killed.
load helper

CITIES=(london tokyo oslo paris rome lima cairo delhi quito dakar hanoi sofia)

# Starts a node without waiting for it, with a global name of its own.
launch() {
    local name=$1
    shift
    "$RUSM" node --name "$name" --boot-global "parrot_$name=echo" "$@" \
        >"$name.out" 2>"$name.err" 3>&- &
    pid_of[$name]=$!
    echo $! >>pids
}

# The first so many cities in an order by chance.
shuffled() {
    local i j other order=("${CITIES[@]:0:$1}")
    for ((i = $1 - 1; i > 0; i--)); do
        j=$((RANDOM % (i + 1))) other=${order[i]}
        order[i]=${order[j]} order[j]=$other
    done
    nodes=("${order[@]}")
}

# Whether exactly these are what node $1 is connected to; none is listed twice.
is_connected_to() {
    local node=$1
    shift
    [ "$(rusm attach --peers --json "$node" | jq -r 'select(.state == "connected") | .node' | sort)" \
        = "$(printf '%s\n' "$@" | grep -vxF "$node" | sort)" ]
}

# Whether node $1 knows exactly one holder for the name of each of these, and which.
knows_names_of() {
    local node=$1
    shift
    [ "$(rusm attach --names --json "$node" | jq -r 'select(.scope == "global") | .name + "@" + .node' |
        sort)" = "$(printf 'parrot_%s\n' "$@" | sed 's/^parrot_\(.*\)/&@\1/' | sort)" ]
}

mesh() {
    local node other
    declare -A pid_of
    seed
    shuffled "$1"
    echo "${nodes[@]}"
    for node in "${nodes[@]}"; do
        launch "$node"
        # Some start together, some when others are there.
        [ $((RANDOM % 3)) != 0 ] || wait_until has_text "$node.out" "$node ready at"
    done
    for node in "${nodes[@]}"; do wait_until is_connected_to "$node" "${nodes[@]}"; done
    for node in "${nodes[@]}"; do wait_until knows_names_of "$node" "${nodes[@]}"; done
    for node in "${nodes[@]}"; do
        for other in "${nodes[@]}"; do
            expect 0 rusm call --global "parrot_$other" --via "$node" "from $node"
            equal "$output" "from $node"
        done
    done
    # One leaves.
    other=${nodes[0]}
    expect 0 rusm stop "$other"
    nodes=("${nodes[@]:1}")
    for node in "${nodes[@]}"; do
        wait_until is_connected_to "$node" "${nodes[@]}"
        wait_until knows_names_of "$node" "${nodes[@]}"
        expect 4 rusm call --global "parrot_$other" --via "$node" polly
    done
}

@test "3 nodes in any order: each sees each and reaches every name; one leaves" { mesh 3; }
@test "5 nodes in any order: each sees each and reaches every name; one leaves" { mesh 5; }
@test "12 nodes in any order: each sees each and reaches every name; one leaves" { mesh 12; }

@test "all join the first alone: the mesh completes itself, and lasts when the first is gone" {
    start_apart london --boot-global parrot_london=echo
    local first=$address first_pid=$pid a b rest=(tokyo oslo paris rome)
    for a in "${rest[@]}"; do
        start_apart "$a" --join "london@$first" --boot-global "parrot_$a=echo"
    done
    for a in london "${rest[@]}"; do
        wait_until at "$a" is_connected_to "$a" london "${rest[@]}"
        wait_until at "$a" knows_names_of "$a" london "${rest[@]}"
    done
    for a in london "${rest[@]}"; do
        for b in london "${rest[@]}"; do
            at "$a" expect 0 rusm call --global "parrot_$b" --via "$a" "from $a"
        done
    done
    at london expect 0 rusm stop london
    wait_until gone "$first_pid"
    for a in "${rest[@]}"; do
        wait_until at "$a" is_connected_to "$a" "${rest[@]}"
        wait_until at "$a" knows_names_of "$a" "${rest[@]}"
    done
}

@test "a killed owner on the same machine: its name is gone everywhere long before the idle timeout; back again" {
    start_node london --log-level info
    start_node paris --log-level info
    start_node tokyo --boot-global parrot=echo
    local start old
    for node in london paris; do wait_until rusm whereis parrot --via "$node"; done
    old=$(rusm whereis parrot --via london)
    start=$(milliseconds)
    kill -9 $pid
    for node in london paris; do
        lost_within "$start" 5000 "$node" tokyo # of ten
        not rusm whereis parrot --via "$node"
    done
    for node in london paris; do expect 4 rusm call --global parrot --via "$node" polly; done

    start_node tokyo --boot-global parrot=echo
    for node in london paris; do
        wait_until rusm whereis parrot --via "$node"
        expect 0 rusm call --global parrot --via "$node" polly
        equal "$output" polly
        expect 0 rusm whereis parrot --via "$node"
        not equal "$output" "$old"
        like "$output" "*@tokyo#*"
    done
    expect 0 rusm call tokyo "$output" polly
    expect 4 rusm call tokyo "$old" polly
    expect 4 rusm send tokyo "$old" polly
    expect 0 rusm spawn london relay "$old" --name to_old
    expect 0 rusm send london to_old polly
    noproc() {
        [ "$(json value '.counter == "undelivered_noproc"' rusm attach --counters tokyo)" -ge 1 ] ||
            [ "$(json value '.counter == "undelivered_noproc"' rusm attach --counters london)" -ge 1 ]
    }
    wait_until noproc
}

# Who dialled, seen from both sides.
directions() {
    local node
    for node in london tokyo; do json direction true rusm attach --peers $node; done | sort | xargs
}

@test "two nodes started at the same instant, 20 times: one connection each" {
    declare -A pid_of
    for i in {1..20}; do
        export RUSM_RUNDIR=$BATS_TEST_TMPDIR/run$i
        mkdir -m 700 "$RUSM_RUNDIR"
        launch london
        launch tokyo
        wait_until is_connected_to london tokyo
        wait_until is_connected_to tokyo london
        wait_until has_one london
        wait_until has_one tokyo
        equal "$(directions)" "in out"
        # The choice lost nothing: each has the other's name.
        wait_until knows_names_of london london tokyo
        wait_until knows_names_of tokyo london tokyo
        kill "${pid_of[london]}" "${pid_of[tokyo]}"
    done
}
