#!/usr/bin/env python3
"""Lets the real Python clients work with the example service and its development site: `tapipy` as a user, `tapisservice` as
another service that acts for a user.

    interop.py BINARY

The interpreter has both packages, as `interop/setup.sh` installs them. BINARY is `bookmarks`, which is started as a newcomer does: without a
configuration, in an empty folder. Passes when the printed `curl` line works as printed, and when each client checked everything
that it can check.
"""

import json
import pathlib
import re
import subprocess
import sys

from evidence import INTEROP
from harness import Failure, clean_environment, free_ports, get_status, main, run

LIMIT = 120
# Script, its options, and the lines `ok` of a run that finds every operation of the service.
RUNS = [
    ("interop_tapipy.py", "--base-url", [], 28),
    ("interop_tapipy.py", "--base-url", ["--client-id", "devsite-client", "--client-key", "devsite-client-key"], 30),
    ("interop_tapisservice.py", "--site", ["--password", "devsite-service"], 23),
]


class Interop:
    def __init__(self, binary):
        self.binary = pathlib.Path(binary).resolve()

    def everything(self, bench):
        spec = self.spec(bench)
        service = bench.start(
            "bookmarks",
            self.binary,
            cwd=self.empty_folder(bench),
            environment={"TAPIS_LISTEN": f"127.0.0.1:{free_ports(1)[0]}", "TAPIS_DEVSITE_PORT": "0"},
        )
        site_port = self.site_port(service)
        service.wait_until_ready(site_port, "/v3/bookmarks/ready")
        self.curl(service)
        for script, address, options, wanted in RUNS:
            self.client(script, [address, f"http://localhost:{site_port}", "--spec", spec, *options], wanted)
        bench.stop(service)

    def spec(self, bench):
        """The service's own OpenAPI document, which it prints without a configuration."""
        path = bench.folder / "openapi.json"
        with open(path, "wb") as out:
            subprocess.run(
                [self.binary, "openapi"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                check=True,
                timeout=LIMIT,
                cwd=self.empty_folder(bench),
                env=clean_environment(),
            )
        return path

    @staticmethod
    def empty_folder(bench):
        folder = bench.folder / "newcomer"
        folder.mkdir(exist_ok=True)
        return folder

    @staticmethod
    def site_port(service):
        """The port of the tenant's base URL, among the addresses that the program prints."""
        found = []

        def printed():
            for port in dict.fromkeys(re.findall(r"http://localhost:(\d+)", service.log.read_text("utf-8", "replace"))):
                if get_status(int(port), "/v3/tenants") == 200:
                    found.append(int(port))
            return bool(found)

        service.wait(printed, "print the address of its site")
        return found[0]

    @staticmethod
    def curl(service):
        """The ready-made line, as printed."""
        line = re.search(r"^curl .*$", service.log.read_text("utf-8", "replace"), re.MULTILINE)
        if not line:
            raise Failure("the service printed no curl line")
        answer = subprocess.run(
            ["sh", "-c", line[0] + " -sS"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False
        )
        try:
            good = json.loads(answer.stdout)["status"] == "success"
        except (ValueError, KeyError, TypeError):
            good = False
        if not good:
            raise Failure(f"the printed curl line answers {answer.stdout[:500]} {answer.stderr[:500]}")
        print("the printed curl line works")

    def client(self, script, arguments, wanted):
        code, output = run([sys.executable, "-W", "ignore", INTEROP / script, *arguments], LIMIT)
        good = sum(line.startswith("ok ") for line in output.splitlines())
        if code or not output.rstrip().endswith("all passed") or good < wanted:
            raise Failure(f"{script}: {good} checks are ok, {wanted} should be (exit code {code})")
        print(f"{good} checks of {script} passed")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Interop(sys.argv[1]).everything)
