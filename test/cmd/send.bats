# Messages: send and call.
load helper

received() { sed -n 's/^greeter received: //p' london.out; }

@test "send delivers its words, joined by a blank, and prints nothing" {
    start_node london
    expect 0 rusm send london greeter hello big  'wide   world'
    equal "$output$stderr" ""
    wait_until has_line london.out "greeter received: hello big wide   world"
}

@test "send: empty, from standard input, after --, from a file" {
    start_node london
    expect 0 rusm send london greeter ''
    expect 0 rusm send london greeter </dev/null
    printf 'from stdin' | rusm send london greeter
    rusm send london greeter -- --no-option -h
    printf 'from a file' >file
    rusm send london --file file greeter
    rusm send london greeter last
    wait_until has_line london.out "greeter received: last"
    equal "$(received)" "$(printf '%s\n' '' '' 'from stdin' '--no-option -h' 'from a file' last)"
}

@test "send --lines: 1,000 lines arrive in order, each a message" {
    start_node london
    seq 1000 | rusm send --lines london greeter
    wait_until has_line london.out "greeter received: 1000"
    equal "$(received | sha256sum)" "$(seq 1000 | sha256sum)"
}

@test "send --lines: empty lines, a last one without newline, a file, nothing" {
    start_node london
    printf 'a\n\nb' | rusm send --lines london greeter
    printf 'c\nd\n' >file
    rusm send --lines --file file london greeter
    rusm send --lines london greeter </dev/null
    rusm send london greeter end
    wait_until has_line london.out "greeter received: end"
    equal "$(received)" "$(printf '%s\n' a '' b c d end)"
}

@test "send --lines: a line is sent when it is there, not at the end of the input" {
    start_node london
    mkfifo lines
    "$RUSM" send --lines london greeter <lines 3>&- &
    sender=$!
    echo $sender >>pids
    exec 7>lines
    echo first >&7
    wait_until has_line london.out "greeter received: first"
    echo second >&7
    wait_until has_line london.out "greeter received: second"
    exec 7>&-
    wait $sender
}

@test "call prints the reply" {
    start_node london --boot echo=echo --boot greeter=greeter
    expect 0 rusm call london greeter Ada
    equal "$output" "hello, Ada"
    printf 'no newline' | rusm call london echo >reply
    equal "$(od -An -c reply | tr -d ' ')" 'nonewline\n'
    printf 'one newline\n' | rusm call london echo >reply
    equal "$(wc -l <reply)" 1
    rusm call --raw london echo abc >reply
    equal "$(wc -c <reply)" 3
    rusm call --raw london echo '' >reply
    equal "$(wc -c <reply)" 0
}

@test "4 MiB and 1 byte go through echo unharmed; so do 64 MiB" {
    start_node london --boot echo=echo
    head -c $((4 * 1024 * 1024 + 1)) /dev/urandom >in
    rusm call --raw --file in london echo >out
    cmp in out
    head -c $((64 * 1024 * 1024)) /dev/zero >in
    rusm call --timeout 60 --raw --file in london echo >out
    cmp in out
}

@test "above 64 MiB is refused before anything is sent" {
    start_node london
    truncate -s $((64 * 1024 * 1024 + 1)) big
    expect_error 2 "rusm: send: big is larger than 64 MiB, the most that a message holds" \
        rusm send --file big london greeter
    run bash -c '"$RUSM" call london greeter <big 2>&1'
    equal "$status" 2
    equal "$output" "rusm: call: standard input is larger than 64 MiB, the most that a message holds"
    expect_error 2 "rusm: send: a line is larger than 64 MiB, the most that a message holds" \
        rusm send --lines --file big london greeter
    expect_error 1 "rusm: send: cannot read missing: No such file or directory" \
        rusm send --file missing london greeter
}

@test "a process may be a pid, short or in full" {
    start_node london
    pid=$(rusm spawn london echo)
    expect 0 rusm call london "$pid" full
    equal "$output" full
    expect 0 rusm call london "${pid%%#*}" short
    equal "$output" short
}

