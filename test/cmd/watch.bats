# attach --watch and top: the screen in a terminal of tmux, and plain tables.
load helper

# Every test has a tmux server of its own, which ends with the test.
setup_file() {
    command -v tmux >/dev/null || skip "there is no tmux"
}

teardown_screen() {
    tmux -S "$BATS_TEST_TMPDIR/tmux" kill-server 2>/dev/null || true
}

# The helper's teardown ends the nodes.
eval "helper_$(declare -f teardown)"
teardown() {
    teardown_screen
    helper_teardown
}

mux() { tmux -S "$BATS_TEST_TMPDIR/tmux" -f /dev/null "$@"; }
busiest_is() {
    "$RUSM" top --count 1 --json london | jq -se ".[0] | .name == \"$1\" and .rate > 0"
}
# Starts a shell in a terminal and runs rusm in it: screen COLUMNS ROWS ARGUMENTS...
screen() {
    mux new-session -d -s t -x "$1" -y "$2" "env PS1='prompt> ' sh"
    wait_until on_screen 'prompt>'
    mux send-keys -t t "clear; $RUSM ${*:3}; echo status \$?" Enter
}
keys() { mux send-keys -t t "$@"; }
shot() { mux capture-pane -p -t t; }
on_screen() { shot | grep -qF -e "$1"; }
matches() { shot | grep -qE -e "$1"; }
off_screen() { ! on_screen "$1"; }
shows() { wait_until matches "$1" || { shot; return 1; }; }
hides() { wait_until off_screen "$1" || { shot; return 1; }; }
# The lines with more characters than that.
too_wide() { shot | sed 's/[^ -~]/x/g' | awk -v most="$1" 'length($0) > most'; }
# The column at that place of the rows: column NUMBER
column() { shot | awk -v n="$1" '/^PID/ { on = 1; next } /^ sort by|^$/ { on = 0 } on { print $n }'; }
first_is() { [ "$(column 2 | head -n 1)" = "$1" ]; }

# A process that takes messages without end, and one with a full mailbox.
start_busy() {
    start_node london --mailbox 16 --boot bank=sink --boot clerk=echo --spawnable 'idle=exec:exec sleep 1000'
    "$RUSM" spawn london idle --name stuck >/dev/null
    (while seq 50; do sleep 0.1; done | "$RUSM" send --lines --timeout 600 london bank) \
        >/dev/null 2>&1 3>&- &
    echo $! >>pids
}

# Fills the mailbox of `stuck`, whose program reads nothing, and leaves `fwd` waiting for room.
fill_stuck() {
    "$RUSM" spawn london relay --name fwd stuck >/dev/null
    (head -c 2000000 /dev/zero | tr '\0' x | fold -w 1000 |
        "$RUSM" send --lines --timeout 600 london fwd) >/dev/null 2>&1 3>&- &
    echo $! >>pids
}

@test "top: the busiest first, rates, and quit restores the terminal" {
    start_busy
    screen 80 24 top london
    shows '^ london  up '
    shows 'PID +NAME +BEHAVIOUR +STATE +MAILBOX +RATE/s.'
    wait_until first_is bank
    shows 'bank +sink +[a-z]+ +[0-9]+ +[1-9][0-9]* '
    shows '^ msg/s +[1-9]'
    on_screen ' q quit  ? help  p pause  / filter  Enter detail'
    keys q
    shows '^status 0$'
    hides 'q quit'
    mux send-keys -t t 'stty -a' Enter
    shows '[^-]icanon'
    shows '[^-]echo '
}

@test "attach --watch: sort keys, cursor, filter" {
    start_busy
    screen 80 24 attach --watch london
    shows 'MAILBOX.  RATE/s '
    keys n
    wait_until first_is bank
    keys n
    wait_until first_is stuck
    keys r
    wait_until first_is bank
    keys a
    shows 'AGE.$'
    keys /
    shows '^/_'
    keys -l CLE
    shows '/CLE 1 of'
    hides ' bank '
    keys Enter
    keys n
    shows '^[0-9]+ +clerk '
    keys Escape
    shows ' bank '
    keys q
    shows '^status 0$'
}

@test "attach --watch: every table, help, pause" {
    start_busy
    start_node tokyo
    wait_until connected london tokyo
    screen 80 24 attach --watch london
    keys 2
    shows '^tokyo +connected '
    keys 3
    shows '^bank +local '
    keys 4
    shows '^messages_handled +[1-9]'
    keys 5
    shows 'incarnation [0-9a-f]+'
    shows 'network .*/s'
    keys '?'
    shows 'any key goes back'
    keys x
    hides 'any key goes back'
    keys p
    shows PAUSED
    keys p
    hides PAUSED
    keys q
    shows '^status 0$'
}

@test "attach --watch: one process, with the sender that waits" {
    start_busy
    fill_stuck
    screen 80 24 attach --watch london
    shows '^[0-9]+ +stuck +exec:[a-z]+ +holding +16 '
    keys /
    keys -l stuck
    keys Enter Enter
    shows '^ [0-9]+@london#[0-9a-f]+  stuck'
    shows '^ state|state +holding'
    shows '^ waiting +[0-9]+@london .*1000 B'
    shows '^ message +[0-9]+@.*1000 B'
    keys Escape
    hides ' waiting  '
    "$RUSM" kill london stuck
    keys q
    shows '^status 0$'
}

