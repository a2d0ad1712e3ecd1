"""Which attacks of another generator are new, and that they are made right before they are sent."""

import json

import attacks
import pytest

CASES = 3
# Stands in for `jwt_attacks.py`: a case says which clock it was made for, None for the generator's own.
GENERATOR = """
import argparse
import json
parser = argparse.ArgumentParser()
for option in ("--keys", "--canary-port", "--out", "--now"):
    parser.add_argument(option)
options = parser.parse_args()
cases = [dict(id=id, expect=expect, now=options.now) for id, expect in {cases}.items()]
open(options.out, "w").write(json.dumps(cases))
"""


@pytest.fixture
def material(tmp_path, monkeypatch):
    """Puts generators into the repository and outside it, and returns the folder where cases are made."""

    def put(ours, others):
        for name, cases in (("ours", ours), ("others", others)):
            (tmp_path / name).mkdir()
            (tmp_path / name / "jwt_attacks.py").write_text(GENERATOR.replace("{cases}", repr(cases)))
        monkeypatch.setattr(attacks, "SECURITY", tmp_path / "ours")
        monkeypatch.setattr(attacks, "outside", lambda _: tmp_path / "others")
        return tmp_path

    return put


def test_the_same_generator_makes_no_additional_attacks(material):
    folder = material({"known": "reject"}, {"known": "reject"})
    assert attacks.additional_cases(folder, "keys") == []
    assert not (folder / "additional.json").exists()


def test_attacks_that_are_new_or_differ_are_additional(material):
    folder = material({"known": "reject", "changed": "reject"}, {"known": "reject", "changed": "accept", "new": "reject"})
    cases = attacks.additional_cases(folder, "keys")
    assert [case["id"] for case in cases] == ["changed", "new"]
    assert json.loads((folder / "additional.json").read_text()) == cases


def test_additional_attacks_are_made_after_the_comparison(material):
    """They were made before it and had expired on a busy machine when they were sent."""
    folder = material({}, {"new": "reject"})
    assert [case["now"] for case in attacks.additional_cases(folder, "keys")] == [None]
