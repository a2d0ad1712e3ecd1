"""Shows the chosen promises, several at once, and says what came of each."""

import concurrent.futures
import os
import pathlib
import platform
import re
import time
import typing

from harness import Failure

from . import rust
from .stage import Stage

# Most of them wait for most of the time.
AT_ONCE = 5
# These last longest.
FIRST = ("F28", "F07", "F09", "F01")


class Row(typing.NamedTuple):
    """A row of the table: what was seen of a promise."""

    id: str
    fault: str
    figure: str
    shown_by: str
    not_shown: str
    outcome: str

    @property
    def kept(self):
        return self.outcome == "kept"

    def __str__(self):
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in self) + " |"


class Run:
    """Of the chosen promises; `rows` has what was seen, in their order."""

    def __init__(self, bench, binaries, long, chosen):
        self.bench, self.chosen = bench, chosen
        self.stage = Stage(bench, binaries, long)
        start = time.monotonic()
        figures, tests = self.everything()
        self.rows = {promise.id: self.row(promise, figures.get(promise.id), tests) for promise in chosen}
        self.seconds = time.monotonic() - start

    def everything(self):
        shown = [promise for promise in self.chosen if promise.show]
        with self.stage.pool, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            figures = {promise.id: self.attempt(promise) for promise in shown if promise.alone}
            tests = pool.submit(rust.Results, {promise.id for promise in self.chosen})
            others = sorted((promise for promise in shown if not promise.alone), key=lambda promise: promise.id not in FIRST)
            waiting = {promise.id: pool.submit(self.attempt, promise) for promise in others}
            figures.update({id: future.result() for id, future in waiting.items()})
            return figures, tests.result()

    def attempt(self, promise):
        """(figure, whether the promise is kept)."""
        start = time.monotonic()
        try:
            figure = promise.show(self.stage), True
        except Exception as error:  # one that fails must not hide the others
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
        outcome = "kept" if kept else "FAILED"
        return Row(promise.id, promise.fault, "; ".join(figures), "; ".join(places), promise.not_shown, outcome)

    def table(self):
        """In Markdown, as docs/PROMISES.md has it."""
        kept = sum(row.kept for row in self.rows.values())
        heading = "| id | fault | figure seen | shown by | not shown here | outcome |\n|---|---|---|---|---|---|"
        ending = f"\n{kept} of {len(self.rows)} promises are kept; {self.seconds:.0f} s on {machine()}\n"
        return "\n".join([heading, *map(str, self.rows.values()), ending])


def machine():
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return f"{model[1] if model else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB of memory"
