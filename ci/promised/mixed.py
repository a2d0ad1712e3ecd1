"""Everything at once, for a while (F28)."""

import concurrent.futures
import itertools
import socket
import struct
import time

from .stage import check, wait_until

SECONDS, LONG_SECONDS = 120, 3600
# What callers may be answered with, whatever the registry does.
EXPECTED = {200, 400, 401, 404, 405, 408, 413, 414, 431}
MODES = [
    ("ok", None),
    ("refuse", None),
    ("hang", 3),
    ("html", None),
    ("slow", 1),
    ("503", None),
    ("emptylist", None),
    ("drip", 0.01),
    ("flap", None),
    ("truncated", None),
    ("badkey", None),
    ("huge", 20),
    ("gzipbomb", None),
    ("404", None),
]
MODE_SECONDS = 2
# A response of the registry may have 8 MiB, and the allocator keeps the room of one or two. It would do so for each thread.
GROWTH_MEGABYTES = 16
ALLOCATOR = {"MALLOC_ARENA_MAX": "1"}
GROWTH_TASKS = 8
RESET = struct.pack("ii", 1, 0)


def f28(stage):
    seconds = LONG_SECONDS if stage.long else SECONDS
    site = stage.site(
        "f28",
        environment=ALLOCATOR,
        settings={
            "tenants_refresh_seconds": 1,
            "header_timeout_seconds": 5,
            "idle_timeout_seconds": 5,
            "body_timeout_seconds": 5,
        },
    )
    site.send(site.good() * 200)
    wait_until("no connection", lambda: site.metric("tapisservice_connections") == 0)
    before, samples, end = (site.descriptors(), site.metric("tapisservice_tasks")), [], time.monotonic() + seconds
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        mixed = site.beside(mixture(site), connections=16, seconds=seconds, pause=0.004)
        helpers = [pool.submit(work, site, end) for work in (change_modes, hang_up, panic)]
        while not mixed.done():
            samples.append(site.memory())
            time.sleep(1)
        mixed = mixed.result()
        changes, hung_up, panics = (helper.result() for helper in helpers)
    site.mode("ok")
    wait_until("no connection", lambda: site.metric("tapisservice_connections") == 0)
    wait_until("the descriptors are back", lambda: site.descriptors() <= before[0], 15)
    wait_until("the tasks are over", lambda: site.metric("tapisservice_tasks") <= before[1] + GROWTH_TASKS, 15)
    after, early, late = (
        site.metric("tapisservice_tasks"),
        settled(samples[len(samples) // 4 : len(samples) // 2]),
        settled(samples[-len(samples) // 4 :]),
    )
    unexpected = {status: count for status, count in mixed.statuses.items() if status not in EXPECTED}
    check(not unexpected and not mixed.broken, f"unexpected: {unexpected}, {mixed.broken} broken")
    check(mixed.statuses[200] > mixed.responses / 3, f"few good answers: {mixed}")
    check(panics.only(500), f"handlers that panic: {panics}")
    check(late - early < GROWTH_MEGABYTES, f"memory grows: {early:.0f} MB after the first quarter, {late:.0f} MB in the last")
    check(site.send(site.good() * 10).only(200), "afterwards")
    site.end()
    return (
        f"{seconds} s, {mixed} and 0 other answers, {panics} of a handler that panics, {hung_up:,} callers that hang up or dawdle, {changes} "
        f"changes of the registry's failure; memory {early:.0f} MB after the first quarter, {late:.0f} MB in the last; descriptors "
        f"{before[0]} before, back after; tasks {before[1]:.0f} before, {after:.0f} after"
    )


def mixture(site):
    """Two thirds are good."""
    token = site.token()
    bad = [
        *(site.request(token=forged) for forged in site.forged(40)),
        *(site.request(token=site.token(f"nosuch{number}", key="acme")) for number in range(10)),
        *(site.request("/items", token, "POST", body=body) for body in (b"{", b"[]", b'{"name": 1}', b"\xff", b"[" * 50_000)),
        site.request("/nothing", token),
        site.request(token=token, method="DELETE"),
        site.request(),
        site.request(token="garbage"),
        site.request("/whoami?" + "a" * 9_000, token),
        site.request(token=token, headers=f"X-Large: {'a' * 70_000}\r\n"),
        site.request("/items", token, "POST", headers="Content-Type: application/json\r\nContent-Length: 3000000\r\n"),
        site.request(token=token, host="nosuch.example"),
    ]
    post = site.request("/items", token, "POST", body=b'{"name": "a", "stars": 5}')
    return [request for one in bad for request in (one, *site.good()[:1], post)]


def change_modes(site, end):
    """How many there were."""
    modes, count = itertools.cycle(MODES), 0
    while time.monotonic() <= end:
        site.mode(*next(modes))
        count += 1
        time.sleep(MODE_SECONDS)
    return count


def hang_up(site, end):
    """Callers that leave in the middle of a header, of a body and of a response, that say nothing, and that reset the connection."""
    post = site.request("/items", site.token(), "POST", body=b'{"name": "a", "stars": 5}')
    count, dawdling = 0, []
    while time.monotonic() < end:
        for part in (b"", post[:40], post[:-5], post):
            connection = site.connect(part)
            count += 1
            if count % 3 == 0:
                dawdling.append(connection)
                continue
            if count % 2:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            connection.close()
        while len(dawdling) > 100:
            dawdling.pop(0).close()
        time.sleep(0.05)
    for connection in dawdling:
        connection.close()
    return count


def panic(site, end):
    return site.send([site.request("/zerodiv", site.token())], connections=1, seconds=end - time.monotonic(), pause=0.5)


def settled(samples):
    """The median: single responses of the registry are large."""
    return sorted(samples)[len(samples) // 2]
