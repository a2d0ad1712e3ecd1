#!/usr/bin/env python3
"""Shows the promises F01 to F32: the real service over real sockets while its registry, its callers and its surroundings fail.

    promises.py BINARIES [--long] [F01 F08 ...]

BINARIES is cargo's `target/debug`, with the examples `conformance` and `site`. Prints a table with
the figure seen for each promise, and passes when all are kept. It needs cargo, for the promises that tests in Rust show;
`openssl` or the package `cryptography`, to make keys; the library of `faketime`, to set a clock back; and `node` and `java` 11 or later,
whose clients it runs. --long lasts an hour.
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import platform
import re
import resource
import sys
import time
import typing

from harness import Failure, main
from promised import input as requests
from promised import mixed, pooled, registry, rust, server
from promised.stage import Stage


@dataclasses.dataclass
class Promise:
    id: str
    fault: str
    # The functions of this folder that show it; the tests in Rust that do are in `promised/rust.py`.
    show: typing.Callable | None = None
    # What neither of them shows.
    not_shown: str = ""
    # Times are told, so it runs while nothing else does.
    alone: bool = False


BOUND_BY_TIME = "that p99 stays within twice: callers and service share the cores, so the times are told and not judged"
PROMISES = [
    Promise("F01", "registry down at start", registry.f01),
    Promise("F02", "registry down later", registry.f02, "24 h by the wall: in Rust, on a paused clock"),
    Promise("F03", "registry slow, hangs, drips", registry.f03),
    Promise("F04", "registry flaps", registry.f04),
    Promise("F05", "registry answers garbage", registry.f05),
    Promise("F06", "bad records", registry.f06),
    Promise("F07", "key rotation", registry.f07),
    Promise("F08", "10,000 forged tokens", registry.f08, BOUND_BY_TIME, alone=True),
    Promise("F09", "unknown tenants", registry.f09),
    Promise(
        "F11", "clock steps back", registry.f11, "while the clock is wrong, a token that has expired is good: nobody could know"
    ),
    Promise("F12", "token service down at refresh"),
    Promise("F13", "500 callers at expiry"),
    Promise("F14", "database down at start"),
    Promise("F15", "database killed under load", not_shown="loss of power: what PostgreSQL acknowledged is its disk's to keep"),
    Promise("F16", "pool exhausted"),
    Promise("F18", "SIGTERM under load", server.f18),
    Promise("F19", "panics", server.f19),
    Promise("F20", "slow connections", server.f20, BOUND_BY_TIME, alone=True),
    Promise("F21", "oversize", server.f21),
    Promise("F22", "malformed JSON", requests.f22, "fuzzing that is guided by coverage: `python3 ci/fuzz.py` does that"),
    Promise("F23", "attack loop", requests.f23),
    Promise("F24", "canary secrets at TRACE"),
    Promise("F25", "addresses of a canary", requests.f25),
    Promise("F26", "bad config files", requests.f26),
    Promise("F27", "callers that hang up"),
    Promise(
        "F28",
        "mixed load and faults",
        mixed.f28,
        "the hour: `--long`, by hand; memory with several arenas of glibc (the service has one here), which grow apart for minutes before they are flat",
    ),
    Promise(
        "F29",
        "bodies that nobody reads",
        pooled.f29,
        "clients whose body needs more than 5 s, or 2 s after a close that was announced",
    ),
    Promise("F30", "clients that close their side", pooled.f30),
    Promise(
        "F31",
        "registry answers that are made to be costly",
        registry.f31,
        "that nobody waits over 100 ms: callers, registry and a debug build share the cores, so the times are told and judged with room",
        alone=True,
    ),
    Promise("F32", "handlers mounted in every way"),
]
# Most of them wait for most of the time.
AT_ONCE = 5
DESCRIPTORS = 8192
# These last longest.
FIRST = ("F28", "F07", "F09", "F01")


class Run:
    def __init__(self, bench, binaries, long, chosen):
        self.bench, self.chosen = bench, chosen
        self.stage = Stage(bench, binaries, long)
        self.rows = {}

    def everything(self):
        start = time.monotonic()
        shown = [promise for promise in self.chosen if promise.show]
        with self.stage.pool, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            figures = {promise.id: self.attempt(promise) for promise in shown if promise.alone}
            tests = pool.submit(rust.Results, {promise.id for promise in self.chosen})
            others = sorted((promise for promise in shown if not promise.alone), key=lambda promise: promise.id not in FIRST)
            waiting = {promise.id: pool.submit(self.attempt, promise) for promise in others}
            figures.update({id: future.result() for id, future in waiting.items()})
            tests = tests.result()
        rows = [self.row(promise, figures.get(promise.id), tests) for promise in self.chosen]
        self.print_table(rows, time.monotonic() - start)
        failed = [row[0] for row in rows if row[-1] != "kept"]
        if failed:
            sys.exit(f"FAILED: {', '.join(failed)}")

    def attempt(self, promise):
        """(figure, whether the promise is kept)."""
        start = time.monotonic()
        try:
            figure = promise.show(self.stage), True
        except Exception as error:  # pylint: disable=broad-except  # one that fails must not hide the others
            figure = f"{type(error).__name__}: {error}" if not isinstance(error, Failure) else str(error), False
            for program in self.bench.running:
                if program.name.startswith(promise.id.lower()):
                    program.show_tail()
        print(f"{'ok    ' if figure[1] else 'FAILED'} {promise.id} {figure[0]} [{time.monotonic() - start:.0f} s]", flush=True)
        return figure

    @staticmethod
    def row(promise, figure, tests):
        figures, places, kept = [], [], True
        if promise.show:
            figures.append(figure[0])
            places.append(f"`ci/promised/{pathlib.Path(promise.show.__code__.co_filename).name}`")
            kept = figure[1]
        if rust.tests_of(promise.id):
            places += sorted({f"`{package}`, {target}" for package, target, _ in rust.tests_of(promise.id)})
            try:
                figures.append(tests.figure(promise.id))
            except Failure as failure:
                figures.append(str(failure))
                kept = False
        return promise.id, promise.fault, "; ".join(figures), "; ".join(places), promise.not_shown, "kept" if kept else "FAILED"

    @staticmethod
    def print_table(rows, seconds):
        print("\n| id | fault | figure seen | shown by | not shown here | outcome |\n|---|---|---|---|---|---|")
        for row in rows:
            print("|", " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row), "|")
        kept = sum(row[-1] == "kept" for row in rows)
        print(f"\n{kept} of {len(rows)} promises are kept; {seconds:.0f} s on {machine()}\n", flush=True)


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB of memory"


def suite(arguments):
    long = "--long" in arguments
    binaries, *ids = [argument for argument in arguments if argument != "--long"]
    unknown = set(ids) - {promise.id for promise in PROMISES}
    if unknown:
        sys.exit(f"no promise {', '.join(sorted(unknown))}")
    chosen = [promise for promise in PROMISES if not ids or promise.id in ids]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, DESCRIPTORS), hard))
    folder = pathlib.Path(binaries).resolve()
    return lambda bench: Run(bench, folder, long, chosen).everything()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(suite(sys.argv[1:]))
