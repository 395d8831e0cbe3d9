# valgrind: nodes and commands from start to end, each process watched: it reads and writes nothing
# that is not its own or not set, and at its end no block of memory is in use.
load helper

# From here on $RUSM is the binary under valgrind, with a report for each process. Everything takes some
# fifty times as long, and longer on a busy machine: commands have patience.
watched() {
    reports=$BATS_TEST_TMPDIR/reports
    mkdir "$reports"
    PATIENCE=60
    {
        echo '#!/bin/sh'
        # shellcheck disable=SC2016
        echo 'case $1 in node | cert) ;; *) command=$1; shift; set -- "$command" --timeout 60 "$@" ;; esac'
        printf 'exec valgrind -q --vex-guest-chase=no --leak-check=full --show-leak-kinds=all %s "%s" "$@"\n' \
            "--errors-for-leak-kinds=all --log-file=$reports/%p" "$RUSM"
    } >watched
    chmod +x watched
    RUSM=$BATS_TEST_TMPDIR/watched
}

# So many processes have ended, and not one had anything reported. (What starts with -- is valgrind's
# own trouble with kernels that are younger than itself.)
clean() {
    local report count=0 bad=0
    for report in "$reports"/*; do
        count=$((count + 1))
        grep -q '^==' "$report" || continue
        bad=$((bad + 1))
        head -n 60 "$report"
    done
    echo "$count processes, $bad with a report"
    [ "$count" -ge "$1" ] && [ "$bad" = 0 ]
}

@test "a node that is sent to, called, spawned on, looked at, told to stop" {
    watched
    start_node london
    expect 0 rusm send london greeter hello
    seq 500 >lines
    expect 0 rusm send london greeter --lines <lines
    expect 0 rusm spawn london echo --name e2
    head -c 300000 /dev/zero | tr '\0' x >large
    expect 0 rusm call london e2 <large
    equal "${#output}" 300000
    expect 0 rusm attach --counters --json london
    expect 0 rusm kill london e2 enough
    expect 4 rusm call london e2 hi
    expect 0 rusm nodes
    expect 0 rusm stop london
    wait_until gone "$pid"
    equal "$(grep -c '^greeter received: ' london.out)" 501
    clean 10
}

@test "two nodes: a name, a relay, a host to look up, a leave by signal" {
    watched
    start_apart london --boot greeter=greeter --boot-global bank=greeter
    start_apart tokyo --join "london@localhost:${address##*:}" --boot 'post=relay greeter@london'
    wait_until sees london tokyo
    expect 0 at tokyo rusm call --global bank --via tokyo hi
    equal "$output" "hello, hi"
    expect 0 at tokyo rusm send tokyo post 'by way of tokyo'
    kill "$pid"
    wait_until gone "$pid"
    wait_until has_text london.out 'greeter received: by way of tokyo'
    expect 0 at london rusm stop london
    clean 6
}

@test "what fails: a name taken, no such node, another's certificate, no certificate" {
    watched
    start_node london
    expect 1 rusm node --name london
    expect 3 rusm send tokyo greeter hi
    expect 0 rusm cert new other.pem
    RUSM_IDENTITY=other.pem expect 5 rusm send "london@$address" greeter hi
    head -c 200 other.pem >broken.pem
    chmod 600 broken.pem
    expect 1 env RUSM_IDENTITY=broken.pem "$RUSM" send london greeter hi
    expect 2 rusm node --nosuch
    expect 0 rusm stop london
    wait_until gone "$pid"
    clean 8
}
