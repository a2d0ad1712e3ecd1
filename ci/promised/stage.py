"""What a promise is shown on: the example `conformance` as a process of its own, beside a registry that fails as it is told."""

import concurrent.futures
import dataclasses
import http.client
import json
import multiprocessing
import os
import random
import shutil
import socket
import sys
import time

from evidence import CONFORMANCE, SECURITY, SERVICE_SETTINGS
from harness import Failure, free_ports

from . import load

SETTINGS = {**SERVICE_SETTINGS, "log_format": "json", "tenants_refresh_seconds": 3600}
TENANTS = ("acme", "beta", "admin")
# `acme` changes to the first, the second is a tenant that comes later.
SPARE_KEYS = ("acme.new", "delta")
TIMEOUT_SECONDS = 60


def check(condition, message):
    if not condition:
        raise Failure(message)


def wait_until(what, condition, seconds=TIMEOUT_SECONDS):
    """Waits for a condition and returns how long that took."""
    start = time.monotonic()
    while not condition():
        check(time.monotonic() - start < seconds, f"not within {seconds} s: {what}")
        time.sleep(0.05)
    return time.monotonic() - start


@dataclasses.dataclass
class Response:
    status: int
    headers: dict
    body: bytes

    @property
    def message(self):
        return json.loads(self.body)["message"]


class Stage:
    """What all promises share: folders, keys, the material, and a process that sends load beside this one."""

    def __init__(self, bench, binaries, long):
        self.bench, self.long = bench, long
        self.binary = binaries / "examples" / "conformance"
        # The material signs with the standard library alone.
        sys.path.append(str(CONFORMANCE))
        import genkeys

        self.make_key = genkeys.with_openssl if shutil.which("openssl") else genkeys.with_cryptography
        self.keys = bench.folder / "keys"
        self.keys.mkdir()
        for name in (*TENANTS, *SPARE_KEYS):
            self.make_key(2048, str(self.keys / f"{name}.pem"), str(self.keys / f"{name}.pub.pem"))
        self.pool = concurrent.futures.ProcessPoolExecutor(3, multiprocessing.get_context("spawn"))

    def site(self, name, **options):
        return Site(self, name, **options)

    def beside(self, *arguments, **options):
        """A load that another process sends meanwhile: a future of its outcome."""
        return self.pool.submit(load.send, *arguments, **options)


