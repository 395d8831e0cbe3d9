# Programs as processes: exec:COMMAND, lines and blocks. rusm-port(7).
load helper

# Whether nobody is left of the group that the program in FILE named.
group_gone() {
    ps -A -o pgid=,stat= | awk -v group="$(cat "$1")" '$1 == group && $2 !~ /^Z/ { exit 1 }'
}

@test "exec: a filter is a process; booted it is supervised" {
    start_node london --spawnable 'shout=exec:stdbuf -oL tr a-z A-Z' --boot 's=exec:stdbuf -oL tr a-z A-Z'
    expect 0 rusm call london s hello
    equal "$output" HELLO
    expect 0 rusm spawn london shout --name t
    like "$output" "[0-9]*@london#[0-9a-f]*"
    expect 0 rusm call london t 'two words'
    equal "$output" 'TWO WORDS'
    equal "$(json behaviour '.name == "t"' rusm attach london)" exec:tr
    equal "$(json behaviour '.name == "shout"' rusm attach --spawnables london)" exec:tr
    before=$(json pid '.name == "s"' rusm attach london)
    expect 0 rusm kill london s
    wait_until rusm call london s again
    not equal "$(json pid '.name == "s"' rusm attach london)" "$before"
}

@test "exec: programs print at once: by stdbuf, by an option, in Python, on a terminal" {
    start_node london --boot 'tr=exec:stdbuf -oL tr a-z A-Z' --boot 'sed=exec:sed -u s/o/0/' \
        --boot 'cut=exec:stdbuf -oL cut -c2- | stdbuf -oL rev' \
        --boot 'python=exec:python3 -c "import sys
for line in sys.stdin: print(line.strip().title())"' \
        --boot 'awk=exec+pty:awk "{ print toupper(\$0) }"' \
        --boot 'perl=exec+pty:perl -ne "print ucfirst"'
    for wanted in 'tr HELLO' 'sed hell0' 'cut olle' 'python Hello' 'awk HELLO' 'perl Hello'; do
        expect 0 rusm call london "${wanted% *}" hello
        equal "$output" "${wanted#* }"
        expect 0 rusm call london "${wanted% *}" ''
        equal "$output" ''
    done
}

@test "exec: nothing is loaded into a program, and the log says that one prints nothing" {
    printf '%s\n' '#include <stdio.h>' 'int main(void) { char b[99];' \
        'while (fgets(b, sizeof(b), stdin)) { fputs(b, stdout); fflush(stdout); } }' >p.c
    cc -fsanitize=address p.c -o p
    start_node london --boot 'p=exec:./p' --boot 'e=exec:while read -r x; do env | grep -cE "LD_|STDBUF"; done' \
        --boot 'tr=exec:tr a-z A-Z'
    expect 0 rusm call london p hi
    equal "$output" hi
    expect 0 rusm call london e x
    equal "$output" 0
    times_out call london tr one
    rusm send london tr two
    wait_until has_text london.err '(exec:tr): it has not printed anything yet, and a call'
}

@test "exec: arguments are the command's, never part of it" {
    start_node london --spawnable \
        'args=exec:while read -r x; do printf "%s|" "$#" "$@" "$x"; echo; done'
    rusm spawn london args --name a -- 'two words' '$(touch oops)' '"; touch oops' ''
    expect 0 rusm call london a '$(touch oops)'
    equal "$output" '4|two words|$(touch oops)|"; touch oops||$(touch oops)|'
    [ ! -e oops ]
}

@test "exec: the environment is clean, three descriptors are open, the group is its own" {
    SECRET=1 BASH_ENV=x start_node london --boot 'e=exec:read x; env' --boot 'f=exec:read x; ls -x /proc/$$/fd' \
        --boot 'g=exec:read x; ps -o pid=,pgid=,sid=,ignored= -p $$'
    expect 0 rusm call london f x
    equal "$(echo "$output" | tr -s ' ')" '0 1 2'
    expect 0 rusm call london g x
    read -r pid pgid sid ignored <<<"$output"
    equal "$pid $pid" "$pgid $sid"
    like "$ignored" '*0000000'
    rusm kill london e
    start_node paris --spawnable 'env=exec+len:read x; printf "\0\0\4\0"; (env; yes .) | head -c 1024'
    rusm spawn paris env --name env
    SECRET=1 expect 0 rusm call paris env "$(printf '\nx')"
    has_line <(echo "$output") RUSM_NODE=paris
    like "$output" '*RUSM_PID=[0-9]*@paris#[0-9a-f]**'
    like "$output" '*PATH=*'
    not like "$output" '*SECRET*' >/dev/null
}

