"""The faults of the soak: what goes wrong in the field, and where it must be seen."""
import os
import re
import shutil
import signal
import subprocess
import time

from soak_nodes import (DRIVER, HOST, NODES, OLD, PORT, WHOLE, arguments_of, environment_of,
                        monotonic, processes, wait_for)


class Fault:
    """One fault. make() makes it and returns when it is over; then, or when `seen` is called, a log
    has the pattern `trace`, in the log of `where` or of any node."""
    kind = ""
    where = None
    ends_nodes = False
    lingers = False  # what it leaves behind ends after half a minute only

    def __init__(self, cluster, chance, node, short):
        self.cluster, self.chance, self.node, self.short = cluster, chance, node, short
        self.text = self.trace = ""
        self.plan()

    def plan(self):
        """Makes all choices, on the thread that owns the chance."""

    def seconds(self, short, least, most):
        return short if self.short else self.chance.uniform(least, most)

    @classmethod
    def possible(cls, cluster):
        return bool(cluster)

    @classmethod
    def candidates(cls, short):
        """The nodes that it may be made of."""
        spared = OLD if cls.ends_nodes or (short and cls.lingers) else []
        return [name for name in NODES if name not in spared]

    def make(self):
        raise NotImplementedError

    def seen(self, since):
        return not self.trace or wait_for(
            lambda: self.cluster.logged(self.trace, since, self.where), WHOLE, 0.2)


class Kill(Fault):
    kind = "kill -9"
    ends_nodes = True

    def make(self):
        self.trace = rf"\b{self.node.name} disconnected"
        self.node.expected.add(self.node.pid)
        os.kill(self.node.pid, signal.SIGKILL)


class PowerCut(Fault):
    kind = "many killed at once"
    ends_nodes = True

    def plan(self):
        others = [name for name in self.candidates(self.short) if name != self.node.name]
        self.nodes = [self.node.name] + self.chance.sample(others, self.chance.randrange(2, 9))
        self.text = " ".join(self.nodes[1:])

    def make(self):
        self.trace = rf"\b({'|'.join(self.nodes)}) disconnected"
        for name in self.nodes:
            node = self.cluster.nodes[name]
            node.expected.add(node.pid)
            os.kill(node.pid, signal.SIGKILL)


class Stop(Fault):
    kind = "polite stop"
    ends_nodes = True

    def make(self):
        self.trace = rf"\b{self.node.name} disconnected"
        process = self.node.process
        self.node.expected.add(process.pid)
        process.terminate()
        wait_for(lambda: process.poll() is not None, 10)


class Stopped(Fault):
    kind = "SIGSTOP"

    def plan(self):
        self.time = self.seconds(5, 1, 20)
        self.text = f"{self.time:.1f} s"
        self.where = self.node.name

    def make(self):
        # What takes less than the look of two seconds may end between two of them.
        self.trace = r"stood still" if self.time > 3.5 else ""
        began, pid = monotonic(), self.node.pid
        os.kill(pid, signal.SIGSTOP)
        time.sleep(self.time)
        os.kill(pid, signal.SIGCONT)
        self.node.stops.append((began, monotonic()))


class Rotation(Fault):
    kind = "log rotation"

    def make(self):
        self.trace, self.where = r"opened again", self.node.name
        path = self.node.log.path
        self.node.log.read()
        for name in os.listdir(os.path.dirname(path)):
            if name != "log":
                os.unlink(os.path.join(os.path.dirname(path), name))
        os.rename(path, path + "-1")
        os.kill(self.node.pid, signal.SIGHUP)
        wait_for(lambda: os.path.exists(path), WHOLE)


