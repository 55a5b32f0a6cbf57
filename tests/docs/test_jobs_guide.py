"""docs/jobs.md tells the truth: its commands run, and say what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "jobs.md").read_text("utf-8")
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]


def run(command: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=ROOT,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_its_commands_run() -> None:
    assert len(COMMANDS) == 4
    for command in COMMANDS:
        done = run(command)
        assert (done.returncode, done.stderr) == (0, ""), command


def test_the_lengths_are_those_that_it_names() -> None:
    said = run(COMMANDS[0]).stdout
    assert "T = 54 (mod 64) works" in said
    assert "374, 438 or 502" in said


def test_a_folder_of_jobs_is_found() -> None:
    said = run("tttdit-check --output-format json examples/jobs").stdout
    assert re.findall(r'"path": "(.*)"', said) == ["examples/jobs/sample-9s.toml", "examples/jobs/train-9s.toml"]
