"""What the records of soak_work.py say: what was lost, came twice, or was mixed up."""
import collections

from soak_nodes import NODES, monotonic


class Traffic:
    """What the records of all workers say."""

    def __init__(self, cluster):
        self.cluster = cluster
        # How long a message may be under way: as nothing got through for a while, the sender tries
        # again after twice the time, and may have begun just before the end of that (RFC 9002).
        self.slow = 2 * cluster.idle + 5
        self.starts = collections.defaultdict(list)    # node: [(when, session)]
        self.downs = collections.defaultdict(list)     # (node, peer): when one lost the other
        self.sent = {}                                 # (node, session, peer, number): when
        self.failed = set()
        self.got = collections.defaultdict(list)       # (node, session, peer): [(when, number)]
        self.calls = {}                                # (node, session, number): (when, target)
        self.over = collections.Counter()              # the same: how often it had an outcome
        self.served = collections.Counter()
        self.outcomes = collections.Counter()          # word: how many
        self.errors = collections.Counter()
        self.wrong = []
        for name, node in cluster.nodes.items():
            self.read(name, node.record)

    def read(self, name, path):
        session = ""
        with open(path, encoding="utf-8") as file:
            for line in file:
                word, *rest, when = line.split()
                when = float(when)
                if word == "start":
                    session = rest[0]
                    self.starts[name].append((when, session))
                elif word == "down":
                    self.downs[name, rest[0]].append(when)
                elif word == "sent":
                    self.sent[name, session, rest[0], int(rest[1])] = when
                elif word == "failed":
                    self.failed.add((name, session, rest[0], int(rest[1])))
                elif word == "got":
                    self.got[rest[0], rest[1], name].append((when, int(rest[2])))
                elif word == "call":
                    self.calls[name, session, int(rest[0])] = (when, rest[1])
                elif word == "served":
                    self.served[rest[0], rest[1], int(rest[2])] += 1
                else:
                    self.outcomes[word] += 1
                    self.over[name, session, int(rest[0])] += 1
                    if word == "refused":
                        self.errors[rest[1]] += 1
                    elif word == "wrong":
                        self.wrong.append(f"{name}: {line.strip()}")

    def shaken(self, name):
        """The times in which a node or its worker was not there: (from, to)."""
        node = self.cluster.nodes[name]
        spans = [(a - 1, b + 2) for a, b in node.stops]
        for when, *_ in node.ends:
            back = [start for start, _ in self.starts[name] if start > when]
            spans.append((when - self.slow, (min(back) if back else monotonic()) + 2))
        return spans

    def explained(self, a, b, when):
        """Whether a message from one to the other may have been lost then."""
        downs = self.downs[a, b] + self.downs[b, a]
        spans = [(t - self.slow, t + 2) for t in downs]
        return any(low <= when <= high for low, high in spans + self.spans[a] + self.spans[b])

    def bound(self):
        """How many messages had to arrive: nothing would have explained their loss."""
        return sum(not self.explained(key[0], key[2], when) for key, when in self.sent.items())

    def judge(self):
        """Returns (lost with a cause, lost without, twice or out of order, calls without an end)."""
        self.spans = {name: self.shaken(name) for name in NODES}
        got = {key: {number for _, number in rows} for key, rows in self.got.items()}
        lost = [key for key in self.sent if key not in self.failed and
                key[3] not in got.get(key[:3], ())]
        caused = [key for key in lost if self.explained(key[0], key[2], self.sent[key])]
        for key in set(lost) - set(caused):
            self.wrong.append(f"lost: {key} sent at {self.sent[key]:.3f}")
        twice = 0
        for key, rows in self.got.items():
            for (_, before), (when, number) in zip(rows, rows[1:]):
                if number <= before:
                    twice += 1
                    self.wrong.append(f"{key}: {number} after {before} at {when:.3f}")
        for key, count in (self.served + self.over).items():
            if self.served[key] > 1 or self.over[key] > 1:
                twice += 1
                self.wrong.append(f"call {key}: served {self.served[key]} times, "
                                  f"ended {self.over[key]} times, {count}")
        last = {name: starts[-1][1] for name, starts in self.starts.items()}
        hung = [key for key in self.calls if not self.over[key] and last[key[0]] == key[1]]
        self.wrong += [f"call without an end: {key} {self.calls[key]}" for key in hung]
        return len(caused), len(lost) - len(caused), twice, len(hung)
