# One host name with the addresses of all nodes, as a headless service has it: each node is given
# the same --join. Each lives at a loopback address of its own; the name is in a hosts file of theirs.
load helper

service() {
    [ "$(id -u)" = 0 ] || skip "only root mounts a hosts file of its own"
    unshare -m true || skip "no mount namespaces here"
    printf '127.0.0.1 localhost\n' >hosts
    printf '#!/bin/sh\nexec unshare -m sh -c "mount --bind %s /etc/hosts && exec \\"\\$0\\" \\"\\$@\\"" %s "$@"\n' \
        "$PWD/hosts" "$RUSM" >inside
    chmod +x inside
    port=$(port_by_chance)
}
record() { echo "127.0.0.$1 pods.test" >>hosts; }

# A node at 127.0.0.N: pod NAME N
pod() { RUSM=$PWD/inside start_apart "$1" --listen "127.0.0.$2:$port" --join "pods.test:$port"; }

@test "nodes that have one name in common find each other, itself among its addresses" {
    service
    record 2
    record 3
    record 4
    pod london 2
    pod tokyo 3
    pod oslo 4
    wait_until whole london tokyo
    wait_until whole tokyo oslo
    wait_until whole london oslo
    not has_text london.err "cannot connect to"
    # Its own address is no peer of it.
    equal "$(at london json node '.node == "london"' rusm attach --peers london)" ""
}

@test "a host that gets more addresses later is looked up again" {
    service
    record 2
    pod london 2
    printf '127.0.0.1 localhost\n127.0.0.3 pods.test\n127.0.0.2 pods.test\n' >hosts.next
    start_apart tokyo --listen "127.0.0.3:$port"
    cat hosts.next >hosts
    wait_until whole london tokyo
}
