"""Many requests over few or many connections, with every response counted. Standard library only."""

import asyncio
import collections
import dataclasses
import itertools
import time

RESPONSE_TIMEOUT_SECONDS = 70


@dataclasses.dataclass
class Outcome:
    """The outcome of a load: responses by status, requests without a whole response, and the seconds of each response."""

    statuses: collections.Counter
    broken: int
    seconds: list

    @property
    def responses(self):
        return sum(self.statuses.values())

    def only(self, *statuses):
        """Whether every request was answered, and with nothing but these."""
        return not self.broken and self.responses > 0 and set(self.statuses) <= set(statuses)

    def percentile(self, percent):
        """In milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000

    def __str__(self):
        counts = ", ".join(f"{count:,} x {status}" for status, count in sorted(self.statuses.items()))
        return counts + (f", {self.broken} broken" if self.broken else "")


def send(port, requests, connections=8, seconds=None, pause=0):
    """Sends each request once, or all of them again and again for some seconds."""
    return asyncio.run(_send(port, requests, connections, seconds, pause))


async def _send(port, requests, connections, seconds, pause):
    end = time.monotonic() + seconds if seconds else None
    waiting = itertools.cycle(requests) if seconds else iter(requests)
    outcome = Outcome(collections.Counter(), 0, [])
    await asyncio.gather(*(_connection(port, waiting, end, pause, outcome) for _ in range(connections)))
    return outcome


async def _connection(port, waiting, end, pause, outcome):
    streams = None
    for request in waiting:
        if end and time.monotonic() > end:
            break
        start = time.monotonic()
        try:
            streams = streams or await asyncio.open_connection("127.0.0.1", port)
            streams[1].write(request)
            status, closes = await asyncio.wait_for(_read_response(streams[0]), RESPONSE_TIMEOUT_SECONDS)
        except (OSError, EOFError, ValueError, asyncio.TimeoutError):
            outcome.broken += 1
            closes = True
        else:
            outcome.statuses[status] += 1
            outcome.seconds.append(time.monotonic() - start)
        if closes and streams:
            streams[1].close()
            streams = None
        if pause:
            await asyncio.sleep(pause)
    if streams:
        streams[1].close()


async def _read_response(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
    await reader.readexactly(int(length or 0))
    return int(head.split(b" ", 2)[1]), b"connection: close" in head
