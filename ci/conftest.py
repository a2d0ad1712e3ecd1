"""What all checks in Python share: each suite says how many cases it has, and a run of the whole suite must have run as many."""

import collections

import pytest


def pytest_collection_finish(session):
    """A suite states its number of cases as `CASES`. Fewer means that a table or a glob lost some, and nobody would see it."""
    if (
        session.config.getoption("keyword")
        or session.config.getoption("markexpr")
        or any("::" in one for one in session.config.args)
    ):
        return
    counted = collections.Counter(item.module for item in session.items)
    for module, count in counted.items():
        wanted = getattr(module, "CASES", None)
        if wanted != count:
            raise pytest.UsageError(f"{module.__name__} has {count} cases and states {wanted}: add or correct `CASES`")


@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_runtest_makereport(item, call):
    """A case that is skipped was not shown, so it fails."""
    report = yield
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped: a suite runs all its cases or is not started"
    return report