@test "exec: --env and --env-file give programs more variables, and the guard none" {
    printf '%s\n' '# of programs' '' 'A=from a file' '  B="as it is" # all of it ' 'C=one' 'C=two' \
        "$(printf 'D=a DOS line\r')" E= F=file >vars
    GIVEN='x y=z' SECRET=1 start_node london --env GIVEN --env-file vars --env F=option --env PATH=/nonexistent:/bin:/usr/bin \
        --boot 'e=exec:while read -r x; do eval "echo \"<\${$x-unset}>\""; done' \
        --spawnable 'p=exec:echo $$ >group; trap "" TERM HUP PIPE; while :; do sleep 1000; done'
    for wanted in 'GIVEN <x y=z>' 'A <from a file>' 'B <"as it is" # all of it >' 'C <two>' 'D <a DOS line>' 'E <>' \
        'F <option>' 'PATH </nonexistent:/bin:/usr/bin>' 'RUSM_NODE <london>' 'SECRET <unset>'; do
        expect 0 rusm call london e "${wanted%% *}"
        equal "$output" "${wanted#* }"
    done
    not grep -qz GIVEN "/proc/$(guard)/environ"
    echo 'env A=config' >config
    GIVEN=1 start_node paris --config config --env GIVEN=2 \
        --boot 'e=exec:A=own; while read -r x; do echo "$A $GIVEN"; done'
    expect 0 rusm call paris e x
    equal "$output" 'own 2'
}

@test "exec: variables that cannot be given are named when the node starts" {
    wrong() {
        local text=$1
        shift
        expect 2 rusm node --name london "$@"
        like "$stderr" "rusm: node: $text"
        equal "$output" ''
    }
    unset NOT_HERE
    wrong "--env: the variable 'NOT_HERE' is not set here: set it, or write NOT_HERE=VALUE" --env NOT_HERE
    wrong "--env: the variable 'NOT_HERE' is not set here*" --env NOT_HERE --detach
    wrong "'' is not the name of a variable*" --env =x
    wrong "'two words' is not the name of a variable*" --env 'two words=x'
    wrong "'1st' is not the name of a variable*" --env 1st=x
    wrong 'the node sets RUSM_PID for each program itself' --env RUSM_PID=x
    printf '%s\n' A=x 'export B=y' >vars
    wrong 'vars:2: not NAME=VALUE' --env-file vars
    printf 'A=x\0y\n' >vars
    wrong 'vars:1 contains a NUL byte*' --env-file vars
    expect_error 1 "rusm: node: cannot read 'nonesuch': No such file or directory" \
        rusm node --name london --env-file nonesuch
    echo 'env NOT_HERE' >config
    wrong "config:1: env: the variable 'NOT_HERE' is not set here*" --config config
}

@test "exec: a program's end is the process's, with its status" {
    start_node london --spawnable 'die=exec:read x; exit 3' --spawnable 'kill=exec:read x; kill -9 $$' \
        --spawnable 'done=exec:read x; echo bye'
    for wanted in 'die:exit status 3' 'kill:signal 9'; do
        rusm spawn london "${wanted%%:*}" --name p
        expect_error 4 "rusm: call: process 'p' on london died before it replied: ${wanted#*:}" \
            rusm call london p x
    done
    rusm spawn london done --name p
    expect 0 rusm call london p x # what it printed first counts
    equal "$output" bye
    wait_until not rusm call london p x
}

@test "exec: one that fails is restarted by its supervisor, to a limit" {
    start_node london --boot 'p=exec:while read -r x; do [ "$x" = die ] && exit 3; echo "$x"; done'
    for _ in 1 2; do
        expect 4 rusm call london p die
        wait_until rusm call london p hello
    done
}

@test "exec: a message of several lines is refused, in exec+len it goes through" {
    start_node london --boot 'lines=exec:cat' --boot 'len=exec+len:cat'
    printf 'two\nlines' >m
    expect_error 4 "rusm: call: process 'lines' on london died before it replied: more than one line: exec+len and exec+json carry that" \
        rusm call london lines --file m
    rusm send london lines --file m
    refused() {
        [ "$(json value '.counter == "programs_refused"' rusm attach --counters london)" = "$1" ]
    }
    wait_until refused 2
    expect 0 rusm call london lines "$(printf 'one line\n')"
    equal "$output" 'one line'
    rusm call london len --file m >got
    echo >>m
    cmp m got
    { head -c 3000000 /dev/urandom; echo end; } >m # the newline is the last one, call adds none
    rusm call london len --file m >got
    cmp m got
}

