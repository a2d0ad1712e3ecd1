"""The images and the composed services of one run: what builds, starts, asks and removes them. It needs a Docker engine,
docker-compose (or Compose v2), curl and git."""

import json
import os
import pathlib
import shutil
import subprocess
import time

from harness import Failure, free_ports
from standins import StandIns

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
BUILD_SECONDS = 3600
COMMAND_SECONDS = 300
START_SECONDS = 120
SERVICES = {"api": "bookmarks-api", "migrations": "bookmarks-api-migrations", "devsite": "tapisservice-devsite"}


class Composition:
    """A copy of the checkout, with a project, a tag and ports of its own."""

    def __init__(self, folder):
        self.folder, self.checkout = folder, copy_of_checkout(folder)
        self.name = f"tapisserviceci{os.getpid()}"
        self.standins = StandIns(folder, REPOSITORY, self.name)
        self.api_port, self.site_port = free_ports(2)
        self.site = f"http://localhost:{self.site_port}"
        self.compose_command = find_compose()
        self.environment = self.runtime_image = None
        self.took = {}

    def prepare(self):
        """The environment of every command: free ports, base images, a tag of our own."""
        makers = {
            "BUILD_IMAGE": self.standins.build,
            "RUNTIME_IMAGE": self.standins.runtime,
            "POSTGRES_IMAGE": self.standins.postgres,
        }
        missing = [name for name in makers if not os.environ.get(name)]
        if missing and not shutil.which("debootstrap"):
            raise Failure(f"debootstrap is not there (a Debian package); or set {', '.join(missing)}")
        images = {name: os.environ.get(name) or self.timed(name, make) for name, make in makers.items()}
        self.runtime_image = images["RUNTIME_IMAGE"]
        self.environment = {
            **os.environ,
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
        shutil.copy(self.checkout / ".env.example", self.checkout / ".env")
        log = self.checkout / "service.log"
        log.touch()
        log.chmod(0o666)

    def timed(self, what, work):
        """Remembers how many seconds it took."""
        start = time.monotonic()
        made = work()
        self.took[what] = time.monotonic() - start
        return made

    # --- images

    def image(self, service):
        return f"tapis/{SERVICES[service]}:{self.name}"

    def build(self, service):
        result = self.timed(service, lambda: self.compose("build", service, limit=BUILD_SECONDS))
        if result.returncode != 0:
            lines = (result.stdout + result.stderr).splitlines()[-25:]
            raise Failure("\n".join([f"the image of {service} cannot be built:", *lines]))

    def megabytes_added(self, service):
        """What the image has more than its base."""
        return (inspect("image", self.image(service))["Size"] - inspect("image", self.runtime_image)["Size"]) / 1e6

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

    # --- what runs

    def up(self):
        """Starts what does not run, and waits until the API is ready behind the router of the devsite."""
        result = self.compose("up", "-d", limit=BUILD_SECONDS)
        if result.returncode != 0:
            raise Failure(f"docker-compose up failed: {result.stderr.strip()[-2000:]}")
        self.wait(lambda: self.status(f"{self.site}/v3/bookmarks/ready") == 200, "the API is ready behind the devsite's router")

    def container(self, service):
        """What Docker knows of the container of a service."""
        id = self.compose("ps", "-q", "-a", service).stdout.strip()
        if not id:
            raise Failure(f"there is no container of {service}")
        return inspect("container", id)

    def id_of(self, service):
        return self.container(service)["Id"]

    def health(self, service):
        return self.container(service)["State"].get("Health", {}).get("Status")

    def sql(self, database, statement):
        result = self.compose("exec", "-T", "postgres", "psql", "-U", "bookmarks", "-d", database, "-Atc", statement)
        if result.returncode != 0:
            raise Failure(f"psql: {result.stderr.strip()}")
        return result.stdout.strip()

    def wait(self, condition, what):
        deadline = time.monotonic() + START_SECONDS
        while not condition():
            if time.monotonic() > deadline:
                raise Failure(f"not within {START_SECONDS} s: {what}")
            time.sleep(0.5)

    def service_log(self):
        return (self.checkout / "service.log").read_text()

    # --- requests

    def curl(self, path, *options, token=None):
        """The envelope that the site answers with, whatever the status."""
        token = ["-H", f"X-Tapis-Token: {token}"] if token else []
        url = f"{self.site}{path}"
        result = self.command("curl", "-sS", "--max-time", "30", "-H", "Content-Type: application/json", *token, *options, url)
        try:
            return json.loads(result.stdout)
        except ValueError:
            raise Failure(f"curl {url}: {result.stdout[:300]} {result.stderr}") from None

    def status(self, url):
        result = self.command("curl", "-s", "--max-time", "5", "-o", "/dev/null", "-w", "%{http_code}", url)
        return int(result.stdout or 0)

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
            env=self.environment,
            check=False,
        )

    def compose(self, *arguments, limit=COMMAND_SECONDS):
        return self.command(*self.compose_command, *arguments, limit=limit)

    def docker(self, *arguments):
        return self.command("docker", *arguments)

    # --- the end

    def show_logs(self):
        if self.environment is None:
            return
        # Not of the devsite: it prints a token.
        logs = self.compose("logs", "--no-color", "--tail", "40", "postgres", "migrations")
        print(self.compose("ps", "-a").stdout, logs.stdout, sep="\n")
        print("--- service.log", *self.service_log().splitlines()[-25:], sep="\n", flush=True)

    def remove(self):
        """Containers, networks, volumes and images of this run."""
        if self.environment is None:
            remove_images(self.standins.names)
            return
        self.compose("down", "--volumes", "--remove-orphans", "--timeout", "30")
        first_layers = {inspect("image", name)["RootFS"]["Layers"][0] for name in self.standins.names}
        remove_images([self.image(service) for service in SERVICES])
        remove_images(dangling_upon(first_layers))
        remove_images(self.standins.names)


def copy_of_checkout(folder):
    """The files that git knows or would add: the build context of a fresh clone, with changes that are not committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout.decode().split("\0")
    for name in filter(None, listed):
        if (REPOSITORY / name).is_file():
            (folder / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / "checkout" / name)
    return folder / "checkout"


def find_compose():
    for command in (["docker-compose"], ["docker", "compose"]):
        try:
            if subprocess.run([*command, "version"], capture_output=True, check=False).returncode == 0:
                return command
        except FileNotFoundError:
            pass
    raise Failure("neither docker-compose nor docker compose is there")


def inspect(kind, name):
    result = subprocess.run(["docker", kind, "inspect", name], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Failure(result.stderr.strip())
    return json.loads(result.stdout)[0]


def dangling_upon(first_layers):
    """Images without a name that were built upon one of these layers: the first stages of a build."""
    command = ["docker", "images", "-q", "--filter", "dangling=true"]
    ids = sorted(set(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout.split()))
    return [one for one in ids if first_layers & set(inspect("image", one)["RootFS"]["Layers"][:1])]


def remove_images(names):
    if names:
        subprocess.run(["docker", "rmi", "--force", *names], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
