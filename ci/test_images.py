"""Builds the images, brings docker-compose.yml up with the profile `devsite`, looks at what runs, and removes it all again.

    pytest -v ci/test_images.py
    pytest -v ci/test_images.py -k dockerfiles        what needs no engine

It needs a Docker engine, docker-compose (or Compose v2), curl, git, and root for `debootstrap`, with which it makes stand-ins for the base
images. Where images can be pulled, BUILD_IMAGE, RUNTIME_IMAGE and POSTGRES_IMAGE name the ones to take instead; the layers upon a build
image that was named stay, as the builder's cache for the next run. It takes ten to twenty minutes on two cores.

The cases build on each other, in this order: a fixture brings what a case needs to the state that the case is about.
"""

import collections
import concurrent.futures
import json
import socket
import time

import pytest
from composition import REPOSITORY, Composition, inspect

CASES = 37
# Defaults of `shutdown_seconds`, and some time for the engine.
STOP_SECONDS = 25 + 3
# Of the program and what comes with it, without the base image.
MAX_MEGABYTES = 80
UID = "4872"
LABELS = ("title", "source", "version", "licenses")
# Only a program with the devsite, or with the configuration for it, has these.
DEVSITE_TEXTS = [b"tapisservice_devsite", b"devsite-client", b"devsite-service"]
# Of `.env.example` and of the devsite.
PASSWORDS = ("bookmarks-development", "devsite-service")
Ended = collections.namedtuple("Ended", "draining response seconds state")


@pytest.fixture(scope="module")
def composition(bench, show_if_failed):
    made = Composition(bench.folder)
    try:
        made.prepare()
        yield made
        show_if_failed(made.show_logs)
    finally:
        made.remove()


@pytest.fixture(scope="module")
def built(composition):
    """All images, of which later ones take the layers of earlier ones."""
    for service in ("api", "migrations", "devsite"):
        composition.build(service)
    return composition


@pytest.fixture(scope="module")
def running(built):
    built.up()
    return built


@pytest.fixture(scope="module")
def token(running):
    """Of a user who logs in at the devsite."""
    login = {"username": "alice", "password": "secret", "grant_type": "password"}
    return running.curl("/v3/oauth2/tokens", "-d", json.dumps(login))["result"]["access_token"]["access_token"]


@pytest.fixture(scope="module")
def bookmark(running, token):
    """What a user created by curl, through the router of the devsite."""
    body = {"name": "results", "system_id": "workstation", "path": "/home/alice"}
    response = running.curl("/v3/bookmarks", "-d", json.dumps(body), token=token)
    assert response.get("result"), response["message"]
    return response["result"]


@pytest.fixture(scope="module")
def log(running, bookmark):
    """What the service has logged since then."""
    return running.service_log()


