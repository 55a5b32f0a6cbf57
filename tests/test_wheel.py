"""What people install: the wheel, built from the sdist, put into an environment that has nothing else of this repository."""

import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PACKAGES = ("core", "plugins", "checker")
ONLY_WARNED_OF = {"layers-in-groups-of-four.toml", "pass-without-mixer.toml"}


def run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    """Run a command far from the repository; what it printed."""
    done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def needed_by(name: str, seen: set[str]) -> set[str]:
    """The distributions that `pip install` of this one would bring, extras left out."""
    for line in distribution(name).requires or []:
        requirement = Requirement(line)
        if requirement.name not in seen and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            seen.add(requirement.name)
            needed_by(requirement.name, seen)
    return seen


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, copy_of_repository: Callable[[Path], Path]) -> Path:
    """The wheel, from the sdist of a copy, so that the working tree stays as it is."""
    copy = copy_of_repository(tmp_path_factory.mktemp("build") / "copy")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", copy / "dist", copy, cwd=copy.parent)
    (built,) = (copy / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and what it requires, linked from this one; no torch, no tools, no repository."""
    home = tmp_path_factory.mktemp("elsewhere") / "environment"
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home.parent)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(home), "platbase": str(home)}))
    for name in needed_by("tttdit", set()):
        files = distribution(name).files or []
        for top in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
            if not (site / top).exists():
                (site / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    pip = [sys.executable, "-m", "pip", "--python", home / "bin" / "python", "--disable-pip-version-check"]
    run(*pip, "install", "--no-deps", "--no-index", wheel, cwd=home.parent)
    return home


def test_the_wheel_holds_every_file_of_every_package(wheel: Path) -> None:
    expected = set()
    for package in PACKAGES:
        for file in (ROOT / package).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                expected.add(f"tttdit/{file.relative_to(ROOT).as_posix()}".replace("tttdit/core/_root/", "tttdit/"))
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in held if ".dist-info/" not in name} == expected
    assert any(name.endswith("/licenses/LICENSE") for name in held)


def test_nothing_generic_lands_in_site_packages(wheel: Path, environment: Path) -> None:
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tttdit"}

    look = "from importlib.util import find_spec; print([n for n in ('core', 'plugins', 'checker', 'torch') if find_spec(n)])"
    assert run(environment / "bin" / "python", "-c", look, cwd=environment) == "[]\n"


def test_an_editable_install_puts_nothing_generic_on_the_path(tmp_path: Path) -> None:
    look = "from importlib.util import find_spec; print([n for n in ('core', 'plugins', 'checker') if find_spec(n)])"
    assert run(sys.executable, "-c", look, cwd=tmp_path) == "[]\n"


def test_the_installed_wheel_checks_the_examples(environment: Path, tmp_path: Path) -> None:
    """With neither the repository nor torch within reach."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    clean = sorted((tmp_path / "examples").glob("*.toml"))
    broken = sorted((tmp_path / "examples" / "broken").glob("*.toml"))
    assert clean
    assert broken
    run(environment / "bin" / "tttdit-check", *clean, cwd=tmp_path)
    for example in broken:
        code = 0 if example.name in ONLY_WARNED_OF else 1
        said = run(environment / "bin" / "tttdit-check", example, cwd=tmp_path, code=code)
        (announced,) = re.findall(r"^# expect: (\S+)", example.read_text(), re.MULTILINE)
        assert announced in said
