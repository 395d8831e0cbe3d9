# The keys of JSON are in the manual pages, and stay: what --json prints is compared with what the
# page says below a comment '.\" keys: COMMAND'. (bench.bats has those of the benches.)
load helper

man=$BATS_TEST_DIRNAME/../../man

# The keys below that comment: keys_of PAGE COMMAND
keys_of() {
    awk -v wanted=".\\\\\" keys: $2" '
        $0 == wanted { on = 1; next }
        on && !/^\.(Ql|Cm) / && $0 != "and" { exit }
        on
        on && /[:;.]$/ { exit }' "$man/$1" | sed 's/^\.[A-Z][a-z] //; s/^and$//' | grep -o '[a-z_]*' | xargs
}

# Runs a command; each object that it prints has the keys of the page, in that order:
# documented STATUS PAGE COMMENT COMMAND ...
documented() {
    local keys
    keys=$(keys_of "$2" "$3")
    [ "$keys" ] || { echo "$2 has no keys: $3"; return 1; }
    expect "$1" "${@:4}"
    [ "$output" ]
    equal "$(jq -r 'keys_unsorted | join(" ")' <<<"$output" | sort -u)" "$keys"
}

@test "json: tables, nodes, whereis, call and cert" {
    start_node london --boot parrot=echo --boot-global macaw=echo
    start_node tokyo
    wait_until connected london tokyo
    documented 0 rusm-attach.1 "rusm attach" rusm attach --json london
    for table in peers names spawnables counters; do
        documented 0 rusm-attach.1 "rusm attach --$table" rusm attach --$table --json london
    done
    documented 0 rusm-nodes.1 "rusm nodes" rusm nodes --json
    documented 0 rusm-whereis.1 "rusm whereis" rusm whereis --json macaw
    documented 0 rusm-call.1 "rusm call" rusm call --json london parrot hi
    documented 0 rusm-call.1 "rusm call --lines" rusm call --json --lines london parrot <<<hi
    documented 1 rusm-call.1 "rusm call --lines, failed" rusm call --json --lines london nobody <<<hi
    documented 0 rusm-cert.1 "rusm cert" rusm cert show --json
    documented 0 rusm-top.1 "rusm top" rusm top --json --count 1 london
}

@test "json: events have the keys that rusm-http(7) lists under their type" {
    start_node london
    "$RUSM" attach --follow --json --since 1-1 london >events 2>log 3>&- &
    echo $! >>pids
    wait_until has_text log following
    rusm spawn london echo --name parrot >pid
    rusm spawn london echo --global macaw >pid
    rusm kill london parrot
    start_node tokyo
    rusm stop tokyo
    wait_until has_text events node_down
    common=$(keys_of rusm-attach.1 "rusm attach --follow")
    equal "$common" "id at type time"
    jq -r '.type + " " + (keys_unsorted | join(" "))' events | sort -u >printed
    for type in process_started process_ended name_registered node_up node_down missed; do
        grep -q "^$type " printed
    done
    while read -r type keys; do
        # From the type's .It to the next one.
        awk -v type="$type" '/^\.Sh / { on = 0 } /^\.Sh EVENTS/ { events = 1 }
            events && /^\.It / { on = 0; for (i = 2; i <= NF; i++) on = on || $i == type }
            on && !/^\.It/' "$man/rusm-http.7" | grep -o '^\.Ql [a-z_ ,]*' | grep -o '[a-z_]*' >listed
        for key in $keys; do
            case " $common " in *" $key "*) continue ;; esac
            grep -qx "$key" listed || { echo "rusm-http(7), $type: there is no '$key'"; false; }
        done
    done <printed
}

@test "json: each command that has --json has its keys in its page" {
    count=0
    for command in $("$RUSM" --complete '' | cut -f 1); do
        "$RUSM" --complete "$command" -- | cut -f 1 | grep -qx -e --json || continue
        count=$((count + 1))
        [ "$command" = bench ] || grep -q "^\.\\\\\" keys: rusm $command" "$man/rusm-$command.1" ||
            { echo "rusm-$command.1 does not list the keys of --json"; false; }
    done
    [ $count -ge 6 ]
}
