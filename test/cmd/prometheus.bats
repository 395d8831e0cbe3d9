# The dashboard for Grafana and the alerts for Prometheus, which `make install` installs: a real
# Prometheus asks real nodes, and knows each metric and label that they use.
load helper

shipped=$BATS_TEST_DIRNAME/../../lib/prometheus
dashboard=$shipped/rusm-dashboard.json
alerts=$shipped/rusm-alerts.yml

needs() { command -v "$1" >/dev/null || skip "there is no $1 (Debian: prometheus)"; }

# Starts node $1 with HTTP over TCP, and puts its address on the list of what is scraped.
start_scraped() {
    start_node "$1" --http-token token --http-tcp 0 "${@:2}"
    sed -n '2s,^.* serves HTTP at http://\(.*\)/$,\1,p' "$1.out" >>targets
}

# Starts Prometheus at a port that is free, as $prom. It takes no port 0.
start_prometheus() {
    local try
    for try in {1..20}; do
        prom=127.0.0.1:$(port_by_chance)
        prometheus --config.file=prometheus.yml --storage.tsdb.path=data --log.level=warn \
            --web.listen-address="$prom" >prometheus.out 2>&1 3>&- &
        pid=$!
        echo "$pid" >>pids
        if wait_until answers "$pid"; then
            curl -sSf "http://$prom/-/ready" >/dev/null && return
        fi
    done
    cat prometheus.out
    return 1
}
answers() { curl -sSf "http://$prom/-/ready" || gone "$1"; }

# Asks Prometheus for an expression. How many series there are is in $count.
ask() {
    curl -sS -m 60 --data-urlencode "query=$1" "http://$prom/api/v1/query" >reply
    count=$(jq -r 'if .status == "success" then .data.result | length else .error end' reply)
}
has_series() { ask "$1" && [ "$count" -gt 0 ]; }

# Grafana's variables as for all nodes.
panel_exprs() {
    jq -r '(.panels[].targets // [])[].expr, .annotations.list[].expr' "$dashboard" |
        sed 's/\$node/.+/g; s/\$__rate_interval/1m/g'
}

# The selectors of metrics in expressions, one a line: rusm_NAME or rusm_NAME{LABELS}.
selectors() { grep -oE '\b(rusm_[a-z_]+|up)\b(\{[^}]*\})?' | sort -u; }

# The expressions of the alerts as Prometheus has read them.
alert_exprs() { curl -sS "http://$prom/api/v1/rules" | jq -r '.data.groups[].rules[].query'; }

@test "a real Prometheus knows all that the dashboard and the alerts ask for" {
    needs prometheus
    needs curl
    (umask 077; echo 'a-token-of-enough-length' >token)
    start_scraped london --boot greeter=greeter --boot fragile=crash --boot 'upper=exec:tr a-z A-Z'
    start_scraped tokyo
    start_scraped oslo
    wait_until connected london tokyo
    wait_until connected london oslo
    curl -sS -H "Authorization: Bearer $(<token)" -d hi -o answer "http://$(head -n 1 targets)/v1/call/greeter"
    rusm send london fragile x
    rusm send london greeter@tokyo hi
    cat >prometheus.yml <<END
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: [$alerts]
scrape_configs:
- job_name: rusm
  authorization:
    credentials_file: token
  static_configs:
  - targets: [$(paste -sd, targets)]
END
    start_prometheus
    # Two samples of each node: only then there are rates.
    wait_until has_series 'count(count_over_time(rusm_uptime_seconds[1m]) > 1) == 3'
    panel_exprs >exprs
    [ "$(wc -l <exprs)" -gt 50 ]
    while read -r expr; do
        case $expr in resets*) ;; *) ask "$expr"; [ "$count" -gt 0 ] || echo "$count: $expr" ;; esac
    done <exprs >bad
    alert_exprs >alert_exprs
    equal "$(wc -l <alert_exprs)" "$(grep -c -- '- alert:' "$alerts")"
    cat exprs alert_exprs | selectors >selectors
    [ "$(wc -l <selectors)" -gt 50 ]
    while read -r expr; do
        ask "$expr" # finds nothing if no node has that metric with that label
        [ "$count" -gt 0 ] || echo "$count: $expr"
    done <selectors >>bad
    while read -r expr; do
        ask "$expr"
        case $count in *[!0-9]*) echo "$count: $expr" ;; esac
    done <alert_exprs >>bad
    equal "$(<bad)" ""
    ask 'rusm_processes_restarted_total{instance="'"$(head -n 1 targets)"'"} > 0'
    equal "$count" 1
    # Labels that only the legends name.
    for label in name peer cause; do
        ask "count by ($label) ({__name__=~\"rusm_.+\", $label!=\"\"})"
        [ "$count" -gt 0 ]
    done
    # All that nodes show is in the dashboard.
    curl -sS "http://$prom/api/v1/label/__name__/values" | jq -r '.data[] | select(startswith("rusm_"))' |
        sort >shown
    panel_exprs | grep -oE '\brusm_[a-z_]+' | sort -u >used
    equal "$(comm -23 shown used)" ""
}

@test "each alert fires when it should, and only then" {
    needs promtool
    like "$(promtool check rules "$alerts")" "*SUCCESS*"
    expect 0 promtool test rules "$BATS_TEST_DIRNAME/prometheus_alerts.yml"
    # The test has all of them.
    equal "$(sed -n 's/.*ALERTS{alertname="\([A-Za-z]*\)", alertstate="firing".*/\1/p' \
        "$BATS_TEST_DIRNAME/prometheus_alerts.yml" | sort -u)" \
        "$(sed -n 's/.*- alert: //p' "$alerts" | sort)"
    # Each says how bad it is, what is wrong, and what to do.
    count=$(grep -c -- '- alert:' "$alerts")
    for line in '    for: [0-9]*m' '      severity: \(critical\|warning\)' \
        "      summary: '{{ \$labels.instance }}.*\.'" '      cure: >-'; do
        equal "$(grep -cx -- "$line" "$alerts")" "$count"
    done
}

@test "Grafana can import the dashboard: variables, ids, places" {
    panels='.panels | map(select(.type != "row"))'
    equal "$(jq -r '.templating.list[] | "\(.name) \(.type)"' "$dashboard")" \
        $'datasource datasource\nnode query'
    jq -e '.id == null and .uid == "rusm" and .schemaVersion >= 36 and (.title | length > 0)' "$dashboard"
    # No data source but that of the variable, and each panel of nodes asks for those of the other one.
    equal "$(jq -c '[.. | objects | .datasource? // empty] | unique' "$dashboard")" \
        '[{"type":"prometheus","uid":"${datasource}"}]'
    jq -e "$panels"' | all(.datasource and (.targets | all(.datasource and (.expr | contains("$node")))))' \
        "$dashboard"
    jq -e '[.panels[].id] | length == (unique | length)' "$dashboard"
    jq -e '[.panels[].title] | length == (unique | length)' "$dashboard"
    # Within 24 columns, and no two at one place.
    jq -e '.panels | all(.gridPos | .x >= 0 and .x + .w <= 24)' "$dashboard"
    jq -e '[.panels[].gridPos | .x as $x | .y as $y | range(.w) as $i | range(.h) as $j | [$x + $i, $y + $j]] |
        length == (unique | length)' "$dashboard"
    equal "$(jq -r '.panels[] | select(.type == "row").title' "$dashboard" | wc -l)" 7
}
