# --join srv:NAME, with a name server of its own (dnsmasq): the nodes of two machines, which find each
# other by the SRV records of one name.
load helper
load spaces

# Two machines, whose name server is to be on london. What it knows says `records`.
service() {
    local city
    PATH=$PATH:/usr/sbin command -v dnsmasq >/dev/null || skip "there is no dnsmasq"
    two_spaces 1500
    unshare -m true || skip "no mount namespaces here"
    printf 'nameserver 10.77.0.1\noptions timeout:%s attempts:1\n' "${1:-1}" >resolv.conf
    for city in london tokyo; do
        printf '#!/bin/sh\nexec nsenter --net=%s unshare -m sh -c "%s" "$PROGRAM" "$@"\n' \
            "/run/netns/$(space $city)" \
            "mount --bind $PWD/resolv.conf /etc/resolv.conf && exec \\\"\\\$0\\\" \\\"\\\$@\\\"" \
            >"inside.$city"
    done
}

# Starts the name server, in place of the one before: records OPTION... (of dnsmasq)
records() {
    if [ -f dns.pid ]; then
        kill "$(cat dns.pid)"
        wait_until gone "$(cat dns.pid)"
    fi
    PATH=$PATH:/usr/sbin nsenter --net="/run/netns/$(space london)" dnsmasq --keep-in-foreground \
        --conf-file=/dev/null --no-resolv --no-hosts --bind-interfaces --listen-address=10.77.0.1 \
        --pid-file= --user=root --local=/test/ --host-record=one.test,10.77.0.1,fd77::1 \
        --host-record=two.test,10.77.0.2 "$@" 2>dns.err 3>&- &
    echo $! | tee dns.pid >>pids
    listening() { inside london ss -Hlun 'src 10.77.0.1:53' | grep -q .; }
    wait_until listening
}

@test "srv:NAME joins the nodes at all hosts and ports that the records name" {
    service
    records --srv-host=_rusm._udp.pods.test,one.test,7400,1,50 \
        --srv-host=_rusm._udp.pods.test,two.test,7401,1,50 \
        --srv-host=_rusm._udp.pods.test,one.test,7402,20,0
    at london start_node london --listen 10.77.0.1:7400 --join srv:pods.test
    at tokyo start_node tokyo --listen 10.77.0.2:7401 --join srv:_rusm._udp.pods.test.
    at london start_node oslo --listen 10.77.0.1:7402 --join srv:pods.test
    all() { at london connected london tokyo && at london connected oslo tokyo; }
    wait_until all
    # Its own address is no peer of it. That nobody is at one.test's IPv6 address is no trouble.
    equal "$(at london json node '.node == "london"' rusm attach --peers london)" ""
    not has_text tokyo.err "cannot"
}

@test "srv:NAME that the name server does not know yet is said once, and looked up again" {
    service
    records
    at london start_node london --listen 10.77.0.1:7400
    at tokyo start_node tokyo --listen 10.77.0.2:7400 --join srv:pods.test
    has_text tokyo.err "cannot join srv:pods.test: cannot look up the SRV records of \
_rusm._udp.pods.test: the DNS has no such name"
    records --srv-host=_rusm._udp.pods.test,one.test,7400
    wait_until has_text tokyo.err "a node answers at srv:pods.test now"
    at tokyo connected tokyo london
}

@test "a name server that does not answer holds up neither the start nor the end" {
    service 30
    lose meta l4proto { tcp, udp } th dport 53
    local begun
    begun=$(milliseconds)
    at tokyo start_node tokyo --listen 10.77.0.2:7400 --join srv:pods.test --join pods.test:7400
    took "$begun" 5000
    begun=$(milliseconds)
    kill "$pid"
    wait "$pid" # its exit status is 0
    took "$begun" 2000
}
