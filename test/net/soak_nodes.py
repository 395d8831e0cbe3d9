"""The nodes of the soak, what is around them, and what they show."""
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
NODES = [f"n{i}" for i in range(1, 13)]
OLD = NODES[:3]  # never ended, so that they show what grows
JOBS = [f"job{i}" for i in range(6)]
HOST, PORT, HTTP_PORT, TOKEN = "pods.soak", 7400, 7480, "0123456789abcdef0123456789abcdef"
NET, DRIVER = "10.78.0.", "10.78.0.254"
WHOLE = 20  # seconds that the cluster has after a fault


def monotonic():
    return time.monotonic()


def wait_for(condition, seconds, pause=0.05):
    """Polls until the condition is true, or for that long. Returns what it was last."""
    deadline = monotonic() + seconds
    while True:
        found = condition()
        if found or monotonic() > deadline:
            return found
        time.sleep(pause)


# ---- the world: namespaces, the bridge, the hosts file ------------------------------------------


class World:
    """What is around the nodes, and goes with the process: it has namespaces of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.rusm = os.environ["RUSM"]
        self.quiet = self.path("quiet")
        self.libfaketime = next((os.path.join(d, "faketime/libfaketime.so.1")
                                 for d in map(os.path.abspath, glob_lib())
                                 if os.path.exists(os.path.join(d, "faketime/libfaketime.so.1"))),
                                None)
        os.environ.update(RUSM_IDENTITY=self.path("cluster.pem"), RUSM_RUNDIR=self.path("run"),
                          HOME=folder, LC_ALL="C.UTF-8")
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"):
            os.environ.pop(name, None)
        os.mkdir(self.path("run"), 0o700)
        self.write("token", TOKEN + "\n", 0o600)
        self.run(self.rusm, "cert", "new", self.path("cluster.pem"))
        self.write("hosts", "")
        self.run("mount", "--make-rprivate", "/")
        os.makedirs("/run/netns", exist_ok=True)
        self.run("mount", "-t", "tmpfs", "none", "/run/netns")
        self.run("mount", "-t", "tmpfs", "none", "/dev/shm")  # where libfaketime leaves files
        self.run("mount", "--bind", self.path("hosts"), "/etc/hosts")
        self.batch("link set lo up", "link add hub type bridge", "link set hub up",
                   f"addr add {DRIVER}/24 dev hub")

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def write(self, name, text, mode=0o644):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), mode)

    @staticmethod
    def run(*command, text=None):
        return subprocess.run(command, input=text, text=True, check=True, capture_output=True).stdout

    def batch(self, *lines, space=None):
        self.run("ip", *(["-n", space] if space else []), "-batch", "-", text="\n".join(lines))

    def nft(self, space, text):
        self.run("nsenter", f"--net=/run/netns/{space}", "nft", "-f", "-", text=text)

    def close(self):
        """Lets go of the folder, so that it can be removed."""
        for name in NODES:
            self.run("umount", "--lazy", self.path(name, "log"))
        self.run("umount", "--lazy", "/etc/hosts")

    def add_space(self, name, address):
        self.batch(f"netns add {name}", f"link add {name} type veth peer name wire netns {name}",
                   f"link set {name} master hub up")
        self.batch("link set lo up", f"addr add {address}/24 dev wire", "link set wire up",
                   space=name)

    def tell_names(self, addresses):
        """Sets what the name has: in one write of one length, so that nobody reads half of it."""
        lines = ["127.0.0.1 localhost"] + [f"{address} {HOST}" for address in addresses]
        text = "".join(f"{line:<40}\n" for line in lines).ljust(41 * (len(NODES) + 1) - 1) + "\n"
        fd = os.open(self.path("hosts"), os.O_WRONLY)
        os.pwrite(fd, text.encode(), 0)
        os.close(fd)


def glob_lib():
    return [os.path.join("/usr/lib", name) for name in os.listdir("/usr/lib")]


# ---- a node, its supervisor, and what reads it --------------------------------------------------


class Log:
    """The log of a node, across renames. Lines are read once, and kept with when that was."""

    def __init__(self, path):
        self.path = path
        self.files = []  # open ones: the present, and those that were renamed lately
        self.lines = []
        self.lock = threading.Lock()

    def read(self):
        with self.lock:
            return self.read_alone()

    def read_alone(self):
        try:
            found = os.stat(self.path)
            if not any(os.fstat(f.fileno()).st_ino == found.st_ino for f in self.files):
                self.files.append(open(self.path, "rb"))
        except OSError:
            pass
        for file in self.files:
            self.take(file)
        for file in self.files[:-3]:
            file.close()
        self.files = self.files[-3:]
        return len(self.lines)

    def take(self, file):
        while True:
            at = file.tell()
            line = file.readline().decode(errors="replace")
            if not line.endswith("\n"):  # the rest of it comes
                file.seek(at)
                return
            self.lines.append(line[:-1])


class Node:
    """A node, restarted whenever it ends, until the soak is over."""

    def __init__(self, world, name, idle, period):
        self.world, self.name = world, name
        self.index = NODES.index(name)
        self.address = f"{NET}{10 + self.index}"
        self.other_address = f"{NET}{110 + self.index}"
        self.process = None
        self.over = False
        self.expected = set()     # pids that a fault has ended
        self.ends = []            # (when, pid, status, was it expected)
        self.odd = []             # events that others should have been between
        self.stops = []           # (from, to): it did not run
        self.missed = 0
        self.heard = 0.0          # the last event
        self.listening = None     # the socket that they come from
        self.reading = threading.Event()
        self.reading.set()
        self.web = None
        self.why = ""             # there was no answer
        os.mkdir(world.path(name), 0o700)
        os.mkdir(world.path(name, "run"), 0o700)
        os.mkdir(world.path(name, "log"), 0o700)
        world.run("mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "none", world.path(name, "log"))
        self.log = Log(world.path(name, "log", "log"))
        self.record = world.path(name, "record")
        world.add_space(name, self.address)
        self.command = self.make_command(idle, period)
        self.environment = dict(os.environ, RUSM_RUNDIR=world.path(name, "run"))
        if self.index % 4 == 3 and world.libfaketime:
            self.set_clock(0)
            self.environment.update(LD_PRELOAD=world.libfaketime, FAKETIME_NO_CACHE="1",
                                    FAKETIME_DONT_FAKE_MONOTONIC="1",
                                    FAKETIME_TIMESTAMP_FILE=world.path(name, "clock"))

    def make_command(self, idle, period):
        worker = " ".join(["exec", sys.executable, "-E", "-s", HERE + "/soak_work.py", self.name,
                           ",".join(NODES), str(period), ",".join(JOBS), self.record,
                           self.world.quiet])
        upper = "y/abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKLMNOPQRSTUVWXYZ/"
        return ["nsenter", f"--net=/run/netns/{self.name}", self.world.rusm, "node",
                "--name", self.name, "--listen", f"0.0.0.0:{PORT}", "--join", f"{HOST}:{PORT}",
                "--http-tcp", f"0.0.0.0:{HTTP_PORT}", "--http-token", self.world.path("token"),
                "--idle-timeout", str(idle), "--log-level", "info", "--log-file", self.log.path,
                "--boot", "talker=greeter", "--boot", "bomb=crash",
                "--boot", "noise=exec:exec cat >&2",  # its messages go to the log
                "--boot", f"shout=exec:exec sed -u {upper}", "--boot", f"inbox=exec+json:{worker}",
                "--boot-global", f"{JOBS[self.index % len(JOBS)]}=echo"]

    @property
    def pid(self):
        return self.process.pid

    def set_clock(self, seconds):
        path = self.world.path(self.name, "clock")
        with open(path + ".new", "w", encoding="ascii") as file:
            file.write(f"{seconds:+d}\n")
        os.rename(path + ".new", path)

    # The threads: the supervisor, the reader of standard output, the listener to events.

    def supervise(self):
        while not self.over:
            errors = open(self.world.path(self.name, "stderr"), "ab")
            self.process = subprocess.Popen(self.command, env=self.environment,
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=errors)
            errors.close()
            reader = threading.Thread(target=self.read_output, args=(self.process.stdout,),
                                      daemon=True)
            reader.start()
            status = self.process.wait()
            self.ends.append((monotonic(), self.pid, status, self.pid in self.expected))
            reader.join()
            if not self.over:
                time.sleep(1)

    def read_output(self, pipe):
        data = b"."
        while data:
            self.reading.wait()
            data = os.read(pipe.fileno(), 65536)
        pipe.close()

    def listen(self):
        while not self.over:
            try:
                self.listen_once()
            except (OSError, http.client.HTTPException, ValueError):
                pass
            time.sleep(0.2)

    def listen_once(self):
        connection = http.client.HTTPConnection(self.address, HTTP_PORT, timeout=20)
        connection.connect()
        self.listening = connection.sock
        connection.request("GET", "/v1/events", headers={"Authorization": f"Bearer {TOKEN}"})
        answer, kind, up = connection.getresponse(), "", {}
        while answer.status == 200:
            line = answer.readline().decode()
            if not line:
                break
            self.heard = monotonic()
            if line.startswith("event: "):
                kind = line[7:].strip()
            elif line.startswith("data: ") and kind == "missed":
                self.missed += json.loads(line[6:])["events"]
                up = {}
            elif line.startswith("data: ") and kind in ("node_up", "node_down"):
                peer, now = json.loads(line[6:])["node"], kind == "node_up"
                if up.get(peer) == now:
                    self.odd.append(f"{self.name}: {kind} of {peer} twice at {self.heard:.1f}")
                up[peer] = now
        connection.close()

    def hang_up(self):
        """Lets the listener connect again: its address of before is gone, and says nothing."""
        try:
            self.listening.shutdown(socket.SHUT_RDWR)
        except OSError:  # it has noticed
            pass

    # What it shows.

    def table(self, what):
        """A table by HTTP, on a connection that is kept. None: there was no answer."""
        try:
            if not self.web or self.web.host != self.address:
                self.web = http.client.HTTPConnection(self.address, HTTP_PORT, timeout=2)
            self.web.request("GET", "/v1/" + what, headers={"Authorization": f"Bearer {TOKEN}"})
            answer = self.web.getresponse()
            data = answer.read()
            if answer.status == 200:
                return json.loads(data)[what]
            self.why = f"{answer.status} {data.decode()}"
        except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
            self.web, self.why = None, repr(error)
        return None

    def attach_peers(self):
        """How many peers `rusm attach --peers` shows as connected; or what it says instead."""
        done = subprocess.run([self.world.rusm, "attach", "--peers", "--json", "--timeout", "10",
                               f"{self.name}@{self.address}:{PORT}"], capture_output=True, text=True)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        up = [row for row in rows if row["state"] == "connected"]
        return len(up) if not done.returncode else done.stderr.strip()

    def figures(self):
        """Descriptors, zombies, and KiB of memory."""
        proc = f"/proc/{self.pid}"
        with open(proc + "/status", encoding="ascii") as file:
            rss = int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1))
        return len(os.listdir(proc + "/fd")), len(zombies(self.pid)), rss

    def children(self):
        return [pid for pid, parent, _ in processes() if parent == self.pid]


def processes():
    """Each process of ours: its pid, its parent's, its state."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
                yield int(name), int(fields[1]), fields[0]
            except OSError:
                pass


