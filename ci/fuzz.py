#!/usr/bin/env python3
"""Builds the fuzz targets of fuzz/ and runs each for a moment: all its seeds, and a bounded exploration from there.

    python3 ci/fuzz.py                        a few seconds for each
    python3 ci/fuzz.py --seconds 600 token    longer, and one of them

It needs cargo-fuzz (`cargo install --locked cargo-fuzz`) and a C++ compiler, and no nightly toolchain, as there is no sanitizer: what is
looked for are panics and broken promises. An input that breaks one is kept in fuzz/artifacts/<target>.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
FUZZ = REPOSITORY / "fuzz"
TARGETS = ["configuration", "headers", "list", "openapi", "registry", "request_json", "token"]
# No input takes a second, even where many builds share the machine.
INPUT_SECONDS = 60
TAIL_LINES = 40


def main():
    parser = argparse.ArgumentParser(description="Builds and runs the fuzz targets.")
    parser.add_argument("targets", nargs="*", metavar="target", help=f"{', '.join(TARGETS)}; all when none is named")
    parser.add_argument("--seconds", type=int, default=5, help="how long each explores at most (5)")
    parser.add_argument("--runs", type=int, default=-1, help="how many inputs each tries at most")
    parser.add_argument("--seed", type=int, default=1, help="of the exploration; 0 takes another one each time (1)")
    wanted = parser.parse_args()
    targets = wanted.targets or TARGETS
    if unknown := set(targets) - set(TARGETS):
        parser.error(f"no target {', '.join(sorted(unknown))}")
    failures = check_folders()
    programs = build()
    print(f"{'target':<14} {'seeds':>5} {'executions':>10} {'coverage':>8}")
    executions = 0
    for target in targets:
        count, problem = run(target, programs / target, wanted)
        executions += count
        if problem:
            failures.append(f"{target}: {problem}")
    print(f"{len(targets)} targets, {executions} executions")
    for failure in failures:
        print(f"FAILED {failure}")
    sys.exit(bool(failures))


def check_folders():
    """What is there is what is run."""
    sources = sorted(path.stem for path in (FUZZ / "fuzz_targets").glob("*.rs"))
    seeds = sorted(path.name for path in (FUZZ / "seeds").iterdir())
    return [f"{what} are {found}" for what, found in (("targets", sources), ("folders of seeds", seeds)) if found != TARGETS]


def build():
    """The folder of the built targets."""
    host = re.search(r"^host: (\S+)$", output("rustc", "-vV"), re.MULTILINE).group(1)
    # Targets need no room of their own, but what they are built from is instrumented.
    folder = pathlib.Path(os.environ.get("TAPIS_FUZZ_TARGET", FUZZ / "target"))
    command = ["cargo", "fuzz", "build", "--sanitizer", "none", "--target-dir", folder]
    if subprocess.run(command, cwd=REPOSITORY).returncode != 0:
        sys.exit("FAILED to build the targets")
    return folder / host / "release"


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def run(target, program, wanted):
    """How many inputs it tried, and what is wrong, if anything."""
    seeds = FUZZ / "seeds" / target
    artifacts = FUZZ / "artifacts" / target
    artifacts.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tapisservice-fuzz-") as folder:
        corpus = pathlib.Path(folder) / "corpus"
        corpus.mkdir()
        options = [
            f"-max_total_time={wanted.seconds}",
            f"-runs={wanted.runs}",
            f"-seed={wanted.seed}",
            f"-timeout={INPUT_SECONDS}",
            f"-artifact_prefix={artifacts}/",
            "-print_final_stats=1",
            "-max_len=4096",
        ]
        # The temporary files of the targets go with the folder.
        result = subprocess.run(
            [program, *options, corpus, seeds],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": folder},
        )
    log = result.stdout.decode(errors="replace")
    count = number(r"stat::number_of_executed_units: *(\d+)", log)
    coverage = max((int(found) for found in re.findall(r"cov: (\d+)", log)), default=0)
    given = len(list(seeds.iterdir()))
    print(f"{target:<14} {given:>5} {count:>10} {coverage:>8}", flush=True)
    if result.returncode != 0:
        print("\n".join(log.splitlines()[-TAIL_LINES:]))
        return count, f"exit code {result.returncode}; the input is in {artifacts.relative_to(REPOSITORY)}"
    if given == 0 or count <= given:
        return count, f"only {count} executions with {given} seeds"
    if coverage == 0:
        return count, "it is blind: nothing is instrumented"
    return count, None


def number(pattern, text):
    found = re.search(pattern, text)
    return int(found.group(1)) if found else 0


if __name__ == "__main__":
    main()
