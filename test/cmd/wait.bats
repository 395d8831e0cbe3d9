# wait: until a node is up and has what a script needs.
load helper

@test "wait: a node that is up, and one that comes up while it waits" {
    start_node london
    expect 0 rusm wait london
    equal "$output$stderr" ""
    "$RUSM" wait --timeout 60 tokyo 3>&- &
    waits=$!
    echo $waits >>pids
    start_node tokyo
    wait $waits
}

@test "wait --name: local and global names, of this node or others; more than one" {
    start_node london --boot parrot=echo
    start_node tokyo
    expect 0 rusm wait london --name parrot
    "$RUSM" wait --timeout 60 tokyo --name macaw --name raven 3>&- &
    waits=$!
    echo $waits >>pids
    rusm spawn london echo --global macaw >pid
    rusm spawn tokyo echo --name raven >pid
    wait $waits
}

@test "wait --peers: enough nodes are connected" {
    start_node london
    "$RUSM" wait --timeout 60 --peers 2 london 3>&- &
    waits=$!
    echo $waits >>pids
    start_node tokyo
    not gone $waits
    start_node oslo
    wait $waits
    expect 0 rusm wait --peers 1 oslo
}

@test "wait: what is missing is said, in time, and the exit status is 1" {
    start_node london --boot parrot=echo
    begin=$(date +%s%N)
    expect_error 1 "rusm: wait: london is not ready after 1 s: nobody has the name 'macaw', nobody has \
the name 'raven', it has 0 of 2 peers" \
        "$RUSM" wait --timeout 1 --name parrot --name macaw --name raven --peers 2 london
    [ $((($(date +%s%N) - begin) / 1000000)) -ge 1000 ]
    expect 1 "$RUSM" wait --timeout 0.3 tokyo
    like "$stderr" "rusm: wait: no node 'tokyo' (known: london; looked in *"
    expect 1 "$RUSM" wait --timeout 0.3 127.0.0.1:1
    like "$stderr" "rusm: wait: cannot reach 127.0.0.1:1*"
    # A node that has stopped answering: not much longer than the timeout.
    kill -STOP "$pid"
    begin=$(date +%s%N)
    expect 1 "$RUSM" wait --timeout 1 --name parrot london
    kill -CONT "$pid"
    echo $((($(date +%s%N) - begin) / 1000000)) ms
    [ $((($(date +%s%N) - begin) / 1000000)) -lt 5000 ]
}

@test "wait: wrong usage" {
    expect_error 2 "rusm: wait: NODE is missing (try 'rusm wait --help')" rusm wait
    expect 2 rusm wait --peers x london
    expect 2 rusm wait --timeout 0.3 'a b'
}
