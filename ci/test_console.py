"""Types the commands of the pages, as a reader does, and compares what they print with what the page shows.

    pytest ci/test_console.py

Every `console` block of a page in `PAGES` is typed, from the top of the page to its end, in one shell. Its folder is empty but for links to what
the repository has at its root, so a service finds the files of a checkout and leaves its data in the temporary folder. The folder of TEMPLATE is
empty, and what it clones is this repository. `cargo run` without arguments starts the service and goes on once it is ready; every other
command has to end with 0. Printed lines have to be those of the page, except

- `...`, which stands for any text in its line, and alone in a line for any number of lines;
- ids, times and ports: another one may be printed, and from then on it stands for the one of the page, also in later commands;
- durations (`4 ms`).

A command without lines below it may print what it likes. A block that is not typed here is a `sh` block, and `NOT_TYPED` says why. The programs
have to be built: `cargo build`, and `cargo build -p tapisservice-config --examples`.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import threading

import pages
import pytest
from harness import DEAD_PROXIES, clean_environment, get_status
from newcomer import site_port

CASES = 8
# For one command. Most take a second, unless cargo has to build what changed.
LIMIT = 300
SERVICE = "cargo run"
TEMPLATE = "docs/TEMPLATE.md"
# How many commands each page has. The number fails when a block is not found any more.
PAGES = {
    "README.md": 11,
    "CONTRIBUTING.md": 2,
    "crates/bookmarks/README.md": 5,
    "docs/CONFIGURATION.md": 1,
    "docs/DATABASE.md": 4,
    TEMPLATE: 11,
}
# Commands that take minutes, and the step of `.ci/run` that runs them anyway.
IN_STEPS = {"cargo test --workspace": "test"}
# Pages with `sh` blocks, and why nobody types them here.
NOT_TYPED = {
    "conformance/README.md": "the steps `conformance` and `endurance` run these suites",
    "crates/tapisservice-client/tests/spec/openapi/README.md": "it changes the sources: a test compares the outcome",
    "docs/OPERATIONS.md": "they need a Docker engine or a cluster: the steps `images` and `kubernetes` do what they do",
    "docs/PERFORMANCE.md": "they measure for minutes: the step `speed` runs the same program",
    "docs/PROMISES.md": "they take minutes: the step `promises` runs the suite",
    "docs/SECURITY.md": "the step `test` generates the attacks and runs the same tests",
    TEMPLATE: "they build everything anew, need a Tapis site or a Docker engine",
    "examples/official-sdk/README.md": "it builds the 90,000 lines of the SDK",
    "fuzz/README.md": "it builds everything anew, instrumented: the step `fuzz` does it",
    "interop/README.md": "the steps `interop` and `services` run these programs",
    "security/README.md": "the steps `attacks` and `endurance` run these suites",
}

# The workspace is the one of the checkout, with its built programs, and the folder is the one of the reader.
WORKSPACE = f'cargo() {{ command cargo "$1" --manifest-path \'{pages.ROOT}/Cargo.toml\' "${{@:2}}"; }}'
# What is cloned is this repository.
CLONE = f"git() {{ command git -c 'url.{pages.ROOT}.insteadOf={pages.REPOSITORY}' -c init.defaultBranch=main \"$@\"; }}"

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
PORT = r"(?<=localhost:)\d+|(?<=127\.0\.0\.1:)\d+"
VARYING = re.compile(rf"(?P<uuid>{UUID})|(?P<time>{TIME})|(?P<port>{PORT})|(?P<duration>\b\d+ ms\b)|(?P<any>\.\.\.)")
VALUES = {"uuid": UUID, "time": TIME, "port": r"\d+"}


class Shell:
    """A bash that keeps its variables from one command to the next."""

    END = "end-of-command"

    def __init__(self, folder, environment):
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )

    def run(self, command):
        """The exit code and the printed lines."""
        timer = threading.Timer(LIMIT, os.killpg, (self.process.pid, signal.SIGKILL))
        timer.start()
        try:
            self.write(f"{{ {command}\n}} </dev/null; printf '\\n%s %d\\n' {self.END} $?")
            printed = []
            for line in self.process.stdout:
                if line.startswith(f"{self.END} "):
                    # The line end before the mark is ours where the command has ended its last line.
                    text = "".join(printed).removesuffix("\n")
                    return int(line.split()[1]), text.splitlines()
                printed.append(line)
        finally:
            timer.cancel()
        raise AssertionError(f"not finished within {LIMIT} s, or the shell has ended:\n{''.join(printed)}")

    def write(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def end(self):
        self.process.stdin.close()
        self.process.wait(LIMIT)
        self.process.stdout.close()


class Reader:
    """Somebody who types a page from top to bottom, and remembers which value stands for which of the page."""

    def __init__(self, bench, page, folder):
        self.bench, self.page, self.folder = bench, page, folder
        self.environment = {**clean_environment(), **toolchain(), **DEAD_PROXIES, "no_proxy": "localhost,127.0.0.1"}
        self.shell = Shell(folder, self.environment)
        self.shell.write(CLONE if page == TEMPLATE else WORKSPACE)
        self.values, self.services, self.faults = {}, [], []

    def type(self, command):
        bare = re.sub(r"\s+#.*", "", command.text)
        if bare in IN_STEPS:
            assert bare in step(IN_STEPS[bare]), f"the step {IN_STEPS[bare]} of .ci/run does not run `{bare}` any more"
        elif bare == SERVICE:
            self.compare(command, self.serve(), anywhere=True)
        else:
            code, printed = self.shell.run(self.actual(command.text))
            if code != 0:
                self.fault(command, f"it ends with {code}", printed)
            elif command.output:
                self.compare(command, printed)

    def serve(self):
        """Starts the service, waits until it is ready, and returns what it has printed."""
        started = ["cargo", "run", "--manifest-path", pages.ROOT / "Cargo.toml"]
        service = self.bench.start(
            f"service-{len(self.bench.running)}", *started, cwd=self.folder, environment={**toolchain(), **DEAD_PROXIES}
        )
        self.services.append(service)
        port = site_port(service)
        service.wait(lambda: get_status(port, "/v3/bookmarks/ready") == 200, "be ready through its site")
        return service.log.read_text("utf-8").splitlines()

    def compare(self, command, printed, anywhere=False):
        pattern, groups = self.pattern(command.output)
        text = "".join(line.rstrip() + "\n" for line in pages.without_blank_end(printed))
        found = re.search("(?m:^)" + pattern, text) if anywhere else re.fullmatch(pattern, text)
        if not found:
            self.fault(command, "it prints something else", printed)
        else:
            self.values.update({value: found[group] for value, group in groups.items()})

    def pattern(self, lines):
        """A regular expression for the printed lines, and its groups for values that are new."""
        parts, groups = [], {}
        for line in lines:
            parts.append("(?:.*\n)*?" if line.strip() == "..." else self.line_pattern(line.rstrip(), groups) + "\n")
        return "".join(parts), groups

    def line_pattern(self, line, groups):
        parts, end = [], 0
        for found in VARYING.finditer(line):
            parts += [re.escape(line[end : found.start()]), self.value_pattern(found, groups)]
            end = found.end()
        return "".join([*parts, re.escape(line[end:])])

    def value_pattern(self, found, groups):
        kind, value = found.lastgroup, found[0]
        if kind == "any":
            return ".*?"
        if kind == "duration":
            return r"\d+ ms"
        if value in self.values:
            return re.escape(self.values[value])
        if value in groups:
            return f"(?P={groups[value]})"
        groups[value] = f"value{len(groups)}"
        return f"(?P<{groups[value]}>{VALUES[kind]})"

    def actual(self, text):
        """What is typed: the values seen in place of those of the page."""
        return VARYING.sub(lambda found: self.values.get(found[0], found[0]), text)

    def fault(self, command, what, printed):
        shown = ["  " + line for line in command.output] or ["  (nothing)"]
        self.faults.append(
            "\n".join(
                [f"{command.page}:{command.line}: {what}", "typed:"]
                + ["  " + line for line in self.actual(command.text).splitlines()]
                + ["printed:", *("  " + line for line in printed[-40:]), "the page shows:", *shown]
            )
        )

    def end(self):
        self.bench.stop(*self.services)
        self.shell.end()


def toolchain():
    """The variables of cargo and rustup, which say where the toolchain and its settings are."""
    return {name: value for name, value in os.environ.items() if name.startswith(("CARGO", "RUSTUP", "CC", "RUSTFLAGS"))}


def step(name):
    """The text of a step of the gate."""
    return re.search(rf"^step_{name}\(\) \{{\n(.*?)^\}}", (pages.ROOT / ".ci/run").read_text(), re.MULTILINE | re.DOTALL)[1]


def checkout(bench, page):
    """A folder that looks like the checkout and takes what is written into it."""
    folder = bench.folder / page.replace("/", "-")
    folder.mkdir()
    if page == TEMPLATE:
        return folder
    listed = subprocess.run(
        ["git", "ls-tree", "--name-only", "HEAD"], cwd=pages.ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        if (pages.ROOT / name).exists():
            (folder / name).symlink_to(pages.ROOT / name)
    return folder


def write_files(page, folder):
    """CONFIGURATION shows the file that its command reads."""
    for block in pages.blocks(page):
        if block.info == "json" and any("LOUD" in line for line in block.lines):
            text = "\n".join(block.lines)
            json.loads(text)
            (folder / "config.json").write_text(text)


def check_copy(folder):
    """The service that TEMPLATE makes: no word of the example is left, and cargo finds it, with the framework from git alone."""
    left = [path for path in folder.rglob("*") if ".git" not in path.parts and "bookmark" in path.name.lower()]
    left += [
        path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts and b"ookmark" in path.read_bytes()
    ]
    assert not left, f"files with the name of the example: {left}"
    command = ["cargo", "metadata", "--no-deps", "--offline", "--format-version", "1"]
    found = json.loads(
        subprocess.run(
            command, cwd=folder, stdout=subprocess.PIPE, check=True, timeout=LIMIT, env={**clean_environment(), **toolchain()}
        ).stdout
    )
    (package,) = found["packages"]
    assert package["name"] == "notes"
    ours = {one["name"]: one["source"] for one in package["dependencies"] if one["name"].startswith("tapisservice")}
    assert len(ours) >= 2, ours
    assert set(ours.values()) == {f"git+{pages.REPOSITORY}"}, ours
    for dockerfile in folder.glob("Dockerfile*"):
        text = dockerfile.read_text()
        copied = [word for line in re.findall(r"^COPY (?!--)(.*)$", text, re.MULTILINE) for word in line.split()[:-1]]
        missing = [path for path in copied if not (folder / path).exists()]
        assert copied, dockerfile.name
        assert not missing, f"{dockerfile.name} copies what is not there: {missing}"
        assert "examples/*;" not in text, dockerfile.name


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_its_commands_print(bench, figure, page):
    folder = checkout(bench, page)
    write_files(page, folder)
    typed = [command for block in pages.blocks(page) if block.info == "console" for command in pages.commands(block)]
    reader = Reader(bench, page, folder)
    try:
        for command in typed:
            reader.type(command)
        if page == TEMPLATE and not reader.faults:
            check_copy(folder / "notes")
    finally:
        reader.end()
        shutil.rmtree(folder)
    assert not reader.faults, "\n\n".join(["the page and the program differ", *reader.faults])
    assert len(typed) == PAGES[page], f"{page} has {len(typed)} commands, `PAGES` says {PAGES[page]}"
    figure(f"{len(typed)} commands")


def test_every_page_with_console_blocks_is_typed():
    with_console = {page for page in pages.pages() if any(block.info == "console" for block in pages.blocks(page))}
    assert with_console == set(PAGES)


def test_every_page_with_other_commands_says_why_they_are_not_typed():
    with_sh = {page for page in pages.pages() if any(block.info in ("sh", "bash", "shell") for block in pages.blocks(page))}
    assert with_sh == set(NOT_TYPED)
