"""The documents tell the truth: their commands run, their links lead somewhere, what they show is what the program says."""

import re
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path for folder in (".", "docs", "plugins/*", "examples", "examples/*") for path in ROOT.glob(f"{folder}/*.md")
)

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"")
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(document: Path, language: str) -> list[str]:
    return [text for found, text in _FENCED.findall(document.read_text("utf-8")) if found == language]


def anchors(document: Path) -> set[str]:
    """The names that a document's headings get: in lower case, dashes for blanks, other signs gone."""
    headings = re.findall(r"^#+ +(.+)$", _FENCED.sub("", document.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    dead = []
    for markdown, html in _LINK.findall(_FENCED.sub("", document.read_text("utf-8"))):
        link = markdown or html
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        inside = target.is_relative_to(ROOT) and target.exists()
        if not inside or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def test_the_readme_shows_what_the_program_says() -> None:
    """The finding and the picture; `make docs` writes them anew."""
    done = subprocess.run(
        [sys.executable, "docs/refresh.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_spec_of_the_readme_is_right_and_solved() -> None:
    (spec,) = blocks(ROOT / "README.md", "toml")
    done = subprocess.run(
        [Path(sysconfig.get_path("scripts")) / "tttdit-check", "-"],
        input=spec,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "auto: text.tokens_per_segment = 502" in done.stdout


def test_the_python_of_the_readme_says_what_it_says() -> None:
    (code,) = blocks(ROOT / "README.md", "python")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == re.findall(r"# (.*)", code)[0].split(), done.stderr


def test_the_commands_of_the_readme_run(tmp_path: Path, copy_of_repository: Callable[[Path], Path]) -> None:
    """In what a clone would hold, one after the other as they stand, from an empty environment up."""
    commands = "".join(blocks(ROOT / "README.md", "sh"))
    assert "make demo\n" in commands
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=copy_of_repository(tmp_path / "clone"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list((tmp_path / "clone" / ".venv").glob("lib/python*/site-packages/pydantic"))
    assert not list((tmp_path / "clone" / ".venv").glob("lib/python*/site-packages/torch"))
