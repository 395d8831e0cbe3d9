# How long packets may be: found out, and noticed when it is no longer so.
load helper

pair_through() { # BYTES
    seed
    start_relay tokyo --longest "$1"
    start_behind tokyo --max-packet 9000 --boot drain=sink
    start_apart london --max-packet 9000 --join "tokyo@$relay_address" \
        --boot to_drain='relay drain@tokyo'
    wait_until whole london tokyo
    head -c 1048576 /dev/urandom >megabyte
}

# The longest datagram that got through has so many bytes.
found() {
    relay tokyo counters || return
    like "$(tail -n 2 tokyo.relay | head -n 1)" "* width $1"
}
has_received() { [ "$(at "$1" "$RUSM" call "$1" drain)" = "$2" ]; }

@test "a path for jumbo frames: as long as was allowed" {
    pair_through 65000
    wait_until found 9000
    at london expect 0 rusm send --file megabyte london to_drain
    wait_until has_received tokyo 1
}

@test "a tunnel: the longest that gets through, and no more" {
    pair_through 1400
    wait_until found 1372
    at london expect 0 rusm send --file megabyte london to_drain
    wait_until has_received tokyo 1
    found 1372
}

@test "the narrowest path that QUIC allows: 1,200 bytes" {
    pair_through 1200
    at london expect 0 rusm send --file megabyte london to_drain
    wait_until has_received tokyo 1
    found 1200
}

@test "a path that grows narrower holds nothing up for long" {
    pair_through 65000
    wait_until found 9000
    relay tokyo longest 1300
    at london expect 0 rusm send --file megabyte london to_drain
    wait_until has_received tokyo 1
    sees london tokyo
    seq 1000 >lines
    at london expect 0 rusm send --lines london to_drain <lines
    wait_until has_received tokyo 1001
}

@test "over loopback nothing is tried" {
    seed
    start_relay tokyo
    start_behind tokyo --boot drain=sink
    start_apart london --join "tokyo@$relay_address" --boot to_drain='relay drain@tokyo'
    wait_until whole london tokyo
    head -c 1048576 /dev/urandom >megabyte
    at london expect 0 rusm send --file megabyte london to_drain
    wait_until has_received tokyo 1
    found 8952
}