@test "exec: answers stay in step with messages, also late ones" {
    start_node london --spawnable 'slow=exec:while read -r x; do [ "$x" = wait ] && read -r y <fifo; echo "$x"; done'
    mkfifo fifo
    rusm spawn london slow --name p
    rusm send london p nobody waits for this
    expect 0 rusm call london p first
    equal "$output" first
    times_out call london p wait # its answer comes when nobody wants it any more
    rusm call london p second >got &
    echo >fifo
    wait $!
    equal "$(cat got)" second
}

@test "exec: one that answers nothing takes all it is sent, and times out who asks" {
    start_node london --spawnable 'sink=exec:cat >>all'
    rusm spawn london sink --name p
    seq 5000 >lines
    expect 0 rusm send london p --lines <lines
    times_out call london p question
    expect 0 rusm send london p after
    wait_until has_line all after
    equal "$(head -n 5000 all | cmp - lines && sed -n 5001p all)" question
}

@test "exec: one that prints elsewhere takes all it is sent, and who asks is told at once" {
    start_node london --spawnable 'sink=exec:exec cat >>all'
    rusm spawn london sink --name p
    seq 5000 >lines
    expect 0 rusm send london p --lines <lines
    wait_until has_line all 5000
    for _ in 1 2; do
        expect_error 4 "rusm: call: process 'p' on london died before it replied: its program has closed its output" \
            rusm call london p question
    done
    expect 0 rusm send london p after
    wait_until has_line all after
    equal "$(head -n 5000 all | cmp - lines && sed -n 5001p all)" after
}

@test "exec: one that closes its output or its input fails its caller at once, and is started again" {
    died="rusm: call: process 'p' on london died before it replied: its program"
    programs() { [ "$(json value '.counter == "programs_started"' rusm attach --counters london)" -ge "$1" ]; }
    for kind in exec exec+len 'exec*2'; do
        start_node london --boot "p=$kind:exec 3<&0; head -c 1 <&3 >&2; exec >&-; sleep 1000"
        expect_error 4 "$died has closed its output" rusm call london p x
        wait_until programs 2
        wait_until rusm send london p hello
        rusm stop london
    done
    # The last line of one counts without its newline, and a status says more than a closed pipe.
    start_node london --boot 'p=exec:read -r x; printf "$x"; exec >&-; sleep 1000' \
        --boot 'q=exec:read -r x; exec >&- 0<&-; exit 5' --boot 'r=exec:exec 0<&-; echo >deaf; sleep 1000'
    expect 0 rusm call london p one
    equal "$output" one
    wait_until programs 4
    expect 0 rusm call london p two
    equal "$output" two
    expect 4 rusm call london q x
    like "$stderr" '*: exit status 5'
    wait_until [ -s deaf ]
    before=$(json pid '.name == "r"' rusm attach london)
    expect 4 rusm call london r x
    like "$stderr" '*: its program reads no more'
    again() { [ "$(json pid '.name == "r"' rusm attach london)" != "$before" ]; }
    wait_until again
}

@test "exec: one that does not read holds its senders back" {
    start_node london --mailbox 16 --boot 'p=exec:sleep 1000'
    yes "$(printf %0999d 0)" | head -n 1000 >lines
    times_out send london p --lines --file lines
    like "$stderr" '*is full*'
    [ "$(json mailbox '.name == "p"' rusm attach london)" = 16 ]
    expect 0 rusm kill london p
}

@test "exec: floods are ended, whole lines and endless ones" {
    start_node london --spawnable 'many=exec:read x; yes' --spawnable 'long=exec:read x; tr "\0" x </dev/zero' \
        --spawnable 'len=exec+len:yes'
    rusm spawn london many --name p
    expect 0 rusm call london p x
    equal "$output" y
    wait_until has_text london.err "it printed a line that answers no request: y"
    wait_until not rusm send london p x
    rusm spawn london long --name p
    expect_error 4 "rusm: call: process 'p' on london died before it replied: its program printed a line that is too long" \
        rusm call london p x
    rusm spawn london len --name p
    wait_until not rusm send london p x
}

