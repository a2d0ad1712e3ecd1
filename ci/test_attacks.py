"""Attacks the example `conformance` with the material of `security/`.

    pytest ci/test_attacks.py -k "not slow"     forged, malformed and misused tokens and headers, over raw sockets; a large body
    pytest ci/test_attacks.py -k slow           slow and silent connections, SIGTERM

Every attack must be sent and none may deviate, be it a "must" or a "should"; those that do are named. Where `TAPIS_SHARED` names a folder
whose generator makes other cases, those run as well. It needs the package `cryptography` and the built example:
`cargo build --workspace --examples`, or the folder that --binaries names.
"""

import http.client
import json
import sys

import pytest
from attacks import additional_cases, make_keys, other_material, repository_cases
from evidence import SECURITY, SERVICE_SETTINGS
from harness import free_ports, run

LIMIT = 300
# Longer than the header, idle and body timeouts the service has by default (10, 30 and 30 s).
SLOW_SECONDS = 40
SLOW_CHECKS = 7
SOURCES = {"repository": (repository_cases, "cases.json")}
if other_material():
    SOURCES["additional"] = (additional_cases, "additional.json")
CASES = 3 + len(SOURCES)


@pytest.fixture(scope="module")
def start(request, bench):
    """Starts a service with a registry of its own."""
    binary = request.config.getoption("binaries").resolve() / "examples" / "conformance"
    keys = bench.folder / "keys"
    make_keys(keys)

    def started(name):
        port = free_ports(1)[0]
        script = SECURITY / "faulty_registry.py"
        registry = bench.start(f"{name}-registry", sys.executable, script, "--keys", keys, "--port", port)
        registry.wait_for_port(port)
        settings = {**SERVICE_SETTINGS, "primary_site_admin_tenant_base_url": f"http://127.0.0.1:{port}"}
        return bench.service(binary, f"{name}-service", settings)

    return started


@pytest.fixture(scope="module")
def service(start):
    return start("tokens")


@pytest.mark.parametrize(("make", "file"), SOURCES.values(), ids=SOURCES)
def test_no_attack_deviates(bench, service, figure, make, file):
    # Nobody may be led to this port.
    canary = free_ports(1)[0]
    cases, out = make(bench.folder, bench.folder / "keys", canary), bench.folder / f"answers-{file}"
    options = ["--url", f"{service.url}/v3/bookmarks/whoami", "--cases", bench.folder / file, "--canary", canary]
    run([sys.executable, SECURITY / "run_attacks.py", *options, "--identity", "--status", "--json", out], LIMIT)
    responses = json.loads(out.read_text()) if out.exists() else {}
    assert set(responses) == {case["id"] for case in cases}, f"{len(responses)} of {len(cases)} cases ran, all of them should"
    deviations = [
        f"{name}: {response['verdict']}, {response['status']}"
        for name, response in responses.items()
        if response["verdict"] != "ok"
    ]
    assert not deviations, "\n".join([f"{len(deviations)} of {len(cases)} cases deviate:", *deviations])
    figure(f"{len(cases)} attacks, none deviates")


def test_a_body_of_3_mb_is_answered_with_413(bench, service):
    """Somebody with a good token sends 3 MB where 2 MiB are allowed (F21)."""
    cases = repository_cases(bench.folder, bench.folder / "keys")
    good = next(case for case in cases if case["expect"] == "accept")["headers"]
    headers = {"Host": "acme.tapis.test", "Content-Type": "application/json", **good}
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    try:
        connection.request("POST", "/v3/bookmarks/items", body=b"[" * (3 << 20), headers=headers)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the service answers before it has read everything
    assert connection.getresponse().status == 413


def test_the_service_ends_well_and_its_log_holds_no_token_and_no_password(bench, service):
    bench.stop(service)
    service.check_log_for_secrets()


def test_slow_and_silent_connections_end_and_sigterm_ends_the_service(bench, start, figure):
    service = start("slow")
    options = ["--port", service.port, "--pid", service.process.pid, "--path", "/v3/bookmarks/hello", "--seconds", SLOW_SECONDS]
    code, output = run([sys.executable, SECURITY / "dos_probe.py", *options], SLOW_SECONDS + 120)
    good = [line for line in output.splitlines() if line.startswith("ok ")]
    assert code == 0, output
    assert len(good) >= SLOW_CHECKS, output
    bench.stop(service)
    figure(f"{len(good)} checks\n" + "\n".join(good))
