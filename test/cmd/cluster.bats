# Nodes that find each other, and messages between them.
load helper

@test "nodes of one run folder join; a message goes from one to the other" {
    start_node london
    start_node tokyo
    wait_until connected london tokyo
    wait_until connected tokyo london
    expect 0 rusm spawn london relay greeter@tokyo --name postman
    expect 0 rusm send london postman "hello tokyo"
    wait_until has_line tokyo.out "greeter received: hello tokyo"
    not has_text london.out "greeter received"
}

@test "send, call and kill reach a process of another node by way of this one" {
    start_node london
    seed=$address
    mkdir -m 700 run2
    RUSM_RUNDIR=$PWD/run2 start_node tokyo --boot echo=echo --boot greeter=greeter \
        --join "london@$seed"
    wait_until connected london tokyo # it is in no run folder that the commands see
    expect 0 rusm call london echo@tokyo "far away"
    equal "$output" "far away"
    expect 0 rusm spawn london relay greeter@tokyo --name postman
    pid=$(RUSM_RUNDIR=$PWD/run2 "$RUSM" spawn tokyo echo)
    expect 0 rusm call london "$pid" full
    expect 0 rusm call london "${pid%#*}" short
    equal "$output" short
    seq 1000 | rusm send --lines london "${pid%#*}"
    seq 1000 | rusm send --lines london greeter@tokyo
    wait_until has_line tokyo.out "greeter received: 1000"
    sed -n 's/^greeter received: //p' tokyo.out >got
    seq 1000 | cmp - got
    expect 0 rusm kill london "$pid"
    expect_error 4 "rusm: call: no process ${pid%#*}" rusm call london "${pid%#*}" gone
    expect_error 3 "rusm: call: london is not connected to oslo" rusm call london echo@oslo hi
}

@test "1,000 lines through another node's relay arrive in order" {
    start_node london
    start_node tokyo --boot postman='relay greeter@london'
    wait_until connected tokyo london
    seq 1000 | rusm send --lines tokyo postman
    wait_until has_line london.out "greeter received: 1000"
    sed -n 's/^greeter received: //p' london.out >got
    seq 1000 | cmp - got
}

@test "--join reaches a node of another run folder; a third is learnt from it" {
    start_node london
    seed=$address
    mkdir -m 700 run2 run3
    export RUSM_RUNDIR=$PWD/run2
    start_node tokyo --join "london@$seed"
    wait_until connected tokyo london
    export RUSM_RUNDIR=$PWD/run3
    start_node oslo --join "london@$seed"
    wait_until connected oslo london
    wait_until connected oslo tokyo
    expect 0 rusm spawn oslo relay greeter@tokyo --name postman
    expect 0 rusm send oslo postman "by the mesh"
    wait_until has_line tokyo.out "greeter received: by the mesh"
}

@test "--join: the node that is meant may come later, and again" {
    start_node_at_port tokyo
    rusm stop tokyo
    later=$address
    mkdir -m 700 run2
    start_node london --join "tokyo@$later"
    export RUSM_RUNDIR=$PWD/run2
    start_node tokyo --listen "$later"
    wait_until connected tokyo london
    kill -9 $pid
    wait $pid || true
    start_node tokyo --listen "$later"
    wait_until connected tokyo london
}

@test "--join: the node that is meant may leave politely and come back" {
    start_node_at_port tokyo
    later=$address
    mkdir -m 700 run2
    RUSM_RUNDIR=$PWD/run2 start_node london --join "tokyo@$later"
    wait_until connected tokyo london
    rusm stop tokyo
    has_left() { [ "$(RUSM_RUNDIR=$PWD/run2 json state '.node == "tokyo"' rusm attach --peers london)" = left ]; }
    wait_until has_left
    start_node tokyo --listen "$later"
    wait_until connected tokyo london
    not has_text london.err "cannot join"
}

@test "--join without a name asks who is there; the node may come later" {
    start_node_at_port tokyo
    rusm stop tokyo
    later=$address
    mkdir -m 700 run2 run3
    RUSM_RUNDIR=$PWD/run2 start_node london --join "$later" --schedulers 3
    wait_until has_text london.err "cannot join $later: Connection refused"
    start_node tokyo --listen "$later" --schedulers 2
    wait_until connected tokyo london
    wait_until has_text london.err "a node answers at $later now"
    RUSM_RUNDIR=$PWD/run3 start_node oslo --join "localhost:${later##*:}"
    wait_until connected tokyo oslo
    # A node that has the name is found by its address, too.
    mkdir -m 700 run4
    RUSM_RUNDIR=$PWD/run4 expect 1 rusm node --name tokyo --join "$later" --detach
    like "$stderr" "rusm: node: cannot join $later: refused: *that has the name tokyo already*"
    RUSM_RUNDIR=$PWD/run4 expect 2 rusm node --name lima --join lima
    like "$stderr" "*write it NODE@HOST:PORT, HOST:PORT or srv:NAME"
}

@test "--join of itself is no peer" {
    start_node_at_port tokyo
    rusm stop tokyo
    start_node tokyo --listen "$address" --join "$address"
    expect 0 rusm attach tokyo --peers
    equal "$output" ""
    not has_text tokyo.err "cannot join"
}

@test "another cluster's node in the same run folder is left alone" {
    start_node london
    rusm cert new other.pem 2>/dev/null
    RUSM_IDENTITY=$PWD/other.pem start_node tokyo
    RUSM_IDENTITY=$PWD/other.pem expect 0 rusm attach tokyo --peers
    equal "$output" ""
    expect 5 rusm attach tokyo
    like "$stderr" "rusm: attach: *"
}

@test "a killed peer is noticed, a stopped one forgotten" {
    start_node london --idle-timeout 2
    start_node tokyo
    wait_until connected london tokyo
    kill -9 $pid
    wait $pid || true
    not_connected() { ! connected london tokyo; }
    wait_until not_connected
    start_node tokyo
    wait_until connected london tokyo
    expect 0 rusm stop tokyo
    wait_until not_connected
}

@test "a global name is taken once in the cluster, and free when its holder ends" {
    start_node london
    start_node tokyo
    wait_until connected london tokyo
    wait_until connected tokyo london
    expect 0 rusm spawn london echo --global parrot
    holder=$output
    seen() { [ "$(rusm whereis parrot --via tokyo)" = "$holder" ]; }
    wait_until seen
    expect 1 rusm spawn tokyo echo --global parrot
    like "$stderr" "rusm: spawn: *'parrot'*"
    expect 0 rusm kill london "$holder"
    free() { ! rusm whereis parrot --via tokyo; }
    wait_until free
    expect 0 rusm spawn tokyo echo --global parrot
}
