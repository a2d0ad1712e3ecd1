"""Servers loaded with wrk, in turns or at once, and what a request cost them. Linux only: CPU time and memory are the kernel's figures."""

import http.client
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

from harness import Failure, clean_environment

SCRIPT = pathlib.Path(__file__).resolve().parent / "load.lua"
# One thread sends, over so many connections.
WRK = ["wrk", "-t1", "-c32", "--timeout", "10s"]


class Served:
    """A program of the bench that serves on a port, and how to ask it something that it answers."""

    def __init__(self, program, port, headers):
        self.program, self.port, self.headers, self.pid = program, port, headers, program.process.pid

    def body(self, path):
        """The body of a 200; everything else is a failure."""
        status, body = self.get(path)
        if status != 200:
            raise Failure(f"{self.program.name} answers {status} at {path}")
        return body

    def get(self, path):
        """Status and body of one response; the status is None while nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path, headers=self.headers)
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:
            return None, b""
        finally:
            connection.close()

    def load(self, path, seconds, walk=None):
        """Loads it with its own headers, or with the requests of the file `walk`, and returns the `Lap`."""
        return self.start_load(path, seconds, walk).lap()

    def start_load(self, path, seconds, walk=None, core=None):
        """Starts what `load` does, the client on one core if one is named, and returns the `Load`."""
        how = ["-s", SCRIPT] if walk else [part for header in self.headers.items() for part in ("-H", ": ".join(header))]
        command = [*WRK, f"-d{seconds}s", *how, f"http://127.0.0.1:{self.port}{path}", *(["--", walk] if walk else [])]
        return Load(self, path, command, seconds + 60, core)

    def stay_on(self, core):
        """Keeps its threads on one core; threads that they start stay there too."""
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            os.sched_setaffinity(int(thread), {core})

    def cpu_seconds(self):
        """CPU time of all threads, ended ones too: the clock of the process, numbered as clock_getcpuclockid(3) does it."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024 / 1e6

    def stop(self):
        self.program.terminate()
        self.program.stop()


class Load:
    """A load that is under way."""

    def __init__(self, served, path, command, limit, core):
        self.served, self.path, self.limit, self.before = served, path, limit, served.cpu_seconds()
        self.client = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=clean_environment(),
            preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),
        )

    def lap(self):
        """Waits for its end."""
        try:
            shown, _ = self.client.communicate(timeout=self.limit)
        except subprocess.TimeoutExpired:
            self.client.kill()
            shown, _ = self.client.communicate()
        spent = self.served.cpu_seconds() - self.before
        count, rate = re.search(r"(\d+) requests in", shown), re.search(r"Requests/sec:\s+([\d.]+)", shown)
        if self.client.returncode or not count or not int(count[1]) or re.search("Non-2xx|Socket errors", shown):
            raise Failure(f"{self.served.program.name} did not answer every request to {self.path} with 200:\n{shown}")
        return Lap(int(count[1]), float(rate[1]), spent)


class Lap:
    """What one turn showed: requests, requests per second, and microseconds of the server's CPU time per request."""

    def __init__(self, count, rate, cpu_seconds):
        self.count, self.rate, self.cpu = count, rate, cpu_seconds / count * 1e6


class Side:
    """One of those that take turns. `serve` gives its server; with `fresh` it makes one for each turn, which is stopped after it."""

    def __init__(self, label, serve, path, walk=None, fresh=False):
        self.label, self.serve, self.path, self.walk, self.fresh = label, serve, path, walk, fresh
        self.laps, self.joint = [], []

    def turn(self, seconds):
        served = self.serve()
        served.body(self.path)  # wrk would take a redirect for good
        self.laps.append(served.load(self.path, seconds, self.walk))
        if self.fresh:
            served.stop()

    def figures(self, name):
        return [getattr(lap, name) for lap in self.laps]

    def joint_over(self, other):
        """The median of how many times the CPU time of `other` it needed when both were loaded at once."""
        return statistics.median(a.cpu / b.cpu for a, b in zip(self.joint, other.joint, strict=True))

    def median(self, name):
        return statistics.median(self.figures(name))

    def least(self, name):
        return min(self.figures(name))

    def over(self, other, name):
        """The median of the ratios within each round: what slows down a whole round is not in it."""
        return statistics.median(a / b for a, b in zip(self.figures(name), other.figures(name), strict=True))


def take_turns(sides, rounds, seconds):
    for number in range(1, rounds + 1):
        for side in sides:
            side.turn(seconds)
            print(f"round {number} of {rounds}: {side.label}: {side.laps[-1].rate:,.0f}/s", file=sys.stderr, flush=True)


def load_at_once(one, other, rounds, seconds):
    """Loads both at the same time, the servers on one core and the clients on another, where there are two. What else the machine does then
    meets both alike, so their CPU times vary together."""
    cores = sorted(os.sched_getaffinity(0))
    sides = (one, other)
    for number in range(1, rounds + 1):
        served = [side.serve() for side in sides]
        for server, side in zip(served, sides, strict=True):
            server.body(side.path)
            server.stay_on(cores[0])
        loads = [server.start_load(side.path, seconds, side.walk, cores[-1]) for server, side in zip(served, sides, strict=True)]
        for load, side in zip(loads, sides, strict=True):
            side.joint.append(load.lap())
        for server, side in zip(served, sides, strict=True):
            if side.fresh:
                server.stop()
        print(
            f"round {number} of {rounds}: {one.label} and {other.label} at once: {one.joint[-1].cpu:.1f} and {other.joint[-1].cpu:.1f} us",
            file=sys.stderr,
            flush=True,
        )
