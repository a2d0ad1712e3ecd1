"""What the gate skips, on repositories of a few files."""

import re
import subprocess

import pytest
import steps

CASES = 52
ALWAYS = {"fmt", "tools", "lint", "build", "test", "clippy", "doc", "deny", "unused", "features", "api", "semver", "bare"}
SLOW = {step.name for step in steps.STEPS if step.made_of}


class Repository:
    """A repository in a temporary folder, with a record of its own."""

    def __init__(self, folder):
        self.folder, self.record = folder / "checkout", folder / "target" / "ci" / "passed"
        self.folder.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("config", "user.name", "somebody")
        self.git("config", "user.email", "somebody@example.org")
        self.git("config", "commit.gpgsign", "false")

    def git(self, *arguments):
        return subprocess.run(["git", *arguments], cwd=self.folder, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()

    def write(self, path, text):
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def commit(self, path, text="text"):
        self.write(path, text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", f"{path}: {text}")
        return self.git("rev-parse", "HEAD")

    def passed(self, *names):
        """The gate passed on what is checked out."""
        return steps.write_record(self.record, self.folder, self.git("rev-parse", "HEAD"), names or SLOW)

    def skipped(self, base=None):
        held = steps.plan(steps.read_record(self.record), self.folder, base)
        return {name for name, commit in held.items() if commit}


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path)
    made.commit("README.md")
    return made


def test_everything_is_due_without_a_record(repository):
    assert repository.skipped() == set()


def test_what_did_not_change_since_the_gate_passed_is_skipped(repository):
    repository.passed()
    repository.commit("docs/SECURITY.md")
    assert repository.skipped() == SLOW


def test_steps_that_are_made_of_everything_are_never_skipped(repository):
    repository.passed(*(step.name for step in steps.STEPS))
    assert not repository.skipped() & ALWAYS


# Each row: what changed, and which of the steps this makes due.
@pytest.mark.parametrize(
    ("path", "due"),
    [
        ("crates/tapisservice-auth/src/token.rs", SLOW - {"kubernetes"}),
        ("crates/bookmarks/Cargo.toml", SLOW - {"kubernetes"}),
        ("Cargo.lock", SLOW - {"kubernetes"}),
        ("crates/tapisservice/src/settings/service.rs", SLOW - {"kubernetes"}),
        # The tables in it are written from the settings, so a setting that changes makes due what reads them.
        ("docs/CONFIGURATION.md", {"kubernetes"}),
        ("migrations/1_first.up.sql", SLOW - {"kubernetes"}),
        ("Dockerfile-migrations", {"images"}),
        ("deploy/compose/config.json", {"images"}),
        ("deploy/kubernetes/base/service.yaml", {"kubernetes"}),
        ("fuzz/fuzz_targets/token.rs", {"fuzz"}),
        ("ci/instructions.json", {"instructions"}),
        ("ci/promised/registry.py", {"promises"}),
        ("crates/tapisservice-db/tests/db/faults.rs", {"promises"}),
        ("ci/harness.py", {"endurance", "promises", "speed", "images"}),
        ("conformance/stateful.json", {"endurance"}),
        ("ci/test_conformance.py", {"endurance"}),
        ("ci/test_attacks.py", {"endurance"}),
        ("ci/attacks.py", {"endurance"}),
        ("conformance/mock_site.py", {"endurance", "promises", "speed"}),
        ("security/faulty_registry.py", {"endurance", "promises"}),
        (".ci/run", SLOW),
        ("ci/steps.py", SLOW),
        ("docs/PROMISES.md", set()),
        ("crates/tapisservice-auth/README.md", set()),
        # No folder of that name: a pattern stands for whole names.
        ("fuzzy/token.rs", set()),
        ("other/crates/tapisservice-auth/src/token.rs", set()),
    ],
)
def test_a_change_makes_due_what_is_made_of_it(repository, path, due):
    repository.passed()
    repository.commit(path)
    assert SLOW - repository.skipped() == due


def test_the_newest_ancestor_that_passed_counts(repository):
    repository.passed()
    repository.commit("fuzz/Cargo.toml")
    assert "fuzz" not in repository.skipped()
    repository.passed()
    assert "fuzz" in repository.skipped()


def test_a_pass_on_another_branch_does_not_count(repository):
    repository.git("checkout", "--quiet", "-b", "other")
    repository.commit("fuzz/Cargo.toml")
    repository.passed()
    repository.git("checkout", "--quiet", "main")
    assert repository.skipped() == set()


def test_a_merge_of_an_old_branch_makes_due_what_it_changed(repository):
    repository.git("checkout", "--quiet", "-b", "other")
    repository.commit("fuzz/Cargo.toml")
    repository.git("checkout", "--quiet", "main")
    repository.commit("docs/SECURITY.md")
    repository.passed()
    repository.git("merge", "--quiet", "--no-edit", "other")
    assert SLOW - repository.skipped() == {"fuzz"}


def test_changes_that_are_not_committed_count(repository):
    repository.commit("fuzz/Cargo.toml")
    repository.passed()
    repository.write("fuzz/Cargo.toml", "changed")
    repository.write("deploy/kubernetes/base/new.yaml", "untracked")
    assert SLOW - repository.skipped() == {"fuzz", "kubernetes"}


def test_a_file_that_was_moved_away_counts(repository):
    repository.commit("fuzz/seeds/token/one", "seed")
    repository.passed()
    (repository.folder / "docs").mkdir()
    repository.git("mv", "fuzz/seeds/token/one", "docs/one")
    repository.git("commit", "--quiet", "--message", "move")
    assert SLOW - repository.skipped() == {"fuzz"}


def test_a_step_that_could_not_run_stays_due(repository):
    repository.passed(*(SLOW - {"images"}))
    assert SLOW - repository.skipped() == {"images"}


def test_a_step_that_could_not_run_is_skipped_since_the_commit_on_which_it_ran(repository):
    repository.passed()
    repository.commit("docs/SECURITY.md")
    repository.passed(*(SLOW - {"images"}))
    assert repository.skipped() == SLOW
    repository.commit("Dockerfile")
    assert SLOW - repository.skipped() == {"images"}


def test_nothing_is_recorded_for_what_is_not_committed(repository):
    repository.write("README.md", "changed")
    assert not repository.passed()
    assert not repository.record.exists()


def test_nothing_is_recorded_for_a_commit_that_is_no_longer_checked_out(repository):
    before = repository.git("rev-parse", "HEAD")
    repository.commit("docs/SECURITY.md")
    assert not steps.write_record(repository.record, repository.folder, before, SLOW)


def test_a_base_that_is_named_takes_the_place_of_the_record(repository):
    base = repository.git("rev-parse", "HEAD")
    repository.commit("fuzz/Cargo.toml")
    repository.passed()
    repository.commit("docs/SECURITY.md")
    assert SLOW - repository.skipped(base) == {"fuzz"}


def test_a_base_is_where_the_branch_left_it(repository):
    left = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "-b", "branch")
    repository.commit("docs/SECURITY.md")
    repository.git("checkout", "--quiet", "main")
    repository.commit("fuzz/Cargo.toml")
    repository.git("checkout", "--quiet", "branch")
    assert steps.find_base(repository.folder, "main") == left


