"""examples/github-workflow.yml: it can be read, and those of its commands that are ours do what it says."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
WORKFLOW = yaml.safe_load((ROOT / "examples" / "github-workflow.yml").read_text("utf-8"))
STEPS: list[dict[str, Any]] = WORKFLOW["jobs"]["tttdit-check"]["steps"]


def run(command: str, repository: Path, code: int) -> str:
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "GITHUB_WORKSPACE": str(repository)}
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", command],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


def ours(*options: str) -> str:
    (command,) = [step["run"] for step in STEPS if all(option in step.get("run", "") for option in options)]
    assert command.startswith("tttdit-check ")
    return str(command)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """With a spec that is right and one that is not."""
    (tmp_path / "specs").mkdir()
    shutil.copy(ROOT / "examples" / "nine-seconds.toml", tmp_path / "specs")
    broken = (ROOT / "examples" / "broken" / "text-of-493-tokens.toml").read_text("utf-8")
    (tmp_path / "specs" / "broken.toml").write_text(broken.replace("# tttdit: skip", "#"))
    return tmp_path


def test_it_is_a_workflow() -> None:
    assert set(WORKFLOW) == {"name", True, "permissions", "jobs"}  # "on" is true in YAML
    assert set(WORKFLOW[True]) == {"push", "pull_request"}
    assert all(("uses" in step) != ("run" in step) for step in STEPS)
    upload = STEPS[-1]
    assert upload["uses"].startswith("github/codeql-action/upload-sarif@")
    assert f"> {upload['with']['sarif_file']}" in ours("sarif")
    assert WORKFLOW["permissions"]["security-events"] == "write"


def test_a_finding_is_an_annotation_and_fails_the_job(repository: Path) -> None:
    (line,) = run(ours("github"), repository, 1).splitlines()
    assert line.startswith("::error title=TTD201 sequence-mini-batch,file=specs/broken.toml,line=")
    (repository / "specs" / "broken.toml").unlink()
    assert run(ours("github"), repository, 0) == ""


def test_the_log_is_written_whatever_is_found(repository: Path) -> None:
    assert run(ours("sarif", "--exit-zero"), repository, 0) == ""
    (run_of_log,) = json.loads((repository / "tttdit.sarif").read_text())["runs"]
    (result,) = run_of_log["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "specs/broken.toml"