def zombies(parent):
    return [pid for pid, its, state in processes() if its == parent and state == "Z"]


def arguments_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def environment_of(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = file.read().decode(errors="replace").split("\0")
        return dict(pair.partition("=")[::2] for pair in pairs)
    except OSError:
        return {}


# ---- the cluster --------------------------------------------------------------------------------


class Cluster:
    def __init__(self, world, idle, period):
        self.world = world
        self.idle = idle
        self.nodes = {name: Node(world, name, idle, period) for name in NODES}
        self.tell_names()
        self.threads = []
        for node in self.nodes.values():
            for target in (node.supervise, node.listen):
                self.threads.append(threading.Thread(target=target, daemon=True))
                self.threads[-1].start()

    def tell_names(self, without=()):
        self.world.tell_names([n.address for n in self.nodes.values() if n.name not in without])

    def not_whole(self):
        """What is not as it should be, or "" if the cluster is whole."""
        names = None
        for name, node in self.nodes.items():
            peers = node.table("peers")
            if peers is None:
                return f"{name} does not answer: {node.why}"
            away = sorted(set(NODES) - {name} -
                          {row["node"] for row in peers if row["state"] == "connected"})
            if away:
                return f"{name} has no connection with {', '.join(away)}"
            rows = node.table("names") or []
            its = sorted((row["name"], row["pid"]) for row in rows if row["scope"] == "global")
            if [job for job, _ in its] != JOBS:
                return f"{name} knows the global names {its}"
            if names is None:
                names = its
            elif its != names:
                return f"{name} and {NODES[0]} do not agree: {its}, {names}"
            if monotonic() - node.heard > 5:
                return f"nothing comes from the events of {name}"
        return ""

    def whole(self, since):
        """Waits until the cluster is whole, WHOLE seconds at most. Returns after how long, and what
        is wrong, if it is not."""
        deadline = since + WHOLE
        self.history = []  # what was wrong until then
        while True:
            wrong, took = self.not_whole(), monotonic() - since
            if not wrong:
                wrong = self.not_attached()
            if not wrong or monotonic() > deadline:
                return took, wrong
            if not self.history or not self.history[-1].endswith(wrong):
                self.history.append(f"after {took:.1f} s: {wrong}")
            time.sleep(0.1)

    def not_attached(self):
        """The same as not_whole, as `rusm attach --peers` shows it."""
        counts = {name: node.attach_peers() for name, node in self.nodes.items()}
        odd = {name: count for name, count in counts.items() if count != len(NODES) - 1}
        return f"rusm attach --peers: {odd}" if odd else ""

    def read_logs(self):
        return {name: node.log.read() for name, node in self.nodes.items()}

    def logged(self, pattern, since, where=None):
        """Whether a line that was logged since has the pattern; in the log of one node, or any."""
        self.read_logs()
        return any(re.search(pattern, line)
                   for name, node in self.nodes.items() if where in (None, name)
                   for line in node.log.lines[since.get(name, 0):])

    def keep(self, folder):
        """Copies the logs of all nodes, as they were read."""
        self.read_logs()
        os.makedirs(folder, exist_ok=True)
        for name, node in self.nodes.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.writelines(line + "\n" for line in node.log.lines)

    def end(self):
        """Ends all, politely. Returns what went wrong."""
        wrong = []
        for node in self.nodes.values():
            node.over = True
            node.expected.add(node.pid)
            node.process.terminate()
        for node in self.nodes.values():
            try:
                status = node.process.wait(15)
            except subprocess.TimeoutExpired:
                status = "it does not end"
                node.process.kill()
            if status != 0:
                wrong.append(f"{node.name}: {status}")
        mine = {os.getpid(), os.getppid()}
        left = wait_for(lambda: not left_over(mine), 10) or left_over(mine)
        return wrong + ([] if left is True else [f"left behind: {left}"])


def left_over(mine):
    return [f"{pid} {arguments_of(pid)}" for pid, parent, state in list(processes())
            if pid not in mine and parent not in mine - {1} and state != "Z"]
