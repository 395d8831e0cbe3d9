# bench: what it prints, not how fast: figures are no verdict.
load helper

# Whether the keys of the output are those that the page shows for that bench.
documented() {
    awk -v what=".Cm $1" '/^\.Ss JSON/ { on = 1 } on && index($0, what) == 1 { inside = 1 }
        /^\.Ed/ { inside = 0 } inside' "$BATS_TEST_DIRNAME/../../man/rusm-bench.1" >page
    equal "$(grep -o '"[a-z0-9_]*":' <<<"$output" | sort -u | xargs)" \
        "$(grep -o '"[a-z0-9_]*":' page | sort -u | xargs)"
}

@test "fanout: every figure of the JSON is there, and nothing is lost" {
    expect 0 rusm bench --json --timeout 60 --senders 4 --window 16 fanout 1 2
    documented fanout
    jq -e '.bench == "fanout" and .seconds == 1 and .workers == 2 and .senders == 4 and
           .payload == 17 and .rtt_us.samples == 2000 and .rtt_us.p50 > 0 and
           .rtt_us.p99 >= .rtt_us.p50 and .hub_peak_rss_kib > 0' <<<"$output"
    jq -e '.warmup_us.samples == 8000 and .warmup_us.first > 0 and .warmup_us.p50 > 0 and
           .warmup_us.p99 >= .warmup_us.p50' <<<"$output"
    equal "$(jq -r '.saturation[].mode' <<<"$output" | xargs)" "ordered stream"
    jq -e '.saturation | all(.lost == 0 and .round_trips > 100 and .round_trips_per_s > 0 and
           .messages_per_s > .round_trips_per_s and .cpu_us_per_round_trip > 0 and
           .rtt_us.p99 >= .rtt_us.p50)' <<<"$output"
}

@test "closed: with a payload, nothing is lost" {
    expect 0 rusm bench --json --timeout 60 --senders 4 --payload 20000 closed 1 2
    documented closed
    jq -e '.bench == "closed" and .senders == 4 and .payload == 20000 and .lost == 0 and
           .round_trips > 100 and .rtt_us.samples == .round_trips' <<<"$output"
}

@test "mixed: a figure for each case, and nothing is lost" {
    expect 0 rusm bench --json --timeout 60 mixed 1
    documented mixed
    jq -e '.bench == "mixed" and .bulk_alone_bytes_per_s > 0' <<<"$output"
    equal "$(jq -r '.cases[].case' <<<"$output" | xargs)" "alone firehose stalled loss"
    jq -e '.cases | all(.rtt_us.p50 > 0 and .rtt_us.p99 >= .rtt_us.p50 and
           .rtt_us.p999 >= .rtt_us.p99)' <<<"$output"
    jq -e '.cases | all((.bulk_bytes_per_s > 0) == (.case == "firehose"))' <<<"$output"
}

@test "flood: memory is bounded, and all that was accepted is taken" {
    expect 0 rusm bench --json --timeout 60 flood
    documented flood
    jq -e '.bench == "flood" and .lost == 0 and .limit_kib == 65536' <<<"$output"
    jq -e '.rss_growth_kib | .sender > 0 and .receiver > 0' <<<"$output"
    jq -e '.bystander_rtt_us | [.alone, .flooded] | all(.p50 > 0 and .p99 >= .p50)' <<<"$output"
}

@test "local: every figure of the JSON is there, and more than nothing" {
    expect 0 rusm bench --json local
    documented local
    [ "$(jq -s 'map(.schedulers)[0]' <<<"$output")" = 1 ]
    [ "$(jq -s 'map(.schedulers) | max' <<<"$output")" = "$(nproc)" ]
    jq -e '.bench == "local" and .messages_per_s > 0 and
           .coroutine_messages_per_s > 0 and .spawns_per_s > 0 and .restarts_per_s > 0 and
           .bytes_per_process > 0 and .timer_ns > 0' <<<"$output"
}

@test "its folder and its nodes are gone afterwards" {
    expect 0 env TMPDIR="$BATS_TEST_TMPDIR" "$RUSM" bench --senders 1 closed 1 1
    [ -z "$(find "$BATS_TEST_TMPDIR" -name 'rusm-bench*')" ]
}

@test "2: numbers and benches that are none" {
    expect 2 rusm bench
    expect 2 rusm bench fanout
    expect 2 rusm bench fanout 0 4
    expect 2 rusm bench fanout 1 65
    expect 2 rusm bench fanout 1 x
    expect 2 rusm bench sideways 1 1
    expect 2 rusm bench mixed
    expect 2 rusm bench mixed 1 1
    expect 2 rusm bench flood 1
    expect 2 rusm bench local 1
    expect 2 rusm bench --senders 0 fanout 1 1
    expect 2 rusm bench --payload 2000000 closed 1 1
    expect 2 rusm bench bulk 1 1
    expect 2 rusm bench bulk 0
    expect 2 rusm bench connect 3
    expect 2 rusm bench connect 101
}

@test "bulk: two lengths of packets, every message arrives" {
    expect 0 rusm bench --json --timeout 60 bulk 1
    documented bulk
    jq -e '.bench == "bulk" and (.runs | length == 2 and all(.bytes_per_s > 1000000)) and
           .runs[0].packet_bytes == 1452 and .runs[1].packet_bytes == 65000' <<<"$output"
    expect 0 rusm bench bulk 1
    equal "${#lines[@]}" 2
    like "${lines[1]}" "packets of 65000 bytes: *"
}

@test "connect: every figure is there" {
    expect 0 rusm bench --json connect 4
    documented connect
    jq -e '.bench == "connect" and .nodes == 4 and .node_rss_kib > 1000 and
           .rss_kib_per_connection > 0 and .bytes_per_lane > 100 and .idle_cpu_percent >= 0 and
           .handshakes_per_s > 1 and .spawn_us.p50 > 0 and .spawns_per_s > 100' <<<"$output"
}
