"""Promises that tests in Rust show, run by name."""

import collections
import os
import pathlib
import re
import subprocess

from harness import Failure

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
LIMIT = 900
# Packages, their targets, and for each promise the beginnings of the tests that show it.
TESTS = {
    ("tapisservice-tenants", "tenants"): {
        "F02": ["cache::known_tenants_stay_known_for_a_day_of_failures"],
        "F27": ["cache::a_caller_that_goes_away_does_not_stop_the_refresh"],
    },
    ("tapisservice-client", "lib"): {
        "F12": [
            "tokens::tests::while_the_token_service_is_down_calls_keep_the_token",
            "tokens::tests::a_refused_refresh_token_falls_back_to_the_password",
        ],
        "F13": [
            "tokens::tests::five_hundred_callers_at_expiry_cause_one_refresh",
            "tokens::tests::five_hundred_first_callers_cause_one_request_and_the_first_may_leave",
        ],
        "F27": ["tokens::tests::a_wait_that_is_given_up_does_not_stop_the_renewal"],
    },
    ("tapisservice-client", "service"): {
        "F12": ["failures::a_token_outlives_the_token_service", "failures::while_there_is_no_token_no_request_leaves"],
        "F13": ["tokens::five_hundred_callers_share_each_token_and_none_is_refused"],
        "F24": ["secrets::"],
    },
    ("tapisservice-user", "user"): {"F24": ["secrets::"]},
    ("bookmarks", "secrets"): {"F24": ["no_secret_is_found_anywhere"]},
    ("tapisservice-auth", "auth"): {"F24": ["secrets::"]},
    ("tapisservice-db", "db"): {
        "F14": ["faults::f14_", "migrations::runners_that_start_together_run_each_migration_once"],
        "F15": ["faults::f15_"],
        "F16": ["faults::f16_"],
        "F24": ["secrets::"],
        "F27": ["faults::f27_"],
    },
    ("tapisservice", "app"): {"F32": ["mounting::"]},
    ("tapisservice-logs", "logs"): {"F24": ["canary_secrets_are_found_nowhere"]},
    ("bookmarks", "api"): {"F24": ["secrets::"]},
    ("bookmarks", "postgres"): {
        "F14": ["faults::f14_"],
        "F15": ["faults::f15_"],
        "F16": ["faults::f16_"],
        "F27": ["faults::f27_"],
    },
}


def tests_of(promise):
    """(package, target, beginning) of each kind of test that shows it."""
    return [(*where, beginning) for where, promises in TESTS.items() for beginning in promises.get(promise, [])]


class Results:
    """What the tests of the chosen promises said; all targets are run once."""

    def __init__(self, chosen):
        self.outcomes = collections.defaultdict(dict)
        self.output = {}
        for (package, target), promises in TESTS.items():
            wanted = [beginning for promise, beginnings in promises.items() if promise in chosen for beginning in beginnings]
            if wanted:
                self.run(package, target, wanted)

    def run(self, package, target, wanted):
        choice = ["--lib"] if target == "lib" else ["--test", target]
        # Tests that need PostgreSQL fail without one, so that they are not taken for passed.
        environment = {**os.environ, "TAPIS_POSTGRES_REQUIRED": "1"}
        done = subprocess.run(
            ["cargo", "test", "--locked", "-p", package, *choice, "--", *wanted],
            cwd=REPOSITORY,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        self.output[package, target] = done.stdout
        for name, outcome in re.findall(r"^test (\S+) \.\.\. (\w+)$", done.stdout, re.MULTILINE):
            self.outcomes[package, target][name] = outcome

    def figure(self, promise):
        """How many tests showed it."""
        passed = 0
        for package, target, beginning in tests_of(promise):
            found = {name: outcome for name, outcome in self.outcomes[package, target].items() if name.startswith(beginning)}
            if not found or set(found.values()) != {"ok"}:
                print(self.output.get((package, target), "")[-5000:], flush=True)
                raise Failure(f"{package}, {target}: {beginning} {found or 'did not run'}")
            passed += len(found)
        return f"{passed} {'test' if passed == 1 else 'tests'} passed"
