"""Connections, the end of the process, and panics (F18 to F21)."""

import resource
import signal
import threading
import time

from harness import connects

from .stage import TIMEOUT_SECONDS, check, wait_until

DRAIN_SECONDS, DEADLINE_SECONDS = 2, 25
HEADER_SECONDS = 10
SLOW_CONNECTIONS = 2000
HALF = b"GET /v3/bookmarks/hello HTTP/1.1\r\nHost: acme.tapis.test\r\nX-A: "
MEGABYTE = 1 << 20


def f18(stage):
    site = stage.site("f18")
    token = site.token()
    body = b'{"name": "whole", "stars": 5}'
    request = site.request("/items", token, "POST", body=body)
    half_open = [site.connect(HALF) for _ in range(20)] + [site.connect() for _ in range(20)]
    in_flight = [site.connect(request[:-10]) for _ in range(10)]
    clients = Clients(site, 8)
    time.sleep(1)
    site.service.process.send_signal(signal.SIGTERM)
    start = time.monotonic()
    wait_until("draining", lambda: site.get("/ready").status == 503, DRAIN_SECONDS)
    header = site.get(token=token).headers.get("connection")
    check(header == "close", f"while draining, Connection is {header}")
    wait_until("the listener is closed", lambda: not connects(site.port), DRAIN_SECONDS + 5)
    for connection in in_flight:
        connection.sendall(request[-10:])
    whole = sum(is_complete_response(connection) for connection in in_flight)
    code = site.service.process.wait(DEADLINE_SECONDS + 5)
    took = time.monotonic() - start
    responses, cut, failed_early = clients.join()
    for connection in half_open:
        connection.close()
    check(
        (code, cut, failed_early, whole) == (0, 0, 0, 10) and took < DEADLINE_SECONDS,
        f"exit {code} after {took:.1f} s, {cut} answers cut, {failed_early} failed before the listener closed, {whole} of 10 in flight whole",
    )
    return (
        f"{responses:,} answers under load, 0 cut, 0 failed before the listener closed; 10 of 10 requests in flight whole; ready 503, "
        f"Connection: close; exit 0 after {took:.1f} s with 40 half-open connections; {second_signal(stage)}"
    )


def second_signal(stage):
    site = stage.site("f18-second")
    body = b'{"name": "n", "stars": 5}'
    with site.connect(site.request("/items", site.token(), "POST", body=body)[:-5]):
        site.service.process.send_signal(signal.SIGTERM)
        wait_until("draining", lambda: site.get("/ready").status == 503, DRAIN_SECONDS)
        site.service.process.send_signal(signal.SIGTERM)
        start = time.monotonic()
        code = site.service.process.wait(TIMEOUT_SECONDS)
        took = time.monotonic() - start
    check(code == 143 and took < DRAIN_SECONDS, f"a second signal: exit {code} after {took:.1f} s")
    return f"a second signal: exit {code} in {took:.1f} s"


class Clients:
    """Requests one after the other on each connection until nobody listens any more."""

    def __init__(self, site, count):
        self.site, self.request = site, site.good()[0]
        self.responses = self.cut = self.failed_early = 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def run(self):
        connection = None
        while True:
            try:
                connection = connection or self.site.connect()
                connection.sendall(self.request)
                _, closes = read_response(connection)
            except (OSError, EOFError) as error:
                listens = connects(self.site.port)
                with self.lock:
                    self.cut += isinstance(error, Cut) and bool(error.got)
                    self.failed_early += listens
                if not listens:
                    return
                connection = None
                continue
            with self.lock:
                self.responses += 1
            if closes:
                connection.close()
                connection = None

    def join(self):
        for thread in self.threads:
            thread.join()
        return self.responses, self.cut, self.failed_early


class Cut(EOFError):
    """The connection ended in the middle of a response, or before it: `got` is what had come."""

    def __init__(self, got):
        super().__init__()
        self.got = got


def read_response(connection):
    """A whole response and whether the connection closes after it."""
    got = b""
    while b"\r\n\r\n" not in got or len(got) < whole_length(got):
        part = connection.recv(65536)
        if not part:
            raise Cut(got)
        got += part
    return got, b"connection: close" in got.lower()


def whole_length(got):
    head = got.partition(b"\r\n\r\n")[0]
    return len(head) + 4 + int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)


def is_complete_response(connection):
    with connection:
        try:
            return read_response(connection)[0].startswith(b"HTTP/1.1 200")
        except (OSError, EOFError):
            return False


def f19(stage):
    site = stage.site("f19")
    token = site.token()
    places, each = ("/zerodiv", "/panic-middleware", "/panic-task"), 20
    meanwhile = site.beside(site.good(), connections=2, seconds=3, pause=0.01)
    panics = [site.send([site.request(path, token)] * each, connections=4) for path in places]
    for path, outcome in zip(places, panics, strict=True):
        check(outcome.statuses == {500: each}, f"{path}: {outcome}")
        check(site.get(path, token).message, f"{path}: no envelope")
    meanwhile = meanwhile.result()
    wanted = (each + 1) * len(places)
    counted, lines = site.metric("tapisservice_panics_total"), len(site.lines('"target":"panic"'))
    check(meanwhile.only(200), f"other requests meanwhile: {meanwhile}")
    check(counted == lines == wanted, f"{wanted} panics, {counted:.0f} counted, {lines} lines")
    site.end()
    return (
        f"{wanted} panics in a handler, a callback of the middleware and a task: {wanted} x 500 as envelopes, {counted:.0f} counted, "
        f"{lines} lines; other requests meanwhile: {meanwhile}"
    )


