#!/usr/bin/env python3
"""Attacks the example `conformance` with the material of `security/`.

    attacks.py BINARY tokens      forged, malformed and misused tokens and headers, over raw sockets; a large body
    attacks.py BINARY slow        slow and silent connections, SIGTERM
    attacks.py FOLDER generate    only makes keys and cases, for the tests of `tapisservice-auth`: TAPIS_ATTACKS=FOLDER

Needs the package `cryptography`. Passes when every case ran and none deviates, be it a "must" or a "should". Where `TAPIS_SHARED` names a
folder whose generator makes other cases, those run as well.
"""

import filecmp
import http.client
import json
import pathlib
import sys
import time

from evidence import SECURITY, outside
from harness import Failure, free_ports, main, run

SETTINGS = {
    "service_name": "bookmarks",
    "base_path": "/v3/bookmarks",
    "server": "prod",
    "tenants": ["*"],
    "service_site_id": "tacc",
    "service_tenant_id": "admin",
    "service_password": "mock-password",
    "log_level": "INFO",
}
# How many there are in the repository.
CASES = 506
TOKENS_LIMIT = 300
# Longer than the header, idle and body timeouts the service has by default (10, 30 and 30 s).
SLOW_SECONDS = 40
SLOW_CHECKS = 7


def make_keys(keys):
    if run([sys.executable, SECURITY / "jwt_attacks.py", "--make-keys", keys], TOKENS_LIMIT)[0]:
        raise Failure("the keys could not be made; is the Python package cryptography installed?")


def generate(folder, keys, canary=9):
    """The cases of the repository, and those outside it that differ. Times in them are relative to now."""
    now = int(time.time())

    def cases_of(material, file):
        options = ["--keys", keys, "--canary-port", canary, "--now", now, "--out", folder / file]
        if run([sys.executable, material / "jwt_attacks.py", *options], TOKENS_LIMIT)[0]:
            raise Failure("the cases could not be made")
        return json.loads((folder / file).read_text())

    cases = cases_of(SECURITY, "cases.json")
    if len(cases) != CASES:
        raise Failure(f"jwt_attacks.py makes {len(cases)} cases, {CASES} are expected")
    others = outside("security")
    if (
        not others
        or not (others / "jwt_attacks.py").exists()
        or filecmp.cmp(SECURITY / "jwt_attacks.py", others / "jwt_attacks.py", shallow=False)
    ):
        return cases, []
    additional = [case for case in cases_of(others, "additional.json") if case not in cases]
    (folder / "additional.json").write_text(json.dumps(additional))
    print(f"{len(additional)} attacks are new outside the repository")
    return cases, additional


class Attacks:
    def __init__(self, binary):
        self.binary = binary

    def service(self, bench):
        port = free_ports(1)[0]
        make_keys(bench.folder / "keys")
        registry = bench.start(
            "registry", sys.executable, SECURITY / "faulty_registry.py", "--keys", bench.folder / "keys", "--port", port
        )
        registry.wait_for_port(port)
        settings = {**SETTINGS, "primary_site_admin_tenant_base_url": f"http://127.0.0.1:{port}"}
        return bench.service(self.binary, "service", settings)

    def tokens(self, bench):
        service = self.service(bench)
        canary = free_ports(1)[0]
        cases, additional = generate(bench.folder, bench.folder / "keys", canary)
        self.send(bench, service, canary, "cases.json", cases)
        if additional:
            self.send(bench, service, canary, "additional.json", additional)
        self.large_body(service, next(case for case in cases if case["expect"] == "accept")["headers"])
        bench.stop(service)
        service.check_log_for_secrets()
        print("the log of the service holds no token and no password")

    @staticmethod
    def send(bench, service, canary, file, cases):
        """Sends the cases of the file; each must have run, and none may deviate."""
        out = bench.folder / f"answers-{file}"
        run(
            [
                sys.executable,
                SECURITY / "run_attacks.py",
                "--url",
                f"{service.url}/v3/bookmarks/whoami",
                "--cases",
                bench.folder / file,
                "--identity",
                "--status",
                "--canary",
                canary,
                "--json",
                out,
            ],
            TOKENS_LIMIT,
        )
        answers = json.loads(out.read_text()) if out.exists() else {}
        if set(answers) != {case["id"] for case in cases}:
            raise Failure(f"{len(answers)} of {len(cases)} cases ran, all of them should")
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
        code, output = run(
            [
                sys.executable,
                SECURITY / "dos_probe.py",
                "--port",
                service.port,
                "--pid",
                service.process.pid,
                "--path",
                "/v3/bookmarks/hello",
                "--seconds",
                SLOW_SECONDS,
            ],
            SLOW_SECONDS + 120,
        )
        good = sum(line.startswith("ok ") for line in output.splitlines())
        if code or good < SLOW_CHECKS:
            raise Failure(f"the service did not hold against slow connections: {good} lines are ok, {SLOW_CHECKS} should be")
        bench.stop(service)


def generate_only(bench, folder):
    folder.mkdir(parents=True, exist_ok=True)
    make_keys(folder / "keys")
    generate(folder, folder / "keys")


RUNS = {
    "tokens": lambda bench, binary: Attacks(binary).tokens(bench),
    "slow": lambda bench, binary: Attacks(binary).slow(bench),
    "generate": generate_only,
}

if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in RUNS:
        sys.exit(__doc__)
    main(lambda bench: RUNS[sys.argv[2]](bench, pathlib.Path(sys.argv[1]).resolve()))
