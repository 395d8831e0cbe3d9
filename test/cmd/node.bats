# A node's life: ready, refused, stopped, killed, detached, configured.
load helper

@test "prints where it is ready, first of all" {
    start_node london
    like "$(head -n 1 london.out)" "london ready at 127.0.0.1:[0-9]*"
    equal "$(wc -l <london.out)" 1
}

@test "--listen is where it listens" {
    start_node london --listen 127.0.0.1:0
    like "$address" "127.0.0.1:[1-9]*"
    rusm stop london
    start_node_at_port london
    port=${address##*:}
    rusm stop london
    start_node tokyo --listen "127.0.0.1:$port"
    equal "$address" "127.0.0.1:$port"
    expect 1 rusm node --name oslo --listen "127.0.0.1:$port"
    like "$stderr" "rusm: node: *127.0.0.1:$port*"
    expect 2 rusm node --name oslo --listen nonsense
    like "$stderr" "rusm: node: *nonsense*"
}

@test "a node that listens on all addresses is reached by its name, and by its neighbours" {
    start_node london --listen 0.0.0.0:0
    equal "$(rusm call london greeter Ada)" "hello, Ada"
    start_node tokyo
    wait_until connected london tokyo
    wait_until connected tokyo london
}

@test "a second node of a live name is refused, and the first is named" {
    start_node london
    expect 1 rusm node --name london
    like "$stderr" "rusm: node: *'london'*$pid*$address*"
    equal "$(wc -l <<<"$stderr")" 1
    equal "$output" ""
    expect 0 rusm send london greeter "still there"
}

@test "the run folder is removed under a node: it writes its files again" {
    start_node london
    incarnation=$(json incarnation '.node == "london"' rusm nodes)
    alive() { [ "$(json state ".node == \"$1\"" rusm nodes)" = alive ]; }
    for gone in london.json london.lock '' ; do
        rm -r "${RUSM_RUNDIR:?}/$gone"
        wait_until alive london
        expect 0 rusm call london greeter Ada
        equal "$(json incarnation '.node == "london"' rusm nodes)" "$incarnation"
    done
    has_text london.err "our files in the run folder $RUSM_RUNDIR were gone: written again"
    equal "$(stat -c %a "$RUSM_RUNDIR")" 700
    # Nodes that started while nobody saw it find it all the same.
    rm -r "$RUSM_RUNDIR"
    start_node tokyo
    wait_until connected london tokyo
    expect 1 rusm node --name london
    rusm stop london
    [ ! -e "$RUSM_RUNDIR/london.json" ] && [ ! -e "$RUSM_RUNDIR/london.lock" ]
}

@test "two nodes of one name: both say so, and each removes its own files only" {
    start_node london
    first=$pid
    mv london.err first.err
    rm -r "$RUSM_RUNDIR"
    # It writes its files again, unless the second one is faster.
    kill -STOP "$first"
    start_node london
    second=$pid
    kill -CONT "$first"
    wait_until has_text first.err "a second node 'london' runs (process $second at $address)"
    wait_until has_text london.err "a second node 'london' runs (process $first at "
    equal "$(grep -c "second node" first.err)" 1
    kill "$first"
    wait "$first"
    expect 0 rusm call london greeter Ada
    equal "$(json os_pid '.node == "london"' rusm nodes)" "$second"
    # The other way round: the one that is left has its name again.
    rm -r "$RUSM_RUNDIR"
    kill -STOP "$second"
    start_node london
    kill -CONT "$second"
    wait_until has_text london.err "a second node 'london' runs (process $second at "
    kill -9 "$pid"
    has_name() { [ "$(json os_pid '.state == "alive"' rusm nodes)" = "$1" ]; }
    wait_until has_name "$second"
    expect 0 rusm call london greeter Ada
}

@test "the run folder does not depend on the login" {
    unshare --mount --map-root-user true 2>/dev/null || skip "no mount namespaces here"
    mkdir -m 700 login
    # A /run of its own. Root makes its folder there, also root of a user namespace.
    cat >script <<'EOS'
set -e
mount -t tmpfs none /run
mkdir -p -m 755 /run/user && mkdir -m 700 /run/user/0
bare() { env -i PATH="$PATH" HOME="$HOME" RUSM_IDENTITY="$RUSM_IDENTITY" "$@"; }
login() { bare env XDG_RUNTIME_DIR=/run/user/0 TMPDIR="$PWD/login" "$@"; }
end() { for f in /run/*/*.json /run/user/0/rusm/*.json; do kill "$(jq -r .os_pid "$f")"; done 2>/dev/null; }
trap end EXIT
bare "$RUSM" node --name cron --detach
login "$RUSM" call --timeout 30 cron greeter Ada
login "$RUSM" node --name shell --detach
bare "$RUSM" call --timeout 30 shell greeter Bob
ls /run/rusm-0/cron.json /run/rusm-0/shell.json
# One that an earlier version would have put elsewhere.
mkdir -m 700 /run/user/0/rusm
bare env RUSM_RUNDIR=/run/user/0/rusm "$RUSM" node --name old --detach
bare "$RUSM" call --timeout 30 old greeter Cy
bare "$RUSM" nodes
login "$RUSM" node --name old --detach 2>&1 || echo "status $?"
EOS
    run --separate-stderr unshare --mount --map-root-user bash script
    echo "$output" "$stderr"
    equal "$status" 0
    for line in "hello, Ada" "hello, Bob" "hello, Cy" "/run/rusm-0/shell.json" "status 1" \
        "cron *alive*" "old *alive*" "rusm: node: a node 'old' is running already*"; do
        like "$output" "*$line*"
    done
}

@test "no home: the error says what to set" {
    unset HOME RUSM_IDENTITY
    message="no home folder for the identity: set RUSM_IDENTITY or HOME"
    if [ "$(id -u)" = 0 ]; then # a user whom the machine does not know
        nobody=(setpriv --reuid 4242 --clear-groups)
        "${nobody[@]}" "$RUSM" --version || skip "another user cannot run it here"
        mkdir -m 700 other && chown 4242 other && chmod 755 .
        export RUSM_RUNDIR=$PWD/other
        expect_error 2 "rusm: node: $message" "${nobody[@]}" "$RUSM" node --name london
        expect_error 2 "rusm: call: $message" "${nobody[@]}" "$RUSM" call london greeter Ada
        expect_error 2 "rusm: cert: $message" "${nobody[@]}" "$RUSM" cert new
        HOME=/nonexistent expect 1 "${nobody[@]}" "$RUSM" node --name london
        like "$stderr" "rusm: node: cannot make the folder /nonexistent*: set RUSM_IDENTITY to *"
    else
        HOME=/proc expect 1 rusm node --name london
        like "$stderr" "rusm: node: cannot make the folder /proc/*: set RUSM_IDENTITY to *"
    fi
}

@test "a run folder that is full or read-only: the error says so, and a running node goes on" {
    unshare --mount --map-root-user true 2>/dev/null || skip "no mount namespaces here"
    rusm cert new
    cat >script <<'EOS'
set -e
mount -t tmpfs -o size=64k,mode=700 none "$RUSM_RUNDIR"
full() { head -c 100000 /dev/zero >"$RUSM_RUNDIR/filler" || true; } 2>/dev/null
full
"$RUSM" node --name london 2>&1 || echo "status $?"
ls -A "$RUSM_RUNDIR"
rm "$RUSM_RUNDIR/filler"
"$RUSM" node --name london >out 2>err &
trap "kill $!" EXIT
until [ -s out ]; do sleep 0.02; done
address=$(sed -n 's/^london ready at //p' out)
full
rm "$RUSM_RUNDIR/london.json"
until grep -q "No space left" err; do sleep 0.02; done
"$RUSM" call --timeout 30 "$address" greeter Ada
rm "$RUSM_RUNDIR/filler"
until [ -e "$RUSM_RUNDIR/london.json" ]; do sleep 0.02; done
"$RUSM" call --timeout 30 london greeter Bob
mkdir other
mount -t tmpfs -o ro,mode=700 none other
RUSM_RUNDIR=$PWD/other "$RUSM" node --name tokyo 2>&1 || echo "status $?"
cat err
EOS
    run --separate-stderr timeout 100 unshare --mount --map-root-user bash script
    echo "$output" "$stderr"
    equal "$status" 0
    json=$RUSM_RUNDIR/london.json lock=$PWD/other/tokyo.lock
    like "$output" "rusm: node: cannot write $json: No space left on device: make room *
status 1
filler
hello, Ada
hello, Bob
rusm: node: cannot lock $lock: Read-only file system: set RUSM_RUNDIR to *
status 1
*"
    like "$output" "*warn london: cannot write $json: No space left *
*warn london: our files in the run folder $RUSM_RUNDIR were gone: written again*"
}

@test "names that are none are refused" {
    long=$(printf 'x%.0s' {1..64})
    for name in '' -x .x 'a b' a@b "$long"; do
        expect 2 rusm node "--name=$name"
        like "$stderr" "rusm: node: *"
    done
}

@test "SIGTERM, SIGINT and SIGHUP: it leaves, exit status 0, nothing stays behind" {
    for signal in TERM INT HUP; do
        start_node london
        kill -$signal $pid
        wait $pid
        [ ! -e "$RUSM_RUNDIR/london.json" ]
    done
}

@test "stop: it has left when the command returns" {
    start_node london
    expect 0 rusm stop london
    equal "$output$stderr" ""
    wait $pid
    [ ! -e "$RUSM_RUNDIR/london.json" ]
    expect 3 rusm stop london
}

@test "a killed node's name is free again, its file recognised as stale" {
    start_node london
    kill -9 $pid
    wait $pid || true
    [ "$(json state '.node == "london"' rusm nodes)" != alive ]
    expect 3 rusm send london greeter hi
    start_node london
    expect 0 rusm send london greeter "in the new one"
    wait_until has_line london.out "greeter received: in the new one"
}

@test "a pid from before a restart reaches nobody" {
    start_node london
    old=$(rusm spawn london echo)
    expect 0 rusm call london "$old" hi
    rusm stop london
    start_node london
    for i in 1 2 3 4 5 6 7 8; do rusm spawn london echo >/dev/null; done
    expect 4 rusm call london "$old" hi
    expect 4 rusm send london "$old" hi
    expect 0 rusm call london "${old%%#*}" hi # the present one of that number
}

@test "--detach returns when ready; output and log are in the run folder" {
    expect 0 rusm node --name london --detach
    like "$output" "london ready at 127.0.0.1:[0-9]*"
    like "$stderr" "rusm: node: made the cluster's identity *"
    expect 0 rusm send london greeter "hello log"
    wait_until has_line "$RUSM_RUNDIR/london.log" "greeter received: hello log"
    equal "$(stat -c %a "$RUSM_RUNDIR/london.log")" 600
    expect 0 rusm stop london
}

@test "--detach: a log whose folder was removed is begun anew" {
    expect 0 rusm node --name london --detach
    rm -r "$RUSM_RUNDIR"
    wait_until has_text "$RUSM_RUNDIR/london.log" \
        "the file '$RUSM_RUNDIR/london.log' was removed, and is begun anew"
    equal "$(stat -c %a "$RUSM_RUNDIR/london.log")" 600
    alive() { expect 0 rusm send london greeter "hello log"; }
    wait_until alive
    wait_until has_line "$RUSM_RUNDIR/london.log" "greeter received: hello log"
    # The file alone, which processes print to here.
    start_node oslo --output oslo.txt
    rm oslo.txt
    wait_until has_text oslo.err "the file 'oslo.txt' was removed, and is begun anew"
    expect 0 rusm send oslo greeter "hello file"
    wait_until has_line oslo.txt "greeter received: hello file"
}

@test "--detach lets go of the caller's descriptors" {
    # The substitution ends only when nobody holds its pipe any more.
    line=$(rusm node --name london --detach 2>/dev/null)
    like "$line" "london ready at *"
}

@test "SIGHUP: a detached node opens its log again, what is printed included" {
    expect 0 rusm node --name london --detach
    log=$RUSM_RUNDIR/london.log
    pid=$(json os_pid '.node == "london"' rusm nodes)
    for round in one two; do
        mv "$log" "$log.$round"
        kill -HUP "$pid"
        wait_until test -e "$log"
        expect 0 rusm send london greeter "round $round"
        wait_until has_line "$log" "greeter received: round $round"
    done
    equal "$(stat -c %a "$log")" 600
    not has_text "$log.one" "round"
    equal "$(find -L "/proc/$pid/fd" -samefile "$log.two")" "" # the old file is let go of
    expect 0 rusm stop london
}

@test "--log-max: a larger log becomes FILE.1, and no line is torn or lost" {
    expect 2 rusm node --name london --log-max many
    expect 0 rusm node --name london --detach --log-max 20000
    log=$RUSM_RUNDIR/london.log
    chmod 640 "$log"
    lines=$(printf 'line of the log %04d\n' {1..1000})
    rusm send london greeter --lines <<<"$lines"
    wait_until test -e "$log.1"
    wait_until test -e "$log"
    equal "$(stat -c %a "$log")" 640
    rusm send london greeter last
    wait_until has_line "$log" "greeter received: last"
    equal "$(cat "$log.1" "$log" | grep -v last)" "$(sed 's/^/greeter received: /' <<<"$lines")"
    expect 0 rusm stop london
}

@test "--log-max 0: the log is never renamed" {
    start_node london --log-max 0 --log-file london.log --log-level info
    start_node tokyo --log-max 1 --log-file tokyo.log --log-level info
    wait_until connected tokyo london
    wait_until test -e tokyo.log.1
    [ -s london.log ]
    [ ! -e london.log.1 ]
}

@test "--output: what processes print is apart from the log; SIGHUP opens it again" {
    expect 1 rusm node --name london --output no/such/file
    equal "$stderr" "rusm: node: cannot write 'no/such/file': No such file or directory"
    expect 1 rusm node --name london --detach --output no/such/file
    equal "$stderr" "rusm: node: cannot write 'no/such/file': No such file or directory"
    start_node london --output london.printed
    expect 0 rusm node --name tokyo --detach --output tokyo.printed --log-format json \
        --log-level info
    for node in london tokyo; do
        pid=$(json os_pid ".node == \"$node\"" rusm nodes)
        expect 0 rusm send $node greeter first
        wait_until has_line $node.printed "greeter received: first"
        mv $node.printed $node.before
        kill -HUP "$pid"
        wait_until test -e $node.printed
        expect 0 rusm send $node greeter second
        wait_until has_line $node.printed "greeter received: second"
        equal "$(cat $node.before)" "greeter received: first"
    done
    equal "$(wc -l <london.out)" 1 # the ready line
    wait_until connected tokyo london
    jq -es 'length > 0' "$RUSM_RUNDIR/tokyo.log"
    expect 0 rusm stop tokyo
}

@test "--detach --log-file" {
    expect 0 rusm node --name london --detach --log-file here.log
    expect 0 rusm send london greeter "hello file"
    wait_until has_line here.log "greeter received: hello file"
    [ ! -e "$RUSM_RUNDIR/london.log" ]
}

@test "--detach hands on why it failed" {
    start_node london
    expect 1 rusm node --name london --detach
    like "$stderr" "rusm: node: *london*$address*"
    equal "$output" ""
    expect 4 rusm node --name tokyo --detach --boot x=nonesuch
    like "$stderr" "rusm: node: *nonesuch*"
    expect 1 rusm node --name tokyo --detach --log-file no/such/folder/log
    equal "$stderr" "rusm: node: cannot write 'no/such/folder/log': No such file or directory"
}

@test "--boot, --boot-global, --spawnable" {
    start_node london --boot parrot=echo --boot-global 'fan=relay  parrot' --spawnable polly=echo
    expect 0 rusm call london parrot hi
    equal "$output" hi
    expect 0 rusm whereis fan
    like "$output" "[0-9]*@london#*"
    expect 0 rusm spawn london polly --name second
    expect 0 rusm call london second hello
    equal "$output" hello
    expect 4 rusm send london greeter hi # not booted, as others were
    expect 0 rusm spawn london greeter --name greeter
}

@test "--boot: what cannot be started ends the node" {
    expect 4 rusm node --name london --boot x=nonesuch
    like "$stderr" "rusm: node: *nonesuch*"
    expect 4 rusm node --name london --spawnable y=nonesuch
    like "$stderr" "rusm: node: *nonesuch*"
    expect 1 rusm node --name london --boot x=relay
    like "$stderr" "rusm: node: *"
    expect 1 rusm node --name london --boot x=echo --boot x=echo
    like "$stderr" "rusm: node: *'x'*"
    [ ! -e "$RUSM_RUNDIR/london.json" ]
}

@test "--config: options from a file; the command line counts more" {
    cat >node.conf <<END
# a comment

name      tokyo
boot=parrot=echo
  boot fan = relay parrot
mailbox = 10
detach
END
    sed -i 's/fan = relay/fan=relay/' node.conf
    expect 0 rusm node --config node.conf --name london
    like "$output" "london ready at *"
    expect 0 rusm call london parrot hi
    equal "$output" hi
    expect 0 rusm send london fan hi
    expect 0 rusm stop london
}

@test "--config: mistakes name the file and the line" {
    printf 'name london\n\nnmae tokyo\n' >node.conf
    expect_error 2 "rusm: node: node.conf:3: unknown option 'nmae'" rusm node --config node.conf
    printf 'name london\nmailbox = many\n' >node.conf
    expect_error 2 "rusm: node: node.conf:2: mailbox: 'many' is not a whole number from 1 to 4294967295" \
        rusm node --config node.conf
    printf 'name\n' >node.conf
    expect_error 2 "rusm: node: node.conf:1: option 'name' needs a value: NAME" \
        rusm node --config node.conf
    printf 'detach yes\n' >node.conf
    expect_error 2 "rusm: node: node.conf:1: option 'detach' takes no value" \
        rusm node --config node.conf
    printf 'config other.conf\n' >node.conf
    expect_error 2 "rusm: node: node.conf:1: unknown option 'config'" rusm node --config node.conf
    printf 'name london\nlog-level loud\n' >node.conf
    expect_error 2 "rusm: node: node.conf:2: log-level: 'loud' is not error, warn, info or debug" \
        rusm node --config node.conf
    printf 'name london\nboot x=nonesuch\n' >node.conf
    expect 4 rusm node --config node.conf
    like "$stderr" "*rusm: node: node.conf:2: boot: *nonesuch*"
    expect_error 1 "rusm: node: cannot read 'missing.conf': No such file or directory" \
        rusm node --config missing.conf
}

@test "--log-file and --log-level" {
    start_node london --log-file london.log --log-level debug
    rusm stop london
    [ -s london.log ]
    has_text london.err "made the cluster's identity"
    not has_text london.log "made the cluster's identity"
}

@test "a run folder that is not private is refused" {
    chmod 755 "$RUSM_RUNDIR"
    expect 5 rusm node --name london
    like "$stderr" "rusm: node: *$RUSM_RUNDIR*"
    chmod 700 "$RUSM_RUNDIR"
    mv run real
    ln -s real run
    expect 5 rusm node --name london
    like "$stderr" "rusm: node: *$RUSM_RUNDIR*"
}

@test "--boot: a child that crashes is there again, under the same name, with another pid" {
    start_node london --boot fragile=crash --boot calm=echo
    pid_of_name() { rusm attach london --json | jq -r "select(.name == \"$1\") | .pid"; }
    first=$(pid_of_name fragile)
    calm=$(pid_of_name calm)
    expect 0 rusm send london fragile x
    another() { now=$(pid_of_name fragile) && [ -n "$now" ] && [ "$now" != "$first" ]; }
    wait_until another
    expect 4 rusm send london "$first" x
    equal "$(rusm attach london --json | jq -r 'select(.name == "fragile") | .behaviour')" crash
    equal "$(pid_of_name calm)" "$calm"
    # A signal that ends it is no different; whoever sends to the name finds it.
    first=$(pid_of_name calm)
    expect 0 rusm kill london calm 'for a reason'
    expect 0 rusm call london calm hi
    equal "$output" hi
}

@test "--restart: an unknown policy" {
    expect 2 rusm node --name london --restart never
    like "$stderr" "rusm: node: --restart: 'never' is not backoff, give-up or exit"
}

children_down() { [ "$(json value '.counter == "children_down"' rusm attach --counters london)" = "$1" ]; }

@test "--restart give-up: one that ends too often is given up, and the node says so and goes on" {
    start_node london --restart give-up --boot fragile=crash --boot calm=echo
    given_up() {
        rusm send london fragile x
        has_text london.err "'fragile' was restarted 3 times in 5 s and ended again"
    }
    wait_until given_up
    expect 4 rusm send london fragile x
    children_down 1
    expect 0 rusm call london calm hi
    equal "$output" hi
}

@test "--boot-global: the successor holds the global name too" {
    start_node london --boot-global boss=echo
    start_node tokyo
    wait_until connected tokyo london
    wait_until rusm whereis boss --via tokyo
    first=$(rusm whereis boss --via tokyo)
    expect 0 rusm kill --global boss
    successor() { now=$(rusm whereis boss --via tokyo) && [ "$now" != "$first" ]; }
    wait_until successor
    expect 0 rusm call --via tokyo --global boss hi
    equal "$output" hi
}

@test "--boot-global: one whose name another node holds waits for it, and takes it when it is free" {
    start_node london --boot-global boss=echo
    london=$pid
    start_node tokyo --boot-global boss=echo
    wait_until connected tokyo london
    # Which of them ran first does not count: the holder's process ends, and the other one has the name.
    wait_until rusm whereis boss --via tokyo
    wait_until rusm whereis boss --via london
    for node in london tokyo; do
        expect 0 rusm kill "$node" "$(json pid '.behaviour == "echo"' rusm attach "$node")" 'for a reason'
    done
    one() {
        one=$(rusm whereis boss --via tokyo) && [ "$one" = "$(rusm whereis boss --via london)" ]
    }
    wait_until one
    wait_until grep -q "'boss' waits: the global name has another holder" london.err tokyo.err
    kill -9 "$london"
    at_tokyo() { rusm whereis boss --via tokyo | grep @tokyo; }
    wait_until at_tokyo
    expect 0 rusm call --via tokyo --global boss hi
    equal "$output" hi
}
