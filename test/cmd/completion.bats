# completion: real shells complete what is typed.
load helper

# Types a line into a shell on a terminal, with tabs, and prints the line that it became:
# typed LINE SHELL [ARG ...]. The line goes behind "echo @@", so that the shell prints it.
typed() {
    PATH="${RUSM%/*}:$PATH" TERM=xterm timeout 120 python3 - "$@" <<'END'
import os, pty, select, sys, time
line, shell = sys.argv[1], sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(shell[0], shell)
seen = b''
def read(until, seconds=30):
    global seen
    end = time.time() + seconds
    while time.time() < end and until not in seen:
        if select.select([fd], [], [], 0.1)[0]:
            try:
                seen += os.read(fd, 65536)
            except OSError:
                return
    if until not in seen:
        sys.exit('not seen: %r in %r' % (until, seen[-2000:]))
# The shell reads what is typed after a tab when it has completed the word.
read(b'READY>')
os.write(fd, line.encode() + b'\x01echo @@ \x05\r')
read(b'\r\n@@ ')
seen = seen[seen.index(b'\r\n@@ ') + 5:]
while b'\n' not in seen:
    seen += os.read(fd, 65536)
print(seen.split(b'\r')[0].split(b'\n')[0].decode().strip())
os.close(fd)
END
}

in_bash() {
    "$RUSM" completion bash >script
    printf 'PS1="READY> "\nbind "set enable-bracketed-paste off"\nsource %s/script\n' "$PWD" >rc
    typed "$1" bash --noprofile --rcfile "$PWD/rc" -i
}
in_zsh() {
    mkdir -p zsh/functions
    "$RUSM" completion zsh >zsh/functions/_rusm
    printf 'PS1="READY> "\nunsetopt zle_bracketed_paste; unset zle_bracketed_paste\nbindkey -e\nfpath=(%s/zsh/functions $fpath)\nautoload -Uz compinit; compinit -u -D\n' \
        "$PWD" >zsh/.zshrc
    ZDOTDIR=$PWD/zsh typed "$1" zsh -d -i
}

setup_node() {
    start_node london --boot parrot=echo --boot-global macaw=echo
    echo >'a file'
}

@test "completion bash: commands, options, nodes, processes, files" {
    setup_node
    equal "$(in_bash $'rusm att\t')" "rusm attach"
    equal "$(in_bash $'rusm attach --fol\t')" "rusm attach --follow"
    equal "$(in_bash $'rusm stop lo\t')" "rusm stop london"
    equal "$(in_bash $'rusm send lo\tpar\thi')" "rusm send london parrot hi"
    equal "$(in_bash $'rusm send --global ma\t--via=lo\t')" "rusm send --global macaw --via=london"
    equal "$(in_bash $'rusm spawn london cra\t')" "rusm spawn london crash"
    equal "$(in_bash $'rusm cert new a\\ f\t')" "rusm cert new a file"
}

@test "completion zsh: commands, options, nodes, processes, files" {
    command -v zsh >/dev/null || skip "there is no zsh"
    setup_node
    equal "$(in_zsh $'rusm att\t')" "rusm attach"
    equal "$(in_zsh $'rusm attach --fol\t')" "rusm attach --follow"
    equal "$(in_zsh $'rusm send lo\tpar\thi')" "rusm send london parrot hi"
    equal "$(in_zsh $'rusm whereis ma\t')" "rusm whereis macaw"
    equal "$(in_zsh $'rusm cert new a\\ f\t')" "rusm cert new a file"
}

@test "completion fish: commands, options, nodes, processes, files" {
    command -v fish >/dev/null || skip "there is no fish"
    setup_node
    "$RUSM" completion fish >rusm.fish
    offers() { PATH="${RUSM%/*}:$PATH" fish --no-config -c "source rusm.fish; complete -C '$1'"; }
    equal "$(offers 'rusm att')" "attach	show what a node is running"
    offers 'rusm attach --fol' | grep -q '^--follow'
    equal "$(offers 'rusm stop lo')" "london	$address"
    equal "$(offers 'rusm send london par')" "parrot	local"
    equal "$(offers 'rusm whereis ma')" "macaw	global"
    like "$(offers 'rusm cert new a')" "a*file*"
}

@test "completion: each option of each command is offered, and each command" {
    "$RUSM" --complete '' | cut -f 1 >offered
    "$RUSM" help | awk '/^commands:/ { on = 1; next } /^$/ { on = 0 } on { print $1 }' >commands
    echo help >>commands
    cmp commands offered
    while read -r command; do
        [ "$command" != help ] || continue
        "$RUSM" "$command" -h | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort >listed
        "$RUSM" --complete "$command" -- | cut -f 1 | sort >offered
        cmp listed offered
    done <commands
}

@test "completion: the words before decide; what is wrong is nobody's news" {
    setup_node
    offers() { "$RUSM" --complete "$@" | cut -f 1 | xargs; }
    equal "$(offers send london '')" parrot
    equal "$(offers send london parrot '')" ""
    equal "$(offers send --global '')" macaw
    equal "$(offers send --global x '')" ""
    equal "$(offers call --via '')" london
    equal "$(offers call --via=)" "--via=london"
    equal "$(offers cert '')" "new show"
    equal "$(offers cert show '')" ":files"
    equal "$(offers send --file '')" ":files"
    equal "$(offers send -- --x)" london
    for wrong in nothing "send --nothing" "send nobody" "attach --timeout"; do
        # shellcheck disable=SC2086
        expect 0 "$RUSM" --complete $wrong ''
        equal "$output$stderr" ""
    done
    expect 0 "$RUSM" --complete
    expect_error 2 "rusm: completion: no script for 'ksh': bash, zsh or fish (try 'rusm completion --help')" \
        rusm completion ksh
    expect 2 rusm completion
}
