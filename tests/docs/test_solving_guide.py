"""docs/solving.md shows what the program says."""

import re
import shlex
import subprocess
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOWN = re.findall(
    r"^```console\n\$ ([^\n]*)\n(.*?)^```$", (ROOT / "docs" / "solving.md").read_text("utf-8"), re.M | re.S
)


def test_there_is_something_shown() -> None:
    assert len(SHOWN) >= 3


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=[command for command, _ in SHOWN])
def test_what_a_command_says(command: str, output: str) -> None:
    program, *arguments = shlex.split(command)
    done = subprocess.run(
        [Path(sysconfig.get_path("scripts")) / program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == output
    assert done.returncode == (1 if "no value" in output else 0)
