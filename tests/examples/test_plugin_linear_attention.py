"""A stranger's plugin: installed into a fresh environment, found, checked with, and heard."""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin-linear-attention"


class Environment:
    """A virtual environment that sees this one's packages, and has the example installed on top."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "environment"
        self._run(sys.executable, "-m", "venv", "--without-pip", self.home)
        paths = {"base": str(self.home), "platbase": str(self.home)}
        site, scripts = (Path(sysconfig.get_path(name, vars=paths)) for name in ("purelib", "scripts"))
        self.python = scripts / "python"
        ours = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
        # addsitedir, so that the .pth files of an editable tttdit are read too
        (site / "beside.pth").write_text("".join(f"import site; site.addsitedir({path!r})\n" for path in sorted(ours)))
        source = shutil.copytree(EXAMPLE, folder / "source")
        pip = [sys.executable, "-m", "pip", "--python", self.python, "--disable-pip-version-check", "--quiet"]
        self._run(*pip, "install", "--no-deps", "--no-index", "--no-build-isolation", source)
        shutil.rmtree(source)

    def tttdit(self, *arguments: str | Path, code: int = 0) -> str:
        """What a command prints, run where neither the repository nor the plugin's source is."""
        return self._run(self.python, "-c", "from tttdit.checker.cli import main; main()", *arguments, code=code)

    def pytest(self, folder: Path) -> str:
        """What pytest prints about the tests in a folder."""
        program = "import sys, pytest; sys.exit(pytest.main())"
        return self._run(self.python, "-c", program, "-q", "-p", "no:cacheprovider", folder)

    def _run(self, *command: str | Path, code: int = 0) -> str:
        done = subprocess.run(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment(tmp_path_factory.mktemp("elsewhere"))


def check(environment: Environment, *arguments: str, code: int = 0) -> dict[str, Any]:
    spec = EXAMPLE / "linear-attention.toml"
    (file,) = json.loads(environment.tttdit("check", spec, *arguments, "--output-format", "json", code=code))["files"]
    return file  # type: ignore[no-any-return]


def test_it_is_listed_with_what_it_offers(environment: Environment) -> None:
    listed = environment.tttdit("plugins")
    (line,) = [line for line in listed.splitlines() if line.split()[:1] == ["linear-attention"]]
    assert line.split()[1:3] == ["tttdit-linear-attention", "0.1.0"]
    assert "rules: LAX001" in listed
    assert "regions: linear_attention" in listed


def test_its_spec_is_clean_and_every_shape_is_proved(environment: Environment) -> None:
    file = check(environment)
    assert (file["ok"], file["findings"]) == (True, [])
    (stage,) = file["stages"]
    assert stage["proved"]
    assert {symbol: stage["dims"][symbol] for symbol in ("T", "L", "chunk", "chunks")} == {
        "T": 502,
        "L": 51_456,
        "chunk": 64,
        "chunks": 804,
    }


def test_its_parameters_have_shapes_in_its_own_and_the_models_dimensions(environment: Environment) -> None:
    (stage,) = check(environment)["stages"]
    shapes = {shape["name"]: shape["formula"] for shape in stage["shapes"]}
    assert shapes["layers.*.seq_modeling_block.ssm.gate.weight"] == ["D", "D"]
    assert shapes["layers.*.seq_modeling_block.ssm.states"] == ["B", "A", "F*h*w/chunk + S*T/chunk", "D/A", "D/A + 1"]


def test_its_own_rule_fires(environment: Environment) -> None:
    (finding,) = check(environment, "--set", "text.tokens_per_segment=500", code=1)["findings"]
    assert (finding["code"], finding["name"], finding["severity"]) == ("LAX001", "sequence-chunk", "error")
    assert finding["message"] == (
        "the sequence of L = V + S*T = 49,950 + 3*500 = 51,450 tokens is no whole number of chunks of 64: "
        "58 tokens are left over"
    )
    assert finding["help"] == "write model.mixer.chunk = 50, 70 or 75"
    assert finding["span"]["line"] == 23
    assert finding["fix"] == {"applicability": "unsafe", "edits": [{"key": "model.mixer.chunk", "value": 70}]}


def test_its_table_is_as_strict_as_any(environment: Environment) -> None:
    (finding,) = check(environment, "--set", "model.mixer.chunks=2", code=1)["findings"]
    assert finding["code"] == "TTD002"
    assert "model.mixer.chunk" in finding["message"] + finding["help"]


def test_its_region_is_a_key_of_memory(environment: Environment) -> None:
    assert check(environment, "--set", "memory.linear_attention=false")["findings"] == []
    (finding,) = check(environment, "--set", "memory.scan_checkpoint_group_size=4", code=1)["findings"]
    assert finding["code"] == "TTD002"  # this mixer has no scan


def test_without_it_the_spec_is_told_what_there_is(tmp_path: Path) -> None:
    spec = EXAMPLE / "linear-attention.toml"
    code = "from tttdit.checker.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "check", spec], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert (
        'there is no mixer "linear-attention" (there are the mixers none, sliding-window, ttt-linear, ttt-mlp)'
        in done.stdout
    )


def test_its_own_tests_pass(environment: Environment) -> None:
    pytest.importorskip("torch")
    said = environment.pytest(EXAMPLE / "tests")
    assert re.search(r"^5 passed", said.splitlines()[-1]), said
