# A node of several schedulers, from outside: all commands work as they do with one.
load helper

@test "what is spawned is spread over all schedulers, and is there for every command" {
    start_node london --schedulers 3
    for n in 1 2 3 4 5 6; do rusm spawn london echo --name "e$n" >>pids.txt; done
    # The lower two bits of a serial say whose it is.
    equal "$(cut -d@ -f1 pids.txt | awk '{ print $1 % 4 }' | sort | uniq -c | tr -s ' \n' ' ')" \
        " 2 0 2 1 2 2 "
    for n in 1 2 3 4 5 6; do equal "$(rusm call london "e$n" "hi $n")" "hi $n"; done
    while read -r pid_text; do equal "$(rusm call london "$pid_text" again)" again; done <pids.txt
    rusm attach --json london >rows.json
    equal "$(jq -r 'select(.behaviour == "echo") | .name' rows.json | sort | tr '\n' ' ')" \
        "e1 e2 e3 e4 e5 e6 "
    equal "$(jq -s 'map(select(.behaviour == "echo") | .received) | add' rows.json)" 12
    equal "$(rusm attach london --names | grep -c local)" 7
}

@test "a process of any scheduler is ended, and so are its names; who is gone is not found" {
    start_node london --schedulers 2
    for n in 1 2 3 4; do rusm spawn london echo --name "e$n" >/dev/null; done
    for n in 1 2 3 4; do
        expect 0 rusm kill london "e$n"
        expect 4 rusm kill london "e$n"
        expect 4 rusm send london "e$n" hello
    done
    gone=$(rusm spawn london crash) && expect 0 rusm send london "$gone" x
    gone=$(rusm spawn london crash) && expect 0 rusm send london "$gone" x
    counter() { rusm attach london --counters --json | jq -r 'select(.counter == "'"$1"'").value'; }
    ended() { [ "$(counter processes_ended)" = 6 ]; }
    wait_until ended
    expect 4 rusm send london "$gone" hello
    expect 1 rusm spawn london echo --name greeter
    like "$stderr" "*'greeter' is taken*"
}

@test "processes of two nodes' schedulers reach each other, also by global names" {
    start_node london --schedulers 2
    start_node tokyo --schedulers 2
    wait_until connected london tokyo
    for n in 1 2; do
        rusm spawn london echo --name "e$n" >/dev/null
        rusm spawn london echo --global "g$n" >/dev/null
        rusm spawn tokyo relay "e$n@london" --name "r$n" >/dev/null
        rusm spawn tokyo relay "g$n" --name "s$n" >/dev/null
    done
    for n in 1 2; do
        equal "$(rusm call tokyo "r$n" "to e$n")" "to e$n"
        found() { rusm call tokyo "s$n" "to g$n" 2>/dev/null; }
        wait_until found
        equal "$(rusm call tokyo "s$n" "to g$n")" "to g$n"
    done
    rusm kill london e1
    expect 4 rusm call tokyo r1 x
}

@test "a booted child is restarted, and a flood of lines to another scheduler is all there" {
    start_node london --schedulers 2 --boot fragile=crash
    before=$(rusm attach --json london | jq -r 'select(.name == "fragile").pid')
    rusm send london fragile x
    again() { [ "$(rusm attach --json london | jq -r 'select(.name == "fragile").pid')" != "$before" ]; }
    wait_until again
    rusm spawn london sink --name s0 >/dev/null
    rusm spawn london sink --name s1 >/dev/null
    seq 20000 >lines
    expect 0 rusm send london s0 --lines --file lines
    expect 0 rusm send london s1 --lines --file lines
    taken() { [ "$(rusm attach --json london | jq -s 'map(select(.behaviour == "sink").received) | add')" = 40000 ]; }
    wait_until taken
    rusm stop london
}

# Sockets at that port.
sockets() { awk -v at=":$(printf %04X "$1")" 'substr($2, 9) == at' /proc/net/udp | wc -l; }

@test "each scheduler has a socket at the node's address, which nobody else gets" {
    start_node_at_port london --schedulers 3
    equal "$(sockets "${address##*:}")" 3
    for n in 1 3; do
        expect 1 rusm node --name tokyo --listen "$address" --schedulers $n
        like "$stderr" "*$address*in use*"
    done
    rusm stop london
    wait "$pid"
    equal "$(sockets "${address##*:}")" 0
}

@test "nodes whose connections are of different schedulers, dialled and dialling" {
    start_node london --schedulers 4
    for n in n1 n2 n3 n4; do start_node $n --schedulers 1; done # of shares 237, 107, 202 and 0
    for n in n1 n2 n3 n4; do
        wait_until connected london $n
        wait_until connected $n london
        rusm spawn $n echo --name e >/dev/null
        rusm spawn $n echo --global "g$n" >/dev/null
        rusm spawn $n relay greeter@london --name r >/dev/null
    done
    for i in 0 1 2 3; do # a process of each scheduler to each node, and back
        for n in n1 n2 n3 n4; do
            rusm spawn london relay "e@$n" --name "to$i$n" >/dev/null
            rusm spawn london relay "g$n" --name "global$i$n" >/dev/null
        done
    done
    for n in n1 n2 n3 n4; do
        found() { rusm call london "global0$n" x 2>/dev/null; }
        wait_until found
        for i in 0 1 2 3; do
            equal "$(rusm call london "to$i$n" "$i to $n")" "$i to $n"
            equal "$(rusm call london "global$i$n" "$i to g$n")" "$i to g$n"
        done
        equal "$(rusm call $n r "$n")" "hello, $n"
    done
    # Each packet comes to the socket of its connection's scheduler; but for the last of some client, when
    # its connection is no more: it may be anyone's.
    counted() { json value ".counter == \"$1\"" rusm attach --counters london; }
    [ $((10 * $(counted datagrams_passed_on))) -lt "$(counted datagrams_in)" ]
    equal "$(rusm attach london --peers --json | jq -r 'select(.state == "connected" and .received > 0 and .sent > 0).node' | sort | tr '\n' ' ')" \
        "n1 n2 n3 n4 "
    kill -9 "$pid" # n4's
    lost() { [ "$(json state '.node == "n4"' rusm attach --peers london)" = lost ]; }
    wait_until lost
    expect 4 rusm call london to0n4 x
    expect 0 rusm call london to0n3 x
}

@test "--schedulers takes 1 to 64" {
    expect 2 rusm node --name london --schedulers 0
    expect 2 rusm node --name london --schedulers 65
    start_node london --schedulers 64
    equal "$(rusm call london greeter Ada)" "hello, Ada"
    rusm stop london
}
