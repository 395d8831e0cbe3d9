# Behaviours from shared objects: loaded, several of one file, refused with the cure.
load helper

example=$BATS_TEST_DIRNAME/../../build/test/example/tally.so

# A shared object of what standard input says, against rusm.h: build NAME.so [FLAG...]
build() {
    local file=$1
    shift
    ${CC:-cc} -shared -fPIC -I"$BATS_TEST_DIRNAME/../../lib" -o "$file" "$@" -x c -
}

# One behaviour that answers calls with the text ANSWER.
parrot='#include <string.h>
#include <rusm.h>
int rusm_fancy(void);
static void receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    const char *answer = ANSWER;
    rusm_reply(self, m, answer, strlen(answer));
}
static const struct rusm_behaviour parrot = { .name = "parrot", .receive = receive };
static const struct rusm_behaviour *const all[] = { &parrot, NULL };
#ifndef ABI
#define ABI RUSM_ABI
#endif
const struct rusm_library rusm_library = { .abi = ABI, .behaviours = all };'

counted() { [ "$(rusm call bonn words "$1")" -ge "$2" ]; }

@test "lib: the example counts, its other behaviour sends, both are shown" {
    start_node bonn --spawnable "tally=lib:$example:tally" --boot words=tally \
        --boot "clock=lib:$example:every 5 words tick"
    rusm send bonn words a
    rusm send bonn words b
    rusm send bonn words b
    equal "$(rusm call bonn words b)" 2
    equal "$(rusm call bonn words nothing)" 0
    wait_until counted tick 5
    like "$(rusm call bonn words '')" "* tick"$'\n'"2 b"$'\n'"1 a"
    equal "$(json behaviour '.name == "words"' rusm attach bonn)" tally
    equal "$(json behaviour '.name == "clock"' rusm attach bonn)" every
    pid=$(rusm spawn bonn tally)
    equal "$(rusm call bonn "$pid" b)" 0 # a state of its own
    expect_error 1 "rusm: spawn: cannot spawn 'tally': tally takes no arguments" \
        rusm spawn bonn tally x
    rusm stop bonn
}

@test "lib: what its stop prints is printed when the node leaves, before the file is unloaded" {
    sed 's/define TALLY_TEXTS .*/define TALLY_TEXTS 1/' \
        "$BATS_TEST_DIRNAME/../example/tally.c" | build small.so -D_GNU_SOURCE
    start_node bonn --boot words=lib:small.so:tally
    printf '%s\n' a b c a | rusm send bonn words --lines
    rusm stop bonn
    wait "$pid"
    has_line bonn.out "tally: 2 messages dropped: too many texts"
}

@test "lib: one behaviour needs no name, and a file is one of the folder" {
    build one.so -DANSWER='"one"' <<<"$parrot"
    cp one.so one:two.so
    start_node bonn --boot a=lib:one.so --boot b=lib:./one.so --boot c=lib:one.so:parrot \
        --boot-global d=lib:one:two.so:parrot
    for name in a b c; do
        equal "$(rusm call bonn $name x)" one
    done
    equal "$(rusm call --global d x)" one
    echo "boot e=lib:$PWD/one.so" >file.conf
    start_node oslo --config file.conf
    equal "$(rusm call oslo e x)" one
}

@test "lib: wrong files and names are refused with the cure" {
    rusm cert new >new
    expect_error 1 "rusm: node: cannot teach 't': cannot read './none.so': No such file or directory" \
        rusm node --name bonn --spawnable t=lib:none.so
    expect_error 1 "rusm: node: cannot boot 't': cannot read './none.so': No such file or directory" \
        rusm node --name bonn --boot t=lib:none.so
    echo 'this is a text, and a long one at that: longer than the header of a shared object is' >text
    expect 1 rusm node --name bonn --spawnable t=lib:./text
    like "$stderr" "rusm: node: cannot teach 't': cannot load './text': *(a shared object is made with cc -shared -fPIC)"
    mkfifo pipe # nobody writes: dlopen alone would wait for ever
    for file in . ./pipe; do
        expect 1 timeout -s KILL 20 "$RUSM" node --name bonn --spawnable "t=lib:$file"
        like "$stderr" "rusm: node: cannot teach 't': cannot load *: it is not a file"
    done
    build none.so <<<'int nothing;'
    expect_error 1 "rusm: node: cannot teach 't': './none.so' describes no behaviours: it must define 'const struct rusm_library rusm_library' (rusm(3), Libraries)" \
        rusm node --name bonn --spawnable t=lib:none.so
    cp "$example" tally.so
    expect_error 2 "rusm: node: cannot teach 't': './tally.so' has several behaviours: say which, as in lib:./tally.so:tally (it has: tally, every)" \
        rusm node --name bonn --spawnable t=lib:tally.so
    expect_error 4 "rusm: node: cannot teach 't': './tally.so' has no behaviour 'nope' (it has: tally, every)" \
        rusm node --name bonn --spawnable t=lib:tally.so:nope
    for spec in lib: lib::x lib:tally.so:; do
        expect 2 rusm node --name bonn --spawnable "t=$spec"
        like "$stderr" "rusm: node: cannot teach 't': '$spec': write lib:FILE.so*"
    done
    [ ! -e "$RUSM_RUNDIR/bonn.json" ]
}