@test "a node may be NAME, NAME@HOST:PORT or HOST:PORT" {
    start_node london
    expect 0 rusm call london greeter a
    expect 0 rusm call "london@$address" greeter b
    expect 0 rusm call "$address" greeter c
    expect 3 rusm call "tokyo@$address" greeter d # somebody else answers
    like "$stderr" "rusm: call: *london*"
    RUSM_RUNDIR=$PWD/elsewhere expect 3 rusm call london greeter e
    echo "london $address" >nodes # beside the identity
    RUSM_RUNDIR=$PWD/elsewhere expect 0 rusm call london greeter f
}

@test "--global: any node finds the process; --via names one" {
    start_node london --boot-global parrot=echo
    start_node tokyo
    wait_until connected tokyo london
    expect 0 rusm call --global parrot hi
    equal "$output" hi
    expect 0 rusm call --via tokyo --global parrot there
    equal "$output" there
    expect 0 rusm send --via tokyo --global parrot there
    expect 4 rusm call --global nobody hi
    expect 3 rusm call --via oslo --global parrot hi
}

@test "3: an unknown node; says which are known and where it looked" {
    start_node london
    expect 3 rusm send tokyo greeter hi
    like "$stderr" "rusm: send: *'tokyo'*london*"
    like "$stderr" "*$RUSM_RUNDIR*"
    equal "$(wc -l <<<"$stderr")" 1
    expect 3 rusm send --timeout 1 127.0.0.1:1 greeter hi
    like "$stderr" "rusm: send: *127.0.0.1:1*"
}

@test "3: no node at all, for a global name" {
    expect 0 rusm cert new
    expect_error 3 "rusm: send: no node is running here: start one with 'rusm node --name NAME', or name one with --via" \
        rusm send --global parrot hi
}

@test "4: no such process" {
    start_node london
    expect_error 4 "rusm: send: no process 'nobody' on london" rusm send london nobody hi
    expect_error 4 "rusm: call: no process 'nobody' on london" rusm call london nobody hi
    expect_error 4 "rusm: send: no process 999@london" rusm send london 999@london hi
    seq 10 >lines
    expect_error 4 "rusm: send: no process 'nobody' on london" \
        rusm send --lines --file lines london nobody
}

@test "4: it dies before it replies" {
    start_node london --boot crash=crash
    expect 4 rusm call london crash hi
    like "$stderr" "rusm: call: *crash*"
    equal "$output" ""
}

@test "2: what is no process" {
    start_node london
    for word in '' 'a b' a@b@c 0@london; do
        expect 2 rusm send london "$word" hi
        like "$stderr" "rusm: send: *"
    done
}

@test "6: no reply in time" {
    start_node london --boot mute=bounce # what is too short for it is ignored
    times_out call london mute hi
    like "$stderr" "rusm: call: *may still*"
    equal "$output" ""
}

@test "6: a full mailbox" {
    # a holds its only message until b has room, and b until a has: neither takes more.
    start_node london --mailbox 1 --boot a='relay b' --boot b='relay a'
    printf '%s\n' 1 2 3 4 5 6 7 8 >lines
    times_out send --lines --file lines london a
    like "$stderr" "rusm: send: *may still*"
}

@test "3: a node that does not answer" {
    start_node london
    kill -STOP $pid
    expect 3 rusm send --timeout 0.5 london greeter hi
    kill -CONT $pid
    like "$stderr" "rusm: send: *no answer within 0.5 s*"
}

@test "on a terminal: says how to end the message" {
    start_node london
    mkfifo keys
    script -qefc '"$RUSM" send london greeter' terminal <keys >/dev/null 2>&1 3>&- &
    session=$!
    echo $session >>pids
    exec 7>keys
    wait_until has_text terminal "end with Ctrl-D"
    printf 'typed\n\004' >&7
    wait $session
    exec 7>&-
    wait_until has_text london.out "greeter received: typed"
}
