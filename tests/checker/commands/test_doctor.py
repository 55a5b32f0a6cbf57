"""`tttdit doctor`: what a machine has, with torch and without, and nothing that is nobody's business."""

from __future__ import annotations

import getpass
import json
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tttdit.checker import cli
from tttdit.checker.doctor import examining, smi
from tttdit.checker.doctor.environment import nameless, telling
from tttdit.checker.render import doctor as rendering
from tttdit.checker.render.paint import Paint
from tttdit.core import proved
from tttdit.core.runtime.devices import Found, Gpu, _dotted

ROOT = Path(__file__).parents[3]

# A program like the command, in which torch cannot be imported.
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from tttdit.checker.cli import outcome, tttdit_command
sys.exit(outcome(tttdit_command, "tttdit", ["doctor"]))
"""


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = cli.outcome(cli.tttdit_command, "tttdit", ["doctor", *arguments])
    return code, capsys.readouterr().out


def test_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = doctor(capsys)
    assert code == 0
    assert [line for line in said.splitlines() if not line.startswith(" ")][:3] == ["versions", "plugins", "devices"]
    assert re.search(rf"^  python +{re.escape(platform.python_version())}$", said, re.M)
    assert re.search(r"^  torch +\d+\.\d+", said, re.M)
    assert "  predictions are proved on torch 2.13.0 (docs/accuracy.md)" in said
    assert re.search(r"^  tttdit \S+ .*\bsynthetic\b", said, re.M)
    assert re.search(
        r"^  memory +[\d.]+ \wiB of [\d.]+ \wiB in use, which the (machine has|container may have)$", said, re.M
    )


def test_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = doctor(capsys, "--output-format", "json")
    found = json.loads(said)
    assert (code, found["version"]) == (0, 1)
    assert found["proved"]["torch"] == proved.TORCH
    assert found["torch"]["gpus"] == [] or found["torch"]["gpus"][0]["total_bytes"] > 0
    assert found["cores"]["usable"] >= 1


def test_it_names_neither_user_nor_host_nor_folder(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("TORCH_HOME", "/home/somebody/cache:/home/another/cache")
    monkeypatch.setenv("NCCL_TOKEN", "hush")
    monkeypatch.setenv("MY_PASSWORD", "hush")
    for form in ("full", "json"):
        _, said = doctor(capsys, "--output-format", form)
        assert "~/cache:~/cache" in said
        assert not any(word in said for word in ("somebody", "another", "hush", "MY_PASSWORD", str(Path.cwd())))
        names = {getpass.getuser(), platform.node()} - {"root", "vm", "localhost"}
        assert not any(re.search(rf"\b{re.escape(name)}\b", said) for name in names)


def test_of_the_environment_only_what_changes_a_run() -> None:
    environment = {"NCCL_DEBUG": "INFO", "OMP_NUM_THREADS": "4", "AWS_SECRET": "x", "PATH": "/bin", "NCCL_API_KEY": "x"}
    assert telling(environment) == {"NCCL_API_KEY": "(set)", "NCCL_DEBUG": "INFO", "OMP_NUM_THREADS": "4"}
    assert nameless("https://me:word@host/x /Users/me/y", "/") == "https://host/x ~/y"


def test_without_torch() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "  torch cannot be used: torch is not installed: pip install 'tttdit[run]'\n" in done.stdout
    assert "\n  cuda  nobody knows without torch\n" in done.stdout


def test_gpus_and_links(monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = tuple(Gpu("H100", 80 * 2**30, 79 * 2**30, "9.0", (1 - index,)) for index in range(2))
    found = Found(torch="2.9.1+cu128", cuda="12.8", cudnn="9.10.2", nccl="2.27.5", gloo=True, threads=8, gpus=gpus)
    monkeypatch.setattr(examining, "_torch", lambda: (found, ""))
    monkeypatch.setattr(
        smi, "_said", lambda *arguments: ["580.1"] if "topo" not in arguments else ["\x1b[4m\tGPU0\x1b[0m", "GPU0\t X "]
    )
    said = list(rendering.render(examining.examine(), Paint()))
    assert "  cuda:0  H100, 80.00 GiB, 79.00 GiB free, compute capability 9.0, reaches GPU 1" in said
    assert said[said.index("links") + 1 :][:2] == ["          GPU0", "  GPU0     X"]
    assert "  predictions are proved on torch 2.13.0 (docs/accuracy.md), not on 2.9.1+cu128" in said
    assert any(re.fullmatch(r"  driver +580\.1", line) for line in said)


def test_what_is_proved_is_what_was_measured() -> None:
    """The version is said in one place of the code; the tools that measure are pinned in another."""
    assert f"torch=={proved.TORCH}" in (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert f"torch {proved.TORCH}" in (ROOT / "docs" / "accuracy.md").read_text("utf-8")
    assert proved.is_proved_on("2.13.0+cu130")
    assert not proved.is_proved_on("2.13.1")


def test_cudnn_says_its_version_in_digits() -> None:
    assert (_dotted(91002), _dotted(8902)) == ("9.10.2", "8.9.2")
