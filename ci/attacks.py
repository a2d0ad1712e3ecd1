#!/usr/bin/env python3
"""Makes keys and cases of attacks, with the material of `security/`.

    attacks.py FOLDER       for the tests of `tapisservice-auth`: TAPIS_ATTACKS=FOLDER

`ci/test_attacks.py` sends the same cases to a running service. Needs the package `cryptography`. Where `TAPIS_SHARED` names a folder whose
generator makes other cases, those are made as well.
"""

import filecmp
import json
import pathlib
import sys
import time

from evidence import SECURITY, outside
from harness import Failure, run

# How many there are in the repository.
ATTACKS = 506
LIMIT = 300


def make_keys(keys):
    if run([sys.executable, SECURITY / "jwt_attacks.py", "--make-keys", keys], LIMIT)[0]:
        raise Failure("the keys could not be made; is the Python package cryptography installed?")


def other_material():
    """The folder outside the repository whose generator is another one, or None."""
    others = outside("security")
    if not others or not (others / "jwt_attacks.py").exists():
        return None
    same = filecmp.cmp(SECURITY / "jwt_attacks.py", others / "jwt_attacks.py", shallow=False)
    return None if same else others


def generate(folder, keys, canary=9):
    """The cases of the repository, and those outside it that differ. Times in them are relative to now."""
    now = int(time.time())

    def cases_of(material, file):
        options = ["--keys", keys, "--canary-port", canary, "--now", now, "--out", folder / file]
        if run([sys.executable, material / "jwt_attacks.py", *options], LIMIT)[0]:
            raise Failure("the cases could not be made")
        return json.loads((folder / file).read_text())

    cases = cases_of(SECURITY, "cases.json")
    if len(cases) != ATTACKS:
        raise Failure(f"jwt_attacks.py makes {len(cases)} cases, {ATTACKS} are expected")
    others = other_material()
    if not others:
        return cases, []
    additional = [case for case in cases_of(others, "additional.json") if case not in cases]
    (folder / "additional.json").write_text(json.dumps(additional))
    print(f"{len(additional)} attacks are new outside the repository")
    return cases, additional


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    try:
        make_keys(folder / "keys")
        generate(folder, folder / "keys")
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]).resolve())