@test "lib: another ABI is refused before anything else is looked at" {
    rusm cert new >new
    abi_here=$(sed -n 's/^#define RUSM_ABI \([0-9]*\).*/\1/p' "$BATS_TEST_DIRNAME/../../lib/rusm.h")
    for abi in 1 4294967295; do
        build other.so -DANSWER='"x"' -DABI=$abi <<<"${parrot/&parrot, NULL/(void *)8, (void *)8}"
        expect_error 1 "rusm: node: cannot teach 't': './other.so' was built for ABI $abi of rusm.h, this rusm has $abi_here: build it again with the rusm.h of $(rusm --version)" \
            rusm node --name bonn --spawnable t=lib:other.so
    done
    # A newer one, which also calls what is not here yet.
    build newer.so -DANSWER='(rusm_fancy(), "x")' -DABI=99 <<<"$parrot"
    expect 1 rusm node --name bonn --spawnable t=lib:newer.so
    like "$stderr" "rusm: node: cannot teach 't': './newer.so' was built for ABI 99 *"
}

@test "lib: functions and behaviours that are incomplete are refused" {
    rusm cert new >new
    build calls.so -DANSWER='(rusm_fancy(), "x")' <<<"$parrot"
    expect 1 rusm node --name bonn --spawnable t=lib:calls.so
    like "$stderr" "rusm: node: cannot teach 't': cannot load './calls.so': undefined symbol: rusm_fancy, which rusm * has not: build it with the rusm.h of this rusm"
    build empty.so -DANSWER='"x"' <<<"${parrot/&parrot, NULL/NULL}"
    expect_error 1 "rusm: node: cannot teach 't': './empty.so' describes no behaviours: its list is empty" \
        rusm node --name bonn --spawnable t=lib:empty.so
    build mute.so -DANSWER='"x"' <<<"${parrot/, .receive = receive/}"
    expect_error 1 "rusm: node: cannot teach 't': './mute.so': behaviour 1 has no receive and no body" \
        rusm node --name bonn --spawnable t=lib:mute.so
    build nameless.so -DANSWER='"x"' <<<"${parrot/.name = \"parrot\", /}"
    expect_error 1 "rusm: node: cannot teach 't': './nameless.so': behaviour 1 has no name" \
        rusm node --name bonn --spawnable t=lib:nameless.so
}

@test "lib: a body that overflows its stack: the node ends, and has said whose it was" {
    build deep.so <<'END'
#include <rusm.h>
static unsigned deep(volatile unsigned char *above)
{
    volatile unsigned char room[512];
    room[0] = above ? above[0] + 1 : 1;
    return room[0] ? deep(room) + room[0] : room[0];
}
static void body(struct rusm_process *self, void *state)
{
    const struct rusm_message *m;
    (void)state;
    if (rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m) == 0)
        rusm_print(self, "%u", deep(NULL));
}
static const struct rusm_behaviour digger = { .name = "digger", .body = body, .stack_bytes = 20000 };
static const struct rusm_behaviour *const all[] = { &digger, NULL };
const struct rusm_library rusm_library = { .abi = RUSM_ABI, .behaviours = all };
END
    ulimit -c 0
    ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_segv=0 start_node bonn --boot digger=lib:deep.so:digger
    rusm send bonn digger go || true # it may be gone before it can say that it has it
    status=0
    wait "$pid" || status=$?
    equal "$status" $((128 + 11))
    like "$(tail -n 1 bonn.err)" "rusm: process *@bonn (digger): stack overflow, stack_bytes is 32768"
}

@test "one whose handler does not return: the node ends by force, and says so as its log is written" {
    build stuck.so <<'C'
#include <unistd.h>
#include <rusm.h>
static void receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)self, (void)state, (void)m;
    for (;;) { pause(); }
}
static const struct rusm_behaviour stuck = { .name = "stuck", .receive = receive };
static const struct rusm_behaviour *const all[] = { &stuck, NULL };
const struct rusm_library rusm_library = { .abi = RUSM_ABI, .behaviours = all };
C
    for format in text json; do
        start_node "$format" --boot s=lib:stuck.so --log-format $format --schedulers 1
        timeout 2 "$RUSM" call "$format" s x --timeout 0.5 || true
        kill -INT "$pid"
        kill -TERM "$pid"
        wait_until gone "$pid"
    done
    has_line text.err "rusm: node: ended at once, as it was told twice"
    jq -es 'all(.time and .level) and (.[-1] | .node == "json" and .level == "error" and
        .text == "ended at once, as it was told twice")' json.err
}
