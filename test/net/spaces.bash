# spaces: a network of the test's own, below the nodes: two network namespaces, joined by a wire (a
# pair of veth), in which london and tokyo live. nftables loses what arrives (this kind of kernel may
# have no netem). Loaded after helper. Whatever `at london` runs is in london's namespace.

eval "nodes_$(declare -f teardown)"
teardown() {
    nodes_teardown
    ip netns del "$(space london)" 2>/dev/null
    ip netns del "$(space tokyo)" 2>/dev/null
    return 0
}

# The namespace of a city, of which there is one a test.
space() { echo "rusm-$1-${BATS_TEST_TMPDIR//[!A-Za-z0-9]/}"; }

# Runs a command in a city's namespace: inside london ip addr
inside() {
    local city=$1
    shift
    nsenter --net="/run/netns/$(space "$city")" "$@"
}

at() {
    local city=$1
    shift
    PROGRAM=$RUSM RUSM=$BATS_TEST_TMPDIR/inside.$city RUSM_RUNDIR=$BATS_TEST_TMPDIR/run.$city "$@"
}

# Two namespaces and a wire, for packets of at most so many bytes. Skips the test where it may not.
two_spaces() {
    local city tool
    [ "$(id -u)" = 0 ] || skip "only root makes network namespaces"
    for tool in ip nft nsenter; do
        command -v "$tool" >/dev/null || skip "there is no $tool"
    done
    ip netns add "$(space london)" || skip "no network namespaces here"
    ip netns add "$(space tokyo)"
    ip link add wire netns "$(space london)" type veth peer name wire netns "$(space tokyo)"
    join_space london 10.77.0.1 fd77::1 "$1"
    join_space tokyo 10.77.0.2 fd77::2 "$1"
}

# A packet goes through the wire by itself, and is lost by itself: no trains (gso_max_segs 1).
join_space() {
    local city=$1
    printf '#!/bin/sh\nexec nsenter --net=%s "$PROGRAM" "$@"\n' "/run/netns/$(space "$city")" \
        >"inside.$city"
    chmod +x "inside.$city"
    mkdir -m 700 "run.$city"
    inside "$city" ip link set lo up
    inside "$city" ip addr add "$2/24" dev wire
    inside "$city" ip addr add "$3/64" dev wire nodad
    inside "$city" ip link set wire mtu "$4" gso_max_segs 1 up
}

# Loses what a condition of nftables picks, in both directions, in place of what was lost before:
# lose numgen random mod 100 '<' 5
lose() {
    local city
    for city in london tokyo; do
        inside "$city" nft -f - <<EOF
table inet bad
delete table inet bad
table inet bad {
    chain in {
        type filter hook input priority 0
        iifname wire $* counter drop
    }
}
EOF
    done
}
lose_percent() { lose numgen random mod 100 '<' "$1"; }

# Counts the packets of so many bytes that arrive from now on.
count_long() {
    local city
    for city in london tokyo; do
        inside "$city" nft -f - <<EOF
table inet long {
    chain in {
        type filter hook input priority 1
        iifname wire meta length $1 counter
    }
}
EOF
    done
}

# How many packets a table's counter has counted in the namespace.
packets() { inside "$1" nft -j list table inet "$2" | jq '.. | .counter? | objects | .packets'; }
packets_lost() { packets "$1" bad; }
was_lossy() { [ "$(packets_lost london)" -gt 0 ] && [ "$(packets_lost tokyo)" -gt 0 ]; }

# A node of test/net/traffic.c in each: two_nodes ADDRESS ADDRESS [OPTION...]
two_nodes() {
    local london=$1 tokyo=$2
    shift 2
    RUSM=$TRAFFIC at tokyo start_node tokyo --log-level info --listen "$tokyo:0" "$@"
    RUSM=$TRAFFIC at london start_node london --log-level info --listen "$london:0" \
        --join "tokyo@$address" "$@"
    wait_until whole london tokyo
}
V4=(10.77.0.1 10.77.0.2) V6=([fd77::1] [fd77::2])
