"""What all checks in Python share: the bench that ends what a suite starts, and the count of its cases.

Each suite says how many cases it has, `CASES`, and a run of the whole suite must have that many. A case that is skipped fails.
"""

import collections
import contextlib
import pathlib
import signal

import pytest
from harness import Bench

ROOT = pathlib.Path(__file__).resolve().parent.parent


def pytest_addoption(parser):
    folder = ROOT / "target" / "debug"
    parser.addoption("--binaries", type=pathlib.Path, default=folder, help="cargo's folder of the built programs (target/debug)")
    parser.addoption("--long", action="store_true", help="the promise F28 for an hour")


@pytest.fixture(scope="module")
def bench(show_if_failed):
    """A temporary folder and the processes of a suite, which end with it whatever happens."""
    with Bench() as bench:
        # SIGTERM ends the run, not only the case that happens to run.
        signal.signal(signal.SIGTERM, lambda *_: pytest.exit("ended by SIGTERM", returncode=143))
        yield bench
        show_if_failed(lambda: [program.show_tail() for program in bench.running])


@pytest.fixture(scope="module")
def show_if_failed(request, uncaptured):
    """Calls a function that prints what explains a failure, if a case of the suite has failed. For the end of fixtures."""
    before = request.session.testsfailed

    def show(function):
        if request.session.testsfailed > before:
            # What can no longer be shown must not keep a fixture from its end.
            with uncaptured(), contextlib.suppress(Exception):
                function()

    return show


@pytest.fixture(scope="module")
def uncaptured(request):
    """For what is printed as it happens, and not only with a failure."""
    return request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled


@pytest.fixture
def figure(record_property):
    """Takes the figure that a case saw. All are listed at the end."""
    return lambda text: record_property("figure", text)


def pytest_terminal_summary(terminalreporter):
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, [])]
    figures = [(report.nodeid, value) for report in reports for name, value in report.user_properties if name == "figure"]
    if figures:
        terminalreporter.section("figures")
    for case, value in dict(figures).items():
        terminalreporter.write_line(f"{case.partition('::')[2]}: {value}")


def pytest_collection_finish(session):
    """Fewer cases mean that a table or a glob lost some, and nobody would see it."""
    if (
        session.config.getoption("keyword")
        or session.config.getoption("markexpr")
        or any("::" in one for one in session.config.args)
    ):
        return
    for module, count in collections.Counter(item.module for item in session.items).items():
        wanted = getattr(module, "CASES", None)
        if wanted != count:
            raise pytest.UsageError(f"{module.__name__} has {count} cases and states {wanted}: add or correct `CASES`")


@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_runtest_makereport(item, call):
    """A case that is skipped was not shown."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: a suite runs all its cases or is not started"
    return report
