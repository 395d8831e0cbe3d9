# Programs that speak JSON lines: exec+json:COMMAND, and its examples. rusm-port(7).
load helper

examples=$BATS_TEST_DIRNAME/../example

# A node whose process 'p' has this file's requests said by us: what it is told is in `news`.
start_scribe() {
    mkfifo requests
    start_node london --boot greeter=greeter --boot echo=echo \
        --boot 'p=exec+json:exec 3<&0; cat <&3 >news & exec cat 0<>requests' "$@"
    exec 9<>requests
}
say() { printf '%s\n' "$@" >&9; }
told() { wait_until grep -qxE -e "$1" news || { cat news; return 1; }; }

@test "exec+json: a Python worker is called by name from another node, and restarted when it raises" {
    start_node london --boot-global "shout=exec+json:python3 $examples/shout.py"
    start_node paris --boot 'way=relay shout'
    wait_until connected paris london
    wait_until rusm whereis shout
    expect 0 rusm call paris way 'by name, from another node'
    equal "$output" 'BY NAME, FROM ANOTHER NODE'
    expect 0 rusm call --global shout "$(printf 'two\nlines, \303\251')"
    equal "$output" "$(printf 'TWO\nLINES, \303\211')"
    before=$(rusm whereis shout)
    printf '\377' >raises # has no "data"
    expect 4 rusm call --global shout --file raises
    like "$stderr" '*exit status 1'
    wait_until has_text london.err "(exec:python3): KeyError: 'data'"
    wait_until rusm call paris way again
    not equal "$(rusm whereis shout)" "$before"
}

@test "exec+json: the Node.js example registers, calls, prints, counts" {
    start_node london --boot greeter=greeter --boot "tally=exec+json:node $examples/counter.js"
    wait_until grep -qE '^hello, [0-9]+@london#[0-9a-f]+$' london.out
    for fruit in apple pear apple; do rusm send london counter "$fruit"; done
    expect 0 rusm call london counter apple
    equal "$output" 2
    expect 0 rusm call london counter fig
    equal "$output" 0
}

@test "exec+json: the shell example watches another node's process" {
    start_node london --boot greeter=greeter --spawnable "watch=exec+json:sh $examples/watch.sh \"\$@\""
    start_node paris
    rusm spawn paris echo --name worker # not booted: that would be restarted, perhaps before it is watched
    wait_until connected london paris
    rusm spawn london watch -- greeter worker@paris
    rusm spawn london watch -- greeter nobody@paris
    wait_until has_line london.out 'greeter received: nobody@paris has ended: noproc'
    rusm kill paris worker 'for a reason'
    wait_until grep -qxE 'greeter received: worker@paris has ended: (for a reason|noproc)' london.out
}

# The display of rusm-port(7) that follows a line with this text.
page() {
    sed -n "/$1/,/^\.Ed/p" "$BATS_TEST_DIRNAME/../../man/rusm-port.7" |
        sed '1,/^\.Bd/d; /^\.Ed/d; s/\\e/\\/g'
}

@test "exec+json: the programs of the manual page work as they stand" {
    page 'shortest useful program' >shout.py
    page 'tells one process of another' >watch.sh
    page 'In JavaScript' >counter.js
    start_node london --boot greeter=greeter --boot echo=echo --boot 'shout=exec+json:python3 shout.py' \
        --boot 'tally=exec+json:node counter.js' --spawnable 'watch=exec+json:sh watch.sh "$@"'
    expect 0 rusm call london shout hello
    equal "$output" HELLO
    wait_until rusm send london counter apple
    expect 0 rusm call london counter apple
    equal "$output" 1
    rusm spawn london echo --name brief
    rusm spawn london watch -- greeter brief
    rusm kill london brief 'for a reason' # before it is watched, perhaps
    wait_until grep -qxE 'greeter received: brief has ended: (for a reason|noproc)' london.out
}

@test "exec+json: messages and calls, text and bytes" {
    start_scribe
    rusm send london p 'plain "text"'
    told '\{"from":"[0-9]+@client#[0-9a-f]+","data":"plain \\"text\\""}'
    printf '\377\0' | rusm send london p
    told '\{"from":"[^"]+","base64":"/wA="}'
    rusm call london p one >got1 &
    one=$!
    told '\{"from":"[^"]+","ref":1,"data":"one"}'
    rusm call london p two >got2 &
    two=$!
    told '\{"from":"[^"]+","ref":2,"data":"two"}'
    say '{"reply":2,"base64":"/wD+","ref":"x"}' '{"refuse":1,"reason":"no time"}'
    told '\{"done":"x"}'
    wait "$two"
    equal "$(od -An -tx1 got2)" ' ff 00 fe 0a'
    status=0
    wait "$one" || status=$?
    equal "$status" 4
    say '{"reply":3,"data":"never asked"}'
    told '\{"failed":null,"error":"invalid",.*}'
}

