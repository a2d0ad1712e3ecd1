"""That links of pages lead somewhere; how console blocks are read and printed lines are compared with those of a page."""

import pages
import pytest
import test_console
from pages import Command

CASES = 34
ONE = "01a20060-e1d8-7143-ac3a-eefbcdb9201f"
OTHER = "01a2ffff-e1d8-7143-ac3a-eefbcdb9201f"


class Nobody(test_console.Reader):
    """A reader without a shell."""

    def __init__(self):
        self.page, self.values, self.faults = "page.md", {}, []

    def sees(self, shown, printed, anywhere=False):
        """Whether what is printed is what the page shows."""
        before = len(self.faults)
        self.compare(Command(self.page, 3, "date", tuple(shown.split("\n"))), printed.split("\n"), anywhere)
        return len(self.faults) == before


def commands(text):
    return [(one.line, one.text, one.output) for block in pages.parse("page.md", text) for one in pages.commands(block)]


def test_a_block_has_commands_and_what_they_print():
    text = "# Title\n\n```console\n$ one\nfirst\n\nsecond\n$ two   # with a remark\n```\n"
    assert commands(text) == [(4, "one", ("first", "", "second")), (8, "two   # with a remark", ())]


@pytest.mark.parametrize(
    "typed",
    [
        "curl \\\n    -s",
        "curl |\n    cat",
        "echo 'a\nb'",
        "T=$(curl -s |\n    cat)",
        "cat <<'EOF'\ntext\nEOF",
        "if true\nthen ls\nfi",
    ],
)
def test_a_command_goes_on_until_a_shell_would_run_it(typed):
    assert commands(f"```console\n$ {typed}\nprinted\n```") == [(2, typed, ("printed",))]


@pytest.mark.parametrize("text", ["```console\nls\n```", "```console\n$ echo 'a\n```", "```console\n$ ls\n"])
def test_what_nobody_could_type_is_an_error_that_names_the_line(text):
    with pytest.raises(ValueError, match=r"^page\.md:[12]: "):
        commands(text)


def test_a_block_in_a_list_is_read_without_its_indentation():
    assert commands("1. so:\n\n   ```console\n   $ ls\n   file\n   ```\n") == [(4, "ls", ("file",))]


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("exit 78", "exit 78", True),
        ("exit 78", "exit 1", False),
        ("exit 78", "a fault\nexit 78", False),
        ("exit 78", "", False),
        ("a.c", "abc", False),
        ("took 4 ms", "took 17 ms", True),
        ("took 4 ms", "took 17 s", False),
        ("curl 'eyJh...' x", "curl 'eyJhbGci' x", True),
        ("curl 'eyJh...' x", "curl 'abc' x", False),
        ("{\n  ...\n}", "{\n  1\n  2\n}", True),
        ("{\n  ...\n}", "{\n  1", False),
        (f"{ONE} {ONE}", f"{OTHER} {OTHER}", True),
        (f"{ONE} {ONE}", f"{OTHER} {ONE}", False),
        (ONE, "no id", False),
        ("at 2026-11-21T23:11:19.000971Z", "at 2027-01-01T00:00:00Z", True),
        ("at 2026-11-21T23:11:19.000971Z", "at noon", False),
        ("http://localhost:5080/v3", "http://localhost:6090/v3", True),
        ("http://localhost:5080/v3", "http://localhost/v3", False),
    ],
)
def test_printed_lines_are_those_of_the_page_but_for_what_varies(shown, printed, same):
    assert Nobody().sees(shown, printed) == same


def test_the_lines_of_a_service_stand_together_among_others():
    assert Nobody().sees("one\ntwo", "Compiling\none\ntwo\nINFO started", anywhere=True)
    assert not Nobody().sees("one\ntwo", "one\nCompiling\ntwo", anywhere=True)


def test_a_value_stands_for_that_of_the_page_from_then_on():
    reader = Nobody()
    assert reader.sees(f"id {ONE} at localhost:5080", f"id {OTHER} at localhost:6090")
    assert reader.actual(f"curl localhost:5080/{ONE}") == f"curl localhost:6090/{OTHER}"
    assert reader.sees(f"again {ONE}", f"again {OTHER}")
    assert not reader.sees(f"again {ONE}", f"again {ONE}")


def test_a_difference_is_told_with_the_line_and_both_texts():
    reader = Nobody()
    assert not reader.sees("Monday", "Tuesday")
    (fault,) = reader.faults
    assert fault.startswith("page.md:3: ")
    assert "date" in fault
    assert "Monday" in fault
    assert "Tuesday" in fault


def test_every_link_leads_to_a_file_and_a_heading():
    seen, broken = 0, []
    for page in pages.pages():
        for line, target, anchor in pages.links(page):
            seen += 1
            if not target.exists() or (anchor and anchor not in pages.anchors(target.relative_to(pages.ROOT))):
                broken.append(f"{page}:{line}: {target.name}#{anchor}")
    assert not broken, "\n".join(broken)
    assert seen > 100


def test_headings_are_spelled_as_in_links(tmp_path, monkeypatch):
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    text = "# `g`\n## 5. The tenant cache (T1, T2)\n## Twice\n## Twice\n## [A link](x.md) ##\n```sh\n# none\n```\n"
    (tmp_path / "page.md").write_text(text)
    assert pages.anchors("page.md") == {"g", "5-the-tenant-cache-t1-t2", "twice", "twice-1", "a-link"}