class Site:
    """A registry of its own and the service that asks it."""

    def __init__(self, stage, name, settings=None, registry=True, **options):
        import jws

        self.stage, self.name = stage, name
        self.folder = stage.bench.folder / f"{name}-keys"
        self.folder.mkdir()
        for tenant in TENANTS:
            shutil.copy(stage.keys / f"{tenant}.pub.pem", self.folder)
        shutil.copy(stage.keys / "acme.new.pub.pem", self.folder)
        self.signer, self.encode = jws.Keys(str(stage.keys)), jws.b64u
        self.registry_port, self.metrics_port = free_ports(2)
        if registry is True:
            self.start_registry()
        # Another registry than the one that fails as it is told.
        registry_url = registry if isinstance(registry, str) else f"http://127.0.0.1:{self.registry_port}"
        self.service = stage.bench.service(
            stage.binary,
            f"{name}-service",
            {
                **SETTINGS,
                "primary_site_admin_tenant_base_url": registry_url,
                "metrics_listen": f"127.0.0.1:{self.metrics_port}",
                **(settings or {}),
            },
            ready=options.pop("ready", bool(registry)),
            **options,
        )
        self.port, self.pid = self.service.port, self.service.process.pid

    # --- the registry

    def start_registry(self):
        registry = self.stage.bench.start(
            f"{self.name}-registry",
            sys.executable,
            SECURITY / "faulty_registry.py",
            "--keys",
            self.folder,
            "--port",
            self.registry_port,
        )
        registry.wait_for_port(self.registry_port)

    def mode(self, mode, arg=None, path="/"):
        self.control("PUT", "/_mode", json.dumps({"mode": mode, "arg": arg, "path": path}))

    def fetches(self):
        """How often the tenants were asked for."""
        return self.control("GET", "/_stats")["counts"].get("GET /v3/tenants", 0)

    def control(self, method, path, body=None):
        return json.loads(send_request(self.registry_port, method, path, body=body).body)["result"]

    def add_tenant(self, name):
        shutil.copy(self.stage.keys / f"{name}.pub.pem", self.folder)

    # --- requests

    def token(self, tenant="acme", key=None, header=None, **claims):
        claims = {
            "jti": "1",
            "iss": f"https://{tenant}.tapis.test/v3/tokens",
            "sub": f"alice@{tenant}",
            "tapis/tenant_id": tenant,
            "tapis/token_type": "access",
            "tapis/delegation": False,
            "tapis/delegation_sub": None,
            "tapis/username": "alice",
            "tapis/account_type": "user",
            "exp": int(time.time()) + 7200,
            **claims,
        }
        header = {"typ": "JWT", "alg": "RS256", **(header or {})}
        signed = ".".join(self.encode(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}." + self.encode(self.signer.sign("RS256", key or tenant, signed.encode()))

    def forged(self, count, tenant="acme"):
        """Tokens that are right but for their signatures, each with another one."""
        signed = self.token(tenant, key="acme").rpartition(".")[0]
        return [f"{signed}.{self.encode(random.randbytes(256))}" for _ in range(count)]

    def request(self, path="/whoami", token=None, method="GET", host="acme.tapis.test", headers="", body=b""):
        """The bytes of a request."""
        head = f"{method} /v3/bookmarks{path} HTTP/1.1\r\nHost: {host}\r\n{headers}"
        head += f"X-Tapis-Token: {token}\r\n" if token else ""
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        return head.encode() + b"\r\n" + body

    def good(self):
        """A request of a user of each tenant, answered with 200 while the service is well."""
        return [self.request(token=self.token(tenant), host=f"{tenant}.tapis.test") for tenant in ("acme", "beta")]

    def send(self, requests, **options):
        return load.send(self.port, requests, **options)

    def beside(self, requests, **options):
        return self.stage.beside(self.port, requests, **options)

    def get(self, path="/whoami", token=None, method="GET", body=None):
        headers = {"Host": "acme.tapis.test", **({"X-Tapis-Token": token} if token else {})}
        return send_request(self.port, method, f"/v3/bookmarks{path}", headers, body)

    def connect(self, data=b""):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_SECONDS)
        connection.sendall(data)
        return connection

    # --- the process

    def metric(self, name):
        """The sum of a metric over its labels."""
        text = send_request(self.metrics_port, "GET", "/metrics").body.decode()
        lines = [line for line in text.splitlines() if line.startswith((name + " ", name + "{"))]
        return sum(float(line.rpartition(" ")[2]) for line in lines)

    def memory(self, which="VmRSS"):
        """In MB; VmHWM is the most there ever was."""
        with open(f"/proc/{self.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith(which)) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            user, system = stat.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def lines(self, *texts):
        """The lines of the log that hold all these."""
        lines = self.service.log.read_bytes().decode("utf-8", "replace").splitlines()
        return [line for line in lines if all(text in line for text in texts)]

    def end(self):
        """Ends the service and looks at what it leaves."""
        self.stage.bench.stop(self.service)
        self.service.check_log_for_secrets()


def send_request(port, method, path, headers=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return Response(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    finally:
        connection.close()


class Canary:
    """A listener that nobody should connect to."""

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.url = self.listener.getsockname()[1], f"http://127.0.0.1:{self.listener.getsockname()[1]}/canary"
        return self

    def __exit__(self, *_):
        self.listener.close()

    def connections(self):
        self.listener.setblocking(False)
        count = 0
        while True:
            try:
                self.listener.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1
