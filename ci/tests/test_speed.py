"""What `speed.py` says of its figures. It needs no load to say it."""

from types import SimpleNamespace

import pytest
from speed import Report, at_least, at_most

CASES = 7


@pytest.fixture
def report():
    return Report(SimpleNamespace(rounds=1, seconds=1, workers=1))


@pytest.mark.parametrize(
    ("aim", "by_cpu_time", "at_once", "expected"),
    [
        (at_least(0.9), 0.80, 0.90, "at least 0.90"),
        (at_least(0.9), 0.99, 0.894, "at least 0.90: missed"),
        (at_least(0.9), 0.896, None, "at least 0.90"),
        (at_least(0.9), 0.89, None, "at least 0.90: missed"),
        (at_most(1.1), 1.20, 1.104, "at most 1.10"),
        (at_most(1.1), 1.00, 1.11, "at most 1.10: missed"),
    ],
)
def test_an_aim_is_missed_by_the_steadiest_column_as_it_is_printed(report, aim, by_cpu_time, at_once, expected):
    report.ratio("a", (1.0, by_cpu_time, 1.0, at_once), aim, 2)
    assert f"| {expected} " in str(report)


def test_what_bare_axum_reaches_is_the_measure_of_what_ours_does(report):
    report.ratio("ours", (39.0, 39.0, 40.0, None), None, 0)
    report.ratio("bare", (42.0, 43.0, 42.0, None), None, 0)
    report.share("of that", at_least(0.9))
    assert "| of that |          0.93 |        0.91 |               0.95 |         | at least 0.90 |" in str(report)
