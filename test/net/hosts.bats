# Nodes of two machines: which address each is told of the others.
load helper
load spaces

# The address at which A knows B: address_of A B
address_of() { json address ".node == \"$2\"" at "$1" rusm attach --peers "$1"; }

@test "a node on 0.0.0.0 is told to each peer by an address that the peer can reach" {
    two_spaces 1500
    at london start_node london --listen 0.0.0.0:7400
    at london start_node lima --listen 0.0.0.0:7401 # of the same run folder: known by loopback
    at tokyo start_node tokyo --listen 0.0.0.0:7400 --join london@10.77.0.1:7400
    knows_lima() { at tokyo connected tokyo lima; }
    wait_until knows_lima
    equal "$(address_of tokyo lima)" 10.77.0.1:7401
    not has_text tokyo.err 127.0.0.1
    not has_text tokyo.err 0.0.0.0:7401
}

@test "a node on loopback is not told to another machine" {
    two_spaces 1500
    at london start_node london --listen 0.0.0.0:7400
    at london start_node lima
    both() { at london connected london lima; }
    wait_until both
    at tokyo start_node tokyo --listen 10.77.0.2:7400 --join london@10.77.0.1:7400
    wait_until joined
    # What london told came before its names, and so before it told of anybody that comes later.
    at london start_node oslo --listen 10.77.0.1:7402
    third() { at tokyo connected tokyo oslo; }
    wait_until third
    equal "$(at tokyo json node '.node == "lima"' rusm attach --peers tokyo)" ""
}
joined() { at tokyo connected tokyo london; }

@test "[::] hears IPv4 too, and a mapped address is told as IPv4" {
    two_spaces 1500
    at london start_node london --listen '[::]:7400'
    at tokyo start_node tokyo --listen 10.77.0.2:7400 --join london@10.77.0.1:7400
    wait_until joined
    equal "$(address_of london tokyo)" 10.77.0.2:7400
    at london start_node lima --listen '[::]:7401'
    knows_lima() { at tokyo connected tokyo lima; }
    wait_until knows_lima
    like "$(address_of tokyo lima)" 10.77.0.1:7401
}

@test "a node on loopback that cannot reach another machine says what to do" {
    two_spaces 1500
    at london start_node london --listen 0.0.0.0:7400
    at tokyo start_node tokyo --join london@10.77.0.1:7400
    wait_until has_text tokyo.err "give --listen ADDR:PORT"
}
