"""Writes what the documents show of the program's own output: the finding in the README, the picture beside it, and all rules.

    python docs/refresh.py           writes README.md, docs/check.svg and docs/rules.md
    python docs/refresh.py --check   writes nothing; exit code 1 where they no longer say what the program says

The picture is what a terminal shows: the command runs on a pseudo-terminal, and what it writes there is drawn as SVG, long lines wrapped
as a terminal of 100 columns would.
"""

import os
import pty
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

from tttdit.checker.pages import Pages
from tttdit.checker.render.rules import family_of, title_of
from tttdit.core.plugin.registry import Registry

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / "docs" / "check.svg"
RULES = ROOT / "docs" / "rules.md"
COMMAND = "tttdit-check"
IN_WORDS = "examples/broken/one-segment-short.toml"
IN_COLOUR = "examples/broken/text-of-493-tokens.toml"

# The README's block between these two lines is written here.
BEGIN = "<!-- what `make docs` writes: begin -->"
END = "<!-- what `make docs` writes: end -->"

_STYLED = re.compile(r"\x1b\[([0-9;]*)m")
_COLOURS = {"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff", "36": "#76e3ea"}
_PLAIN = "#e6edf3"
_COLUMNS = 100
_FONT, _CELL, _LINE, _MARGIN, _BAR = (
    14,
    8.43,
    20,
    18,
    34,
)  # pixels: font size, a character's width, a line, margins, title bar


def plain() -> str:
    """What the command prints into a pipe."""
    done = subprocess.run([_program(), IN_WORDS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, f"{IN_WORDS} should have findings: {done.stdout}{done.stderr}"
    return done.stdout


def coloured() -> str:
    """What it shows on a terminal, colours included."""
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm-256color"}
    with subprocess.Popen(
        [_program(), IN_COLOUR], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        pieces = []
        while piece := _read(ours):
            pieces.append(piece)
    os.close(ours)
    assert process.returncode == 1, f"{IN_COLOUR} should have findings"
    return b"".join(pieces).decode().replace("\r\n", "\n")


def readme() -> str:
    """The README with its block as it should be."""
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    assert found, f"README.md needs the lines {BEGIN} and {END}"
    return f"{before}{BEGIN}\n\n```console\n$ {COMMAND} {IN_WORDS}\n{plain().rstrip()}\n```\n\n{END}{after}"


def rules() -> str:
    """The pages about all rules of this project, as `tttdit rule` prints them, with links."""
    pages = [page for page in Pages.of(Registry.of_environment()).all if page.owner == "tttdit"]
    lines = [
        "# The rules",
        "",
        "Every finding has a code with a page. `tttdit rule TTD201` prints it, `tttdit rule --all` lists all, those of installed",
        "plugins too. Written by `make docs` from the rules themselves.",
        "",
        "A comment `# tttdit: ignore[TTD204]` silences a code for what stands on its line; on a line of its own above the first",
        "table, in the whole file. `--select TTD2,TTD501` hears of some codes only, `--ignore TTD5` not of some; of two selectors",
        "that fit a code the longer one decides. What keeps a file from being read at all cannot be silenced.",
    ]
    for family, members in groupby(pages, key=lambda page: family_of(page.code)):
        listed = list(members)
        lines += ["", f"## {title_of(family)}", "", "| code | name | severity | fix | |", "|---|---|---|---|---|"]
        for page in listed:
            anchor = f"{page.code}-{page.name}".lower()
            summary = page.summary.replace("|", r"\|")
            lines.append(
                f"| [{page.code}](#{anchor}) | {page.name} | {page.severity} | {page.fix_safety} | {summary} |"
            )
        for page in listed:
            brought = f" Comes with {', '.join(page.plugins)}." if page.plugins else ""
            lines += ["", f"### {page.code} {page.name}", "", f"*{page.severity.capitalize()}.*{brought}"]
            for label, text in page.paragraphs:
                lines += ["", f"**{label}**: {text}"]
    return "\n".join(lines) + "\n"


def picture(output: str) -> str:
    """A terminal's output, colours included, as SVG."""
    lines = [f"$ {COMMAND} {IN_COLOUR}", *output.rstrip().split("\n")]
    rows = [row for line in lines for row in _wrapped(line)]
    width, height = round(_COLUMNS * _CELL) + 2 * _MARGIN, len(rows) * _LINE + _BAR + _MARGIN
    dots = "".join(
        f'<circle cx="{_MARGIN + 6 + 20 * i}" cy="17" r="6" fill="{colour}"/>'
        for i, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    drawn = [f"  {text}" for number, row in enumerate(rows) if (text := _row(row, _BAR + _LINE * number + _FONT))]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"',
            f'  font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="{_FONT}" fill="{_PLAIN}">',
            f"  <title>{escape(f'{COMMAND} {IN_COLOUR}')}</title>",
            f'  <rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
            f"  {dots}",
            *drawn,
            "</svg>\n",
        ]
    )


def _program() -> str:
    return str(Path(sysconfig.get_path("scripts")) / COMMAND)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux's way of saying that the other side has closed
        return b""


def _wrapped(line: str) -> Iterator[list[tuple[str, str]]]:
    """A line as rows of characters, each with its SVG attributes."""
    characters, style = [], ""
    for index, part in enumerate(_STYLED.split(line)):
        if index % 2:  # between two texts: the codes of a style
            codes = part.split(";")
            colour = next((f' fill="{_COLOURS[code]}"' for code in codes if code in _COLOURS), "")
            style = colour + (' font-weight="bold"' if "1" in codes else "")
        else:
            characters += [(character, style) for character in part]
    for start in range(0, max(1, len(characters)), _COLUMNS):
        yield characters[start : start + _COLUMNS]


def _row(row: list[tuple[str, str]], baseline: int) -> str:
    """One row of the screen; each piece of one style is put where its column is, whatever the font's own width."""
    pieces, column = [], 0
    for style, group in groupby(row, key=lambda character: character[1]):
        text = "".join(character for character, _ in group)
        start, shown = column + len(text) - len(text.lstrip(" ")), text.strip(" ")
        if shown:
            place = f'x="{_MARGIN + _CELL * start:.1f}" textLength="{_CELL * len(shown):.1f}"'
            pieces.append(f"<tspan {place}{style}>{escape(shown)}</tspan>")
        column += len(text)
    return f'<text y="{baseline}" xml:space="preserve">{"".join(pieces)}</text>' if pieces else ""


def main(arguments: list[str]) -> int:
    """Write the documents, or say which are out of date."""
    wanted = {README: readme(), PICTURE: picture(coloured()), RULES: rules()}
    if arguments == ["--check"]:
        stale = [file for file, text in wanted.items() if not file.exists() or file.read_text("utf-8") != text]
        for file in stale:
            print(f"{file.relative_to(ROOT)} does not show what the program says now: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    for file, text in wanted.items():
        file.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
