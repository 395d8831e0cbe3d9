# Nodes that are gone for good are forgotten, by each node by itself, and known again when they come.
load helper

# Three nodes apart, of which london forgets soon: three OPTION... (of tokyo and oslo)
three() {
    at_port london start_apart london --log-level info --idle-timeout 1 --forget 1
    start_apart tokyo --join "london@$address" --boot-global clock=echo "$@"
    start_apart oslo --join "london@$london" --boot-global parrot=echo "$@"
    oslo=$pid
    wait_until whole london tokyo
    wait_until whole london oslo
    wait_until whole tokyo oslo
}
# start_apart at an address to come back to, which is in $london.
at_port() {
    local try
    for try in {1..20}; do
        "${@:2}" --listen "127.0.0.1:$(port_by_chance)" && break
    done
    london=$address london_pid=$pid
}
forgets() { has_text "$1.err" "$2 is forgotten" && [ -z "$(state_of "$1" "$2")" ]; }

# london again, which knows nothing any more but what tokyo tells.
london_again() {
    kill "$london_pid"
    wait_until gone "$london_pid"
    start_apart london --listen "$london" --log-level info --idle-timeout 1 --forget 1
    wait_until knows london clock # what tokyo told of others came before its names
}

@test "a peer that is lost for too long is forgotten, and its names with it" {
    three
    kill -9 "$oslo"
    wait_until forgets london oslo
    equal "$(grep -c "warn london: oslo is forgotten" london.err)" 1
    not_knows london parrot
    # A day has not gone by for tokyo. But it does not bring oslo back to london.
    wait_until lost tokyo oslo
    london_again
    equal "$(state_of london oslo)" ""
    # Another oslo is as good as any.
    start_apart oslo --join "london@$london"
    wait_until whole london oslo
}

@test "a peer that left is forgotten" {
    three
    at oslo rusm stop oslo
    wait_until forgets london oslo
    equal "$(state_of tokyo oslo)" left
}

@test "a dead node that a peer believes alive is forgotten again, and known when it comes" {
    three --idle-timeout 120
    kill -STOP "$oslo"
    wait_until forgets london oslo
    sees tokyo oslo
    london_again
    wait_until forgets london oslo
    kill -CONT "$oslo"
    wait_until whole london oslo
}

@test "a peer that --join names is not forgotten" {
    start_apart tokyo
    local tokyo=$pid
    start_apart oslo --join "tokyo@$address" --log-level info --forget 0.5
    start_apart lima --join "oslo@$(sed -n '1s/^oslo ready at //p' oslo.out)"
    wait_until whole oslo lima
    wait_until whole oslo tokyo
    kill -9 "$tokyo" # before lima
    wait_until lost oslo tokyo
    kill -9 "$pid"
    wait_until forgets oslo lima
    lost oslo tokyo
}
