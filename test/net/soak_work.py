"""The process "inbox" of each node of the soak: a program of exec+json that keeps a mild traffic of
numbered messages and calls with the others, and writes down each as it goes, so that test/net/soak
can say afterwards what was lost, came twice or was mixed up.

    soak_work.py NODE NODES PERIOD JOBS FILE QUIET

Each PERIOD seconds it sends a message and makes a call, until there is a file QUIET. A line of FILE
is a word, what it is about, and a time of the monotonic clock, which all programs here share:

    down NODE               its node has lost that one
    start SESSION           this program began; SESSION is in its messages
    sent NODE NUMBER        before a message goes; numbers count on for each receiver
    failed NODE NUMBER      the node has refused to send it
    got NODE SESSION NUMBER a message arrived
    call NUMBER TARGET      before a call goes
    answered NUMBER         it had the answer that it should have
    refused NUMBER ERROR    it failed, with the error that the caller was told
    wrong NUMBER TEXT       it had another call's answer
    served NODE SESSION NUMBER  another program's call came
"""
import json
import os
import random
import select
import sys
import time

node, nodes, period, jobs, path, quiet = sys.argv[1:]
nodes, period, jobs = nodes.split(","), float(period), jobs.split(",")
others = [name for name in nodes if name != node]
session = f"{time.monotonic_ns():x}.{os.getpid():x}"
record = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
numbers = dict.fromkeys(others, 0)
waiting = {}  # what each call should be answered with, by number
calls = 0


def note(*words):
    os.write(record, (" ".join(map(str, words)) + f" {time.monotonic():.3f}\n").encode())


def ask(**request):
    data = (json.dumps(request) + "\n").encode()
    while data:
        data = data[os.write(1, data):]


def send_one():
    peer = random.choice(others)
    numbers[peer] += 1
    note("sent", peer, numbers[peer])
    ask(to=f"inbox@{peer}", data=f"{node} {session} {numbers[peer]}", ref=f"{peer} {numbers[peer]}")
    if numbers[peer] % 8 == 0:
        ask(to=f"bomb@{peer}", data="boom")


def call_one():
    global calls
    calls += 1
    text = f"{node} {session} {calls}"
    target, answer = random.choice([
        (f"inbox@{random.choice(others)}", "served " + text),
        (f"shout@{random.choice(nodes)}", text.upper()),
        (random.choice(jobs), text),
    ])
    waiting[calls] = answer
    note("call", calls, target)
    ask(call=target, data=text, ref=calls)


def call_over(ref, news):
    answer = waiting.pop(ref, None)
    if "error" in news:
        note("refused", ref, news["error"])
    elif answer == news.get("data"):
        note("answered", ref)
    else:
        note("wrong", ref, repr(news).replace(" ", "_"))


def take(news):
    if "node_down" in news:
        note("down", news["node_down"])
    elif "reply" in news:
        call_over(news["reply"], news)
    elif "failed" in news and isinstance(news["failed"], int):
        call_over(news["failed"], news)
    elif "failed" in news and news["failed"]:
        note("failed", news["failed"])
    elif "ref" in news:
        note("served", news["data"])
        ask(reply=news["ref"], data="served " + news["data"])
    elif "data" in news:
        note("got", news["data"])


note("start", session)
ask(nodes=True)
rest, due = b"", time.monotonic() + random.random() * period
while True:
    if select.select([0], [], [], max(0.0, due - time.monotonic()))[0]:
        data = os.read(0, 65536)
        if not data:
            break
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            take(json.loads(line))
    if time.monotonic() >= due:
        due = max(due + period, time.monotonic())
        if not os.path.exists(quiet):
            send_one()
            call_one()
