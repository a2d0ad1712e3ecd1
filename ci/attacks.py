#!/usr/bin/env python3
"""Attacks the example `conformance` with the security material that lies beside the project.

    attacks.py SHARED BINARY KEYS tokens      forged, malformed and misused tokens and headers, over raw sockets; a large body
    attacks.py SHARED BINARY KEYS slow        slow and silent connections, SIGTERM

SHARED holds `security/`; KEYS are the keys that `jwt_attacks.py --make-keys` made. `tokens` needs the package `cryptography`.
Passes when every case ran and none deviates, be it a "must" or a "should".
"""
import http.client
import json
import pathlib
import sys

from harness import Failure, free_ports, main, run

SETTINGS = {
    "service_name": "bookmarks", "base_path": "/v3/bookmarks", "server": "prod", "tenants": ["*"], "service_site_id": "tacc",
    "service_tenant_id": "admin", "service_password": "mock-password", "log_level": "INFO",
}
FEWEST_CASES = 500
TOKENS_LIMIT = 300
# Longer than the header, idle and body timeouts the service has by default (10, 30 and 30 s).
SLOW_SECONDS = 40
SLOW_CHECKS = 7


class Attacks:
    def __init__(self, shared, binary, keys):
        self.material = pathlib.Path(shared).resolve() / "security"
        self.binary, self.keys = pathlib.Path(binary).resolve(), pathlib.Path(keys).resolve()

    def service(self, bench):
        port = free_ports(1)[0]
        registry = bench.start("registry", sys.executable, self.material / "faulty_registry.py", "--keys", self.keys, "--port", port)
        registry.wait_for_port(port)
        settings = {**SETTINGS, "primary_site_admin_tenant_base_url": f"http://127.0.0.1:{port}"}
        return bench.service(self.binary, "service", settings)

    def tokens(self, bench):
        service = self.service(bench)
        canary = free_ports(1)[0]
        cases, answers = bench.folder / "cases.json", bench.folder / "answers.json"
        # Times in the cases are relative to their making: right before they are sent.
        generate = [sys.executable, self.material / "jwt_attacks.py", "--keys", self.keys, "--canary-port", canary, "--out", cases]
        if run(generate, TOKENS_LIMIT)[0]:
            raise Failure("the cases could not be made")
        run([sys.executable, self.material / "run_attacks.py", "--url", f"{service.url}/v3/bookmarks/whoami", "--cases", cases,
             "--identity", "--status", "--canary", canary, "--json", answers], TOKENS_LIMIT)
        cases = json.loads(cases.read_text())
        self.judge(cases, json.loads(answers.read_text()) if answers.exists() else {})
        self.large_body(service, next(case for case in cases if case["expect"] == "accept")["headers"])
        bench.stop(service)
        service.check_log_for_secrets()
        print("the log of the service holds no token and no password")

    @staticmethod
    def judge(cases, answers):
        if len(cases) < FEWEST_CASES or set(answers) != {case["id"] for case in cases}:
            raise Failure(f"{len(answers)} of {len(cases)} cases ran, at least {FEWEST_CASES} and all of them should")
        deviations = [name for name, answer in answers.items() if answer["verdict"] != "ok"]
        if deviations:
            raise Failure(f"{len(deviations)} of {len(cases)} cases deviate: {', '.join(deviations)}")
        print(f"{len(cases)} attacks, none deviates")

    @staticmethod
    def large_body(service, headers):
        """Somebody with a good token sends 3 MB where 2 MiB are allowed (F21)."""
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
        headers = {"Host": "acme.tapis.test", "Content-Type": "application/json", **headers}
        try:
            connection.request("POST", "/v3/bookmarks/items", body=b"[" * (3 << 20), headers=headers)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the service answers before it has read everything
        status = connection.getresponse().status
        if status != 413:
            raise Failure(f"a body of 3 MB is answered with {status}")
        print("a body of 3 MB is answered with 413")

    def slow(self, bench):
        service = self.service(bench)
        code, output = run([
            sys.executable, self.material / "dos_probe.py", "--port", service.port, "--pid", service.process.pid,
            "--path", "/v3/bookmarks/hello", "--seconds", SLOW_SECONDS], SLOW_SECONDS + 120)
        good = sum(line.startswith("ok ") for line in output.splitlines())
        if code or good < SLOW_CHECKS:
            raise Failure(f"the service did not hold against slow connections: {good} lines are ok, {SLOW_CHECKS} should be")
        bench.stop(service)


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[4] not in ("tokens", "slow"):
        sys.exit(__doc__)
    attacks = Attacks(*sys.argv[1:4])
    main({"tokens": attacks.tokens, "slow": attacks.slow}[sys.argv[4]])
