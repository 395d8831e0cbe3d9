# A crowd: twenty nodes that start together on one machine, ten that are killed and come back. What a
# hundred cost, `make figures` tells.
load helper

COUNT=20

crowd_start() {
    local i
    for i in "$@"; do
        "$RUSM" node --name "n$i" --log-level info --boot-global "parrot_$i=echo" \
            >"n$i.out" 2>"n$i.err" 3>&- &
        pids[i]=$!
        echo $! >>pids
    done
}

# Whether each of these nodes is connected to the others of them and nobody else.
all_connected() {
    local i
    for i in "$@"; do
        [ "$(rusm attach --peers --json "n$i" | jq -r 'select(.state == "connected") | .node' | sort)" \
            = "$(printf 'n%s\n' "$@" | grep -vxF "n$i" | sort)" ] || return
    done
}

# So that a hundred nodes can live on one machine.
is_small() {
    local kib
    kib=$(sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status")
    at_most_kib "$kib" 8192
}
at_most_kib() { [ "$1" -le "$2" ] || { echo "$1 KiB, not $2"; return 1; }; }

@test "20 nodes that start together: one handshake a pair, each small; half are killed and come back" {
    local pids i half=() rest=()
    crowd_start $(seq $COUNT)
    wait_until all_connected $(seq $COUNT)
    for ((i = 1; i <= COUNT; i++)); do is_small "${pids[i]}"; done
    # Two of a pair may dial each other by chance, not as a rule.
    [ "$(cat n*.err | grep -c 'another connection serves')" -le $((COUNT * (COUNT - 1) / 2 / 5)) ]
    wait_until rusm call --global "parrot_$COUNT" --via n1 hello
    wait_until rusm call --global parrot_1 --via "n$COUNT" hello

    for ((i = 1; i <= COUNT; i++)); do
        if ((i % 2)); then half+=("$i"); else rest+=("$i"); fi
    done
    for i in "${half[@]}"; do kill -9 "${pids[i]}"; done
    wait_until all_connected "${rest[@]}"
    expect 4 rusm call --global parrot_1 --via "n$COUNT" hello
    crowd_start "${half[@]}"
    wait_until all_connected $(seq $COUNT)
    wait_until rusm call --global parrot_1 --via "n$COUNT" hello
}
