# attach --follow: the events of a node, as they happen. (test/unit/node_history.c has what is kept.)
load helper

# Follows in the background: follow NAME.out's name, the arguments of attach. The process id is in
# $follower.
follow() {
    "$RUSM" attach --follow "${@:2}" >"$1.events" 2>"$1.log" 3>&- &
    follower=$!
    echo $follower >>pids
    wait_until has_text "$1.log" "rusm: attach: following "
}
# Ends the follower with a signal; its exit status must be 0.
ends_with() {
    local status=0
    kill "-$1" "$follower"
    wait "$follower" || status=$?
    equal $status 0
}

@test "follow: a line an event; Ctrl-C and SIGTERM end it, and that is no failure" {
    start_node london
    follow all london
    echo=$(rusm spawn london echo --name 'e"<b>')
    rusm kill london 'e"<b>' 'bad "news"'
    rusm spawn london crash --global fragile >crash
    rusm send --global fragile x
    start_node tokyo
    wait_until has_text all.events ' node_up node=tokyo '
    rusm stop tokyo
    wait_until has_text all.events ' node_down node=tokyo '
    ends_with INT
    not grep -vE '^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z london [a-z_]+ [a-z]+=' all.events
    lines() { cut -d ' ' -f 3- all.events | grep -v '^spawn ' | grep -F "$1"; }
    equal "$(lines "$echo")" "process_started pid=$echo behaviour=echo
name_registered pid=$echo name=\"e\\\"<b>\" scope=local
process_ended pid=$echo name=\"e\\\"<b>\" behaviour=echo reason=\"bad \\\"news\\\"\""
    equal "$(lines fragile)" "name_registered pid=$(<crash) name=fragile scope=global"
    equal "$(lines node_down)" "node_down node=tokyo address=$address reason=\"it left\""
    equal "$(<all.log)" "rusm: attach: following london"
    follow more london
    ends_with TERM
    equal "$(<more.events)" ""
}

@test "follow --json: the keys of HTTP's events, and where it was, what and which" {
    (umask 077; echo 'a-token-of-enough-length' >token)
    start_node london --http-token token --http-tcp 127.0.0.1:0
    url=$(sed -n '2s,^london serves HTTP at \(http://127.0.0.1:[0-9]*\)/$,\1,p' london.out)
    curl -sSN -H "Authorization: Bearer a-token-of-enough-length" "$url/v1/events" >http 3>&- &
    echo $! >>pids
    wait_until has_text http retry:
    follow all london --json
    follow counted london --json --type counters
    rusm spawn london echo --name parrot >pid
    rusm kill london parrot enough
    start_node tokyo
    wait_until has_text all.events node_up
    wait_until has_text http node_up
    wait_until has_text counted.events '"type":"counters"'
    for type in process_started name_registered process_ended node_up; do
        grep -A 1 "^event: $type\$" http | sed -n 's/^data: //p' >data
        jq -c "select(.type == \"$type\") | del(.id, .at, .type)" all.events | jq -S . >ours
        jq -S . data >theirs
        cmp ours theirs
    done
    equal "$(jq -r .at all.events | sort -u)" london
    equal "$(jq -r .type counted.events | sort -u)" counters
    not has_text all.events '"type":"counters"'
    jq -s 'all(.[]; .id | test("^[0-9a-f]+-[0-9]+$"))' all.events | grep -qx true
}

@test "follow --type, --process: only what is asked for" {
    start_node london
    follow types london --type process_ended,node_up
    follow name london --process parrot --type process_started,process_ended,name_registered
    rusm spawn london echo --name macaw >macaw
    number=$(sed 's/@.*//' macaw)
    follow pid london --process "$number@london"
    parrot=$(rusm spawn london echo --name parrot)
    rusm kill london parrot
    rusm kill london macaw
    wait_until has_text types.events macaw
    wait_until has_text pid.events process_ended
    equal "$(cut -d ' ' -f 3 types.events | xargs)" "process_ended process_ended"
    equal "$(cut -d ' ' -f 3-4 name.events | xargs)" "name_registered pid=$parrot process_ended pid=$parrot"
    equal "$(cut -d ' ' -f 3 pid.events | xargs)" process_ended
    for wrong in "--type process_ended" "--process x" "--since 1-1"; do
        # shellcheck disable=SC2086
        expect_error 2 "rusm: attach: ${wrong%% *} works only with --follow (try 'rusm attach --help')" \
            rusm attach $wrong london
    done
    expect 2 rusm attach --follow --peers london
    expect 2 rusm attach --follow --type , london
    expect 2 rusm attach --follow --type 'a b' london
    for wrong in x 1 1- -1 5f-x 0-1 5F-1 123456789-1; do
        expect_error 2 "rusm: attach: '$wrong' is not the id of an event" \
            rusm attach --follow "--since=$wrong" london
    done
    expect 3 rusm attach --follow nobody
}

