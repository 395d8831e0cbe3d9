# The cluster's identity: made, shown, protected.
load helper

@test "new makes a private file and prints its fingerprint; show prints the same" {
    expect 0 rusm cert new
    like "$output" "$(printf '[0-9a-f]%.0s' {1..64})"
    like "$stderr" "rusm: cert: made $RUSM_IDENTITY; copy it to *"
    equal "$(stat -c %a "$RUSM_IDENTITY")" 600
    grep -q "BEGIN CERTIFICATE" "$RUSM_IDENTITY"
    grep -q "PRIVATE KEY" "$RUSM_IDENTITY"
    made=$output
    expect 0 rusm cert show
    equal "$output" "$made"
    equal "$stderr" ""
}

@test "show --json" {
    rusm cert new 2>/dev/null
    expect 0 rusm cert show --json
    equal "$(jq -r .fingerprint <<<"$output")" "$(rusm cert show)"
    equal "$(jq -r .file <<<"$output")" "$RUSM_IDENTITY"
    like "$(jq -r .not_after <<<"$output")" "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
    equal "$(wc -l <<<"$output")" 1
}

@test "new never overwrites" {
    rusm cert new 2>/dev/null
    before=$(sha256sum "$RUSM_IDENTITY")
    expect 1 rusm cert new
    like "$stderr" "rusm: cert: *$RUSM_IDENTITY*exist*"
    equal "$(sha256sum "$RUSM_IDENTITY")" "$before"
}

@test "two identities differ; a file may be named; folders are made" {
    expect 0 rusm cert new deep/er/one.pem
    equal "$(stat -c %a deep/er)" 700
    expect 0 rusm cert new two.pem
    [ "$(rusm cert show deep/er/one.pem)" != "$(rusm cert show two.pem)" ]
    [ ! -e "$RUSM_IDENTITY" ]
}

@test "the default is below XDG_CONFIG_HOME, else below HOME" {
    unset RUSM_IDENTITY
    expect 0 rusm cert new
    [ -f "$HOME/.config/rusm/cluster.pem" ]
    XDG_CONFIG_HOME=$PWD/xdg expect 0 rusm cert new
    [ -f xdg/rusm/cluster.pem ]
}

@test "show: missing" {
    expect 5 rusm cert show
    like "$stderr" "rusm: cert: *$RUSM_IDENTITY*"
    equal "$output" ""
}

@test "show: readable by others is refused" {
    rusm cert new 2>/dev/null
    chmod 640 "$RUSM_IDENTITY"
    expect 5 rusm cert show
    like "$stderr" "rusm: cert: *$RUSM_IDENTITY*chmod 600*"
}

@test "show: not an identity" {
    echo "no certificate" >"$RUSM_IDENTITY"
    chmod 600 "$RUSM_IDENTITY"
    expect 1 rusm cert show
    like "$stderr" "rusm: cert: *$RUSM_IDENTITY*"
}

@test "node makes the identity and says so; commands never do" {
    expect 3 rusm send london greeter hi
    expect 5 rusm send 127.0.0.1:1 greeter hi
    [ ! -e "$RUSM_IDENTITY" ]
    start_node london
    equal "$(stat -c %a "$RUSM_IDENTITY")" 600
    like "$(cat london.err)" "rusm: node: made the cluster's identity $RUSM_IDENTITY (fingerprint $(rusm cert show | cut -c 1-16)...); copy it to another machine*"
    start_node tokyo
    equal "$(cat tokyo.err)" ""
}

@test "of two nodes that start together, one makes the identity" {
    "$RUSM" node --name london >london.out 2>london.err 3>&- &
    pid=$!
    echo $pid >>pids
    start_node tokyo
    wait_until has_text london.out "ready at"
    equal "$(cat london.err tokyo.err | grep -c "made the cluster's identity")" 1
    wait_until connected london tokyo
}

@test "a node refuses an identity that others can read" {
    rusm cert new 2>/dev/null
    chmod 644 "$RUSM_IDENTITY"
    expect 5 rusm node --name london
    like "$stderr" "rusm: node: *$RUSM_IDENTITY*"
}

@test "a foreign certificate is refused" {
    start_node london
    rusm cert new foreign.pem 2>/dev/null
    RUSM_IDENTITY=$PWD/foreign.pem expect 5 rusm send "london@$address" greeter hi
    like "$stderr" "rusm: send: *"
    equal "$(wc -l <<<"$stderr")" 1
    expect 0 rusm send london greeter still-alive
    RUSM_IDENTITY=$PWD/missing.pem expect 5 rusm send london greeter hi
    like "$stderr" "rusm: send: *missing.pem*"
    [ ! -e missing.pem ]
}
