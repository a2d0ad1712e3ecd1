"""Of `weight.py` what needs no build: counting crates, and what is written into the checkout of another commit."""

import pytest
import weight

CASES = 8


def test_a_crate_counts_once_for_each_version():
    tree = "smallest v0.1.0 (/x)\naxum v0.8.9\nhttp v1.4.0\n\nhttp v1.4.0 (*)\nhttp v0.2.12\nserde_derive v1.0.1 (proc-macro)\n"
    assert weight.crates(tree) == 5


def test_a_commit_without_the_smallest_service_gets_it_once():
    manifest = '[workspace]\nmembers = ["crates/*", "examples/shelf"]\n'
    with_it = weight.with_member(manifest, "examples/smallest")
    assert with_it == '[workspace]\nmembers = ["examples/smallest", "crates/*", "examples/shelf"]\n'
    assert weight.with_member(with_it, "examples/smallest") == with_it


def test_a_manifest_without_members_is_refused():
    with pytest.raises(SystemExit, match="no list of members"):
        weight.with_member("[package]\n", "examples/smallest")


def test_the_default_features_are_left_out():
    manifest = (weight.ROOT / weight.SMALLEST / "Cargo.toml").read_text()
    assert "default-features = false" in weight.without_defaults(manifest)


def test_a_commit_without_the_smallest_service_gets_it_in_the_form_of_that_time():
    manifest = (weight.ROOT / weight.SMALLEST / "Cargo.toml").read_text()
    assert weight.as_of_old(manifest).endswith("[dependencies]\n" + weight.OLD_DEPENDENCIES)
    assert '"hello {}"' in weight.OLD_SOURCE
    with pytest.raises(SystemExit, match="no dependencies"):
        weight.as_of_old("[package]\n")


def test_each_program_has_something_to_change():
    for path, before, after in weight.PROGRAMS.values():
        source = (weight.ROOT / path).read_text()
        assert weight.changed(source, before, after) != source


def test_a_handler_that_is_gone_is_refused():
    with pytest.raises(SystemExit, match="to change"):
        weight.changed("fn main() {}", '"hello {}"', '"good day {}"')


def test_the_table_leaves_out_what_was_not_measured():
    weights = [("5a30f9d", "smallest", weight.Weight(235)), ("HEAD", "smallest", weight.Weight(200, 12_300_000, 95.2, 4.25))]
    rows = weight.table(weights).splitlines()
    assert rows[1].split() == ["5a30f9d", "smallest", "235"]
    assert rows[2].split() == ["HEAD", "smallest", "200", "12.3", "95", "4.2"]
