# diagnose: what is wrong is found, on real nodes with real faults; and nothing where all is well.
load helper

# Whether a finding of the kind is about that node and process (. for none): finds KIND NODE PROCESS
finds() {
    "$RUSM" diagnose --json --timeout 30 --seconds "${LOOK:-1}" >findings
    [ "$(jq "select(.kind == \"$1\" and .node == \"$2\" and (.process // \".\") == \"$3\")" findings)" ]
}
# What that finding says: field KIND FIELD
field() { jq -r "select(.kind == \"$1\") | .$2" findings; }

# So many lines, of so many bytes each.
long_lines() { awk -v lines="$1" -v len="$2" 'BEGIN { while (lines-- > 0) printf "%0*d\n", len, 0 }'; }

@test "diagnose: a healthy cluster of three under light load gives one line" {
    start_node london --boot parrot=echo
    start_node tokyo --boot pipe='relay parrot@london'
    start_node oslo --boot pipe2='relay pipe@tokyo'
    rusm wait london --peers 2
    rusm wait tokyo --peers 2
    rusm wait oslo --peers 2
    while :; do rusm call oslo pipe2 hello || true; done >calls 2>&1 3>&- &
    echo $! >>pids
    wait_until has_text calls hello
    # A machine that is too busy may hold a scheduler up itself.
    wait_until well
    like "$("$RUSM" diagnose --seconds 0.1 oslo)" "*: 3 nodes, * processes looked at"
    "$RUSM" diagnose --json --seconds 0.1 >json || true
    not grep -v severity json
}
well() {
    run "$RUSM" diagnose --timeout 30
    [ "$status" = 0 ] && like "$output" "nothing found: 3 nodes, * processes looked at"
}

@test "diagnose: processes that wait for each other in a circle, within a node" {
    start_node london --mailbox 4 --boot a='relay b@london' --boot b='relay a@london'
    printf '%s\n' {1..20} | "$RUSM" send --lines --timeout 60 london a >out 2>&1 3>&- &
    echo $! >>pids
    wait_until finds circle london a
    expect 8 rusm diagnose --timeout 30
    like "${lines[0]}" "error: london, a: 2 processes wait for room in each other's mailboxes, and none goes on"
    like "${lines[1]}" "    seen: *@london#* (a, 4 messages) waits for *@london#* (b, 4 messages) waits for *"
    like "${lines[2]}" "    cure: end one of them: rusm kill london *"
    equal "${lines[3]}" "1 error: 1 node, 3 processes looked at"
}

@test "diagnose: a circle across nodes, once the lanes between them are full too" {
    start_node london --mailbox 4 --boot a='relay b@oslo'
    start_node oslo --mailbox 4 --boot b='relay a@london'
    rusm wait london --peers 1
    for _ in 1 2 3; do
        while :; do long_lines 1000 20000 | "$RUSM" send --lines --timeout 5 london a || true; done >out 2>&1 3>&- &
        echo $! >>pids
    done
    wait_until circle_of_two
    like "$(field circle evidence)" "*@*#* (?, 4 messages) waits for *@*#* (?, 4 messages) waits for *"
    not has_text findings "on their way" # the circle is why
}
# At times the messages go round and round instead, and nobody waits for long. Then both begin anew.
circle_of_two() {
    finds circle london a || finds circle oslo b && return
    looks=$((${looks:-0} + 1))
    [ $((looks % 3)) != 0 ] || { rusm kill london a; rusm kill oslo b; }
    false
}

@test "diagnose: a full mailbox and who fills it" {
    start_node london --mailbox 4 --boot 'slow=exec:exec sleep 1000' --boot feed='relay slow@london'
    long_lines 200 4000 | "$RUSM" send --lines --timeout 60 london feed >out 2>&1 3>&- &
    echo $! >>pids
    wait_until finds mailbox london slow
    expect 8 rusm diagnose --timeout 30
    has_text <(echo "$output") "error: london, slow: its mailbox is full, and it handles nothing"
    has_text <(echo "$output") "wait for room: 1 of feed"
    not has_text <(echo "$output") "london, feed:" # it waits for slow, which is the cause
}

@test "diagnose: a node that was killed is lost" {
    start_node london
    start_node oslo
    oslo=$pid
    rusm wait london --peers 1
    kill -9 "$oslo"
    wait_until finds lost oslo .
    like "$(field lost evidence)" "*from here: *"
    expect 8 rusm diagnose london --timeout 30
    like "$output" "error: oslo: the node is down or cannot be reached, and did not leave*not connected with london*"
}

@test "diagnose: the only node was killed" {
    start_node london
    kill -9 "$pid"
    wait_until gone "$pid"
    expect 8 rusm diagnose
    like "${lines[0]}" "error: london: the node is down or cannot be reached, and did not leave"
    equal "${lines[1]}" "    seen: from here: its file in the run folder is left"
}

@test "diagnose: a node with another identity, which another one is to join" {
    mkdir -m 700 run2
    rusm cert new other.pem 2>/dev/null
    RUSM_RUNDIR=$PWD/run2 RUSM_IDENTITY=$PWD/other.pem start_node oslo
    start_node london --join "oslo@$address"
    wait_until finds certificate oslo .
}

@test "diagnose: a node that stands still does not answer" {
    start_node london
    start_node oslo
    rusm wait london --peers 1
    kill -STOP "$pid"
    run --separate-stderr "$RUSM" diagnose --timeout 1 london
    equal "$status" 8
    like "$output" "error: oslo: the node *"
    kill -CONT "$pid"
}

@test "diagnose: a booted process that is down" {
    start_node london --boot 'broken=exec:exit 1'
    wait_until finds children london .
}

@test "diagnose: a process that is restarted" {
    start_node london --boot fragile=crash
    while :; do rusm send london fragile x || true; sleep 1.8; done >out 2>&1 3>&- &
    echo $! >>pids
    LOOK=2 wait_until finds restarts london fragile
}

@test "diagnose: messages that are dropped" {
    start_node london --boot lost='relay nobody@london'
    while :; do rusm send london lost x || true; done >out 2>&1 3>&- &
    echo $! >>pids
    wait_until finds undelivered london .
    run "$RUSM" diagnose --timeout 30
    equal "$status" 7
    like "$output" "warning: london: messages are dropped: there is no such process or name*undelivered_noproc grew by *"
}

@test "diagnose: handlers that hold their scheduler, for a while or for long" {
    ${CC:-cc} -shared -fPIC -I"$BATS_TEST_DIRNAME/../../lib" -o nap.so -x c - <<'END'
#include <rusm.h>
#include <stdlib.h>
#include <unistd.h>
static void receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)self;
    (void)state;
    usleep((useconds_t)atoi(m->data) * 1000);
}
static const struct rusm_behaviour nap = { .name = "nap", .receive = receive };
static const struct rusm_behaviour *const all[] = { &nap, NULL };
const struct rusm_library rusm_library = { .abi = RUSM_ABI, .behaviours = all };
END
    start_node london --schedulers 2 --spawnable nap=lib:./nap.so
    rusm spawn london nap >pid1
    rusm spawn london nap >pid2
    # What is spawned is spread over the schedulers, and the low bit of a pid says which one has it.
    # The first one answers clients, so the other one has to nap.
    nap=$(grep -h '^[0-9]*[13579]@' pid1 pid2)
    while :; do rusm send london "$nap" 300 || true; sleep 0.5; done >out 2>&1 3>&- &
    naps=$!
    echo $naps >>pids
    wait_until finds handler london .
    kill $naps
    rusm send london "$nap" 20000
    wait_until finds scheduler london .
    equal "$(field scheduler evidence)" "schedulers_held is 1"
    kill -9 "$pid" # it would nap on
}

