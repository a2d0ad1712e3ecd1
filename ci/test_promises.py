"""Shows the promises F01 to F32: the real service over real sockets while its registry, its callers and its surroundings fail.

    pytest ci/test_promises.py                              all of them
    pytest ci/test_promises.py -k "F08 or F20"              some
    pytest ci/test_promises.py -k F28 --long                for an hour

It needs the built examples `conformance` and `site`: `cargo build --workspace --bins --examples`, or the folder that --binaries names. Prints
a table with the figure seen for each promise. It needs cargo, for the promises that tests in Rust show; `openssl` or the package
`cryptography`, to make keys; the library of `faketime`, to set a clock back; and `node` and `java` 11 or later, whose clients it runs.

Each promise is a case, but all that are chosen are shown at once, when the first case begins, as most of them wait for most of the time.
"""

import resource

import pytest
from promised import rust
from promised.run import Run
from promised.table import PROMISES

CASES = 31
DESCRIPTORS = 8192


@pytest.fixture(scope="module")
def run(request, bench, uncaptured):
    """What was seen of every promise that was chosen."""
    chosen = {item.callspec.params["promise"].id for item in request.session.items if "run" in getattr(item, "fixturenames", ())}
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, DESCRIPTORS), hard))
    binaries = request.config.getoption("binaries").resolve()
    promises = [promise for promise in PROMISES if promise.id in chosen]
    with uncaptured():
        print()
        made = Run(bench, binaries, request.config.getoption("long"), promises)
    yield made
    with uncaptured():
        print("\n", made.table(), sep="\n", flush=True)


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.id)
def test_a_promise_is_kept(run, promise):
    row = run.rows[promise.id]
    assert row.kept, row.figure


def test_every_promise_is_shown_by_something():
    assert [promise.id for promise in PROMISES if not promise.show and not rust.tests_of(promise.id)] == []
