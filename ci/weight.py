#!/usr/bin/env python3
"""What a service costs to build: of the smallest one, `examples/smallest`, and of `bookmarks`; at a commit and, beside it, at another.

    weight.py                        the crates that each is made of, here and now
    weight.py --base 5a30f9d         the same at that commit too, side by side
    weight.py --base 5a30f9d --time  and the size of the program, the seconds of a build from nothing and of one after a changed handler

A commit is checked out into a temporary folder, and built in a target folder of its own, so that nothing is there before. The smallest
service is the one of the commit; commits before there was one get the same service in the form of that time. Crates are those of `cargo tree` without the ones
that only builds and tests need. Builds are for release. With `--time` each of four builds takes minutes, and nothing else should run
beside it. `bare` is the smallest service without the default features of tapisservice, where these can be left out. Standard library only.
"""

import argparse
import dataclasses
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SMALLEST = "examples/smallest"
# The smallest service as it was written before the first commit that has one.
OLD_DEPENDENCIES = "tapisservice.workspace = true\ntokio.workspace = true\n"
OLD_SOURCE = """use std::process::ExitCode;

use tapisservice::config::Config;
use tapisservice::prelude::*;
use tapisservice::{App, StartError, run};

async fn greet(identity: Identity) -> Envelope<String> {
    Envelope::new(format!("hello {}", identity.username()))
}

#[tokio::main]
async fn main() -> ExitCode {
    let routes = || Routes::new().route(Policy::authenticated(), "/greeting", axum::routing::get(greet));
    match Config::load(r#"{"properties": {}}"#) {
        Ok(config) => run(config, async |_, settings| Ok(App::builder(settings).routes(routes()))).await,
        Err(error) => StartError::from(error).exit_code(),
    }
}
"""
# Programs, each with the file and the text in it that stand for a changed handler.
PROGRAMS = {
    "smallest": ("examples/smallest/src/main.rs", '"hello {}"', '"good day {}"'),
    "bookmarks": ("crates/bookmarks/src/routes/whoami.rs", None, None),
}


@dataclasses.dataclass
class Weight:
    crates: int
    bytes: int | None = None
    cold: float | None = None
    changed: float | None = None


def crates(tree):
    """How many crates a printed `cargo tree --prefix none` names, each version once."""
    return len({" ".join(line.split()[:2]) for line in tree.splitlines() if line.strip()})


def with_member(manifest, member):
    """The root manifest with a member more, unless it has it."""
    if f'"{member}"' in manifest:
        return manifest
    opened = 'members = ["'
    if opened not in manifest:
        sys.exit("the root Cargo.toml has no list of members")
    return manifest.replace(opened, f'members = ["{member}", "', 1)


def without_defaults(manifest):
    """The manifest of the smallest service, without the default features of tapisservice."""
    inherited = "tapisservice.workspace = true"
    if inherited not in manifest:
        sys.exit(f"the manifest of the smallest service has no {inherited}")
    return manifest.replace(inherited, 'tapisservice = { path = "../../crates/tapisservice", default-features = false }')


def as_of_old(manifest):
    """The manifest of the smallest service for a commit that has none."""
    before, heading, _ = manifest.partition("[dependencies]\n")
    if not heading:
        sys.exit("the manifest of the smallest service has no dependencies")
    return before + heading + OLD_DEPENDENCIES


def changed(source, before, after):
    """A source with another handler: another text where one is named, else a function more."""
    if before is None:
        return source + "\n// A change.\n"
    if before not in source:
        sys.exit(f"there is no {before} to change")
    return source.replace(before, after, 1)


def table(weights):
    """Rows of (commit, program, weight) as text."""
    lines = [f"{'commit':<12} {'program':<10} {'crates':>6} {'MB':>7} {'cold s':>7} {'changed s':>9}"]
    for commit, program, weight in weights:
        size = "" if weight.bytes is None else f"{weight.bytes / 1e6:.1f}"
        cold = "" if weight.cold is None else f"{weight.cold:.0f}"
        again = "" if weight.changed is None else f"{weight.changed:.1f}"
        lines.append(f"{commit:<12} {program:<10} {weight.crates:>6} {size:>7} {cold:>7} {again:>9}")
    return "\n".join(lines)


# --- measuring


def run(command, folder, **more):
    return subprocess.run(command, cwd=folder, check=True, **more)


def tree(folder, program):
    command = ["cargo", "tree", "--quiet", "-p", program, "-e", "normal", "--prefix", "none"]
    return run(command, folder, stdout=subprocess.PIPE, text=True).stdout


def measure(folder, program, timed):
    weight = Weight(crates(tree(folder, program)))
    if timed:
        with tempfile.TemporaryDirectory(prefix="weight-target-") as target:
            build(folder, program, target, weight)
    return weight


def measure_bare(folder):
    """The smallest service without default features. It is the last to be measured: its manifest stays changed."""
    manifest = folder / SMALLEST / "Cargo.toml"
    manifest.write_text(without_defaults(manifest.read_text()))
    return Weight(crates(tree(folder, "smallest")))


def build(folder, program, target, weight):
    environment = {**os.environ, "CARGO_TARGET_DIR": target, "CARGO_INCREMENTAL": "0"}
    command = ["cargo", "build", "--release", "--quiet", "-p", program]
    run(["cargo", "fetch", "--quiet"], folder)
    weight.cold = seconds(command, folder, environment)
    weight.bytes = (pathlib.Path(target) / "release" / program).stat().st_size
    path, before, after = PROGRAMS[program]
    source = folder / path
    kept = source.read_text()
    source.write_text(changed(kept, before, after))
    try:
        weight.changed = seconds(command, folder, environment)
    finally:
        source.write_text(kept)


def seconds(command, folder, environment):
    start = time.monotonic()
    run(command, folder, env=environment)
    return time.monotonic() - start


def check_out(commit, folder):
    """A commit in a folder, with the smallest service."""
    run(["git", "worktree", "add", "--quiet", "--detach", str(folder), commit], ROOT)
    smallest = folder / SMALLEST
    if not smallest.exists():
        shutil.copytree(ROOT / SMALLEST, smallest)
        (smallest / "Cargo.toml").write_text(as_of_old((smallest / "Cargo.toml").read_text()))
        (smallest / "src/main.rs").write_text(OLD_SOURCE)
    manifest = folder / "Cargo.toml"
    manifest.write_text(with_member(manifest.read_text(), SMALLEST))


def main(arguments):
    parser = argparse.ArgumentParser(description="What a service costs to build.")
    parser.add_argument("--base", help="a commit to compare with")
    parser.add_argument("--time", action="store_true", help="build, for sizes and seconds")
    chosen = parser.parse_args(arguments)
    weights = []
    with tempfile.TemporaryDirectory(prefix="weight-") as scratch:
        for commit in filter(None, (chosen.base, "HEAD")):
            folder = pathlib.Path(scratch) / commit
            try:
                check_out(commit, folder)
                weights += [(commit[:12], program, measure(folder, program, chosen.time)) for program in PROGRAMS]
                weights.append((commit[:12], "bare", measure_bare(folder)))
            finally:
                subprocess.run(["git", "worktree", "remove", "--force", str(folder)], cwd=ROOT, check=False)
    print(table(weights))


if __name__ == "__main__":
    main(sys.argv[1:])
