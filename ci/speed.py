#!/usr/bin/env python3
"""Prints what a request costs bare axum, our stack and, where it is there, the Python framework, loaded in turns A B A B with wrk, and two at once.

    speed.py [--rounds 5] [--seconds 3] [--tokens 60000] [--tenants 1000] [--workers 1]
             [--python PATH] [--binary PATH] [--write FILE]

Builds the example `speed` in release, unless --binary names one. --python is an interpreter with the Python framework, as interop/setup.sh
makes one; without it its rows are left out. --write replaces the figures in FILE (docs/PERFORMANCE.md, which says what is compared and why).
A ratio that misses its aim says so, but the figures gate nothing: the exit code is 1 only when a request was not answered with 200, and 2
when something is missing.
"""

import argparse
import itertools
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time

from evidence import CONFORMANCE, INTEROP
from harness import START_SECONDS, Bench, Failure, free_ports
from load import Served, Side, load_at_once, take_turns

BASE = "/v3/bookmarks"
READY_MADE, WHOAMI, VERIFIED, TENANT = (BASE + path for path in ("/ready-made", "/whoami", "/verified", "/tenant"))
HOST = "tacc.tapis.test"
# As a deployment has it: everything else is left at its default. Only the end does not wait for load balancers.
SETTINGS = {
    "service_name": "bookmarks",
    "service_site_id": "tacc",
    "service_tenant_id": "admin",
    "tenants": ["*"],
    "version": "1.2.3",
    "primary_site_admin_tenant_base_url": "http://127.0.0.1:1",
    "drain_seconds": 0,
}
FEW, SOME = 10, 1_000
REMEMBERED = 10_000
USERS = 100
STARTS = 11
# Turns with first-seen tokens are short, since each of these is signed before.
WALK_SECONDS = 1
MINT_SECONDS = 900
BEGIN, END = "<!-- figures -->\n", "<!-- end of figures -->"