class Stall(Fault):
    kind = "reader of stdout stalls"

    def plan(self):
        self.time = self.seconds(3, 2, 10)
        self.text = f"{self.time:.1f} s"
        self.where = self.node.name

    def make(self):
        self.trace = r"lines that processes printed were dropped"
        self.node.reading.clear()
        end = monotonic() + self.time
        lines = "".join(f"{i:0>999}\n" for i in range(3000))
        subprocess.run([self.cluster.world.rusm, "send", "--lines", "--timeout", "10",
                        f"{self.node.name}@{self.node.address}:{PORT}", "talker"],
                       input=lines, text=True, capture_output=True)
        time.sleep(max(0.0, end - monotonic()))
        self.node.reading.set()


class Moved(Fault):
    kind = "DNS: comes back elsewhere"
    ends_nodes = True

    def make(self):
        node, world = self.node, self.cluster.world
        node.expected.add(node.pid)
        os.kill(node.pid, signal.SIGKILL)
        node.address, node.other_address = node.other_address, node.address
        self.trace = rf"\b{node.name} connected \({re.escape(node.address)}:"
        world.batch(f"addr del {node.other_address}/24 dev wire",
                    f"addr add {node.address}/24 dev wire", space=node.name)
        self.cluster.tell_names()
        node.hang_up()


class Roam(Fault):
    """The address of a node changes under it, as where a lease is not renewed."""
    kind = "another address, alive"
    lingers = True  # HTTP clients of the old address

    def make(self):
        node = self.node
        node.address, node.other_address = node.other_address, node.address
        self.trace = rf"\b{node.name} (connected \({re.escape(node.address)}:|disconnected)"
        since = self.cluster.read_logs()
        self.cluster.world.batch(f"addr del {node.other_address}/24 dev wire",
                                 f"addr add {node.address}/24 dev wire", space=node.name)
        self.cluster.tell_names()
        node.hang_up()
        # Until somebody has noticed, all seems to be well. It may even be: where no packet went
        # out meanwhile, the connections go on from the new address.
        if not wait_for(lambda: self.cluster.logged(self.trace, since), self.cluster.idle + 5, 0.2):
            self.trace = ""


class NoName(Fault):
    """The name has no address for a while, and a node starts meanwhile."""
    kind = "DNS: the name is gone"
    ends_nodes = True

    def plan(self):
        self.time = self.seconds(2.5, 2, 8)
        self.text = f"{self.time:.1f} s"

    def make(self):
        self.where, self.trace = self.node.name, rf"cannot join {HOST}"
        since, end = self.cluster.read_logs(), monotonic() + self.time
        self.cluster.world.tell_names([])
        self.node.expected.add(self.node.pid)
        os.kill(self.node.pid, signal.SIGKILL)
        wait_for(lambda: self.cluster.logged(self.trace, since, self.where), WHOLE)
        time.sleep(max(0.0, end - monotonic()))
        self.cluster.tell_names()


class Clock(Fault):
    kind = "clock step"

    @classmethod
    def possible(cls, cluster):
        return bool(cluster.world.libfaketime)

    @classmethod
    def candidates(cls, short):
        return [name for i, name in enumerate(NODES) if i % 4 == 3]

    def plan(self):
        # Never the same as the one before, which would be no step.
        before = getattr(self.node, "offset", 0)
        self.node.offset = self.chance.choice(
            [step for step in (0, 3600, -3600, 20, -20, 86400) if step != before])
        self.text = f"{self.node.offset - before:+d} s"

    def make(self):
        self.where, self.trace = self.node.name, r"clock was set"
        self.node.set_clock(self.node.offset)


class Folder(Fault):
    kind = "run folder removed"

    def make(self):
        self.where, self.trace = self.node.name, r"our files in the run folder"
        folder = self.cluster.world.path(self.node.name, "run")
        shutil.rmtree(folder, ignore_errors=True)
        wait_for(lambda: os.path.exists(os.path.join(folder, self.node.name + ".json")), WHOLE)