def test_a_base_that_is_no_commit_is_refused(repository):
    with pytest.raises(SystemExit, match="CI_BASE=nowhere names no commit"):
        steps.find_base(repository.folder, "nowhere")


def test_an_unpacked_archive_has_no_history(tmp_path):
    assert steps.history(tmp_path) == []


def test_a_step_that_runs_only_by_name_is_not_due(capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("CI_BASE", raising=False)
    steps.main(["plan", str(tmp_path / "passed")])
    rows = dict(line.split(" ", 1) for line in capsys.readouterr().out.splitlines())
    assert {name for name, row in rows.items() if row.endswith("by-name")} == {"advisories"}
    assert rows["images"] == "1080 due"


# --- the table itself


def test_every_step_of_the_gate_is_in_the_table_once():
    functions = re.findall(r"^step_(\w+)\(\)", (steps.ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert sorted(step.name for step in steps.STEPS) == sorted(functions)


@pytest.mark.parametrize("step", [step for step in steps.STEPS if step.made_of], ids=lambda step: step.name)
def test_every_pattern_stands_for_something(step):
    tracked = steps.git(steps.ROOT, "ls-files", "-z").split("\0")
    for pattern in step.made_of:
        assert any(steps.matcher(pattern).match(path) for path in tracked), pattern


def test_every_step_has_a_row_in_the_guide():
    guide = (steps.ROOT / "CONTRIBUTING.md").read_text()
    named = {name for row in re.findall(r"^\| (`.*?) \|", guide, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert named == {step.name for step in steps.STEPS}
