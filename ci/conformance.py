#!/usr/bin/env python3
"""Runs the conformance suite against the example `conformance`.

    conformance.py BINARY requests     single requests, five instances
    conformance.py BINARY legacy       the same with `legacy_error_status`
    conformance.py BINARY stateful     scenarios (key rotation, failing registry, ...), three instances, about five minutes

Passes when every case of `conformance/` ran and none deviates. Cases that are new in the folder that `TAPIS_SHARED` names run as well,
with the scripts and the mock site of that folder.
"""

import json
import pathlib
import re
import sys

from evidence import CONFORMANCE, additional_cases, outside, read_cases
from harness import Failure, free_ports, main, run

# How many there are in the repository.
REQUESTS, SCENARIOS, CHECKS = 357, 37, 144
BASE = {
    "version": "1.2.3",
    "service_password": "mock-password",
    "server": "prod",
    "tenants": ["*"],
    "log_level": "INFO",
    "service_name": "bookmarks",
    "service_site_id": "tacc",
    "service_tenant_id": "admin",
    "base_path": "/v3/bookmarks",
}
INSTANCES = {
    "primary": {},
    "assoc": {"service_site_id": "uh", "service_tenant_id": "adminuh"},
    "files": {"service_name": "files"},
    "dev": {"server": "dev", "dev_request_url": "http://gateway.internal"},
    "listed": {"tenants": ["dev"]},
}
REQUESTS_LIMIT = 300
STATEFUL_LIMIT = 900


class Suite:
    """A copy of the suite: its scripts, and the folder with the cases to run."""

    def __init__(self, binary, scripts, data, prefix=""):
        self.binary, self.scripts, self.data, self.prefix = binary, scripts, data, prefix

    def mock(self, bench, ports, failing=()):
        """The mock site. The first start makes its keys, which may take a while."""
        flags = [part for port in ports for part in ("--port", port)] + [part for port in failing for part in ("--failing", port)]
        mock = bench.start(
            f"{self.prefix}mock_site", sys.executable, self.scripts / "mock_site.py", "--keys", bench.folder / "keys", *flags
        )
        for port in (*ports, *failing):
            mock.wait_for_port(port)

    def instance(self, bench, name, mock_port, settings, ready=True):
        registry = {"primary_site_admin_tenant_base_url": f"http://127.0.0.1:{mock_port}"}
        return bench.service(self.binary, self.prefix + name, {**BASE, **registry, **settings}, ready)

    def requests(self, bench, legacy=False):
        mock_port = free_ports(1)[0]
        self.mock(bench, [mock_port])
        more = {"legacy_error_status": True} if legacy else {}
        services = {name: self.instance(bench, name, mock_port, {**own, **more}) for name, own in INSTANCES.items()}
        urls = [part for name, service in services.items() for part in (f"--{name}", service.url)]
        flags = ["--legacy"] if legacy else []
        wanted = len(read_cases(self.data / "requests.json"))
        self.judge(bench, services.values(), wanted, REQUESTS_LIMIT, "run.py", *urls, *flags)

    def stateful(self, bench):
        fast, slow, cold = free_ports(3)
        self.mock(bench, [fast, slow], [cold])
        services = {
            "fast": (fast, self.instance(bench, "fast", fast, {"tenants_refresh_seconds": 1})),
            "slow": (slow, self.instance(bench, "slow", slow, {})),
            "cold": (cold, self.instance(bench, "cold", cold, {}, ready=False)),
        }
        urls = [
            part for name, (port, service) in services.items() for part in (f"--{name}", f"{service.url},http://127.0.0.1:{port}")
        ]
        wanted = checks(read_cases(self.data / "stateful.json"))
        self.judge(bench, [service for _, service in services.values()], wanted, STATEFUL_LIMIT, "run_stateful.py", *urls)

    def judge(self, bench, services, wanted, limit, script, *arguments):
        code, output = run(
            [sys.executable, self.scripts / script, "--keys", bench.folder / "keys", "--data", self.data, *arguments], limit
        )
        figures = re.search(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
        if code or not figures or int(figures[2]) or "skipped" in output:
            raise Failure(f"{script} found deviations, skipped cases, or broke (exit code {code})")
        if int(figures[1]) != wanted:
            raise Failure(f"{script} checked {figures[1]} of {wanted}")
        bench.stop(*services)
        for service in services:
            service.check_log_for_secrets()
        print(f"all {wanted} checks of {script} ran; the logs of {len(services)} instances hold no token and no password")


def checks(scenarios):
    """One for each step that sends something; the others control the mock site or wait."""
    return sum("request" in step for scenario in scenarios for step in scenario["steps"])


def suites(bench, binary, file):
    """The suite of the repository, and the one outside it if that has cases of its own."""
    yield Suite(binary, CONFORMANCE, CONFORMANCE)
    folder = outside("conformance")
    if not folder:
        return
    cases = additional_cases(CONFORMANCE / file, folder / file)
    print(f"{len(cases)} cases of {file} are new outside the repository")
    if cases:
        data = bench.folder / "additional"
        data.mkdir(exist_ok=True)
        (data / file).write_text(json.dumps({"cases": cases}))
        yield Suite(binary, folder if (folder / "run.py").exists() else CONFORMANCE, data, "additional-")


def requests(bench, binary, legacy=False):
    if (count := len(read_cases(CONFORMANCE / "requests.json"))) != REQUESTS:
        raise Failure(f"requests.json has {count} cases, {REQUESTS} are expected")
    for suite in suites(bench, binary, "requests.json"):
        suite.requests(bench, legacy)


def stateful(bench, binary):
    scenarios = read_cases(CONFORMANCE / "stateful.json")
    if (len(scenarios), checks(scenarios)) != (SCENARIOS, CHECKS):
        raise Failure(
            f"stateful.json has {len(scenarios)} scenarios with {checks(scenarios)} checks, {SCENARIOS} and {CHECKS} are expected"
        )
    for suite in suites(bench, binary, "stateful.json"):
        suite.stateful(bench)


RUNS = {"requests": requests, "legacy": lambda bench, binary: requests(bench, binary, legacy=True), "stateful": stateful}

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in RUNS:
        sys.exit(__doc__)
    main(lambda bench: RUNS[sys.argv[2]](bench, pathlib.Path(sys.argv[1]).resolve()))