@test "exec: standard error goes to the log, bounded" {
    start_node london --boot 'p=exec:while read -r x; do printf "complaint %s\nhalf a line" "$x" >&2; echo; done' \
        --spawnable 'q=exec:seq -f "line %g" 10000 >&2; cat'
    rusm call london p one
    wait_until has_text london.err "(exec:while): complaint one"
    rusm kill london p
    wait_until has_text london.err "(exec:while): half a line"
    rusm spawn london q --name q
    rusm call london q x
    rusm kill london q
    wait_until has_text london.err "(exec:seq): 9800 more lines were not logged"
    equal "$(grep -c '(exec:seq): line' london.err)" 200
}

@test "exec: kill ends the whole group, gently first" {
    start_node london --spawnable 'p=exec:trap "echo bye >last; exit" TERM; echo $$ >group; sleep 1000 & wait; cat'
    rusm spawn london p --name p
    wait_until [ -s group ]
    expect 0 rusm kill london p
    wait_until group_gone group
    has_line last bye
}

@test "exec: one that ignores SIGTERM is killed" {
    start_node london --spawnable 'p=exec:trap "" TERM; echo $$ >group; sleep 1000 & while :; do sleep 1000; done'
    rusm spawn london p --name p
    wait_until [ -s group ]
    expect 0 rusm kill london p
    wait_until group_gone group
}

@test "exec: nothing is left when the node stops, or is killed" {
    start_node london --spawnable 'p=exec:trap "" TERM HUP PIPE; echo $$ >"$1"; (trap "" TERM; sleep 1000) & while :; do sleep 1000; done'
    rusm spawn london p -- one
    rusm spawn london p -- two
    wait_until [ -s one ]
    wait_until [ -s two ]
    expect 0 rusm stop london
    group_gone one
    group_gone two
    start_node london --spawnable 'p=exec:trap "" TERM HUP PIPE; echo $$ >"$1"; (trap "" TERM; sleep 1000) & while :; do sleep 1000; done'
    rusm spawn london p -- three
    wait_until [ -s three ]
    kill -9 "$pid"
    wait_until group_gone three
}

@test "exec: what has left its group goes with the node, unless it is to stay" {
    for end in "rusm stop london" 'kill -9 $pid'; do
        start_node london --spawnable 'p=exec:setsid sh -c "echo \$\$ >group; exec sleep 1000" & until [ -s group ]; do sleep 0.02; done' \
            --spawnable 'q=exec:setsid env -u RUSM_PID sh -c "echo \$\$ >stays; exec sleep 1000" & until [ -s stays ]; do sleep 0.02; done'
        rm -f group stays
        rusm spawn london p
        rusm spawn london q
        wait_until [ -s group ]
        wait_until [ -s stays ]
        cat stays >>pids
        ended() { [ "$(json value '.counter == "programs_ended"' rusm attach --counters london)" = 2 ]; }
        wait_until ended
        not group_gone group
        eval "$end"
        wait_until group_gone group
        not group_gone stays
    done
}

# The guard of the node whose process is $pid.
guard() { pgrep -P "$pid" -f 'rusm-guard @'; }

@test "exec: a guard that is stopped goes on when the node is gone" {
    start_node london --spawnable 'p=exec:echo $$ >group; trap "" TERM HUP PIPE; while :; do sleep 1000; done'
    rusm spawn london p
    wait_until [ -s group ]
    kill -STOP "$(guard)"
    kill -9 "$pid"
    wait_until group_gone group
}

@test "exec: a guard that reads nothing holds nobody up, and is replaced" {
    start_node london --schedulers 1 --spawnable 'p=exec:echo $$ >"$1"; trap "" TERM HUP PIPE; while :; do sleep 1000; done'
    rusm spawn london p --name one -- one
    rusm spawn london p -- two
    wait_until [ -s one ] && wait_until [ -s two ]
    for what in "spawn london p -- three" "kill london one"; do
        first=$(guard)
        kill -STOP "$first"
        timeout 5 python3 - "/proc/$first/fd/0" <<'EOF' # its pipe is full
import os, sys
pipe = os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)
try:
    while True: os.write(pipe, b'- 1\n')
