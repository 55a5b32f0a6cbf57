"""docs/integrations.md: its commands run as they stand, and its tables say what is so."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tttdit.checker.render.formats import FORMATS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "integrations.md").read_text("utf-8")
BIN = Path(sys.executable).parent


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_its_commands_run(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "".join(blocks("sh"))],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "tttdit.sarif").read_text())["version"] == "2.1.0"


def test_all_formats_are_told() -> None:
    assert re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE) == list(FORMATS)


def test_the_keys_of_statistics_are_those_told() -> None:
    told = TEXT.partition("as a list of")[2].partition("\n\n")[0]
    done = subprocess.run(
        [
            BIN / "tttdit-check",
            "--statistics",
            "--output-format",
            "json",
            ROOT / "examples/broken/text-of-493-tokens.toml",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert list(json.loads(done.stdout)[0]) == re.findall(r"`(\w+)`", told)
