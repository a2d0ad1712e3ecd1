#!/usr/bin/env python3
"""Builds the images, brings docker-compose.yml up with the profile `devsite`, looks at what runs, and removes it all again.

    python3 ci/images.py

It needs a Docker engine, docker-compose (or Compose v2), curl, git, and root for `debootstrap`, with which it makes stand-ins
for the base images. Where images can be pulled, BUILD_IMAGE, RUNTIME_IMAGE and POSTGRES_IMAGE name the ones to take instead; the
layers upon a build image that was named stay, as the builder's cache for the next run.
It takes ten to twenty minutes on two cores; it says one line per check, and exits with 0 if all passed.
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

from harness import Bench, Failure, free_ports
from standins import StandIns

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
BUILD_SECONDS = 3600
COMMAND_SECONDS = 300
START_SECONDS = 120
# Defaults of `shutdown_seconds`, and some time for the engine.
STOP_SECONDS = 25 + 3
# Of the program and what comes with it, without the base image.
MAX_MEGABYTES = 80
UID = "4872"
# Only a program with the devsite, or with the configuration for it, has these.
DEVSITE_TEXTS = [b"tapisservice_devsite", b"devsite-client", b"devsite-service"]


class Suite:
    """The checks, in the order in which they build on each other."""

    def __init__(self, bench):
        self.folder = bench.folder
        self.checkout = copy_of_checkout(bench.folder)
        self.name = f"tapisserviceci{os.getpid()}"
        self.standins = StandIns(bench.folder, REPOSITORY, self.name)
        self.api_port, self.site_port = free_ports(2)
        self.site = f"http://localhost:{self.site_port}"
        self.compose_command = find_compose()
        self.passed = self.failed = 0

    def check(self, what, ok, detail=""):
        self.passed, self.failed = self.passed + bool(ok), self.failed + (not ok)
        print(f"{'ok    ' if ok else 'FAILED'} {what}{f': {detail}' if detail else ''}", flush=True)

    def run(self):
        try:
            self.prepare()
            self.files()
            self.build()
            self.images()
            self.up()
            self.requests()
            self.containers()
            self.migrations()
            self.stop()
            self.again()
        except (Failure, subprocess.SubprocessError) as error:
            self.check("all checks could run", False, error)
            self.show_logs()
        finally:
            self.remove()
        print(f"{self.passed} passed, {self.failed} failed")
        if self.failed:
            raise Failure(f"{self.failed} checks")

    # --- before anything runs

    def prepare(self):
        """The environment of every command: free ports, base images, a tag of our own."""
        names = {
            "BUILD_IMAGE": self.standins.build,
            "RUNTIME_IMAGE": self.standins.runtime,
            "POSTGRES_IMAGE": self.standins.postgres,
        }
        self.given = {name for name in names if os.environ.get(name)}
        if len(self.given) < len(names) and not shutil.which("debootstrap"):
            raise Failure("debootstrap is not there (a Debian package); or name all of " + ", ".join(names))
        images = {}
        for name, make in names.items():
            start = time.monotonic()
            images[name] = os.environ.get(name) or make()
            print(f"       {name} is {images[name]} ({time.monotonic() - start:.0f} s)", flush=True)
        self.runtime_image = images["RUNTIME_IMAGE"]
        settings = {
            **images,
            "TAG": self.name,
            "CARGO_PROFILE_RELEASE_LTO": os.environ.get("CARGO_PROFILE_RELEASE_LTO", "off"),
            "CARGO_PROFILE_RELEASE_OPT_LEVEL": os.environ.get("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
            "API_ADDRESS": f"127.0.0.1:{self.api_port}",
            "DEVSITE_PORT": str(self.site_port),
            "TAPIS_ADMIN_TENANT_BASE_URL": f"http://localhost:{self.site_port + 1}",
            "COMPOSE_PROJECT_NAME": self.name,
            # The builder that every engine has; BuildKit is the more lenient one.
            "DOCKER_BUILDKIT": "0",
            "COMPOSE_DOCKER_CLI_BUILD": "0",
        }
        self.environment = {**os.environ, **settings}
        shutil.copy(self.checkout / ".env.example", self.checkout / ".env")
        log = self.checkout / "service.log"
        log.touch()
        log.chmod(0o666)

    def files(self):
        stages = [stages_of(self.checkout / name) for name in ("Dockerfile", "Dockerfile-migrations")]
        self.check("the Dockerfiles build the same program in the same layers", stages[0] == stages[1])
        result = self.command(*self.compose_command, "config", "--quiet")
        self.check(f"docker-compose.yml is valid for {' '.join(self.compose_command)}", result.returncode == 0, result.stderr)

    def build(self):
        for service in ("api", "migrations", "devsite"):
            start = time.monotonic()
            result = self.compose("build", service, limit=BUILD_SECONDS)
            took = f"{time.monotonic() - start:.0f} s"
            if result.returncode != 0:
                lines = (result.stdout + result.stderr).splitlines()[-25:]
                raise Failure("\n".join([f"the image of {service} cannot be built:", *lines]))
            self.check(f"the image of {service} is built", True, took)

    def images(self):
        base = inspect("image", self.runtime_image)["Size"]
        for name in ("api", "api-migrations"):
            image = f"tapis/bookmarks-{name}:{self.name}"
            facts = inspect("image", image)
            own = (facts["Size"] - base) / 1e6
            self.check(f"{name} adds less than {MAX_MEGABYTES} MB to its base", own < MAX_MEGABYTES, f"{own:.1f} MB")
            config = facts["Config"]
            self.check(
                f"{name} runs as {UID} in /home/tapis",
                (config["User"].split(":")[0], config["WorkingDir"]) == (UID, "/home/tapis"),
            )
            labels = config["Labels"] or {}
            self.check(
                f"{name} says what it is",
                all(labels.get(f"org.opencontainers.image.{key}") for key in ("title", "source", "version", "licenses")),
            )
        api = f"tapis/bookmarks-api:{self.name}"
        config = inspect("image", api)["Config"]
        self.check("the API has a health check", config.get("Healthcheck", {}).get("Test", [""])[-1] == "healthcheck")
        self.check(
            "the certificates for HTTPS are there",
            b"BEGIN CERTIFICATE" in self.file_of(api, "/etc/ssl/certs/ca-certificates.crt"),
        )
        program = self.file_of(api, "/usr/local/bin/bookmarks")
        self.check(
            "the program has no devsite",
            not any(text in program for text in DEVSITE_TEXTS),
            b", ".join(text for text in DEVSITE_TEXTS if text in program).decode(),
        )
        owner = self.docker(
            "run", "--rm", "--read-only", "--entrypoint", "/bin/sh", api, "-c", "stat -c %u:%U /home/tapis && id -u"
        )
        self.check("the user has a name and owns the home folder", owner.stdout.split() == [f"{UID}:tapis", UID], owner.stderr)

    # --- what runs

    def up(self):
        result = self.compose("up", "-d", limit=BUILD_SECONDS)
        if result.returncode != 0:
            raise Failure(f"docker-compose up failed: {result.stderr.strip()[-2000:]}")
        self.wait(lambda: self.status(f"{self.site}/v3/bookmarks/ready") == 200, "the API is ready behind the devsite's router")
        self.check("the API becomes ready", True)
        self.wait(lambda: self.health("api") == "healthy", "the API is healthy")
        self.check("the health check of the image passes", True)

    def requests(self):
        login = self.curl(
            f"{self.site}/v3/oauth2/tokens",
            "-d",
            json.dumps({"username": "alice", "password": "secret", "grant_type": "password"}),
        )
        self.token = login["result"]["access_token"]["access_token"]
        created = self.curl(
            f"{self.site}/v3/bookmarks", "-d", json.dumps({"name": "results", "system_id": "workstation", "path": "/home/alice"})
        )
        self.bookmark = created.get("result") or {}
        self.check(
            "curl creates a bookmark through the devsite's router", self.bookmark.get("name") == "results", created["message"]
        )
        self.check("curl reads it", self.read_again())
        rows = self.sql("bookmarks", "SELECT tenant_id, owner, name FROM bookmarks")
        self.check("it is in the composed PostgreSQL", rows == "tacc|alice|results", rows)
        answer = self.command("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", f"{self.site}/v3/bookmarks").stdout
        self.check("without a token there is none", answer == "401", answer)

    def containers(self):
        api = inspect("container", self.container("api"))
        self.check("the root file system is read-only", api["HostConfig"]["ReadonlyRootfs"])
        processes = self.docker("top", self.container("api"), "-eo", "pid,uid").stdout.split()[2:]
        self.check(f"the process runs as {UID}", processes[1::2] == [UID], " ".join(processes))
        written = self.docker("exec", self.container("api"), "/bin/sh", "-c", "touch /home/tapis/x /tmp/x")
        self.check("and can write nowhere but into the log", written.returncode != 0)
        log = (self.checkout / "service.log").read_text()
        self.check("service.log has what happened", "/v3/bookmarks" in log)
        everything = log + self.compose("logs", "--no-color", "api", "migrations").stdout
        self.check(
            "no password is in the logs", "bookmarks-development" not in everything and "devsite-service" not in everything
        )

    def migrations(self):
        state = inspect("container", self.container("migrations"))["State"]
        self.check("the migrations ended with 0 before the API started", state["ExitCode"] == 0 and state["Status"] == "exited")
        self.sql("postgres", "CREATE DATABASE two_runners")
        runner = ("run", "-T", "--rm", "--no-deps", "-e", "sql_db_url=postgres:5432/two_runners", "migrations", "upgrade")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            results = [one.result() for one in [pool.submit(self.compose, *runner) for _ in range(2)]]
        self.check(
            "two migration runners at once both end with 0",
            [one.returncode for one in results] == [0, 0],
            " ".join(one.stderr[-500:] for one in results if one.returncode),
        )
        versions = self.sql("two_runners", "SELECT COUNT(*), COUNT(DISTINCT version), BOOL_AND(success) FROM _sqlx_migrations")
        expected = len(list((REPOSITORY / "migrations").glob("*.up.sql")))
        self.check("each migration ran once", versions == f"{expected}|{expected}|t", versions)
        self.check("a runner at head has nothing to do", self.compose(*runner).returncode == 0)

    # --- the end

    def stop(self):
        """SIGTERM while one client is in the middle of a request and another holds an idle connection."""
        body = json.dumps({"name": "last", "system_id": "workstation", "path": "/"}).encode()
        head = (
            f"POST /v3/bookmarks HTTP/1.1\r\nHost: localhost:{self.site_port}\r\nX-Tapis-Token: {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        idle = socket.create_connection(("127.0.0.1", self.api_port), timeout=10)
        busy = socket.create_connection(("127.0.0.1", self.api_port), timeout=STOP_SECONDS)
        busy.sendall(head + body[:9])
        time.sleep(1)
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            stopping = pool.submit(self.docker, "stop", "--time", "60", self.container("api"))
            time.sleep(1)
            draining = self.status(f"http://127.0.0.1:{self.api_port}/v3/bookmarks/ready")
            busy.sendall(body[9:])
            answer = busy.recv(4096)
            stopping.result()
        took = time.monotonic() - start
        state = inspect("container", self.container("api"))["State"]
        self.check("readiness is refused while draining", draining == 503, draining)
        self.check("a request in flight is answered", answer.startswith(b"HTTP/1.1 201"), answer[:40])
        self.check("the API ends within its deadline", took < STOP_SECONDS, f"{took:.1f} s")
        self.check("with the exit code 0, not killed", (state["ExitCode"], state["OOMKilled"]) == (0, False), state["ExitCode"])
        idle.close()

    def again(self):
        """Everything stopped and started: the volumes hold the data and the devsite's keys."""
        self.compose("stop")
        ends = {
            service: inspect("container", self.container(service))["State"]["ExitCode"] for service in ("devsite", "postgres")
        }
        self.check("the others end with 0, too", set(ends.values()) == {0}, ends)
        result = self.compose("up", "-d")
        self.check("what was stopped starts again", result.returncode == 0, result.stderr[-500:] if result.returncode else "")
        self.wait(lambda: self.status(f"{self.site}/v3/bookmarks/ready") == 200, "the API is ready again")
        self.check("the bookmark and the token outlived it", self.read_again())

    def read_again(self):
        answer = self.curl(f"{self.site}/v3/bookmarks/{self.bookmark.get('bookmark_id')}")
        return answer.get("result") == self.bookmark

    def remove(self):
        """Containers, networks, volumes and images of this run."""
        if not hasattr(self, "environment"):
            remove_images(self.standins.names)
            return
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "30")
        own = [f"tapis/{name}:{self.name}" for name in ("bookmarks-api", "bookmarks-api-migrations", "tapisservice-devsite")]
        first_layers = {inspect("image", name)["RootFS"]["Layers"][0] for name in self.standins.names}
        remove_images(own)
        remove_images(dangling_upon(first_layers))
        remove_images(self.standins.names)

    # --- commands

    def command(self, *command, limit=COMMAND_SECONDS):
        return subprocess.run(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit,
            cwd=self.checkout,
            env=getattr(self, "environment", None),
        )

    def compose(self, *arguments, limit=COMMAND_SECONDS):
        return self.command(*self.compose_command, *arguments, limit=limit)

    def docker(self, *arguments):
        return self.command("docker", *arguments)

    def container(self, service):
        return self.compose("ps", "-q", "-a", service).stdout.strip() or self.missing(service)

    def missing(self, service):
        raise Failure(f"there is no container of {service}")

    def health(self, service):
        return inspect("container", self.container(service))["State"].get("Health", {}).get("Status")

    def sql(self, database, statement):
        result = self.compose("exec", "-T", "postgres", "psql", "-U", "bookmarks", "-d", database, "-Atc", statement)
        if result.returncode != 0:
            raise Failure(f"psql: {result.stderr.strip()}")
        return result.stdout.strip()

    def curl(self, url, *options):
        """An envelope, whatever the status."""
        token = ["-H", f"X-Tapis-Token: {self.token}"] if hasattr(self, "token") else []
        result = self.command("curl", "-sS", "--max-time", "30", "-H", "Content-Type: application/json", *token, *options, url)
        try:
            return json.loads(result.stdout)
        except ValueError:
            raise Failure(f"curl {url}: {result.stdout[:300]} {result.stderr}") from None

    def status(self, url):
        result = self.command("curl", "-s", "--max-time", "5", "-o", "/dev/null", "-w", "%{http_code}", url)
        return int(result.stdout or 0)

    def wait(self, condition, what):
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"not within {START_SECONDS} s: {what}")
            time.sleep(0.5)

    def file_of(self, image, path):
        container = self.docker("create", image).stdout.strip()
        copy = self.folder / "copied"
        try:
            # -L: a base image may have a link there.
            result = self.docker("cp", "-L", f"{container}:{path}", copy)
            return copy.read_bytes() if result.returncode == 0 else b""
        finally:
            self.docker("rm", container)
            copy.unlink(missing_ok=True)

    def show_logs(self):
        if hasattr(self, "environment"):
            # Not of the devsite: it prints a token.
            logs = self.compose("logs", "--no-color", "--tail", "40", "postgres", "migrations")
            print(self.compose("ps", "-a").stdout, logs.stdout, sep="\n")
            log = (self.checkout / "service.log").read_text().splitlines()[-25:]
            print("--- service.log", *log, sep="\n", flush=True)


