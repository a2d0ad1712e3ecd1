"""Lets services call each other on behalf of a user across the two frameworks, tokens from the development site.

    pytest ci/test_services.py

The interpreter is one that `interop/setup.sh` made, with pytest. It needs the built programs `bookmarks`, `examples/site` and
`examples/call_on_behalf`: `cargo build --workspace --bins --examples`, or the folder that --binaries names. A service on the Python framework
calls `bookmarks`, the client calls a service on the Python framework, and each must see who calls and for whom.
"""

import json
import re
import subprocess
import sys

import newcomer
import pytest
from evidence import INTEROP
from harness import clean_environment, free_ports

CASES = 5
LIMIT = 120
# The password of every service that the development site lists by itself.
PASSWORD = "devsite-service"
# The lines `ok` of the Python caller: loading, two tokens, calls, the refresh, the refusals.
CHECKS = 23
EXPECTED = {
    "username": "jobs",
    "tenant_id": "admin",
    "account_type": "service",
    "x_tapis_tenant": "tacc",
    "x_tapis_user": "alice",
    "request_tenant_id": "tacc",
    "request_username": "alice",
}


@pytest.fixture(scope="module")
def binaries(request):
    return request.config.getoption("binaries").resolve()


@pytest.fixture(scope="module")
def bookmarks(bench, binaries):
    """The example service with a site of its own, and the port of that."""
    return newcomer.start(bench, binaries / "bookmarks")


@pytest.fixture(scope="module")
def call(bench, binaries):
    """Calls as the service `jobs` for alice. What is called is `bookmarks` on the Python framework, behind the router of a site, and what
    the site itself has."""
    port = free_ports(1)[0]
    site = bench.start("site", binaries / "examples" / "site", "0", f"bookmarks=http://127.0.0.1:{port}", cwd=bench.folder)
    registry = address(site, "admin")
    options = ["--host", "127.0.0.1", "--port", port, "--no-access-log", "--log-level", "critical"]
    service = bench.start(
        "python",
        *(sys.executable, "-W", "ignore", "-m", "uvicorn", "--app-dir", INTEROP, "bookmarks_fastapi:api", *options),
        cwd=bench.folder,
        environment={
            "TAPIS_SITE_URL": registry,
            "TAPIS_CONFIG_PATH": str(INTEROP / "config.json"),
            "TAPIS_CONFIGSCHEMA_PATH": str(INTEROP / "configschema.json"),
            "NO_PROXY": "*",
        },
    )
    service.wait_for_port(port)
    caller = ["--service", "jobs", "--site", "tacc", "--service-tenant", "admin", "--tenant", "tacc", "--user", "alice"]

    def made(*operation):
        done = subprocess.run(
            [binaries / "examples" / "call_on_behalf", "--registry", registry, *caller, *operation],
            input=PASSWORD,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            env=clean_environment(),
            check=False,
        )
        assert done.returncode == 0, f"the call of {' '.join(operation[:2])} ended with {done.returncode}: {done.stderr.strip()}"
        assert PASSWORD not in done.stdout + done.stderr, "the call printed the password"
        return json.loads(done.stdout)

    return made


@pytest.fixture(scope="module")
def seen(call):
    """What the Python service sees of a call."""
    return call("bookmarks", "/v3/bookmarks/whoami")


def address(site, tenant):
    """The base URL of a tenant, among the addresses that the site prints."""
    found = []

    def printed():
        found.extend(re.findall(rf"^{tenant} +(http://localhost:\d+)$", site.log.read_text("utf-8", "replace"), re.MULTILINE))
        return bool(found)

    site.wait(printed, "print its addresses")
    return found[0]


# --- Python calls Rust


def test_a_python_service_calls_bookmarks(bench, bookmarks, binaries, figure):
    _, port = bookmarks
    options = ["--site", f"http://localhost:{port}", "--spec", newcomer.openapi(bench, binaries / "bookmarks")]
    good = newcomer.check_client("interop_tapisservice.py", [*options, "--name", "jobs", "--password", PASSWORD], CHECKS)
    figure(f"{good} checks passed")


def test_bookmarks_ends_well(bench, bookmarks):
    bench.stop(bookmarks[0])


# --- Rust calls Python


def test_the_python_service_sees_who_calls_and_for_whom(seen, figure):
    assert {key: seen.get(key) for key in EXPECTED} == EXPECTED
    figure(f"{seen['request_username']}@{seen['request_tenant_id']}, called by {seen['username']}")


def test_the_token_is_for_the_site_of_the_python_service(seen):
    assert seen["token_claims"].get("tapis/target_site") == "tacc"


def test_a_private_system_belongs_to_the_user(call):
    assert call("systems", "getSystem", "systemId=alice-private")["owner"] == "alice"