class Speed:
    """The comparisons, each with the servers it needs."""

    def __init__(self, options, binary):
        self.options, self.binary, self.started = options, binary, 0

    def __call__(self, bench):
        self.bench, self.folder = bench, bench.folder
        self.mint()
        report = Report(self.options)
        for comparison in (self.known_token, self.first_seen_token, self.tenant_lookup, self.single_figures):
            comparison(report)
        print(report)
        if self.options.write:
            replace_figures(self.options.write, f"{report}\n")

    def known_token(self, report):
        bare, stack = self.bare(), self.stack(FEW)
        if bare.body(READY_MADE) != stack.body(READY_MADE):
            raise Failure("bare axum and our stack do not answer the same bytes")
        limit, ours = (
            Side("bare axum, ready-made bytes", lambda: bare, READY_MADE),
            Side("ours, ready-made bytes", lambda: stack, READY_MADE),
        )
        people = self.some_tokens()
        plain, mixed = (
            Side("bare axum, tokens in turn", lambda: bare, READY_MADE, people),
            Side("ours, tokens in turn", lambda: stack, READY_MADE, people),
        )
        written, whoami = Side("bare axum, envelope written", lambda: bare, WHOAMI), Side("ours, `whoami`", lambda: stack, WHOAMI)
        sides, running = [limit, ours, plain, mixed, written, whoami], [bare, stack]
        if self.options.python:
            python = self.python()
            report.figure("memory, Python, idle", f"{python.resident_mb():.1f} MB")
            sides.append(Side("Python, `whoami`", lambda: python, WHOAMI))
            running.append(python)
        take_turns(sides, self.options.rounds, self.options.seconds)
        for one, other in ((limit, ours), (plain, mixed), (written, whoami)):
            load_at_once(one, other, self.options.rounds, self.options.seconds)
        for served in running:
            served.stop()
        report.sides("known token", sides)
        report.faster("known token: ours / bare axum, ready-made bytes", ours, limit, at_least(0.9))
        report.faster(f"known tokens, {USERS} in turn: ours / bare axum", mixed, plain, at_least(0.9))
        report.faster("known token: ours, `whoami` / bare axum, envelope written", whoami, written, at_least(0.9))
        for side in sides[6:]:
            report.faster("`whoami`: ours / Python, per core", whoami, side, digits=0)
            report.faster("`whoami`: bare axum / Python, per core", written, side, digits=0)
            report.share("`whoami`: ours against Python, of what bare axum reaches", at_least(0.9))

    def first_seen_token(self, report):
        """Each turn has a new process, which has seen none of the tokens."""
        walk = self.folder / "one-tenant.txt"
        verified = Side("bare axum + one verification", self.bare, VERIFIED, walk, fresh=True)
        ours = Side("ours, ready-made bytes", lambda: self.stack(FEW), READY_MADE, walk, fresh=True)
        take_turns([verified, ours], self.options.rounds, WALK_SECONDS)
        load_at_once(verified, ours, self.options.rounds, WALK_SECONDS)
        if max(ours.figures("count")) > self.options.tokens:
            report.note("Some first-seen tokens were seen twice: raise --tokens.")
        report.sides("first-seen token", [verified, ours])
        report.dearer("first-seen token: cost of ours / (bare axum + one verification)", ours, verified, at_most(1.1))

    def tenant_lookup(self, report):
        """The tenant of a Host, without tokens. Both walks have as many requests, so that wrk has the same work."""
        sides, running, many = [], [], self.options.tenants
        for tenants in (FEW, many):
            walk = self.folder / f"hosts-{tenants}.txt"
            walk.write_text("".join(f"t{number % tenants}.tapis.test\n" for number in range(many)))
            running.append(self.stack(tenants))
            sides.append(Side(f"ours, {tenants:,} tenants", lambda served=running[-1]: served, TENANT, walk))
        take_turns(sides, self.options.rounds, self.options.seconds)
        for served in running:
            served.stop()
        report.sides("tenant lookup", sides)
        report.faster(f"tenant lookup: {many:,} tenants / {FEW} tenants", sides[1], sides[0], Aim("flat"))

    def single_figures(self, report):
        idle, loaded = self.stack(FEW), self.stack(SOME)
        report.figure(f"memory, {FEW} tenants, idle", f"{idle.resident_mb():.1f} MB")
        report.figure(f"memory, {SOME:,} tenants, idle", f"{loaded.resident_mb():.1f} MB")
        self.show_tokens(loaded)
        report.figure(f"memory, {SOME:,} tenants, after {REMEMBERED:,} tokens", f"{loaded.resident_mb():.1f} MB")
        report.figure("of that, more than idle", f"{loaded.resident_mb() - idle.resident_mb():.1f} MB", "at most 20 MB")
        idle.stop()
        loaded.stop()
        report.figure(
            "start to first answer to a token",
            f"{statistics.median(self.start_ms() for _ in range(STARTS)):.0f} ms",
            "below 50 ms",
        )

    def some_tokens(self):
        """Tokens that are known after a moment, another one with each request of a connection, as through a proxy."""
        path = self.folder / "people.txt"
        with open(self.folder / "one-tenant.txt") as requests:
            path.write_text("".join(itertools.islice(requests, USERS)))
        return path

    def show_tokens(self, served):
        """Sends every token of the walk, most of them several times."""
        seconds = 1
        while served.load(READY_MADE, seconds, self.folder / "many-tenants.txt").count < REMEMBERED:
            seconds *= 2

    def start_ms(self):
        start = time.monotonic()
        served = self.stack(FEW)
        took = time.monotonic() - start
        served.stop()
        return took * 1000

    # --- what is measured, and what it needs

    def mint(self):
        program = self.bench.start("mint", self.binary, "mint", self.folder, self.options.tokens, REMEMBERED, SOME)
        if program.process.wait(MINT_SECONDS):
            raise Failure("the tokens could not be made")
        self.key = (self.folder / "public.pem").read_text()
        with open(self.folder / "one-tenant.txt") as requests:
            self.token = requests.readline().split()[1]

    def bare(self):
        port = free_ports(1)[0]
        return self.serve(
            "bare", port, READY_MADE, self.token, self.binary, "bare", f"127.0.0.1:{port}", self.folder / "public.pem"
        )

    def stack(self, tenants):
        port = free_ports(1)[0]
        settings = {**SETTINGS, "tenants_file": str(self.registry(tenants)), "listen": f"127.0.0.1:{port}"}
        path = self.bench.write(f"settings-{port}.json", settings)
        return self.serve(
            "stack", port, READY_MADE, self.token, self.binary, "stack", environment={"TAPIS_CONFIG_PATH": str(path)}
        )

    def registry(self, tenants):
        path = self.folder / f"registry-{tenants}.json"
        if not path.exists():
            names = ["admin", "tacc", *(f"t{number}" for number in range(tenants))]
            site = {
                "site_id": "tacc",
                "primary": True,
                "site_admin_tenant_id": "admin",
                "services": ["bookmarks"],
                "base_url": "https://tapis.test",
                "tenant_base_url_template": "https://${tenant_id}.tapis.test",
            }
            path.write_text(json.dumps({"sites": [site], "tenants": [self.record(name) for name in names]}))
        return path

    def record(self, tenant):
        url = f"https://{tenant}.tapis.test"
        return {
            "tenant_id": tenant,
            "base_url": url,
            "site_id": "tacc",
            "status": "active",
            "token_service": f"{url}/v3/tokens",
            "security_kernel": f"{url}/v3/security",
            "authenticator": f"{url}/v3/oauth2",
            "owner": f"owner@{tenant}.tapis.test",
            "admin_user": "admin",
            "token_gen_services": ["authenticator"],
            "description": f"The tenant {tenant}",
            "public_key": self.key,
        }

    def python(self):
        """The Python service on its mock site, as interop/run.sh starts them."""
        interpreter = self.options.python
        site_port, port = free_ports(2)
        keys = self.folder / "keys"
        site = self.bench.start("site", interpreter, CONFORMANCE / "mock_site.py", "--keys", keys, "--port", site_port)
        site.wait_for_port(site_port)
        token = subprocess.run(
            [interpreter, INTEROP / "mint.py", "--keys", keys], check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        return self.serve(
            "python",
            port,
            WHOAMI,
            token,
            interpreter,
            "-W",
            "ignore",
            "-m",
            "uvicorn",
            "--app-dir",
            INTEROP,
            "bookmarks_fastapi:api",
            "--host",
            "127.0.0.1",
            "--port",
            port,
            "--loop",
            "uvloop",
            "--http",
            "httptools",
            "--no-access-log",
            "--log-level",
            "critical",
            environment={
                "TAPIS_SITE_URL": f"http://127.0.0.1:{site_port}",
                "TAPIS_CONFIG_PATH": str(INTEROP / "config.json"),
                "TAPIS_CONFIGSCHEMA_PATH": str(INTEROP / "configschema.json"),
                "NO_PROXY": "*",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )

    def serve(self, name, port, path, token, *command, environment=None):
        """Starts a server and returns it as soon as it has answered 200."""
        self.started += 1
        workers = {"TOKIO_WORKER_THREADS": str(self.options.workers)}
        program = self.bench.start(
            f"{name}-{self.started}", *command, environment={**workers, **(environment or {})}, cwd=self.folder
        )
        served = Served(program, port, {"Host": HOST, "X-Tapis-Token": token})
        deadline = time.monotonic() + START_SECONDS
        while (status := served.get(path)[0]) != 200:
            if program.process.poll() is not None or time.monotonic() > deadline:
                raise Failure(f"{program.name} does not answer 200 at {path} but {status}")
            time.sleep(0.0005)
        return served


class Aim:
    """What a ratio should be, and whether one is."""

    def __init__(self, text="", is_met=lambda value: True):
        self.text, self.is_met = text, is_met

    def judge(self, values):
        """The aim, and that it is missed if it is: by the steadiest of the values, which stand in the order of the columns."""
        _, by_cpu_time, _, at_once = values
        steadiest = by_cpu_time if at_once is None else at_once
        return self.text if self.is_met(round(steadiest, 2)) else f"{self.text}: missed"


def at_least(least):
    return Aim(f"at least {least:.2f}", lambda value: value >= least)


def at_most(most):
    return Aim(f"at most {most:.2f}", lambda value: value <= most)


class Report:
    """The tables, in Markdown."""

    def __init__(self, options):
        self.heading, self.notes = heading(options), []
        self.turns, self.ratios, self.alone = [], [], []

    def sides(self, what, sides):
        for side in sides:
            rates = side.figures("rate")
            self.turns.append(
                (
                    what,
                    side.label,
                    f"{side.median('rate'):,.0f}",
                    f"{min(rates):,.0f} to {max(rates):,.0f}",
                    f"{side.median('cpu'):.1f}",
                    f"{side.least('cpu'):.1f}",
                )
            )

    def faster(self, label, one, other, aim=None, digits=2):
        """How many times the throughput of `other` has `one`: in all, and for the same CPU time."""
        joint = other.joint_over(one) if one.joint and other.joint else None
        self.ratio(
            label, (one.over(other, "rate"), other.over(one, "cpu"), other.least("cpu") / one.least("cpu"), joint), aim, digits
        )

    def share(self, label, aim):
        """How large the ratio before the last is, as a part of the last."""
        ours, most = (values for _, values, _, _ in self.ratios[-2:])
        self.ratio(label, tuple(None if a is None else a / b for a, b in zip(ours, most, strict=True)), aim, 2)

    def dearer(self, label, one, other, aim):
        """How many times the cost of `other` has `one`."""
        self.ratio(
            label,
            (other.over(one, "rate"), one.over(other, "cpu"), one.least("cpu") / other.least("cpu"), one.joint_over(other)),
            aim,
            2,
        )

    def ratio(self, label, values, aim, digits):
        self.ratios.append((label, values, aim or Aim(), digits))

    def ratio_cells(self):
        for label, values, aim, digits in self.ratios:
            yield (label, *("" if value is None else f"{value:.{digits}f}" for value in values), aim.judge(values))

    def figure(self, label, value, aim=""):
        self.alone.append((label, value, aim))

    def note(self, text):
        self.notes.append(text)

    def __str__(self):
        tables = [
            table(("load", "server", "requests/s", "lowest to highest", "CPU us/request", "lowest"), self.turns, "llrrrr"),
            table(
                ("ratio", "by requests/s", "by CPU time", "by lowest CPU time", "at once", "aim"),
                list(self.ratio_cells()),
                "lrrrrl",
            ),
            table(("figure", "seen", "aim"), self.alone, "lrl"),
        ]
        return "\n\n".join([self.heading, *self.notes, *tables])


def table(titles, rows, sides):
    """Columns of one width, so that it reads on a terminal too; `sides` says l or r for each."""
    widths = [max(len(row[column]) for row in [titles, *rows]) for column in range(len(titles))]

    def line(cells):
        return (
            "| "
            + " | ".join(
                cell.ljust(width) if side == "l" else cell.rjust(width)
                for cell, width, side in zip(cells, widths, sides, strict=True)
            )
            + " |"
        )

    rule = (
        "|"
        + "|".join(
            "-" * (width + 2) if side == "l" else "-" * (width + 1) + ":" for width, side in zip(widths, sides, strict=True)
        )
        + "|"
    )
    return "\n".join([line(titles), rule, *map(line, rows)])


def heading(options):
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    linux = ".".join(platform.release().split(".")[:2])
    rustc = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout.split()
    return (
        f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB; Linux {linux}, "
        f"rustc {rustc[1] if rustc else 'unknown'}. Medians of {options.rounds} rounds; {options.seconds} s per turn, {WALK_SECONDS} s with "
        f"first-seen tokens; `wrk -t1 -c32`; {options.workers} worker thread(s) per server; load of the machine before: {os.getloadavg()[0]:.1f}."
    )


def replace_figures(path, figures):
    text = path.read_text()
    before, found, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise Failure(f"{path} has no place for the figures")
    path.write_text(f"{before}{BEGIN}\n{figures}\n{END}{after}")


def build():
    """The example in release, and where cargo put it."""
    done = subprocess.run(
        [
            "cargo",
            "build",
            "--release",
            "--locked",
            "-p",
            "tapisservice",
            "--example",
            "speed",
            "--message-format",
            "json-render-diagnostics",
        ],
        cwd=pathlib.Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    built = [json.loads(line) for line in done.stdout.splitlines()]
    if done.returncode or not any(message.get("executable") for message in built):
        missing("the example `speed` could not be built")
    return next(message["executable"] for message in built if message.get("executable"))


def missing(what):
    print(what, file=sys.stderr)
    sys.exit(2)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="length of a turn")
    parser.add_argument("--tokens", type=int, default=60_000, help="first-seen tokens; more than a turn can send")
    parser.add_argument("--tenants", type=int, default=1_000, help="tenants of the larger registry for lookups")
    parser.add_argument("--workers", type=int, default=1, help="worker threads of each Rust server")
    parser.add_argument("--python", type=pathlib.Path)
    parser.add_argument("--binary", type=pathlib.Path)
    parser.add_argument("--write", type=pathlib.Path)
    options = parser.parse_args()
    # Not resolved: the interpreter of an environment is a link, and found by where it lies.
    options.python = options.python and options.python.absolute()
    return options


if __name__ == "__main__":
    options = arguments()
    if not shutil.which("wrk"):
        missing("wrk is missing; on Debian: apt-get install wrk")
    if options.binary and not options.binary.exists():
        missing(f"there is no {options.binary}")
    if options.python and not options.python.exists():
        missing(f"there is no {options.python}; interop/setup.sh makes an environment")
    speed = Speed(options, options.binary.resolve() if options.binary else build())
    try:
        with Bench() as bench:
            speed(bench)
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")
