"""The example service as a newcomer starts it: without a configuration, in an empty folder. Standard library only."""

import re
import subprocess
import sys

from evidence import INTEROP
from harness import clean_environment, free_ports, get_status, run

LIMIT = 120


def start(bench, binary, **environment):
    """The service, and the port of its development site."""
    environment = {"TAPIS_LISTEN": f"127.0.0.1:{free_ports(1)[0]}", **environment}
    service = bench.start("bookmarks", binary, cwd=empty_folder(bench), environment=environment)
    port = site_port(service)
    service.wait_until_ready(port, "/v3/bookmarks/ready")
    return service, port


def openapi(bench, binary):
    """A file with the service's own OpenAPI document, which it prints without a configuration."""
    path = bench.folder / "openapi.json"
    with open(path, "wb") as out:
        subprocess.run(
            [binary, "openapi"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            check=True,
            timeout=LIMIT,
            cwd=empty_folder(bench),
            env=clean_environment(),
        )
    return path


def empty_folder(bench):
    folder = bench.folder / "newcomer"
    folder.mkdir(exist_ok=True)
    return folder


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


def check_client(script, arguments, wanted):
    """Runs a Python client, which must check as much as it can; returns how many of its checks are ok."""
    code, output = run([sys.executable, "-W", "ignore", INTEROP / script, *arguments], LIMIT)
    good = sum(line.startswith("ok ") for line in output.splitlines())
    assert code == 0, f"{script} ended with {code}: {good} checks are ok, {wanted} should be\n{output}"
    assert output.rstrip().endswith("all passed"), output
    assert good >= wanted, f"{script}: {good} checks are ok, {wanted} should be\n{output}"
    return good