class Partition(Fault):
    kind = "partition"

    def plan(self):
        others = [name for name in NODES if name != self.node.name]
        self.cut = [self.node.name] + self.chance.sample(others, self.chance.randrange(0, 5))
        self.chains = ["input", "output"] if self.short else self.chance.choice(
            [["input", "output"], ["input"], ["output"]])
        self.time = self.seconds(4.5, 1, 20)
        self.text = (f"{' '.join(self.cut[1:])} apart ({', '.join(self.chains)}) "
                     f"for {self.time:.1f} s").lstrip()

    def make(self):
        near = ", ".join([DRIVER, "127.0.0.1"] +
                         [self.cluster.nodes[name].address for name in self.cut])
        # Shorter than the idle timeout it is a delay, which nobody need notice.
        if self.time > self.cluster.idle + 1:
            self.trace = rf"\b({'|'.join(self.cut)}) disconnected"
        rules = "".join(
            f"chain {chain} {{ type filter hook {chain} priority 0; "
            f"ip {'saddr' if chain == 'input' else 'daddr'} != {{ {near} }} drop; }}\n"
            for chain in self.chains)
        began = monotonic()
        for name in self.cut:
            self.cluster.world.nft(name, f"table ip cut {{\n{rules}}}\n")
        time.sleep(max(0.0, began + self.time - monotonic()))
        for name in self.cut:
            self.cluster.world.nft(name, "delete table ip cut")


class Program(Fault):
    kind = "program killed"

    def plan(self):
        self.which = self.chance.choice(["inbox", "shout"])
        self.text = self.which

    def make(self):
        word = "soak_work" if self.which == "inbox" else "sed -u"
        self.where, self.trace = self.node.name, rf"'{self.which}' ended: .*; restarted"
        for pid in wait_for(lambda: self.find(word), WHOLE):
            if self.which == "inbox":
                self.node.ends.append((monotonic(), pid, "worker", True))
            os.kill(pid, signal.SIGKILL)

    def find(self, word):
        return [pid for pid, _, _ in list(processes()) if word in arguments_of(pid) and
                environment_of(pid).get("RUSM_NODE") == self.node.name]


class Guard(Fault):
    kind = "guard of programs killed"

    def make(self):
        self.where, self.trace = self.node.name, r"the guard, which ends the programs"
        for pid in wait_for(self.find, WHOLE):
            os.kill(pid, signal.SIGKILL)

    def find(self):
        return [pid for pid in self.node.children() if "rusm-guard" in arguments_of(pid)]


class Disk(Fault):
    kind = "disk of the log full"

    def plan(self):
        self.time = self.seconds(3, 1, 8)
        self.text = f"{self.time:.1f} s"

    def make(self):
        self.where, self.trace = self.node.name, r"lines of the log are missing"
        since, end = self.cluster.read_logs(), monotonic() + self.time
        # What a busy machine has not logged before there is room again, is not lost.
        wait_for(lambda: self.fill(max(0.5, end - monotonic())) or
                 self.cluster.logged(self.trace, since, self.where), WHOLE)

    def fill(self, seconds):
        filler = os.path.join(os.path.dirname(self.node.log.path), "filler")
        with open(filler, "wb", 0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        self.noise(60)  # the last page of the log has room still
        time.sleep(seconds)
        os.unlink(filler)
        self.noise(1)  # finds room

    def noise(self, lines):
        subprocess.run([self.cluster.world.rusm, "send", "--lines", "--timeout", "10",
                        f"{self.node.name}@{self.node.address}:{PORT}", "noise"], text=True,
                       input="".join(f"{i:0>99}\n" for i in range(lines)), capture_output=True)


KINDS = [Kill, PowerCut, Stop, Stopped, Rotation, Stall, Moved, Roam, NoName, Clock, Folder,
         Partition, Program, Guard, Disk]


def may_meet(one, other):
    """Whether the two kinds may be made at once: they want different nodes, and one name."""
    names = {Moved, Roam, NoName}
    return one is not other and PowerCut not in (one, other) and not {one, other} <= names


# All kinds in few steps, for the short form: those of a step at once, on different nodes.
STEPS = [[Kill, Rotation], [Stop, Disk], [Stopped, Stall, Program], [Moved, Folder],
         [Roam], [NoName, Clock], [Partition, Guard], [PowerCut]]
