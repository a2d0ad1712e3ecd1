#!/usr/bin/env python3
"""Says which steps of the gate are due, and keeps the record of the commits on which the gate passed.

    steps.py plan RECORD                  a line per step: its name, its budget in seconds, and `due`, `by-name` or the commit since which
                                          it holds
    steps.py record RECORD COMMIT STEP... notes that these steps hold for the commit, if that is what is checked out

A step is skipped when nothing that it is made of changed, in commits or in the working tree, since

- the commit that `CI_BASE` names, if that is set;
- otherwise the newest ancestor in RECORD for which the step holds.

Without either, everything is due. RECORD has a line for each commit on which the gate passed, with the steps that held there: those that
ran, and those that were skipped because they held before. A step that could not run, such as `images` without a Docker engine, is not
among them, so it stays due. Standard library only.
"""

import dataclasses
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# How the gate itself works. A step is never skipped after a change here.
GATE = (".ci", "ci/steps.py")
MANIFESTS = (
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "crates/*/Cargo.toml",
    "crates/*/build.rs",
    "examples/*/Cargo.toml",
)
# What ends up in the programs, with the files that they include.
PROGRAMS = (*MANIFESTS, "crates/*/src", "configschema.json", "config-local.json", "migrations")
PYTEST = ("ci/requirements.txt", "ci/pytest.ini", "ci/conftest.py")
SUITES = ("ci/harness.py", "ci/evidence.py", *PYTEST)


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    # A step that needs more gets a warning in the summary.
    budget: int
    # Patterns of paths; a pattern stands for what lies beneath, too. Without any the step always runs.
    made_of: tuple = ()
    # Left out unless it is asked for.
    by_name: bool = False


STEPS = (
    Step("fmt", 10),
    Step("tools", 300),
    Step("lint", 60),
    Step("build", 240),
    Step("test", 480),
    Step("clippy", 240),
    Step("doc", 90),
    Step("deny", 30),
    Step("advisories", 60, by_name=True),
    Step("unused", 10),
    Step("features", 240),
    Step("api", 120),
    Step("semver", 300),
    Step("bare", 60),
    Step("conformance", 60),
    Step("legacy", 45),
    Step("attacks", 60),
    Step(
        "endurance",
        360,
        (
            *PROGRAMS,
            *SUITES,
            "crates/tapisservice/examples",
            "conformance",
            "security",
            "ci/test_conformance.py",
            "ci/test_attacks.py",
            "ci/attacks.py",
        ),
    ),
    Step("console", 120),
    Step("interop", 60),
    Step("services", 60),
    Step(
        "kubernetes",
        30,
        (*PYTEST, "deploy/kubernetes", "docs/CONFIGURATION.md", "ci/test_kubernetes.py"),
    ),
    Step(
        "promises",
        330,
        (
            *PROGRAMS,
            *SUITES,
            "crates/*/tests",
            "crates/*/examples",
            "conformance/*.py",
            "security/faulty_registry.py",
            "ci/test_promises.py",
            "ci/promised",
        ),
    ),
    Step(
        "speed",
        120,
        (*PROGRAMS, *SUITES, "crates/tapisservice/examples", "conformance/*.py", "interop", "ci/speed.py", "ci/load.*"),
    ),
    Step("instructions", 300, (*PROGRAMS, "crates/tapisservice/examples", "crates/tapisservice/benches", "ci/instructions.*")),
    Step("fuzz", 360, (*PROGRAMS, "fuzz", "ci/fuzz.py")),
    Step(
        "images",
        1080,
        (
            *PROGRAMS,
            *SUITES,
            "crates/*/examples",
            "crates/*/benches",
            "Dockerfile*",
            ".dockerignore",
            ".env.example",
            "docker-compose.yml",
            "deploy/compose",
            "ci/test_images.py",
            "ci/composition.py",
            "ci/standins.py",
        ),
    ),
)


def plan(record, repository, base=None):
    """For each step the commit since which it holds, or None when it is due."""
    commits = None if base else history(repository)
    changes = {}

    def since(commit):
        if commit not in changes:
            changes[commit] = changed_paths(repository, commit)
        return changes[commit]

    def held(step):
        if not step.made_of:
            return None
        commit = base or next((one for one in commits if step.name in record.get(one, ())), None)
        return commit if commit and not touches(step, since(commit)) else None

    return {step.name: held(step) for step in STEPS}


def touches(step, paths):
    """Whether the step is made of one of the paths."""
    patterns = [matcher(pattern) for pattern in (*GATE, *step.made_of)]
    return any(pattern.match(path) for path in paths for pattern in patterns)


def matcher(pattern):
    """`*` stands for a part of one name; what is named may be a folder."""
    return re.compile("[^/]*".join(map(re.escape, pattern.split("*"))) + r"(/.*)?\Z")


# --- the record


def read_record(file):
    """The steps that hold, by commit."""
    lines = file.read_text().splitlines() if file.exists() else []
    return {commit: set(names) for commit, *names in map(str.split, lines) if names}


def write_record(file, repository, commit, steps):
    """Whether it was noted. What is not committed, or was committed meanwhile, is not what passed."""
    if uncommitted(repository) or git(repository, "rev-parse", "HEAD").strip() != commit:
        return False
    record = {**read_record(file), commit: set(steps)}
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_text("".join(f"{commit} {' '.join(sorted(names))}\n" for commit, names in record.items()))
    new.replace(file)
    return True


# --- git


def history(repository):
    """HEAD and its ancestors, newest first; of an unpacked archive none."""
    if subprocess.run(
        ["git", "rev-parse", "--quiet", "--verify", "HEAD"], cwd=repository, capture_output=True, check=False
    ).returncode:
        return []
    return git(repository, "rev-list", "--topo-order", "HEAD").split()


def changed_paths(repository, commit):
    """What differs from the commit, in later commits or in the working tree; of a renamed file both names."""
    listed = git(repository, "diff", "--name-only", "--no-renames", "-z", commit, "--")
    return {path for path in listed.split("\0") if path} | untracked(repository)


def uncommitted(repository):
    return bool(git(repository, "status", "--porcelain"))


def untracked(repository):
    return {path for path in git(repository, "ls-files", "--others", "--exclude-standard", "-z").split("\0") if path}


def git(repository, *arguments):
    return subprocess.run(["git", *arguments], cwd=repository, stdout=subprocess.PIPE, text=True, check=True).stdout


def find_base(repository, name):
    """The commit that `CI_BASE` names, at the point where this branch left it."""
    found = subprocess.run(
        ["git", "merge-base", f"{name}^{{commit}}", "HEAD"], cwd=repository, capture_output=True, text=True, check=False
    )
    if found.returncode:
        sys.exit(f"CI_BASE={name} names no commit that this branch and it have in common; fetch it, or unset CI_BASE")
    return found.stdout.strip()


def main(arguments):
    if len(arguments) < 2 or arguments[0] not in ("plan", "record"):
        sys.exit(__doc__)
    command, file, *rest = arguments
    file = pathlib.Path(file)
    if command == "record":
        noted = write_record(file, ROOT, rest[0], rest[1:])
        print("recorded" if noted else "not recorded: there are changes that are not committed, or were not when the gate began")
        return
    name = os.environ.get("CI_BASE")
    held = plan(read_record(file), ROOT, find_base(ROOT, name) if name else None)
    for step in STEPS:
        print(step.name, step.budget, "by-name" if step.by_name else held[step.name] or "due")


if __name__ == "__main__":
    main(sys.argv[1:])
