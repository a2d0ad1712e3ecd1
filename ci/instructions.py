#!/usr/bin/env python3
"""Counts the instructions of a request through the whole stack, and compares them with the kept file.

    python3 ci/instructions.py            compare with ci/instructions.json; fails when a count grew by more than the tolerance
    python3 ci/instructions.py --update   write that file anew: after a change that is worth its price, or that saved some

It builds the example `instructions` of the crate `tapisservice` for release and runs it under `valgrind --tool=callgrind`. Counts do
not depend on how busy the machine is; they do depend a little on the compiler and the C library, hence the tolerance. Time spent in
the kernel is not in them. To see where instructions go: `--annotate` prints the functions that cost most.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASELINE = ROOT / "ci" / "instructions.json"
TOLERANCE = 0.03
REQUESTS = 50
KINDS = ["known_token", "first_seen_token", "bare_axum"]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--update", action="store_true", help="write the kept file anew")
    arguments.add_argument("--annotate", choices=KINDS, help="print the functions that cost most")
    arguments = arguments.parse_args()
    program = build()
    with tempfile.TemporaryDirectory() as folder:
        profile = pathlib.Path(folder) / "callgrind.out"
        if arguments.annotate:
            run(program, profile, [arguments.annotate])
            print(annotated(profile, "no", 99))
            return 0
        run(program, profile, KINDS)
        counts = {kind: per_request(annotated(profile, "yes", 100), kind) for kind in KINDS}
    show(counts)
    if arguments.update:
        BASELINE.write_text(json.dumps(counts, indent=2) + "\n")
        return 0
    return compare(counts, json.loads(BASELINE.read_text()))


def build():
    command = ["cargo", "build", "--release", "--locked", "-p", "tapisservice", "--example", "instructions"]
    command += ["--message-format", "json-render-diagnostics"]
    lines = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    programs = [message.get("executable") for message in map(json.loads, lines)]
    return [program for program in programs if program][-1]


def run(program, profile, kinds):
    command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={profile}"]
    command += [f"--toggle-collect=*counted_{kind}*" for kind in kinds]
    done = subprocess.run([*command, program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nthe program failed under valgrind")


def annotated(profile, inclusive, threshold):
    command = ["callgrind_annotate", f"--inclusive={inclusive}", f"--threshold={threshold}", "--auto=no", str(profile)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def per_request(report, kind):
    found = [re.match(r"\s*([\d,]+) ", line) for line in report.splitlines() if f"counted_{kind}" in line]
    if not found:
        sys.exit(f"counted_{kind} is not in the profile")
    return max(int(match[1].replace(",", "")) for match in found if match) // REQUESTS


def show(counts):
    bare = counts["bare_axum"]
    for kind, count in counts.items():
        print(f"{kind:<18} {count:>9,} instructions a request   {count / bare:6.2f} times bare axum without a socket")


def compare(counts, kept):
    grown = [kind for kind in KINDS if counts[kind] > kept[kind] * (1 + TOLERANCE)]
    for kind in KINDS:
        change = counts[kind] / kept[kind] - 1
        print(f"{kind:<18} {change:+.1%} against the kept {kept[kind]:,}")
        if change < -TOLERANCE:
            print(f"{'':<18} better than kept: python3 ci/instructions.py --update")
    if grown:
        print(f"more than {TOLERANCE:.0%} more instructions: {', '.join(grown)}")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