@test "attach --watch: 40 columns, then wider and lower" {
    start_busy
    screen 40 12 attach --watch london
    shows '^PID +NAME +MAILBOX. +RATE/s$'
    shows '^ 1 Proc 2 Peer 3 Name 4 Cnt 5 Node'
    equal "$(too_wide 40)" ""
    mux resize-window -t t -x 100 -y 30
    shows 'PID +NAME +BEHAVIOUR +STATE +MAILBOX. +RATE/s +RECEIVED +MEMORY +LINKS +AGE'
    mux resize-window -t t -x 30 -y 5
    shows '^PID +NAME +MAILBOX'
    equal "$(too_wide 30)" ""
    keys q
    shows 'status 0'
}

@test "attach --watch: the node is lost, said, and comes back" {
    start_node_at_port london --boot bank=sink
    screen 80 24 attach --watch london --timeout 2
    shows ' bank '
    kill -9 "$pid"
    shows 'Trying again in [0-9]+ s: '
    shows LOST
    on_screen ' bank '
    start_node london --boot vault=sink
    shows ' vault '
    hides LOST
    hides 'Trying again'
    keys q
    shows '^status 0$'
}

@test "attach --watch: Ctrl-Z and back, Ctrl-C, SIGTERM" {
    start_node london
    mux new-session -d -s t -x 80 -y 24 "env PS1='prompt> ' bash --norc -i"
    wait_until on_screen 'prompt>'
    keys "clear; $RUSM attach --watch london; echo status \$?" Enter
    shows 'q quit'
    keys C-z
    shows Stopped
    hides 'q quit'
    keys 'fg' Enter
    shows 'q quit'
    keys C-c
    shows 'prompt>'
    keys "clear; $RUSM attach --watch london; echo status \$?" Enter
    shows 'q quit'
    kill -TERM "$(pgrep -P "$(mux display-message -p -t t '#{pane_pid}')")"
    shows 'status 143'
    hides 'q quit'
    keys 'stty -a' Enter
    shows '[^-]icanon'
}

@test "attach --watch without UTF-8: ASCII only" {
    start_busy
    screen 80 24 attach --watch london
    shows '█'
    keys q
    shows 'status 0'
    keys "clear; LC_ALL=C $RUSM attach --watch london" Enter
    shows 'MAILBOXv'
    wait_until matches '^ msg/s +[0-9]+ +.*#'
    equal "$(shot | LC_ALL=C grep '[^ -~]')" ""
    keys q
}

# The texts that do not change in each line of the picture, in their order.
shape() { sed -E 's/[0-9.]+ ?(B|KiB|MiB|s|m|h|k|%)*[0-9s]*/0/g; s/[-_.,=+*#]+//g; s/ +/ /g; s/ $//'; }

@test "the picture in rusm-attach(1) is that of the screen" {
    start_node london
    start_node tokyo
    wait_until connected london tokyo
    screen 80 24 attach --watch london
    keys q
    shows 'status 0'
    keys "clear; LC_ALL=C $RUSM attach --watch london" Enter
    shows '^PID .*MAILBOXv'
    page=$(sed -n '/^\.Bd -literal$/,/^\.Ed/p' "$BATS_TEST_DIRNAME/../../man/rusm-attach.1")
    for line in '^ 1 Processes' '^PID ' '^ sort by' '^ q quit'; do
        equal "$(shot | grep "$line" | shape)" "$(grep "$line" <<<"$page" | shape)"
    done
    like "$(grep '^ msg/s' <<<"$page")" ' msg/s * mailboxes * cpu *'
    like "$(shot | grep '^ msg/s')" ' msg/s * mailboxes * cpu *'
    like "$(shot | head -n 1)" ' london  up *  processes *  peers 1  127.0.0.1:*every 1s'
    like "$(grep '^ london' <<<"$page")" ' london  up *  processes *  peers 1  127.0.0.1:*every 1s'
    keys q
}

@test "without a terminal: tables, a blank line between them" {
    start_busy
    expect 0 rusm attach --watch --count 2 --interval 0.2 london
    equal "$(grep -c '^london at ' <<<"$output")" 2
    equal "$(grep -c '^$' <<<"$output")" 1
    equal "$(grep -m 1 '^PID' <<<"$output" | tr -s ' ')" \
        "PID NAME BEHAVIOUR STATE MAILBOX RECEIVED MEMORY LINKS AGE RATE"
    expect 0 rusm top --count 1 --json london
    equal "$(jq -sr '.[0] | keys_unsorted | join(" ")' <<<"$output")" \
        "frame pid name behaviour state mailbox received memory links age rate"
    jq -se 'all(.[]; .frame == 1 and (.rate | type) == "number")' <<<"$output"
    wait_until busiest_is bank
    expect 0 rusm attach --watch --counters --json --count 2 --interval 0.1 london
    equal "$(jq -s '[.[].frame] | unique' -c <<<"$output")" "[1,2]"
}

@test "top, attach --watch: what is wrong" {
    expect 3 "$RUSM" top nowhere --timeout 1
    like "$stderr" "rusm: top: *nowhere*"
    expect_error 2 "rusm: top: NODE is missing (try 'rusm top --help')" "$RUSM" top
    expect_error 2 "rusm: attach: --count works only with --watch (try 'rusm attach --help')" \
        "$RUSM" attach london --count 1
    expect 2 "$RUSM" attach london --watch --spawnables
    expect 2 "$RUSM" top london --interval 0.01
    start_node london
    "$RUSM" top london --json >frames 3>&- &
    watcher=$!
    echo $watcher >>pids
    wait_until test -s frames
    kill -9 "$pid"
    status=0
    wait $watcher || status=$?
    equal "$status" 3
}
