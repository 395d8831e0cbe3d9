# call --lines: a request a line, many under way. (send.bats has call with one message.)
load helper

@test "call --lines: replies in order, whatever the window; the last line may lack its newline" {
    start_node london --boot parrot=echo
    seq 3000 >in
    printf 'the last' >>in
    for window in 1 7 64 1024; do
        expect 0 rusm call --lines --window $window --file in london parrot
        equal "$output" "$(<in)"
        equal "$stderr" ""
    done
    start_node tokyo
    wait_until connected tokyo london
    rusm spawn london echo --global macaw >pid
    wait_until rusm whereis macaw --via tokyo
    expect 0 rusm call --lines --global macaw --via tokyo <in
    equal "$output" "$(<in)"
    expect 0 rusm call --lines london parrot </dev/null
    equal "$output" ""
}

@test "call --lines: many are under way at once, and the replies come in order" {
    # Three programs: each answers only when all three have a request, the first one last.
    cat >program <<END
while read -r line; do
    touch $PWD/got.\$line
    until [ -e $PWD/got.1 ] && [ -e $PWD/got.2 ] && [ -e $PWD/got.3 ]; do sleep 0.02; done
    until [ \$line != 1 ] || [ -e $PWD/answered ]; do sleep 0.02; done
    echo "\$line"
    touch $PWD/answered
done
END
    start_node london --boot three="exec*3:exec sh $PWD/program"
    seq 3 >in
    expect 0 rusm call --lines --file in london three
    equal "$output" "$(<in)"
    rm got.* answered
    expect 1 "$RUSM" call --lines --window 2 --timeout 1 --file in london three
    like "$stderr" "rusm: call: line 1: no reply within 1 s: *"
    touch got.1 got.2 got.3 answered # let the programs go
}

@test "call --lines: a reply comes at once when no more lines wait" {
    start_node london --boot parrot=echo
    mkfifo in
    "$RUSM" call --lines london parrot <in >out 3>&- &
    call=$!
    echo $call >>pids
    exec 7>in
    for word in one two three; do
        echo $word >&7
        wait_until has_line out $word
    done
    exec 7>&-
    wait $call
}

@test "call --lines: failures say their line, others go on; exit status 1" {
    start_node london
    rusm spawn london crash --name fragile >pid
    printf '%s\n' a b | { expect 1 rusm call --lines --window 1 london fragile
        equal "$output" ""
        equal "${stderr//$'\n'/|}" "rusm: call: line 1: process 'fragile' on london died before it \
replied: crashed: a|rusm: call: line 2: no process 'fragile' on london"; }
    rusm spawn london echo --name parrot >pid
    expect 1 rusm call --lines london nobody <<<$'x\ny'
    equal "${stderr//$'\n'/|}" \
        "rusm: call: line 1: no process 'nobody' on london|rusm: call: line 2: no process 'nobody' on london"
    expect 3 rusm call --lines nowhere parrot <<<x
    expect 2 rusm call --lines london parrot x
    expect 2 rusm call --lines --raw london parrot <<<x
    expect 2 rusm call --window 2 london parrot x
    expect 2 rusm call --lines --window 0 london parrot <<<x
    expect 2 rusm call --lines --window 1025 london parrot <<<x
    expect 2 rusm call --json --raw london parrot x
}

@test "call --json: with and without --lines; bytes that are no text" {
    start_node london --boot parrot=echo
    rusm spawn london crash --name fragile >pid
    expect 0 rusm call --json london parrot 'a "word"'
    equal "$output" '{"reply":"a \"word\""}'
    printf 'a\0b\xff\n' >in
    expect 0 rusm call --json --lines --file in london parrot
    equal "$output" '{"line":1,"reply":"a?b?"}'
    expect 1 rusm call --json --lines london fragile <<<x
    equal "$output" \
        '{"line":1,"error":"process '\''fragile'\'' on london died before it replied: crashed: x"}'
}

@test "call --lines: the node is gone in the middle" {
    start_node london --boot parrot=echo
    mkfifo in
    run_lines() { status=0; "$RUSM" call --lines --timeout 2 london parrot <in >out 2>log 3>&- || status=$?; echo $status >status; }
    run_lines 3>&- &
    exec 7>in
    echo one >&7
    wait_until has_line out one
    kill -9 "$pid"
    wait_until gone "$pid"
    echo two >&7
    wait_until has_text log "rusm: call: line 2: "
    echo three >&7
    echo four >&7
    exec 7>&-
    wait_until test -s status
    equal "$(<status)" 3
    equal "$(grep -c '^rusm: call: line ' log)" 2
    grep -q "^rusm: call: line 3: .*not running" log
}
