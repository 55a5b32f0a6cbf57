"""The hooks, as somebody has them who uses pre-commit: installed from a clone of this repository, and run in another one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("pre_commit")

ROOT = Path(__file__).parents[1]
PRE_COMMIT = str(Path(sys.executable).parent / "pre-commit")
BROKEN = (ROOT / "examples" / "broken" / "text-of-493-tokens.toml").read_text("utf-8").replace("# tttdit: skip", "#")


def run(*command: str, cwd: Path, home: Path | None = None, code: int = 0) -> str:
    """What a command says, run without the variables that git has set if these tests run in a hook themselves."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PRE_COMMIT"))}
    if home is not None:
        environment["PRE_COMMIT_HOME"] = str(home)
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def commit_everything(repository: Path) -> str:
    """The commit's name."""
    run("git", "init", "--quiet", cwd=repository)
    run("git", "add", "--all", cwd=repository)
    run(
        "git",
        "-c",
        "user.name=test",
        "-c",
        "user.email=test@example.com",
        "commit",
        "--quiet",
        "-m",
        "all",
        cwd=repository,
    )
    return run("git", "rev-parse", "HEAD", cwd=repository).strip()


def test_the_manifest_is_valid() -> None:
    run(PRE_COMMIT, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml"), cwd=ROOT)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps the hooks' environment, made once."""
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory, copy_of_repository: Callable[[Path], Path]) -> tuple[Path, str]:
    """A clone with the hooks, and its commit."""
    clone = copy_of_repository(tmp_path_factory.mktemp("hooks") / "tttdit")
    return clone, commit_everything(clone)


@pytest.fixture
def repository(tmp_path: Path, hooks: tuple[Path, str]) -> Path:
    """Somebody's, with the configuration of docs/integrations.md, a broken spec, one to be skipped, and a TOML file that is none."""
    (configuration,) = re.findall(
        r"^```yaml\n(.*?)^```$", (ROOT / "docs" / "integrations.md").read_text("utf-8"), re.M | re.S
    )
    configuration, count = re.subn(r"https://github.com/OWNER/tttdit", str(hooks[0]), configuration)
    configuration, counted = re.subn("COMMIT", hooks[1], configuration)
    assert (count, counted) == (1, 1)
    (tmp_path / ".pre-commit-config.yaml").write_text(configuration)
    (tmp_path / "spec.toml").write_text(BROKEN)
    (tmp_path / "skipped.toml").write_text(f"# tttdit: skip\n{BROKEN}")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'example'\n")
    shutil.copy(ROOT / "examples" / "nine-seconds.toml", tmp_path)
    run("git", "init", "--quiet", cwd=tmp_path)
    run("git", "add", "--all", cwd=tmp_path)
    return tmp_path


def test_what_can_be_fixed_is_fixed_and_a_second_run_is_clean(repository: Path, home: Path) -> None:
    said = run(PRE_COMMIT, "run", "--all-files", cwd=repository, home=home, code=1)
    assert "- files were modified by this hook" in said
    assert "ok: 1 fixed, nothing left in 2 files, 2 stages" in said
    assert (repository / "spec.toml").read_text() == BROKEN.replace(
        "tokens_per_segment = 493", "tokens_per_segment = 498"
    )
    assert "493" in (repository / "skipped.toml").read_text()
    run("git", "add", "--all", cwd=repository)
    said = run(PRE_COMMIT, "run", "--all-files", cwd=repository, home=home)
    assert [line.split(".")[-1] for line in said.splitlines()] == ["Passed", "Passed"]


def test_an_error_stops_a_commit(repository: Path, home: Path) -> None:
    said = run(PRE_COMMIT, "run", "tttdit-check", "--all-files", cwd=repository, home=home, code=1)
    assert "- exit code: 1" in said
    assert re.search(r"^spec\.toml:16:1: error\[TTD201\] ", said, re.MULTILINE)
    assert "pyproject.toml" not in said
