"""Runs the conformance suite against the example `conformance`.

    pytest ci/test_conformance.py -k requests     single requests, five instances
    pytest ci/test_conformance.py -k legacy       the same with `legacy_error_status`
    pytest ci/test_conformance.py -k stateful     scenarios (key rotation, failing registry, ...), three instances, about five minutes

Every case of `conformance/` must run and none may deviate; those that do are named. Cases that are new in the folder that `TAPIS_SHARED`
names run as well, with the scripts and the mock site of that folder. It needs the built example: `cargo build --workspace --examples`, or
the folder that --binaries names. Standard library and pytest only.
"""

import functools
import json
import re
import sys
import typing

import pytest
from evidence import CONFORMANCE, SERVICE_SETTINGS, additional_cases, outside, read_cases
from harness import Failure, free_ports, run

# How many there are in the repository.
REQUESTS, SCENARIOS, CHECKS = 357, 37, 144
BASE = {**SERVICE_SETTINGS, "version": "1.2.3"}
INSTANCES = {
    "primary": {},
    "assoc": {"service_site_id": "uh", "service_tenant_id": "adminuh"},
    "files": {"service_name": "files"},
    "dev": {"server": "dev", "dev_request_url": "http://gateway.internal"},
    "listed": {"tenants": ["dev"]},
}
REQUESTS_LIMIT = 300
STATEFUL_LIMIT = 900
# What is run, and the file with its cases.
FILES = {"requests": "requests.json", "legacy": "requests.json", "stateful": "stateful.json"}


def checks(scenarios):
    """One for each step that sends something; the others control the mock site or wait."""
    return sum("request" in step for scenario in scenarios for step in scenario["steps"])


@functools.cache
def additional(file):
    """The cases outside the repository that it does not have."""
    folder = outside("conformance")
    return additional_cases(CONFORMANCE / file, folder / file) if folder else []


# The suite of the repository, and the one outside it if that has cases of its own.
CHOICES = [
    (what, source)
    for what, file in FILES.items()
    for source in ("repository", "additional")
    if source == "repository" or additional(file)
]
# Two tests for each.
CASES = 2 * len(FILES) + 2 * sum(bool(additional(file)) for file in FILES.values())


class Suite:
    """A copy of the suite: its scripts, and the folder with the cases to run."""

    def __init__(self, bench, binary, scripts, data, prefix):
        self.bench, self.binary, self.scripts, self.data, self.prefix = bench, binary, scripts, data, prefix

    def mock(self, ports, failing=()):
        """The mock site. The first start makes its keys, which may take a while."""
        flags = [part for port in ports for part in ("--port", port)] + [part for port in failing for part in ("--failing", port)]
        script, keys = self.scripts / "mock_site.py", self.bench.folder / "keys"
        mock = self.bench.start(f"{self.prefix}mock_site", sys.executable, script, "--keys", keys, *flags)
        for port in (*ports, *failing):
            mock.wait_for_port(port)

    def instance(self, name, mock_port, settings, ready=True):
        registry = {"primary_site_admin_tenant_base_url": f"http://127.0.0.1:{mock_port}"}
        return self.bench.service(self.binary, self.prefix + name, {**BASE, **registry, **settings}, ready)

    def requests(self, legacy=False):
        mock_port = free_ports(1)[0]
        self.mock([mock_port])
        more = {"legacy_error_status": True} if legacy else {}
        services = {name: self.instance(name, mock_port, {**own, **more}) for name, own in INSTANCES.items()}
        urls = [part for name, service in services.items() for part in (f"--{name}", service.url)]
        flags = ["--legacy"] if legacy else []
        wanted = len(read_cases(self.data / "requests.json"))
        return self.run([*services.values()], wanted, REQUESTS_LIMIT, "run.py", *urls, *flags)

    def legacy(self):
        return self.requests(legacy=True)

    def stateful(self):
        fast, slow, cold = free_ports(3)
        self.mock([fast, slow], [cold])
        services = {
            "fast": (fast, self.instance("fast", fast, {"tenants_refresh_seconds": 1})),
            "slow": (slow, self.instance("slow", slow, {})),
            "cold": (cold, self.instance("cold", cold, {}, ready=False)),
        }
        urls = [
            part for name, (port, service) in services.items() for part in (f"--{name}", f"{service.url},http://127.0.0.1:{port}")
        ]
        wanted = checks(read_cases(self.data / "stateful.json"))
        return self.run([service for _, service in services.values()], wanted, STATEFUL_LIMIT, "run_stateful.py", *urls)

    def run(self, services, wanted, limit, script, *arguments):
        keys = self.bench.folder / "keys"
        code, output = run([sys.executable, self.scripts / script, "--keys", keys, "--data", self.data, *arguments], limit)
        return Outcome(script, services, wanted, code, output)


class Outcome(typing.NamedTuple):
    """What a script of the suite said of all its cases."""

    script: str
    services: list
    wanted: int
    code: int
    output: str


def check_counts(file):
    """Fewer cases than there were would be seen by nobody."""
    cases = read_cases(CONFORMANCE / file)
    found = (len(cases),) if file == "requests.json" else (len(cases), checks(cases))
    expected = (REQUESTS,) if file == "requests.json" else (SCENARIOS, CHECKS)
    if found != expected:
        raise Failure(f"{file} has {found} cases (and checks), {expected} are expected")


@pytest.fixture(scope="module", params=CHOICES, ids="-".join)
def outcome(request, bench):
    """The whole suite, run once."""
    what, source = request.param
    file = FILES[what]
    binary = request.config.getoption("binaries").resolve() / "examples" / "conformance"
    check_counts(file)
    scripts = data = CONFORMANCE
    if source == "additional":
        folder = outside("conformance")
        scripts = folder if (folder / "run.py").exists() else CONFORMANCE
        data = bench.folder / f"additional-{what}"
        data.mkdir()
        (data / file).write_text(json.dumps({"cases": additional(file)}))
    return getattr(Suite(bench, binary, scripts, data, f"{what}-{source}-"), what)()


def test_every_case_runs_and_none_deviates(request, outcome, figure):
    deviations = [line for line in outcome.output.splitlines() if line.startswith("FAIL ")]
    assert not deviations, "\n".join([f"{len(deviations)} deviate:", *deviations])
    figures = re.search(r"^(\d+) passed, (\d+) failed$", outcome.output, re.MULTILINE)
    assert figures, f"{outcome.script} broke (exit code {outcome.code})"
    assert (int(figures[1]), int(figures[2])) == (outcome.wanted, 0), f"{outcome.script} did not check what it should"
    assert "skipped" not in outcome.output
    assert outcome.code == 0
    what, _ = request.node.callspec.params["outcome"]
    new = (
        f"; {len(additional(FILES[what]))} cases of {FILES[what]} are new outside the repository"
        if outside("conformance")
        else ""
    )
    figure(f"all {outcome.wanted} checks of {outcome.script} ran{new}")


def test_every_instance_ends_well_and_its_log_holds_no_token_and_no_password(bench, outcome, figure):
    bench.stop(*outcome.services)
    for service in outcome.services:
        service.check_log_for_secrets()
    figure(f"{len(outcome.services)} instances")