def copy_of_checkout(folder):
    """The files that git knows or would add: the build context of a fresh clone, with changes that are not committed."""
    listed = (
        subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            check=True,
        )
        .stdout.decode()
        .split("\0")
    )
    for name in filter(None, listed):
        if (REPOSITORY / name).is_file():
            (folder / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / "checkout" / name)
    return folder / "checkout"


def stages_of(dockerfile):
    """The stages before the last one."""
    text = dockerfile.read_text()
    return text[text.index("ARG BUILD_IMAGE") : text.index("FROM ${RUNTIME_IMAGE}")]


def find_compose():
    for command in (["docker-compose"], ["docker", "compose"]):
        try:
            if subprocess.run([*command, "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                return command
        except FileNotFoundError:
            pass
    raise Failure("neither docker-compose nor docker compose is there")


def inspect(kind, name):
    result = subprocess.run(["docker", kind, "inspect", name], capture_output=True, text=True)
    if result.returncode != 0:
        raise Failure(result.stderr.strip())
    return json.loads(result.stdout)[0]


def dangling_upon(first_layers):
    """Images without a name that were built upon one of these layers: the first stages of a build."""
    listed = subprocess.run(["docker", "images", "-q", "--filter", "dangling=true"], stdout=subprocess.PIPE, text=True)
    ids = sorted(set(listed.stdout.split()))
    return [one for one in ids if first_layers & set(inspect("image", one)["RootFS"]["Layers"][:1])]


def remove_images(names):
    if names:
        subprocess.run(["docker", "rmi", "--force", *names], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main():
    try:
        with Bench() as bench:
            Suite(bench).run()
    except Failure as failure:
        sys.exit(f"FAILED: {failure}")


if __name__ == "__main__":
    main()
