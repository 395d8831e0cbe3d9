# What a node tells systemd: the protocol of sd_notify(3), to a socket that the test listens on.
load helper

# Listens at the socket $1. Writes each datagram to the file notified, its lines joined by blanks.
listen() {
    export NOTIFY_SOCKET=$1
    python3 -c 'import os, socket, sys
at = sys.argv[1]
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\0" + at[1:] if at[0] == "@" else at)
os.close(os.open("listening", os.O_CREAT))
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)' "$1" >notified 3>&- &
    echo $! >>pids
    wait_until [ -e listening ]
}

times_told() { [ "$(grep -cx "$1" notified)" -ge "$2" ]; }

@test "systemd: ready, with the address, and stopping" {
    listen "$PWD/notify"
    start_node london
    wait_until has_line notified "READY=1 MAINPID=$pid STATUS=london ready at $address"
    not has_text notified WATCHDOG
    not has_text notified STOPPING
    rusm stop london
    wait_until has_line notified 'STOPPING=1 STATUS=leaving'
    start_node tokyo
    kill $pid
    wait $pid
    wait_until times_told 'STOPPING=1 STATUS=leaving' 2
}

@test "systemd: an abstract socket, and a detached node" {
    listen "@rusm-test-$$-$RANDOM"
    expect 0 rusm node --name london --detach
    pid=$(jq .os_pid "$RUSM_RUNDIR/london.json")
    wait_until has_text notified "READY=1 MAINPID=$pid "
}

@test "systemd: a socket that is none, or that nobody reads, holds nothing up" {
    for socket in relative /no/such/socket @ '' "$(printf '/%0200d' 0)"; do
        NOTIFY_SOCKET=$socket WATCHDOG_USEC=100000 start_node london
        expect 0 rusm call london greeter Ada
        rusm stop london
    done
}

@test "systemd: the watchdog is told again and again, and programs hear nothing of it" {
    listen "$PWD/notify"
    export WATCHDOG_USEC=200000
    start_node london --boot 'w=exec:read -r x; env | grep -c "NOTIFY\|WATCHDOG"'
    wait_until times_told WATCHDOG=1 5
    expect 0 rusm call london w x
    equal "$output" 0
}

@test "systemd: a watchdog that is another process's is left to it" {
    listen "$PWD/notify"
    WATCHDOG_USEC=20000 WATCHDOG_PID=1 start_node london
    expect 0 rusm call london greeter Ada
    rusm stop london
    wait_until has_text notified STOPPING=1
    not has_text notified WATCHDOG
}
