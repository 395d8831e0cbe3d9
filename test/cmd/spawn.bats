# Processes from outside: spawn and kill.
load helper

@test "spawn prints the full pid; the process is there" {
    start_node london
    expect 0 rusm spawn london echo
    like "$output" "[0-9]*@london#[0-9a-f]*"
    expect 0 rusm call london "$output" hi
    equal "$output" hi
}

@test "spawn --name and --global" {
    start_node london
    expect 0 rusm spawn london echo --name parrot
    pid=$output
    expect 0 rusm call london parrot hi
    expect 0 rusm spawn london echo --global macaw
    macaw=$output
    expect 0 rusm whereis macaw
    equal "$output" "$macaw"
    expect 1 rusm spawn london echo --name parrot
    like "$stderr" "rusm: spawn: *'parrot'*"
    expect 2 rusm spawn london echo --name 'two words'
    equal "$(rusm attach london --json | jq -r 'select(.name == "parrot") | .pid')" "$pid"
    equal "$(rusm attach london --json | jq -r 'select(.behaviour == "echo") | .pid' | wc -l)" 2
}

@test "spawn hands over its arguments" {
    start_node london
    expect 0 rusm spawn london relay --name fan -- greeter
    expect 0 rusm send london fan passed-on
    wait_until has_line london.out "greeter received: passed-on"
    expect 2 rusm spawn london echo $(seq 65)
    like "$stderr" "rusm: spawn: unexpected argument '65'*"
}

@test "spawn: a behaviour that the node does not know" {
    start_node london
    expect 4 rusm spawn london nonesuch
    like "$stderr" "rusm: spawn: *'nonesuch'*london*"
    equal "$output" ""
}

@test "spawn: init fails" {
    start_node london
    expect 1 rusm spawn london relay
    like "$stderr" "rusm: spawn: *relay*"
}

@test "kill: the process has ended when the command returns" {
    start_node london
    pid=$(rusm spawn london echo --name parrot)
    expect 0 rusm kill london parrot
    equal "$output$stderr" ""
    expect 4 rusm call london parrot hi
    expect 4 rusm kill london "$pid"
    expect_error 4 "rusm: kill: no process 'parrot' on london" rusm kill london parrot
    pid=$(rusm spawn london echo)
    expect 0 rusm kill london "$pid" 'for a reason'
    expect 4 rusm send london "$pid" hi
}

@test "kill --global, also by way of another node" {
    start_node london
    start_node tokyo
    wait_until connected tokyo london
    expect 0 rusm spawn london echo --global parrot
    wait_until rusm whereis parrot --via tokyo
    expect 0 rusm kill --via tokyo --global parrot
    expect 4 rusm call --global parrot hi
}
