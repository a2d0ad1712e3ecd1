#!/usr/bin/env python3
"""Lets services call each other on behalf of a user across the two frameworks, tokens from the development site.

    interop_client.py BINARIES

The interpreter is one that `interop/setup.sh` made. BINARIES is the folder of the built programs: `bookmarks`,
`examples/site` and `examples/call_on_behalf`. Passes when a service on the Python framework calls `bookmarks`, and the client calls a service
on the Python framework, and each sees who calls and for whom.
"""

import json
import pathlib
import re
import subprocess
import sys

from evidence import INTEROP
from harness import Failure, clean_environment, free_ports, main, run

from interop import Interop

LIMIT = 120
# The password of every service that the development site lists by itself.
PASSWORD = "devsite-service"
# The lines `ok` of the Python caller: loading, two tokens, calls, the refresh, the refusals.
CHECKS = 23
SEEN = {
    "username": "jobs",
    "tenant_id": "admin",
    "account_type": "service",
    "x_tapis_tenant": "tacc",
    "x_tapis_user": "alice",
    "request_tenant_id": "tacc",
    "request_username": "alice",
}


class Client:
    def __init__(self, binaries):
        self.binaries = pathlib.Path(binaries).resolve()

    def both_ways(self, bench):
        self.python_calls_rust(bench)
        self.rust_calls_python(bench)

    def python_calls_rust(self, bench):
        """The service `jobs` on the Python framework calls `bookmarks`, which runs with a site of its own."""
        interop = Interop(self.binaries / "bookmarks")
        spec = interop.spec(bench)
        service = bench.start(
            "bookmarks",
            self.binaries / "bookmarks",
            cwd=interop.empty_folder(bench),
            environment={"TAPIS_LISTEN": f"127.0.0.1:{free_ports(1)[0]}"},
        )
        port = interop.site_port(service)
        service.wait_until_ready(port, "/v3/bookmarks/ready")
        code, output = run(
            [
                sys.executable,
                "-W",
                "ignore",
                INTEROP / "interop_tapisservice.py",
                "--site",
                f"http://localhost:{port}",
                "--spec",
                spec,
                "--name",
                "jobs",
                "--password",
                PASSWORD,
            ],
            LIMIT,
        )
        good = sum(line.startswith("ok ") for line in output.splitlines())
        if code or not output.rstrip().endswith("all passed") or good < CHECKS:
            raise Failure(f"Python calls Rust: {good} checks are ok, {CHECKS} should be (exit code {code})")
        bench.stop(service)
        print(f"Python calls Rust on behalf of a user: {good} checks passed")

    def rust_calls_python(self, bench):
        """The client, as the service `jobs`, calls `bookmarks` on the Python framework, behind the router of a site."""
        port = free_ports(1)[0]
        site = bench.start(
            "site", self.binaries / "examples" / "site", "0", f"bookmarks=http://127.0.0.1:{port}", cwd=bench.folder
        )
        registry = self.address(site, "admin")
        service = bench.start(
            "python",
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "uvicorn",
            "--app-dir",
            INTEROP,
            "bookmarks_fastapi:api",
            "--host",
            "127.0.0.1",
            "--port",
            port,
            "--no-access-log",
            "--log-level",
            "critical",
            cwd=bench.folder,
            environment={
                "TAPIS_SITE_URL": registry,
                "TAPIS_CONFIG_PATH": str(INTEROP / "config.json"),
                "TAPIS_CONFIGSCHEMA_PATH": str(INTEROP / "configschema.json"),
                "NO_PROXY": "*",
            },
        )
        service.wait_for_port(port)
        seen = json.loads(self.call(registry, "alice", "bookmarks", "/v3/bookmarks/whoami"))
        wrong = {key: seen.get(key) for key, value in SEEN.items() if seen.get(key) != value}
        if wrong:
            raise Failure(f"Rust calls Python: the service sees {wrong}")
        if seen["token_claims"].get("tapis/target_site") != "tacc":
            raise Failure("Rust calls Python: the token is for another site")
        print(
            f"Rust calls Python on behalf of a user: the service sees {seen['request_username']}@{seen['request_tenant_id']}, "
            f"called by {seen['username']}"
        )
        owner = json.loads(self.call(registry, "alice", "systems", "getSystem", "systemId=alice-private"))["owner"]
        if owner != "alice":
            raise Failure(f"the private system of alice belongs to {owner}")

    @staticmethod
    def address(site, tenant):
        """The base URL of a tenant, among the addresses that the site prints."""
        found = []

        def printed():
            found.extend(re.findall(rf"^{tenant} +(http://localhost:\d+)$", site.log.read_text("utf-8", "replace"), re.MULTILINE))
            return bool(found)

        site.wait(printed, "print its addresses")
        return found[0]

    def call(self, registry, user, *operation):
        command = [
            self.binaries / "examples" / "call_on_behalf",
            "--registry",
            registry,
            "--service",
            "jobs",
            "--site",
            "tacc",
            "--service-tenant",
            "admin",
            "--tenant",
            "tacc",
            "--user",
            user,
            *operation,
        ]
        done = subprocess.run(
            [str(part) for part in command],
            input=PASSWORD,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env=clean_environment(),
        )
        if done.returncode:
            raise Failure(f"the call of {' '.join(operation[:2])} ended with {done.returncode}: {done.stderr.strip()}")
        if PASSWORD in done.stdout + done.stderr:
            raise Failure("the call printed the password")
        return done.stdout


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Client(sys.argv[1]).both_ways)