@test "exec+json: requests and their outcomes" {
    start_scribe
    pid='[0-9]+@london#[0-9a-f]+'
    say '{"call":"echo","data":"hi","ref":1}'
    told '\{"reply":1,"from":"'$pid'","data":"hi"}'
    say '{"call":"echo","data":{"a":[1,null]},"ref":"json"}'
    told '\{"reply":"json","from":"'$pid'","data":"\{\\"a\\":\[1,null]}"}'
    say '{"call":"nobody@london","ref":2}'
    told '\{"failed":2,"error":"noproc","text":"[^"]+"}'
    say '{"call":"nobody@nowhere","ref":3}'
    told '\{"failed":3,"error":"noconnection","text":"[^"]+"}'
    say '{"call":"p","data":"myself","timeout":0.05,"ref":4}'
    told '\{"failed":4,"error":"timeout","text":"timeout"}'
    say '{"spawn":"echo","ref":5}'
    told '\{"spawned":5,"pid":"'$pid'"}'
    say '{"spawn":"relay","args":["not an address!"],"ref":6}'
    told '\{"failed":6,"error":"init","text":".*not an address!.*"}'
    say '{"spawn":"nonesuch","ref":7}'
    told '\{"failed":7,"error":"nospawnable","text":"[^"]+"}'
    say '{"monitor":"echo","ref":8}' '{"kill":"echo","reason":"because","ref":9}'
    told '\{"down":8,"from":"'$pid'","reason":"because"}'
    told '\{"done":9}'
    say '{"monitor":"greeter","ref":10}' '{"demonitor":10}' '{"kill":"greeter","reason":"because"}'
    say '{"demonitor":10}'
    told '\{"failed":10,"error":"noproc",.*}'
    not grep -q '"down":10' news
    say '{"register":"scribe","ref":11}'
    told '\{"done":11}'
    expect 0 rusm send london scribe 'by another name'
    say '{"register":"scribe","ref":12}' '{"unregister":"scribe","ref":13}'
    told '\{"failed":12,"error":"exists",.*}'
    told '\{"done":13}'
    expect 4 rusm send london scribe gone
    say '{"register":"scribe","global":true,"ref":14}'
    told '\{"done":14}'
    expect 0 rusm whereis scribe
    say '{"print":"a line"}' '{"to":"nobody"}'
    wait_until has_line london.out 'a line'
    told '\{"failed":null,"error":"noproc",.*}'
}

@test "exec+json: exit signals, links, nodes, and its own end" {
    start_scribe
    say '{"nodes":true,"ref":1}' '{"trap":true,"ref":2}'
    told '\{"done":2}'
    start_node paris
    told '\{"node_up":"paris"}'
    rusm stop paris
    told '\{"node_down":"paris"}'
    rusm kill london p gently
    told '\{"exit":null,"reason":"gently"}'
    say '{"link":"echo","ref":3}'
    told '\{"done":3}'
    rusm kill london echo because
    told '\{"exit":"[^"]+","reason":"because"}'
    rusm spawn london echo --name other
    say '{"link":"other"}' '{"unlink":"other","ref":4}'
    told '\{"done":4}'
    before=$(json pid '.name == "p"' rusm attach london)
    say '{"exit":"enough"}'
    again() { [ "$(json pid '.name == "p"' rusm attach london)" != "$before" ]; }
    wait_until again
}

@test "exec+json: bad lines are told, counted and logged; the program lives on" {
    start_scribe
    say 'junk' '{"go":1}' '{"to":"x","dta":1}' '{"to":1}' '{"call":"echo"}' '[]' '{"to":"x","to":"y"}' \
        '{"to":"x","base64":"?"}' '{"spawn":"x","args":[1],"ref":1}' '{"reply":0}' '' \
        '{"monitor":"x","ref":[1]}' '{"to":"x\u0000y"}'
    told '\{"bad":"not JSON: .*","line":"junk"}'
    told '\{"bad":"\\"dta\\" is neither a request nor a field of one",.*}'
    told '\{"bad":"\\"call\\" needs a ref",.*}'
    told '\{"bad":"\\"to\\" must be a string without NUL","line":.*x\\\\u0000y.*}'
    equal "$(grep -c '^{"bad"' news)" 12
    equal "$(json value '.counter == "programs_bad_lines"' rusm attach --counters london)" 12
    has_text london.err 'not a request: "call" needs a ref: {"call":"echo"}'
    say '{"call":"echo","data":"still here","ref":1}'
    told '\{"reply":1,.*"still here"}'
}

@test "exec+json: data that is no string passes as the program wrote it" {
    cat >answers.sh <<'EOF'
n=0
while read -r line; do
    n=$((n + 1))
    printf '{"reply":%s,"data":%s }\n' $n "$(sed -n ${n}p answers)"
done
EOF
    printf '%s\n' 12345678901234567890123 0.1 1e999 '{"b": [1.0, "\ud800"], "a":1,"a":2}' >answers
    start_node london --boot 'p=exec+json:exec sh answers.sh'
    while read -r answer; do
        expect 0 rusm call london p x
        equal "$output" "$answer"
    done <answers
}

