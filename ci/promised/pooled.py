"""Connections that carry one request after the other, and clients that close their side (F29, F30)."""

import collections
import concurrent.futures
import pathlib
import random
import re
import socket
import subprocess
import sys
import time

from harness import clean_environment

from .stage import check, wait_until

CLIENTS = pathlib.Path(__file__).parent / "clients"
# Of each kind of client, with its share of the requests.
PROGRAMS = {
    "sockets": ((sys.executable, CLIENTS / "pooled_client.py", "socket"), 1500),
    "Python": ((sys.executable, CLIENTS / "pooled_client.py", "pool"), 1500),
    "Node.js": (("node", CLIENTS / "pooled_client.js"), 1000),
    "Java": (("java", CLIENTS / "PooledClient.java"), 1000),
}
REFUSED = 10_000
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SIZES = (0, 1, 2, 10, 300, 8_000, 70_000, 262_144, 262_145, 300_000)
# More than `max_body_bytes`.
EXCESS, EXCESS_EVERY = 3_000_000, 40
FRAMINGS = ("length", "length", "length late", "length expect", "chunked", "chunked expect")
# That of Java up to 18 waits for ever when it asked with Expect and the response is final (JDK-8286171).
NEVER_EXPECTS = "Java"
# Paths that POST reads a body at: nothing is refused there before it is sent.
READERS = ("/items", "/oauth2/tokens")
LIMIT_SECONDS = 300
STATUSES = {400, 401, 404, 405, 413}
# The service says 200, and the devsite 401 to a POST without a token.
FOLLOWED = {200, 401}


def f29(stage):
    # The clients name the loopback address as their host, which names no tenant there.
    site = stage.site("f29", settings={"log_level": "ERROR", "server": "dev"})
    token = site.token()
    devsite_port = start_devsite(stage)
    at_service = [
        ("/v3/bookmarks/whoami", ""),
        ("/v3/bookmarks/nowhere", token),
        ("/v3/bookmarks/hello", token),
        ("/v3/bookmarks/items", token),
    ]
    after_service = [
        ("GET", "/v3/bookmarks/whoami", token, ""),
        ("POST", "/v3/bookmarks/items", token, '{"name": "n", "stars": 5}'),
    ]
    at_devsite = [("/v3/nowhere", ""), ("/v3/tenants", ""), ("/v3/security/user/hasRole", ""), ("/v3/oauth2/tokens", "")]
    after_devsite = [("GET", "/v3/sites", "", ""), ("POST", "/v3/security/user/hasRole", "", "{}")]
    runs = []
    with concurrent.futures.ThreadPoolExecutor(len(PROGRAMS)) as pool:
        for port, targets, follow_ups in ((site.port, at_service, after_service), (devsite_port, at_devsite, after_devsite)):
            for name, (program, count) in PROGRAMS.items():
                plan = stage.bench.folder / f"f29-{name}-{port}.tsv"
                plan.write_text("".join(planned(name, count, targets, follow_ups)))
                runs.append(pool.submit(run_client, program, port, plan, name))
    refused, stays, closes = collections.Counter(), 0, 0
    for run in runs:
        outcome = run.result()
        refused.update(outcome.statuses)
        stays, closes = stays + outcome.stays, closes + outcome.closes
    met = sum(count for status, count in refused.items() if status >= 400)
    check(met >= REFUSED, f"only {met} requests were refused: {refused}")
    check(set(refused) >= STATUSES, f"not refused in every way: {refused}")
    site.end()
    counts = ", ".join(f"{count:,} x {status}" for status, count in sorted(refused.items()) if status >= 400)
    return (
        f"{met:,} refused requests of {len(METHODS)} methods, with bodies from 0 B to 3 MB, sent with a length, in chunks and with Expect, "
        f"by {', '.join(PROGRAMS)}, to a service and the devsite: {counts}; {stays:,} on connections that went on, {closes:,} were told that "
        "theirs closes; 0 answers and 0 follow-ups lost"
    )