except BlockingIOError: pass
EOF
        # shellcheck disable=SC2086
        expect 0 rusm $what
        [ "$what" = "kill london one" ] || wait_until [ -s three ]
        wait_until gone "$first"
        equal "$(rusm call london greeter hi)" "hello, hi"
        has_text london.err "took no news. There is a new one"
        : >london.err
    done
    wait_until group_gone one
    kill -9 "$pid"
    wait_until group_gone two
    wait_until group_gone three
}

@test "exec: the guard is started again, and knows all programs" {
    start_node london --spawnable 'p=exec:echo $$ >group; trap "" TERM HUP PIPE; while :; do sleep 1000; done'
    rusm spawn london p
    wait_until [ -s group ]
    kill -9 "$(guard)"
    wait_until has_text london.err "There is a new one"
    kill -9 "$pid"
    wait_until group_gone group
}

@test "exec: a pool shares the work and replaces who dies" {
    start_node london --boot 'p=exec*3:while read -r x; do [ "$x" = die ] && exit 4; echo $$; done'
    for _ in 1 2 3 4 5 6; do rusm call london p x; done >pids.got
    equal "$(sort -u pids.got | wc -l)" 3
    expect_error 4 "rusm: call: process 'p' on london died before it replied: exit status 4" \
        rusm call london p die
    for _ in 1 2 3 4 5 6; do rusm call london p x; done >more.got
    equal "$(sort -u pids.got more.got | wc -l)" 4
}

@test "exec: without descriptors no program begins, and the node lives on" {
    start_node london --spawnable 'p=exec:exec sleep 1000'
    prlimit --nofile=60:60 --pid "$pid"
    failed=
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do
        rusm spawn london p >>spawned 2>failed || { failed=$?; break; }
    done
    equal "$failed" 1
    has_text failed 'cannot start a program: Too many open files'
    rusm kill london "$(tail -n 1 spawned)"
    wait_until rusm spawn london p
    expect 0 rusm call london greeter hi
}

@test "exec: programs of several schedulers" {
    start_node london --schedulers 3 \
        --spawnable 'p=exec:echo $$ >"$1"; while read -r x; do echo "$1 $x"; done'
    for name in a b c d e f; do rusm spawn london p --name "$name" -- "$name"; done
    for name in a b c d e f; do
        expect 0 rusm call london "$name" hello
        equal "$output" "$name hello"
    done
    equal "$(json value '.counter == "programs_started"' rusm attach --counters london)" 6
    expect 0 rusm kill london a
    wait_until group_gone a
    ended() { [ "$(json value '.counter == "programs_ended"' rusm attach --counters london)" = 1 ]; }
    wait_until ended
    expect 0 rusm stop london
    for name in b c d e f; do group_gone "$name"; done
    start_node paris --schedulers 3 --spawnable 'p=exec:trap "" TERM HUP PIPE; echo $$ >"$1"; while :; do sleep 1000; done'
    for name in g h i; do rusm spawn paris p -- "$name"; done
    for name in g h i; do wait_until [ -s "$name" ]; done
    kill -9 "$pid"
    for name in g h i; do wait_until group_gone "$name"; done
}

@test "exec: nothing is left of a node that could not start; a config file has commands too" {
    expect 4 rusm node --name london --boot 'p=exec:echo $$ >group; trap "" TERM; sleep 1000; sleep 1000' \
        --boot q=nonesuch
    [ ! -s group ] || wait_until group_gone group
    printf '%s\n' '# programs' 'boot s=exec:stdbuf -oL tr a-z A-Z' 'spawnable = cut=exec:stdbuf -oL cut -d : -f 2' >config
    start_node paris --config config
    expect 0 rusm call paris s hello
    equal "$output" HELLO
    rusm spawn paris cut --name c
    expect 0 rusm call paris c a:b:c
    equal "$output" b
}

@test "exec: a SPEC that is none says what it should be" {
    expect 2 rusm node --name london --spawnable 'p=exec+xml:cat'
    like "$stderr" "*cannot teach 'p': exec+xml is unknown: write exec+json, exec+len or exec+pty"
    expect 2 rusm node --name london --spawnable 'p=exec*0:cat'
    like "$stderr" '*a pool must have 1 to 64 programs'
    expect 2 rusm node --name london --spawnable 'p=exec*many:cat'
    like "$stderr" '*write a number of programs after the \*'
    expect 2 rusm node --name london --spawnable 'p=exec+len'
    like "$stderr" '*no command: write exec:COMMAND'
    start_node london --spawnable 'p=exec:no-such-program'
    rusm spawn london p
    wait_until has_text london.err "no-such-program: not found"
}
