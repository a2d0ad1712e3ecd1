"""Where the suites of this repository are, and the cases that may lie beside it.

`TAPIS_SHARED` may name a folder with a `conformance` and a `security` of its own. What is new there is run after the suites of the repository.
Standard library only.
"""

import json
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONFORMANCE, SECURITY, INTEROP = ROOT / "conformance", ROOT / "security", ROOT / "interop"
# The example `conformance`, as a service of the site that the cases are about.
SERVICE_SETTINGS = {
    "service_name": "bookmarks",
    "base_path": "/v3/bookmarks",
    "server": "prod",
    "tenants": ["*"],
    "service_site_id": "tacc",
    "service_tenant_id": "admin",
    "service_password": "mock-password",
    "log_level": "INFO",
}
# What a case says about its rule changes nothing about what is sent and expected.
COMMENT_KEYS = ("rule", "differs_from_python", "why")


def outside(folder):
    """The folder of this name outside the repository, or None."""
    shared = os.environ.get("TAPIS_SHARED")
    found = pathlib.Path(shared, folder).resolve() if shared else None
    return found if found and found.is_dir() and found != ROOT / folder else None


def read_cases(file):
    return json.loads(file.read_text())["cases"]


def additional_cases(file, others):
    """The cases of the file `others` that differ from all of the file in the repository."""
    known = [without_remarks(case) for case in read_cases(file)]
    return [case for case in read_cases(others) if without_remarks(case) not in known] if others.exists() else []


def without_remarks(value):
    if isinstance(value, list):
        return [without_remarks(item) for item in value]
    if not isinstance(value, dict):
        return value
    expect = {name: item for name, item in value.get("expect", {}).items() if name not in COMMENT_KEYS}
    rest = {name: without_remarks(item) for name, item in value.items() if name != "expect"}
    return {**rest, "expect": expect} if expect else rest
