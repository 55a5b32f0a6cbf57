"""What a check leaves unimported: no torch ever, and nothing slow where nothing is wrong. Each in a fresh process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tttdit.checker.render.formats import FORMATS

ROOT = Path(__file__).parents[1]
CLEAN = sorted((ROOT / "examples").glob("*.toml"))
BROKEN = sorted((ROOT / "examples" / "broken").glob("*.toml"))

# Runs the command line in this process, and says afterwards which modules it took.
CHECK = """
import json, sys
from tttdit.checker.cli import check_main

sys.argv = ["tttdit-check", *sys.argv[1:]]
try:
    code = check_main()
except SystemExit as stop:
    code = stop.code
print(json.dumps({"code": code or 0, "modules": sorted(sys.modules)}), file=sys.stderr)
"""


def python(code: str, *arguments: str) -> str:
    """What a fresh process says on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stderr


def top_level(modules: list[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_there_is_something_to_check() -> None:
    assert CLEAN
    assert BROKEN


def test_a_clean_check_takes_neither_torch_nor_sympy() -> None:
    said = json.loads(python(CHECK, *map(str, CLEAN)).splitlines()[-1])
    assert said["code"] == 0
    assert top_level(said["modules"]) & {"torch", "numpy", "sympy", "safetensors"} == set()


@pytest.mark.parametrize("output_format", FORMATS)
def test_no_check_takes_torch_whatever_it_finds(output_format: str) -> None:
    said = json.loads(python(CHECK, "--output-format", output_format, *map(str, BROKEN)).splitlines()[-1])
    assert said["code"] == 1
    assert top_level(said["modules"]) & {"torch", "numpy", "safetensors"} == set()


def test_a_check_takes_the_modules_of_the_plugins_that_the_spec_names_and_no_others() -> None:
    said = json.loads(python(CHECK, str(ROOT / "examples" / "nine-seconds.toml")).splitlines()[-1])
    taken = {name for name in said["modules"] if name.startswith("tttdit.plugins.ttt_")}
    assert {name for name in taken if name.startswith("tttdit.plugins.ttt_linear.")} == {
        "tttdit.plugins.ttt_linear.plugin"
    }
    assert "tttdit.plugins.ttt_mlp.plugin" in taken


def test_importing_tttdit_takes_nothing_yet() -> None:
    said = python(
        "import json, sys; before = set(sys.modules); import tttdit;"
        "print(json.dumps(sorted(set(sys.modules) - before)), file=sys.stderr)"
    )
    modules = json.loads(said)
    assert top_level(modules) & {"attr", "attrs", "pluggy", "pydantic", "sympy", "torch"} == set()
    assert [name for name in modules if name.startswith(("tttdit.checker", "tttdit.core", "tttdit.plugins"))] == []