@test "diagnose: a hot process is a note, and the exit status is 0" {
    start_node london --boot parrot='relay parrot@london'
    rusm send london parrot hello
    wait_until finds hot london parrot
}

@test "diagnose: somebody without the certificate" {
    start_node london
    rusm cert new other.pem 2>/dev/null
    while :; do RUSM_IDENTITY=$PWD/other.pem rusm attach "$address" || true; done >out 2>&1 3>&- &
    echo $! >>pids
    wait_until finds stranger london .
    RUSM_IDENTITY=$PWD/other.pem expect 5 rusm diagnose "$address"
}

@test "diagnose: two nodes that both run and are cut off from each other" {
    local tool
    [ "$(id -u)" = 0 ] || skip "only root makes network namespaces"
    for tool in ip nft nsenter unshare; do
        command -v "$tool" >/dev/null || skip "there is no $tool"
    done
    unshare -n true 2>/dev/null || skip "no network namespaces here"
    unshare -n sleep 1000 3>&- &
    space=$!
    echo $space >>pids
    # shellcheck disable=SC2016
    printf '#!/bin/sh\nexec nsenter --net=/proc/%s/ns/net %s "$@"\n' $space "$RUSM" >inside
    chmod +x inside
    wait_until not [ /proc/$space/ns/net -ef /proc/$$/ns/net ]
    nsenter --net=/proc/$space/ns/net ip link set lo up
    RUSM=$PWD/inside
    start_node london --idle-timeout 1
    london=${address##*:}
    start_node oslo --idle-timeout 1
    rusm wait london --peers 1
    nsenter --net=/proc/$space/ns/net nft -f - <<END
table inet cut {
    chain in {
        type filter hook input priority 0
        udp sport $london udp dport ${address##*:} drop
        udp sport ${address##*:} udp dport $london drop
    }
}
END
    wait_until finds split london .
    like "$(field split summary)" "it is not connected with oslo, though both run"
    like "$(field split evidence)" "london and oslo; both answer from here"
}

@test "diagnose: no node, and wrong usage" {
    rusm cert new cluster.pem 2>/dev/null
    expect_error 3 "rusm: diagnose: no node is running here: start one with 'rusm node --name NAME', or name one" \
        "$RUSM" diagnose
    expect 3 "$RUSM" diagnose nowhere
    expect 2 "$RUSM" diagnose --seconds never
    expect 2 "$RUSM" diagnose london oslo
}
