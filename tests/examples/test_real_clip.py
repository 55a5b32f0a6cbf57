"""examples/real-clip: the commands of its README, which are those of `make demo-video`, with made-up clips and few steps.

What the model has learned after all its steps is held against its bar by `make demo-video` itself.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from clips import make_clip
from launching import finish

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "real-clip"


def commands() -> list[list[str]]:
    """Those of the README, after `make demo-video`."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (EXAMPLE / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert blocks[0] == "make demo-video\n"
    return [shlex.split(line) for line in blocks[1].splitlines()]


def test_make_runs_the_commands_of_the_readme() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", "demo-video", "VENV=VENV"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stdout.replace("\\\n", " ").splitlines()
    made = [
        shlex.split(line.removeprefix("VENV/bin/"))
        for line in lines
        if line.startswith("VENV/bin/") and " -m " not in line
    ]
    assert made == commands()


def test_every_command_with_clips_that_are_made_up(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    shutil.copytree(EXAMPLE, tmp_path / "examples" / "real-clip")
    (tmp_path / "out" / "clips").mkdir(parents=True)
    make_clip(tmp_path / "out" / "clips" / "bikes.mp4", [number / 25 for number in range(250)], size=(68, 160))
    make_clip(tmp_path / "out" / "clips" / "bigbuckbunny.mp4", [number / 25 for number in range(132)], size=(180, 320))
    for command in commands():
        if command[0] == "python":
            script = [sys.executable, *command[1:]]
            done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=False)
            learned = command[1].endswith("compare.py")
            assert done.returncode in ((0, 1) if learned else (0,)), (
                done.stderr
            )  # 1: after so few steps it has learned too little
            if learned:
                assert re.search(r"^rabbit( +\d+\.\d){3}\nstreet( +\d+\.\d){3}$", done.stdout, re.MULTILINE), (
                    done.stdout
                )
            continue
        arguments = command[1:] if command[0] == "tttdit" else ["check", *command[1:]]
        if arguments[0] in ("run", "sample", "prepare"):
            arguments += ["--device", "cpu"]
        if arguments[0] == "run":
            arguments += [
                "--set",
                "training.steps=2",
                "--set",
                "training.warmup_steps=0",
                "--set",
                "checkpoint.interval=0",
            ]
        if arguments[0] == "sample":
            arguments += ["--set", "sampling.steps=2"]
        code, said = finish(arguments, tmp_path)
        assert code == 0, f"{shlex.join(command)}\n{said}"
        if arguments[0] == "check":
            assert "stage 3s: ok" in said
    for name in (
        "loss.png",
        "side-by-side-rabbit.png",
        "side-by-side-street.png",
        "videos/rabbit.mp4",
        "videos/street.mp4",
    ):
        assert (tmp_path / "out" / name).stat().st_size > 0
