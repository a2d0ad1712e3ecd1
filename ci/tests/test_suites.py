"""That every suite has the cases that it states. The steps of the gate choose among them, and a choice is not counted."""

import pathlib
import subprocess
import sys

import pytest

CASES = 8
FOLDER = pathlib.Path(__file__).resolve().parent.parent
SUITES = ["attacks", "conformance", "console", "images", "interop", "kubernetes", "promises", "services"]


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_has_the_cases_that_it_states(name):
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", FOLDER / f"test_{name}.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
