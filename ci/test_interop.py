"""Lets the real Python clients work with the example service and its development site: `tapipy` as a user, `tapisservice` as
another service that acts for a user.

    pytest ci/test_interop.py

The interpreter has both packages, as `interop/setup.sh` installs them, and pytest. It needs the built program `bookmarks`, which is started as
a newcomer does, and curl: `cargo build --workspace --bins`, or the folder that --binaries names. The printed `curl` line must work as
printed, and each client must check everything that it can check.
"""

import json
import re
import subprocess

import newcomer
import pytest

CASES = 5
# Script, its options, and the lines `ok` of a run that finds every operation of the service.
RUNS = {
    "tapipy": ("interop_tapipy.py", "--base-url", [], 28),
    "tapipy-client": (
        "interop_tapipy.py",
        "--base-url",
        ["--client-id", "devsite-client", "--client-key", "devsite-client-key"],
        30,
    ),
    "tapisservice": ("interop_tapisservice.py", "--site", ["--password", "devsite-service"], 23),
}


@pytest.fixture(scope="module")
def binary(request):
    return request.config.getoption("binaries").resolve() / "bookmarks"


@pytest.fixture(scope="module")
def spec(bench, binary):
    return newcomer.openapi(bench, binary)


@pytest.fixture(scope="module")
def started(bench, binary):
    """The service, and the port of its site."""
    return newcomer.start(bench, binary, TAPIS_DEVSITE_PORT="0")


def test_the_printed_curl_line_works(started):
    service, _ = started
    line = re.search(r"^curl .*$", service.log.read_text("utf-8", "replace"), re.MULTILINE)
    assert line, "the service printed no curl line"
    curl = subprocess.run(
        ["sh", "-c", line[0] + " -sS"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=newcomer.LIMIT,
        check=False,
    )
    try:
        good = json.loads(curl.stdout)["status"] == "success"
    except (ValueError, KeyError, TypeError):
        good = False
    assert good, f"the printed curl line answers {curl.stdout[:500]} {curl.stderr[:500]}"


@pytest.mark.parametrize(("script", "address", "options", "wanted"), RUNS.values(), ids=RUNS)
def test_a_client_can_do_everything(started, spec, figure, script, address, options, wanted):
    _, port = started
    good = newcomer.check_client(script, [address, f"http://localhost:{port}", "--spec", spec, *options], wanted)
    figure(f"{good} checks of {script} passed")


def test_the_service_ends_well(bench, started):
    bench.stop(started[0])
