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


def repository_cases(folder, keys, canary=9):
    """Writes the attacks of the repository to `cases.json`. Some expire within seconds, so they are made right before they are sent."""
    cases = generate(SECURITY, folder / "cases.json", keys, canary)
    if len(cases) != ATTACKS:
        raise Failure(f"jwt_attacks.py makes {len(cases)} cases, {ATTACKS} are expected")
    return cases


def additional_cases(folder, keys, canary=9):
    """Writes the attacks that only the other generator makes to `additional.json`, or those that it makes differently."""
    others = other_material()
    if not others:
        return []
    # One clock for both shows which differ. They are made again because that took as long as some of them are valid.
    now = int(time.time())
    known = generate(SECURITY, folder / "compared.json", keys, canary, "--now", now)
    new = {case["id"] for case in generate(others, folder / "compared.json", keys, canary, "--now", now) if case not in known}
    cases = [case for case in generate(others, folder / "compared.json", keys, canary) if case["id"] in new]
    (folder / "additional.json").write_text(json.dumps(cases))
    print(f"{len(cases)} attacks are new outside the repository")
    return cases


def generate(material, file, keys, canary, *options):
    command = [sys.executable, material / "jwt_attacks.py", "--keys", keys, "--canary-port", canary, "--out", file, *options]
    if run(command, LIMIT)[0]:
        raise Failure("the cases could not be made")
    return json.loads(file.read_text())


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    try:
        make_keys(folder / "keys")
        repository_cases(folder, folder / "keys")
        additional_cases(folder, folder / "keys")
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]).resolve())