def f20(stage):
    slow = min(SLOW_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)
    site = stage.site("f20", settings={"header_timeout_seconds": HEADER_SECONDS, "idle_timeout_seconds": HEADER_SECONDS})
    good = site.good()
    alone = site.beside(good, connections=2, seconds=4, pause=0.01).result()
    wait_until("baseline", lambda: site.metric("tapisservice_connections") == 0)
    before = site.descriptors()
    connections = [site.connect(HALF if number % 2 else b"") for number in range(slow)]
    wait_until("all are held", lambda: site.metric("tapisservice_connections") >= slow, HEADER_SECONDS - 2)
    meanwhile = site.beside(good, connections=2, seconds=4, pause=0.01).result()
    wait_until("the slow connections are closed", lambda: site.metric("tapisservice_connections") == 0)
    wait_until("the descriptors are back", lambda: site.descriptors() <= before)
    closed = sum(is_closed(connection) for connection in connections)
    check(meanwhile.only(200) and closed == slow, f"{meanwhile}; {closed} of {slow} closed")
    site.end()
    return (
        f"{slow:,} slow connections at once: good requests {meanwhile}, p99 {meanwhile.percentile(99):.0f} ms, alone "
        f"{alone.percentile(99):.0f} ms; all closed after {HEADER_SECONDS} s, descriptors {before} before and "
        f"{before} after; {without_descriptors(stage)}"
    )


def is_closed(connection):
    with connection:
        connection.settimeout(5)
        try:
            while connection.recv(4096):
                pass
            return True
        except ConnectionError:
            return True
        except TimeoutError:
            return False


def without_descriptors(stage):
    limit, seconds = 64, 3
    site = stage.site("f20-emfile", descriptors=limit)
    connections = [site.connect(HALF) for _ in range(2 * limit)]
    wait_until("no descriptor is left", lambda: site.descriptors() >= limit)
    used = site.cpu_seconds()
    time.sleep(seconds)
    used = site.cpu_seconds() - used
    check(site.service.process.poll() is None and used < 0.5, f"without descriptors: {used:.2f} s of CPU time in {seconds} s")
    for connection in connections:
        connection.close()
    after = site.send(site.good() * 10)
    check(after.only(200), f"after the descriptors are free again: {after}")
    errors = site.metric("tapisservice_accept_errors_total")
    site.end()
    return (
        f"with {limit} descriptors and {2 * limit} connections: {used:.2f} s of CPU time in {seconds} s, {errors:.0f} failed accepts, "
        f"then {after}"
    )


def f21(stage):
    site = stage.site("f21")
    token = site.token()
    cases = {
        "header block of 100 KB": (site.request(token=token, headers=f"X-Large: {'a' * 100_000}\r\n"), 431),
        "300 header lines": (site.request(token=token, headers="X-A: a\r\n" * 300), 431),
        "token of 30 KB": (site.request(token="a" * 30_000), 401),
        "target of 9 KB": (site.request("/whoami?" + "a" * 9_000, token), 414),
        "target of 100 KB": (site.request("/whoami?" + "a" * 100_000, token), (414, 431)),
    }
    found = []
    for what, (request, wanted) in cases.items():
        outcome = site.send([request] * 5, connections=5)
        check(
            sum(outcome.statuses.values()) == 5 and outcome.only(*(wanted if isinstance(wanted, tuple) else (wanted,))),
            f"{what}: {outcome}",
        )
        found.append(f"{what} {next(iter(outcome.statuses))}")
    announced = endless_body(site, token, f"Content-Length: {1000 * MEGABYTE}", b"a" * 65536)
    chunked = endless_body(site, token, "Transfer-Encoding: chunked", b"10000\r\n" + b"a" * 65536 + b"\r\n")
    for status, sent in (announced, chunked):
        check(status == 413 and sent < 16 * MEGABYTE, f"an endless body: {status} after {sent / MEGABYTE:.1f} MB")
    check(site.send(site.good()).only(200), "good requests afterwards")
    site.end()
    return (
        f"{', '.join(found)}; body of 1 GB 413 when {announced[1] / MEGABYTE:.1f} MB were sent, endless chunks 413 when "
        f"{chunked[1] / MEGABYTE:.1f} MB were (2 MB are allowed, the rest lay in buffers)"
    )


def endless_body(site, token, header, part):
    """Sends until the service answers or lets no more through: the status and how many bytes went out."""
    sent = 0
    with site.connect(
        site.request("/items", token, "POST", headers=f"Content-Type: application/json\r\n{header}\r\n")
    ) as connection:
        connection.settimeout(0.01)
        rest = part
        while sent < 64 * MEGABYTE:
            try:
                response = connection.recv(4096)
                return int(response.split(b" ")[1]), sent
            except TimeoutError:
                pass
            try:
                count = connection.send(rest)
                sent, rest = sent + count, rest[count:] or part
            except TimeoutError:
                pass
            except OSError:
                connection.settimeout(5)
    return None, sent
