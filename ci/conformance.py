#!/usr/bin/env python3
"""Runs the conformance suite that lies beside the project against the example `conformance`.

    conformance.py SHARED BINARY requests     single requests, five instances
    conformance.py SHARED BINARY legacy       the same with `legacy_error_status`
    conformance.py SHARED BINARY stateful     scenarios (key rotation, failing registry, ...), three instances, about five minutes

SHARED holds `conformance/`. Passes when every case ran and none deviates.
"""
import json
import pathlib
import re
import sys

from harness import Failure, free_ports, main, run

BASE = {
    "version": "1.2.3", "service_password": "mock-password", "server": "prod", "tenants": ["*"], "log_level": "INFO",
    "service_name": "bookmarks", "service_site_id": "tacc", "service_tenant_id": "admin", "base_path": "/v3/bookmarks",
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
    def __init__(self, shared, binary):
        self.suite, self.binary = pathlib.Path(shared).resolve() / "conformance", pathlib.Path(binary).resolve()

    def cases(self, file):
        return json.loads((self.suite / file).read_text())["cases"]

    def mock(self, bench, ports, failing=()):
        """The mock site. The first start makes its keys, which may take a while."""
        flags = [part for port in ports for part in ("--port", port)] + [part for port in failing for part in ("--failing", port)]
        mock = bench.start("mock_site", sys.executable, self.suite / "mock_site.py", "--keys", bench.folder / "keys", *flags)
        for port in (*ports, *failing):
            mock.wait_for_port(port)

    def instance(self, bench, name, mock_port, settings, ready=True):
        registry = {"primary_site_admin_tenant_base_url": f"http://127.0.0.1:{mock_port}"}
        return bench.service(self.binary, name, {**BASE, **registry, **settings}, ready)

    def requests(self, bench, legacy=False):
        mock_port = free_ports(1)[0]
        self.mock(bench, [mock_port])
        more = {"legacy_error_status": True} if legacy else {}
        services = {name: self.instance(bench, name, mock_port, {**own, **more}) for name, own in INSTANCES.items()}
        urls = [part for name, service in services.items() for part in (f"--{name}", service.url)]
        flags = ["--legacy"] if legacy else []
        self.judge(bench, services.values(), len(self.cases("requests.json")), REQUESTS_LIMIT, "run.py", *urls, *flags)

    def stateful(self, bench):
        fast, slow, cold = free_ports(3)
        self.mock(bench, [fast, slow], [cold])
        services = {
            "fast": (fast, self.instance(bench, "fast", fast, {"tenants_refresh_seconds": 1})),
            "slow": (slow, self.instance(bench, "slow", slow, {})),
            "cold": (cold, self.instance(bench, "cold", cold, {}, ready=False)),
        }
        urls = [part for name, (port, service) in services.items()
                for part in (f"--{name}", f"{service.url},http://127.0.0.1:{port}")]
        # One check for each step that sends something; the others steer the mock or wait.
        checks = sum("request" in step for case in self.cases("stateful.json") for step in case["steps"])
        self.judge(bench, [service for _, service in services.values()], checks, STATEFUL_LIMIT, "run_stateful.py", *urls)

    def judge(self, bench, services, wanted, limit, script, *arguments):
        code, output = run([sys.executable, self.suite / script, "--keys", bench.folder / "keys", *arguments], limit)
        figures = re.search(r"^(\d+) passed, (\d+) failed$", output, re.MULTILINE)
        if code or not figures or int(figures[2]) or "skipped" in output:
            raise Failure(f"{script} found deviations, skipped cases, or broke (exit code {code})")
        if int(figures[1]) < wanted:
            raise Failure(f"{script} checked {figures[1]} of {wanted}")
        bench.stop(*services)
        for service in services:
            service.check_log_for_secrets()
        print(f"all {wanted} checks of {script} ran; the logs of {len(services)} instances hold no token and no password")


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[3] not in ("requests", "legacy", "stateful"):
        sys.exit(__doc__)
    suite = Suite(*sys.argv[1:3])
    main({"requests": suite.requests, "legacy": lambda bench: suite.requests(bench, legacy=True), "stateful": suite.stateful}[sys.argv[3]])