def start_devsite(stage):
    """The port of one of its tenants."""
    program = stage.bench.start("f29-devsite", stage.binary.parent / "site", cwd=stage.bench.folder)
    program.wait(lambda: b"curl" in program.log.read_bytes(), "say where its tenants are")
    return int(re.search(rb"http://\S+?:(\d+)", program.log.read_bytes())[1])


def planned(name, count, targets, follow_ups):
    """The lines of a plan. More than `count`, since some of the requests are answered otherwise."""
    framings = [framing for framing in FRAMINGS if "expect" not in framing or name != NEVER_EXPECTS]
    for number in range(count + count // 4):
        path, token = targets[number % len(targets)]
        method = METHODS[number // len(targets) % len(METHODS)]
        size = random.choice(SIZES) if random.randrange(EXCESS_EVERY) else EXCESS
        framing = random.choice(framings)
        if path.endswith(READERS):
            method, framing = "POST", framing.removesuffix(" late")
        yield "\t".join((method, path, token, str(size), framing, *random.choice(follow_ups))) + "\n"


class Outcome:
    def __init__(self, lines):
        responses = [line.split() for line in lines if re.fullmatch(r"\d+ (closes|stays)", line)]
        self.statuses = collections.Counter(int(status) for status, _ in responses)
        self.closes = sum(how == "closes" for _, how in responses)
        self.stays = len(responses) - self.closes
        self.followed = collections.Counter(int(line.split()[1]) for line in lines if line.startswith("followed"))


def run_client(program, port, plan, name):
    done = subprocess.run(
        [*map(str, program), str(port), str(plan)],
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    lines = done.stdout.splitlines()
    lost = [line for line in lines if line.startswith("lost")]
    check(done.returncode == 0, f"{name} ended with {done.returncode}: {done.stderr[-500:]}")
    check(not lost, f"{name}: {len(lost)} of {len(lines)} lost, such as: {'; '.join(lost[:3])}")
    outcome = Outcome(lines)
    wanted = len(plan.read_text().splitlines())
    check(sum(outcome.statuses.values()) == sum(outcome.followed.values()) == wanted, f"{name}: not all of the plan was answered")
    # Bytes of a body that are taken for a request are answered with 400.
    check(set(outcome.followed) <= FOLLOWED, f"{name}: follow-ups answered with {outcome.followed}")
    return outcome


def f30(stage):
    site = stage.site("f30", settings={"registry_timeout_seconds": 4})
    token, body = site.token(), b'{"name": "half", "stars": 5}'
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    post = site.request("/items", token, "POST", headers="Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n")
    requests = {
        "GET": site.request(token=token),
        "POST": site.request("/items", token, "POST", body=body),
        "POST in chunks": post + chunked,
        "HTTP/1.0": site.request(token=token).replace(b"HTTP/1.1", b"HTTP/1.0"),
        "two at once": site.request(token=token) * 2,
    }
    each = 50
    for what, request in requests.items():
        for _ in range(each):
            got, _ = half_closed(site, request)
            check(final(got) == [b"200"] * (2 if what == "two at once" else 1), f"{what}: {got[:200]}")
    # A handler that waits: for a registry that does not answer.
    site.mode("hang")
    got, took = half_closed(site, site.request(token=site.token("delta", key="acme"), host="delta.tapis.test"))
    check(
        len(final(got)) == 1 and final(got)[0] in (b"401", b"503") and took > 1,
        f"a handler that waits: {got[:200]} after {took:.1f} s",
    )
    wait_until("no connection is left", lambda: site.metric("tapisservice_connections") == 0)
    site.end()
    return (
        f"{each * len(requests)} requests whose client closed its side behind them ({', '.join(requests)}): all answered; one whose handler waited "
        f"for the registry: {final(got)[0].decode()} after {took:.1f} s"
    )


def half_closed(site, request):
    """All that comes, and after how many seconds."""
    start = time.monotonic()
    with site.connect(request) as connection:
        connection.shutdown(socket.SHUT_WR)
        got = b""
        while part := connection.recv(65536):
            got += part
    return got, time.monotonic() - start


def final(got):
    """The statuses, without those of interim responses."""
    return [status for status in re.findall(rb"HTTP/1\.[01] (\d{3})", got) if not status.startswith(b"1")]
