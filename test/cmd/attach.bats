# What is to be seen: attach, nodes, whereis.
load helper

@test "attach: the head line, then a row a process" {
    start_node london
    rusm spawn london echo --name parrot
    expect 0 rusm attach london
    like "${lines[0]}" "london at $address, *uptime [0-9.]*, processes 3, peers 0*"
    equal "$(tr -s ' ' <<<"${lines[1]}")" "PID NAME BEHAVIOUR STATE MAILBOX RECEIVED MEMORY LINKS AGE"
    equal "${#lines[@]}" 5
    equal "$(awk '$2 == "parrot" { print $3, $4, $5, $6, $8 }' <<<"$output")" "echo waiting 0 0 0"
    equal "$(awk '$2 == "greeter" { print $3, $8 }' <<<"$output")" "greeter 1"
    equal "$(awk '$3 == "supervisor" { print $2, $8 }' <<<"$output")" "- 1"
    equal "$stderr" ""
}

@test "attach --json: an object a process, numbers as numbers" {
    start_node london
    parrot=$(rusm spawn london echo --name parrot)
    rusm call london parrot hi
    expect 0 rusm attach london --json
    equal "${#lines[@]}" 3
    equal "$(jq -r 'select(.behaviour == "supervisor") | .links' <<<"$output")" 1
    equal "$(jq -r 'select(.name == "parrot") | [.pid, .behaviour, .received] | @tsv' <<<"$output")" \
        "$parrot	echo	1"
    equal "$(jq -s 'all(.[]; (.mailbox | type) == "number" and (.memory | type) == "number" and
        (.age | type) == "number" and .age < 600 and (.links | type) == "number")' <<<"$output")" true
    equal "$(jq -sr '.[0] | keys_unsorted | join(" ")' <<<"$output")" \
        "pid name behaviour state mailbox received memory links age"
}

@test "attach --names, --spawnables, --counters" {
    start_node london --boot parrot=echo --boot-global macaw=echo
    expect 0 rusm attach london --names
    equal "$(awk '$1 == "parrot" { print $3, $4 }' <<<"$output")" "local london"
    equal "$(awk '$1 == "macaw" && $3 == "global" { print $4 }' <<<"$output")" london
    expect 0 rusm attach --names london --json
    like "$(jq -r 'select(.name == "parrot") | .pid' <<<"$output")" "[0-9]*@london#*"
    expect 0 rusm attach london --spawnables
    for name in bounce crash echo greeter relay sink; do
        awk '{ print $1 }' <<<"$output" | grep -qx $name
    done
    expect 0 rusm attach london --counters --json
    jq -se 'all(.[]; (.counter | type) == "string" and (.value | type) == "number")' <<<"$output"
}

@test "attach --counters: what could not be delivered is counted" {
    start_node london
    before=$(json value '.counter == "undelivered_noproc"' rusm attach --counters london)
    expect 4 rusm send london nobody hi
    after=$(json value '.counter == "undelivered_noproc"' rusm attach --counters london)
    equal $((after - before)) 1
}

@test "attach --peers: both sides see each other" {
    start_node london
    tokyo_has_no_peers=$(rusm attach london --peers --json)
    equal "$tokyo_has_no_peers" ""
    start_node tokyo
    wait_until connected london tokyo
    wait_until connected tokyo london
    expect 0 rusm attach london --peers --json
    equal "${#lines[@]}" 1
    equal "$(jq -r '[.node, .address, .state] | @tsv' <<<"$output")" "tokyo	$address	connected"
    equal "$(jq -r 'keys_unsorted | join(" ")' <<<"$output")" \
        "node address direction state rtt_us sent received lost lanes since"
    # A client is no peer.
    expect 0 rusm attach tokyo --peers
    equal "${#lines[@]}" 2
}

@test "on a terminal: bold and units, but not with NO_COLOR" {
    start_node london
    TERM=xterm script -qec '"$RUSM" attach london' seen >/dev/null
    has_text seen "$(printf '\033[1m')PID"
    grep -Eq ' [0-9.]+ (B|KiB|MiB) ' seen
    NO_COLOR=1 TERM=xterm script -qec '"$RUSM" attach london' plain >/dev/null
    not grep -q "$(printf '\033')" plain
    expect 0 rusm attach london
    not grep -Eq 'KiB|MiB' <<<"$output"
}

@test "nodes: the table, alive or not; JSON" {
    expect 0 rusm nodes
    equal "$output" ""
    start_node london
    expect 0 rusm nodes
    equal "$(tr -s ' ' <<<"${lines[0]}")" "NODE ADDRESS STATE OS_PID INCARNATION SOURCE"
    equal "$(awk '$1 == "london" { print $2, $3, $4 }' <<<"$output")" "$address alive $pid"
    expect 0 rusm nodes --json
    equal "$(jq -r '[.node, .address, .state, .os_pid] | @tsv' <<<"$output")" \
        "london	$address	alive	$pid"
    printf '# elsewhere\noslo 127.0.0.1:1\n' >nodes
    expect 0 rusm nodes --timeout 1 --json
    equal "$(jq -r 'select(.node == "oslo") | .address' <<<"$output")" 127.0.0.1:1
    [ "$(jq -r 'select(.node == "oslo") | .state' <<<"$output")" != alive ]
}

@test "whereis: the holder, from any node; JSON; nobody" {
    start_node london --boot-global parrot=echo
    start_node tokyo
    wait_until connected tokyo london
    expect 0 rusm whereis parrot
    holder=$output
    like "$holder" "[0-9]*@london#[0-9a-f]*"
    expect 0 rusm whereis parrot --via tokyo
    equal "$output" "$holder"
    expect 0 rusm whereis parrot --json
    equal "$(jq -r '[.name, .pid] | @tsv' <<<"$output")" "parrot	$holder"
    expect 4 rusm whereis nobody
    like "$stderr" "rusm: whereis: *'nobody'*"
    equal "$output" ""
}