@pytest.fixture(scope="module")
def stopped(running, token):
    """The API, ended by SIGTERM while one client is in the middle of a request and another holds an idle connection."""
    body = json.dumps({"name": "last", "system_id": "workstation", "path": "/"}).encode()
    head = (
        f"POST /v3/bookmarks HTTP/1.1\r\nHost: localhost:{running.site_port}\r\nX-Tapis-Token: {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    address = ("127.0.0.1", running.api_port)
    with (
        socket.create_connection(address, timeout=10),
        socket.create_connection(address, timeout=STOP_SECONDS) as busy,
        concurrent.futures.ThreadPoolExecutor(1) as pool,
    ):
        busy.sendall(head + body[:9])
        time.sleep(1)
        id, start = running.id_of("api"), time.monotonic()
        stopping = pool.submit(running.docker, "stop", "--time", "60", id)
        time.sleep(1)
        draining = running.status(f"http://127.0.0.1:{running.api_port}/v3/bookmarks/ready")
        busy.sendall(body[9:])
        response = busy.recv(4096)
        stopping.result()
        took = time.monotonic() - start
    return Ended(draining, response, took, inspect("container", id)["State"])


@pytest.fixture(scope="module")
def down(running, stopped):
    """Everything else stopped, too: the exit codes."""
    running.compose("stop")
    return {service: running.container(service)["State"]["ExitCode"] for service in ("devsite", "postgres")}


@pytest.fixture(scope="module")
def started_again(running, down):
    """The volumes hold the data and the devsite's keys."""
    running.up()
    return running


# --- files


def test_the_dockerfiles_build_the_same_program_in_the_same_layers():
    def stages(name):
        """The stages before the last one."""
        text = (REPOSITORY / name).read_text()
        return text[text.index("ARG BUILD_IMAGE") : text.index("FROM ${RUNTIME_IMAGE}")]

    assert stages("Dockerfile") == stages("Dockerfile-migrations")


def test_the_compose_file_is_valid(composition, figure):
    result = composition.compose("config", "--quiet")
    assert result.returncode == 0, result.stderr
    figure(" ".join(composition.compose_command))


# --- images


@pytest.mark.parametrize("what", ["BUILD_IMAGE", "RUNTIME_IMAGE", "POSTGRES_IMAGE"])
def test_a_base_image_is_there(composition, figure, what):
    image = composition.environment[what]
    # One that was named is pulled by the build.
    assert what not in composition.took or inspect("image", image)
    figure(f"{image}, {composition.took.get(what, 0):.0f} s")


@pytest.mark.parametrize("service", ["api", "migrations", "devsite"])
def test_an_image_is_built(built, figure, service):
    assert inspect("image", built.image(service))
    figure(f"{built.took[service]:.0f} s")


@pytest.mark.parametrize("service", ["api", "migrations"])
def test_an_image_adds_little_to_its_base(built, figure, service):
    own = built.megabytes_added(service)
    assert own < MAX_MEGABYTES
    figure(f"{own:.1f} MB")


@pytest.mark.parametrize("service", ["api", "migrations"])
def test_an_image_runs_as_4872_in_the_home_of_tapis(built, service):
    config = inspect("image", built.image(service))["Config"]
    assert (config["User"].split(":")[0], config["WorkingDir"]) == (UID, "/home/tapis")


@pytest.mark.parametrize("service", ["api", "migrations"])
def test_an_image_says_what_it_is(built, service):
    labels = inspect("image", built.image(service))["Config"]["Labels"] or {}
    assert all(labels.get(f"org.opencontainers.image.{key}") for key in LABELS), labels


def test_the_image_of_the_api_has_a_health_check(built):
    config = inspect("image", built.image("api"))["Config"]
    assert config.get("Healthcheck", {}).get("Test", [""])[-1] == "healthcheck"


def test_the_certificates_for_https_are_there(built):
    assert b"BEGIN CERTIFICATE" in built.file_of(built.image("api"), "/etc/ssl/certs/ca-certificates.crt")


def test_the_program_has_no_devsite(built):
    program = built.file_of(built.image("api"), "/usr/local/bin/bookmarks")
    assert program
    assert [text for text in DEVSITE_TEXTS if text in program] == []


def test_the_user_has_a_name_and_owns_the_home_folder(built):
    command = ("--entrypoint", "/bin/sh", built.image("api"), "-c", "stat -c %u:%U /home/tapis && id -u")
    owner = built.docker("run", "--rm", "--read-only", *command)
    assert owner.stdout.split() == [f"{UID}:tapis", UID], owner.stderr


# --- what runs


def test_the_api_becomes_ready(running):
    assert running.status(f"{running.site}/v3/bookmarks/ready") == 200


def test_the_health_check_of_the_image_passes(running):
    running.wait(lambda: running.health("api") == "healthy", "the API is healthy")


def test_curl_creates_a_bookmark_through_the_router_of_the_devsite(bookmark):
    assert bookmark["name"] == "results"


def test_curl_reads_it(running, token, bookmark):
    assert running.curl(f"/v3/bookmarks/{bookmark['bookmark_id']}", token=token).get("result") == bookmark


@pytest.mark.usefixtures("bookmark")
def test_it_is_in_the_composed_database(running):
    assert running.sql("bookmarks", "SELECT tenant_id, owner, name FROM bookmarks") == "tacc|alice|results"


@pytest.mark.usefixtures("bookmark")
def test_without_a_token_there_is_none(running):
    assert running.status(f"{running.site}/v3/bookmarks") == 401


def test_the_root_file_system_is_read_only(running):
    assert running.container("api")["HostConfig"]["ReadonlyRootfs"]


def test_the_process_runs_as_4872(running):
    processes = running.docker("top", running.id_of("api"), "-eo", "pid,uid").stdout.split()[2:]
    assert processes[1::2] == [UID]


def test_it_can_write_nowhere_but_into_the_log(running):
    assert running.docker("exec", running.id_of("api"), "/bin/sh", "-c", "touch /home/tapis/x /tmp/x").returncode != 0


def test_the_log_has_what_happened(log):
    assert "/v3/bookmarks" in log


def test_no_password_is_in_the_logs(running, log):
    everything = log + running.compose("logs", "--no-color", "api", "migrations").stdout
    assert [password for password in PASSWORDS if password in everything] == []


def test_the_migrations_ended_before_the_api_started(running):
    state = running.container("migrations")["State"]
    assert (state["ExitCode"], state["Status"]) == (0, "exited")


def test_two_migration_runners_at_once_run_each_migration_once(running):
    running.sql("postgres", "CREATE DATABASE two_runners")
    runner = ("run", "-T", "--rm", "--no-deps", "-e", "sql_db_url=postgres:5432/two_runners", "migrations", "upgrade")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = [one.result() for one in [pool.submit(running.compose, *runner) for _ in range(2)]]
    assert [one.returncode for one in results] == [0, 0], [one.stderr[-500:] for one in results]
    versions = running.sql("two_runners", "SELECT COUNT(*), COUNT(DISTINCT version), BOOL_AND(success) FROM _sqlx_migrations")
    expected = len(list((REPOSITORY / "migrations").glob("*.up.sql")))
    assert versions == f"{expected}|{expected}|t"
    # A runner at head has nothing to do.
    assert running.compose(*runner).returncode == 0


# --- the end


def test_readiness_is_refused_while_draining(stopped):
    assert stopped.draining == 503


def test_a_request_in_flight_is_answered(stopped):
    assert stopped.response.startswith(b"HTTP/1.1 201")


def test_the_api_ends_within_its_deadline(stopped, figure):
    assert stopped.seconds < STOP_SECONDS
    figure(f"{stopped.seconds:.1f} s")


def test_the_api_ends_by_itself_and_with_0(stopped):
    assert (stopped.state["ExitCode"], stopped.state["OOMKilled"]) == (0, False)


def test_the_others_end_with_0(down):
    assert set(down.values()) == {0}, down


def test_the_bookmark_and_the_token_outlive_a_restart(started_again, token, bookmark):
    assert started_again.curl(f"/v3/bookmarks/{bookmark['bookmark_id']}", token=token).get("result") == bookmark
