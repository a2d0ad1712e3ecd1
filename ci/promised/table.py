"""The promises, and which function or which tests in Rust show each."""

import dataclasses
import typing

from . import input as requests
from . import mixed, pooled, registry, server


@dataclasses.dataclass
class Promise:
    id: str
    fault: str
    # The functions of this folder that show it; the tests in Rust that do are in `promised/rust.py`.
    show: typing.Callable | None = None
    # What neither of them shows.
    not_shown: str = ""
    # Times are told, so it runs while nothing else does.
    alone: bool = False


BOUND_BY_TIME = "that p99 stays within twice: callers and service share the cores, so the times are told and not judged"
PROMISES = [
    Promise("F01", "registry down at start", registry.f01),
    Promise("F02", "registry down later", registry.f02, "24 h by the wall: in Rust, on a paused clock"),
    Promise("F03", "registry slow, hangs, drips", registry.f03),
    Promise("F04", "registry flaps", registry.f04),
    Promise("F05", "registry answers garbage", registry.f05),
    Promise("F06", "bad records", registry.f06),
    Promise("F07", "key rotation", registry.f07),
    Promise("F08", "10,000 forged tokens", registry.f08, BOUND_BY_TIME, alone=True),
    Promise("F09", "unknown tenants", registry.f09),
    Promise(
        "F11", "clock steps back", registry.f11, "while the clock is wrong, a token that has expired is good: nobody could know"
    ),
    Promise("F12", "token service down at refresh"),
    Promise("F13", "500 callers at expiry"),
    Promise("F14", "database down at start"),
    Promise("F15", "database killed under load", not_shown="loss of power: what PostgreSQL acknowledged is its disk's to keep"),
    Promise("F16", "pool exhausted"),
    Promise("F18", "SIGTERM under load", server.f18),
    Promise("F19", "panics", server.f19),
    Promise("F20", "slow connections", server.f20, BOUND_BY_TIME, alone=True),
    Promise("F21", "oversize", server.f21),
    Promise("F22", "malformed JSON", requests.f22, "fuzzing that is guided by coverage: `python3 ci/fuzz.py` does that"),
    Promise("F23", "attack loop", requests.f23),
    Promise("F24", "canary secrets at TRACE"),
    Promise("F25", "addresses of a canary", requests.f25),
    Promise("F26", "bad config files", requests.f26),
    Promise("F27", "callers that hang up"),
    Promise(
        "F28",
        "mixed load and faults",
        mixed.f28,
        "the hour: `--long`, by hand; memory with several arenas of glibc (the service has one here), which grow apart for minutes before they are flat",
    ),
    Promise(
        "F29",
        "bodies that nobody reads",
        pooled.f29,
        "clients whose body needs more than 5 s, or 2 s after a close that was announced",
    ),
    Promise("F30", "clients that close their side", pooled.f30),
    Promise(
        "F31",
        "registry answers that are made to be costly",
        registry.f31,
        "that nobody waits over 100 ms: callers, registry and a debug build share the cores, so the times are told and judged with room",
        alone=True,
    ),
    Promise("F32", "handlers mounted in every way"),
]
