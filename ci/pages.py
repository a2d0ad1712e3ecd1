"""The pages of the repository and the code blocks in them. Standard library only."""

import dataclasses
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
REPOSITORY = "https://github.com/tapis-project/tapisservice-rust"
# What a release says of the past stays as it was.
LEFT_OUT = ("CHANGELOG.md", "LICENSE.md")
FENCE = re.compile(r"( *)(```+|~~~+)(.*)")
# rustdoc takes a block without a language for Rust, and each of these words for an attribute of a Rust block.
RUST = {"", "rust", "ignore", "no_run", "should_panic", "compile_fail", "edition2021", "edition2024"}


@dataclasses.dataclass(frozen=True)
class Block:
    """One fenced block: where its first line is, and what the fence says."""

    page: str
    line: int
    info: str
    lines: tuple

    @property
    def is_rust(self):
        return re.split(r"[,\s]", self.info)[0] in RUST


@dataclasses.dataclass(frozen=True)
class Command:
    """One command of a `console` block, and the lines that the page shows below it."""

    page: str
    line: int
    text: str
    output: tuple


def pages():
    """Every page that is in the repository or about to be, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = [path for path in listed.stdout.splitlines() if pathlib.Path(path).name not in LEFT_OUT]
    return [path for path in found if (ROOT / path).exists()]


def blocks(page):
    """The fenced blocks of a page."""
    return list(parse(page, (ROOT / page).read_text("utf-8")))


def parse(page, text):
    opened, start, kept = None, 0, []
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.fullmatch(line)
        if opened is None:
            if fence:
                opened, start, kept = fence, number + 1, []
        elif fence and fence[2].startswith(opened[2]) and not fence[3].strip():
            yield Block(page, start, opened[3].strip(), tuple(kept))
            opened = None
        else:
            kept.append(line.removeprefix(opened[1]))
    if opened is not None:
        raise ValueError(f"{page}:{start - 1}: the block is not closed")


def commands(block):
    """What is typed at each `$ ` of a block, with its continuation lines, and what is printed below."""
    lines, position = block.lines, 0
    while position < len(lines):
        first = position
        if not lines[first].startswith("$ "):
            raise ValueError(f"{block.page}:{block.line + first}: a `console` block begins with `$ ` and a command")
        typed = [lines[first][2:]]
        position += 1
        while not is_complete(typed):
            if position == len(lines):
                raise ValueError(f"{block.page}:{block.line + first}: the command has no end")
            typed.append(lines[position])
            position += 1
        end = next((at for at in range(position, len(lines)) if lines[at].startswith("$ ")), len(lines))
        yield Command(block.page, block.line + first, "\n".join(typed), without_blank_end(lines[position:end]))
        position = end


def without_blank_end(lines):
    end = next((at for at in range(len(lines), 0, -1) if lines[at - 1].strip()), 0)
    return lines[:end]


def is_complete(typed):
    """Whether a shell would run the lines rather than wait for more."""
    if typed[-1].endswith(("\\", "|")):
        return False
    script = "\n".join(typed) + "\n"
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    return done.returncode == 0 and "here-document" not in done.stderr


LINK = re.compile(r"\[[^][]*\]\(([^()\s]+)\)")


def prose(page):
    """The lines of a page outside of its blocks, by number."""
    opened = None
    for number, line in enumerate((ROOT / page).read_text("utf-8").splitlines(), 1):
        fence = FENCE.fullmatch(line)
        if opened is None and not fence:
            yield number, line
        elif opened is None:
            opened = fence
        elif fence and fence[2].startswith(opened[2]) and not fence[3].strip():
            opened = None


def links(page):
    """The links of a page that lead into the repository: line, path from the root, anchor."""
    for number, line in prose(page):
        for target in LINK.findall(line):
            path, _, anchor = target.partition("#")
            # rustdoc resolves paths of items itself.
            if "::" not in target and not re.match(r"[a-z]+:", target):
                found = (ROOT / page).parent / path if path else ROOT / page
                yield number, found.resolve(), anchor


def anchors(page):
    """What a link may name in a page: its headings, as GitHub spells them, and the names it sets itself."""
    found, seen = set(), {}
    for _, line in prose(page):
        found.update(re.findall(r'<a (?:id|name)="([^"]+)"', line))
        if heading := re.fullmatch(r"#+ +(.*?)(?: +#+)?", line):
            text = re.sub(r"\[([^][]*)\]\([^()]*\)", r"\1", heading[1]).lower()
            slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
            found.add(slug + (f"-{seen[slug]}" if slug in seen else ""))
            seen[slug] = seen.get(slug, 0) + 1
    return found