@test "follow --since: goes on where another one was; ids of another start say so" {
    start_node london
    follow all london --json
    rusm spawn london echo --name a >pid
    rusm spawn london echo --name b >pid
    wait_until has_text all.events '"name":"b"'
    ends_with TERM
    rusm spawn london echo --name c >pid # nobody follows
    id=$(jq -r 'select(.type == "name_registered" and .name == "a").id' all.events)
    follow rest london --since "$id" --type process_started,name_registered
    wait_until has_text rest.events name=c
    equal "$(cut -d ' ' -f 3 rest.events | xargs)" \
        "process_started name_registered process_started name_registered"
    grep -o 'name=.' rest.events | xargs >names
    equal "$(<names)" "name=b name=c"
    follow other london --since 1-1 --type name_lost --json
    wait_until has_text other.events missed
    equal "$(jq -r '[.type, .events] | @tsv' other.events)" "missed	0"
}

@test "follow: a pipe that is closed ends it" {
    start_node london
    "$RUSM" attach --follow --since 1-1 london 2>first.log | head -n 1 >first
    grep -q ' london missed events are missing here, nobody knows how many$' first
    equal "$(<first.log)" "rusm: attach: following london"
}

@test "follow: a lost node is dialled again; a new start of it is told as a gap" {
    start_node_at_port london
    port=${address##*:}
    follow all london --type process_started,name_registered
    rusm spawn london echo --name a >pid
    wait_until has_text all.events name=a
    kill -9 "$pid"
    wait_until has_text all.log "the connection to london was lost: its process is gone; trying again"
    start_node london --listen "127.0.0.1:$port"
    again() { [ "$(grep -c following all.log)" = 2 ]; }
    wait_until again
    rusm spawn london echo --name b >pid
    wait_until has_text all.events name=b
    equal "$(cut -d ' ' -f 3 all.events | xargs)" \
        "process_started name_registered missed process_started name_registered"
    rusm stop london
    wait_until has_text all.log "the connection to london was lost: it has left; trying again"
    ends_with INT # while it dials
}

@test "follow: the same node after a lost connection: nothing is missing" {
    start_node london
    follow all london --type process_started,name_registered
    kill -STOP $follower
    rusm spawn london echo --name a >pid
    # The node gives the silent client up after ten seconds.
    alone() { [ "$(json value '.counter == "connections"' rusm attach --counters london)" -le 1 ]; }
    wait_until alone
    rusm spawn london echo --name b >pid
    kill -CONT $follower
    wait_until has_text all.log "; trying again"
    wait_until has_text all.events name=b
    equal "$(cut -d ' ' -f 3 all.events | xargs)" \
        "process_started name_registered process_started name_registered"
}

@test "follow: a reader that stalls costs events, which is said, and not the node" {
    (umask 077; echo 'a-token-of-enough-length' >token)
    start_node london --http-token token --http-tcp 127.0.0.1:0
    url=$(sed -n '2s,^london serves HTTP at \(http://127.0.0.1:[0-9]*\)/$,\1,p' london.out)
    mkfifo pipe
    "$RUSM" attach --follow --json --type process_started,process_ended,name_registered london \
        >pipe 2>log 3>&- &
    follower=$!
    echo $follower >>pids
    exec 7<pipe
    wait_until has_text log following
    # Each end has a reason of a thousand bytes: more than the pipe and the buffer hold.
    printf -v long '%01000d' 0
    auth="Authorization: Bearer a-token-of-enough-length"
    curl -sS -m 60 -H "$auth" -X POST "$url/v1/spawn/echo?name=e[1-500]" >spawned
    curl -sS -m 60 -H "$auth" -X DELETE "$url/v1/processes/e[1-500]?reason=$long" >killed
    expect 0 rusm call london greeter Ada
    cat <&7 >events &
    cat=$!
    exec 7<&-
    wait_until has_text events '"type":"missed"'
    rusm spawn london echo --name last >pid
    wait_until has_text events '"name":"last"'
    kill $follower
    wait $cat
    jq -s 'length > 0' events >parsed # whole lines
    # What came and what is missing is all that there was.
    count=$(jq -s 'map(if .type == "missed" then .events else 1 end) | add' events)
    equal "$count" 1502
    equal "$(grep -c . log)" 1
}
