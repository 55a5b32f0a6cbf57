"""What holds for every format, in processes of their own: hostile text is text, pipes may close, disks may be full."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker.render.formats import FORMATS, renderer
from tttdit.checker.render.paint import Paint
from tttdit.checker.report import Report

CHECK = str(Path(sys.executable).parent / "tttdit-check")
FOLDER = Path(__file__).parents[3] / "checker" / "render"

# An escape sequence that clears the screen, a bell, a carriage return, a text turned around, an 8-bit control character, GitHub's commands.
HOSTILE = "\x1b[2J\x07\r\u202e\x9b31m::error::x %0A"


def run(*arguments: str, code: int) -> str:
    done = subprocess.run([CHECK, *arguments], capture_output=True, check=False)
    assert done.returncode == code, done.stderr.decode()
    assert done.stderr == b""
    return done.stdout.decode()


def test_a_format_is_a_file_of_its_own() -> None:
    assert all((FOLDER / f"{name}.py").is_file() for name in FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_without_files_can_be_rendered(name: str) -> None:
    assert all("\n" not in line or name in ("json", "sarif") for line in renderer(name)(Report(()), Paint()))


@pytest.mark.parametrize("name", FORMATS)
def test_control_characters_of_a_spec_never_reach_a_terminal(name: str, make_spec: Callable[..., str]) -> None:
    """In the file's name, in names of keys, tables and stages, in values, in comments; and what is written is no workflow command."""
    quoted = HOSTILE.translate({ord(character): f"\\u{ord(character):04x}" for character in HOSTILE if character < " "})
    path = make_spec(
        "tokens_per_segment = 493",
        added=f'\n[training]\n"{quoted}" = "{quoted}" # \u202e\n["{quoted}"]\n\n[[stage]]\nname = "{quoted}"\nvideo.seconds = "{quoted}"\n',
        name=f"{HOSTILE.replace('/', '')}.toml",
    )
    said = run(path, "--output-format", name, code=1)
    assert "TTD" in said
    unseen = {character for character in said if unicodedata.category(character) in ("Cc", "Cf") and character != "\n"}
    assert unseen == set()
    if name in ("json", "sarif"):
        assert said.isascii()
    commands = [line for line in said.splitlines() if line.startswith("::")]
    assert commands == (said.splitlines() if name == "github" else [])


@pytest.mark.parametrize("name", FORMATS)
def test_a_reader_that_goes_away_is_no_trouble(name: str, make_spec: Callable[..., str]) -> None:
    """With more to write than a pipe holds (64 KiB)."""
    wrong = "\n[training]\n" + "".join(f"key_{number} = {number}\n" for number in range(50))
    paths = [make_spec(added=wrong, name=f"{number}{'x' * 200}.toml") for number in range(6)]
    command = [*paths, "--output-format", name]
    assert len(run(*command, code=1)) > 2**16
    for reader in ("head -c 1", "true"):
        shell = f'"$0" "$@" | {reader}; exit ${{PIPESTATUS[0]}}'
        done = subprocess.run(["bash", "-c", shell, CHECK, *command], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize("arguments", [*(("--output-format", name) for name in FORMATS), ("--statistics",)])
def test_a_full_disk_is_one_line(arguments: tuple[str, ...], make_spec: Callable[..., str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [CHECK, make_spec("tokens_per_segment = 493"), *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (2, "tttdit: cannot write: No space left on device\n")