@test "exec+json: a wrong answer fails its call at once, one that is not JSON ends the program" {
    start_scribe
    rusm call london p one 2>one &
    first=$!
    told '.*"ref":1,"data":"one"}'
    rusm call london p two >two &
    second=$!
    told '.*"ref":2,"data":"two"}'
    say '{"reply":1,"data":"\ud800"}' '{"reply":2,"data":"fine"}'
    status=0
    wait "$first" || status=$?
    equal "$status" 4
    like "$(cat one)" "*died before it replied: its program gave a wrong answer: not JSON for a request: *"
    wait "$second"
    equal "$(cat two)" fine
    before=$(json pid '.name == "p"' rusm attach london)
    rusm call london p three 2>three &
    third=$!
    told '.*"ref":3,"data":"three"}'
    say '{"reply":3,"data":"thr'
    status=0
    wait "$third" || status=$?
    equal "$status" 4
    like "$(cat three)" "*died before it replied: its program printed a line that is not JSON"
    again() { [ "$(json pid '.name == "p"' rusm attach london)" != "$before" ]; }
    wait_until again
}

@test "exec+json: one that closes its output or its input fails its callers at once" {
    start_node london --boot 'p=exec+json:read -r x; exec >&-; sleep 1000' \
        --boot 'q=exec+json:exec 0<&-; echo >deaf; sleep 1000' \
        --boot 'r=exec+json*2:read -r x; echo "{\"reply\":1"; sleep 1000'
    expect 4 rusm call london p x
    like "$stderr" '*: its program has closed its output'
    wait_until [ -s deaf ]
    expect 4 rusm call london q x
    like "$stderr" '*: its program reads no more'
    for _ in 1 2; do
        expect 4 rusm call london r x
        like "$stderr" '*: its program printed a line that is not JSON'
    done
}

@test "exec+json: one that prints back what it reads is told once, one that floods is ended; few lines are logged" {
    start_node london --boot p=exec+json:cat --spawnable 'r=exec+json:exec 3<&0; cat <&3 >/dev/null & exec yes'
    bad() { json value '.counter == "programs_bad_lines"' rusm attach --counters london; }
    rusm send london p hello
    twice() { [ "$(bad)" -ge 2 ]; }
    wait_until twice
    rusm send london p again # what it says to the first is dealt with before the second
    four() { [ "$(bad)" -ge 4 ]; }
    wait_until four
    equal "$(bad)" 4
    rusm spawn london r --name r
    ended() { [ -z "$(json pid '.name == "r"' rusm attach london)" ]; }
    wait_until ended
    [ "$(bad)" -gt 10000 ]
    equal "$(grep -c '(exec:cat): not a request' london.err)" 4
    [ "$(grep -c '(exec:exec): not a request' london.err)" -lt 1000 ]
    has_text london.err 'more lines were not logged'
}

@test "exec+json: one in a pool that dies fails its own calls alone" {
    cat >work.py <<'EOF'
import json, os, sys
for line in sys.stdin:
    news = json.loads(line)
    if news["data"] == "die": os._exit(5)
    if news["data"] != "wait": print(json.dumps({"reply": news["ref"], "data": str(os.getpid())}))
EOF
    start_node london --boot 'p=exec+json*2:exec python3 work.py'
    first=$(rusm call london p x)
    expect 0 rusm call london p x # the other one's turn
    not equal "$output" "$first"
    rusm call london p wait 2>lost & # the first one has this, for ever
    lost=$!
    taken() { [ "$(json received '.name == "p"' rusm attach london)" = "$1" ]; }
    wait_until taken 3
    expect 0 rusm call london p x
    expect 4 rusm call london p die
    like "$stderr" '*exit status 5'
    status=0
    wait "$lost" || status=$?
    equal "$status" 4
    for _ in 1 2 3 4; do rusm call london p x; done | sort -u >who
    equal "$(wc -l <who)" 2
    not has_line who "$first"
}

@test "exec+json: a flood of requests that nobody reads is held back" {
    start_node london --boot 'p=exec+json:yes "{\"call\":\"nobody\",\"ref\":1}"' --boot echo=echo
    full() { [ "$(json value '.counter == "programs_started"' rusm attach --counters london)" = 1 ]; }
    wait_until full
    expect 0 rusm call london echo 'still quick'
    rss() { awk '/VmRSS/ { print $2 }' /proc/"$pid"/status; }
    steady() { # once there is no more room
        before=$(rss)
        for _ in 1 2 3 4 5 6 7 8 9 10; do equal "$(rusm call london echo x)" x || return; done
        [ "$(rss)" -lt $((before + 4096)) ]
    }
    wait_until steady
}
