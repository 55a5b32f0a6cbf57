"""`tttdit convert-weights`: what it says, where, and its exit codes. Names are those of the model of this project, without layers' own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from torch import Tensor

import tttdit
from tttdit.checker import cli

SPEC = """
[video]
seconds = 3
fps = 16
height = 32
width = 48
[text]
segments = 1
tokens_per_segment = 6
width = 8
[codec]
plugin = "cogvideox-vae"
channels = 4
[model]
plugin = "ttt-dit"
width = 32
heads = 2
layers = 3
timestep_width = 12
[model.mixer]
plugin = "ttt-linear"
mini_batch_size = 6
"""

Convert = Callable[..., tuple[int, str, str]]


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "spec.toml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def weights(spec: Path) -> dict[str, Tensor]:
    """The tensors of a public checkpoint of the spec's model."""
    model = tttdit.build_model(tttdit.load_spec(spec))
    return {f"dit.{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}


@pytest.fixture
def given(tmp_path: Path, weights: dict[str, Tensor]) -> Path:
    path = tmp_path / "given.safetensors"
    save_file(weights, path)
    return path


@pytest.fixture
def convert(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Convert:
    """Exit code, standard output and standard error of the command with these arguments, in the test's folder."""
    monkeypatch.chdir(tmp_path)

    def called(*arguments: object) -> tuple[int, str, str]:
        code = cli.outcome(cli.tttdit_command, "tttdit", ["convert-weights", *map(str, arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return called


def test_it_is_listed_and_explained() -> None:
    listed = CliRunner().invoke(cli.tttdit_command, ["--help"]).output
    assert "convert-weights  Convert pretrained weights to a model's names." in listed
    shown = CliRunner().invoke(cli.tttdit_command, ["convert-weights", "--help"]).output
    assert "Exit codes: 0 converted, 1 the weights do not fit, 2 the command was wrong" in shown


def test_it_says_what_it_did(convert: Convert, given: Path, weights: dict[str, Tensor]) -> None:
    assert convert(given, "out.safetensors", "--spec", "spec.toml") == (
        0,
        "taken: 148 tensors, 285.69 kB, named as ttt-video-dit names them\nwritten: out.safetensors\n",
        "",
    )
    read = load_file("out.safetensors")
    assert {f"dit.{name}" for name in read} == set(weights)
    assert all(torch.equal(read[name.removeprefix("dit.")], tensor) for name, tensor in weights.items())


def test_to_a_folder_in_another_type(convert: Convert, given: Path, weights: dict[str, Tensor]) -> None:
    code, out, _ = convert(given, "out", "--max-shard-size", "50kB", "--dtype", "bfloat16")
    assert code == 0
    assert out.endswith(
        "written: out (4 files); shapes are not checked, and what is new is not known, without --spec\n"
    )
    index = json.loads(Path("out", "model.safetensors.index.json").read_text())
    read: dict[str, Tensor] = {}
    for name in set(index["weight_map"].values()):
        read |= load_file(Path("out", name))
    assert all(torch.equal(read[name.removeprefix("dit.")], tensor.bfloat16()) for name, tensor in weights.items())


def test_a_dry_run_writes_nothing(convert: Convert, given: Path) -> None:
    code, out, _ = convert(given, "out", "--spec", "spec.toml", "--dry-run")
    assert (code, out.splitlines()[-1]) == (0, "nothing is written")
    assert not Path("out").exists()


def test_what_does_not_fit(convert: Convert, tmp_path: Path, weights: dict[str, Tensor]) -> None:
    changed = {name: tensor for name, tensor in weights.items() if not name.endswith("mlp.layer1.bias")}
    changed |= {"dit.final_layer.linear.bias": torch.zeros(3), "dit.x\x1b[31m": torch.zeros(1)}
    changed |= {f"dit.layers.{i}.extra": torch.zeros(1) for i in range(3)}
    save_file(changed, tmp_path / "changed.safetensors")
    code, out, err = convert("changed.safetensors", "out.safetensors", "--spec", "spec.toml")
    assert (code, err) == (1, "")
    assert out.splitlines()[1:] == [
        "missing: 3",
        "  layers.*.mlp.layer1.bias  x 3",
        "unexpected: 4",
        "  dit.layers.*.extra  x 3",
        "  dit.x\\x1b[31m",
        "of another shape: 1",
        "  final_layer.linear.bias    is [3], expected [16]",
        "nothing is written: the weights do not fit",
    ]
    assert not Path("out.safetensors").exists()
    code, out, _ = convert("changed.safetensors", "out.safetensors", "--spec", "spec.toml", "--output-format", "json")
    said: dict[str, Any] = json.loads(out)
    assert (code, said["version"], said["fits"], said["files"]) == (1, 1, False, [])
    assert said["missing"] == [f"layers.{i}.mlp.layer1.bias" for i in range(3)]
    assert sorted(each["name"] for each in said["unexpected"]) == [
        *(f"dit.layers.{i}.extra" for i in range(3)),
        "dit.x\x1b[31m",
    ]
    assert said["other_shapes"] == [
        {"from": "dit.final_layer.linear.bias", "to": "final_layer.linear.bias", "shape": [3], "expected": [16]}
    ]


def test_what_is_to_be_ignored(convert: Convert, tmp_path: Path, weights: dict[str, Tensor]) -> None:
    save_file({**weights, "ema.step": torch.zeros(1)}, tmp_path / "more.safetensors")
    assert convert("more.safetensors", "out.safetensors")[0] == 1
    code, out, _ = convert("more.safetensors", "out.safetensors", "--ignore", "ema.*")
    assert code == 0
    assert 'left out: 1\n  ema.step    ignored, as "ema.*" says\n' in out
    assert convert("more.safetensors", "out2.safetensors", "--ignore", "emma.*") == (
        2,
        "",
        'tttdit: more.safetensors has nothing like "emma.*" to ignore\n',
    )


def test_long_lists_are_in_the_json(convert: Convert, tmp_path: Path, weights: dict[str, Tensor]) -> None:
    without = {name: tensor for name, tensor in weights.items() if ".ssm." not in name and "_gating_" not in name}
    save_file(without, tmp_path / "base.safetensors")
    code, out, _ = convert("base.safetensors", "out.safetensors", "--spec", "spec.toml")
    assert code == 0
    assert "new, to be initialised: 60\n" in out
    assert "  and 8 more: --output-format json lists them\n" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "out"], "nowhere is not there"),
        (["spec.toml", "out"], "spec.toml is no safetensors file: it does not begin with a header"),
        (["given.safetensors", "given.safetensors"], "given.safetensors is there already: --overwrite replaces it"),
        (["given.safetensors", "no/out"], "no is no folder"),
        (
            ["given.safetensors", "out", "--spec", "spec.toml", "--stage", "9s"],
            '"spec" has no stage "9s"; it has "spec"',
        ),
        (["given.safetensors", "out", "--spec", "nowhere.toml"], "nowhere.toml"),
        (["given.safetensors", "out", "--max-shard-size", "five"], '"five" is no size such as 5GB or 500MB'),
        (["given.safetensors", "out", "--max-shard-size", "0GB"], '"0GB" is less than a byte'),
        (["given.safetensors", "out", "--max-shard-size", f"{'9' * 400}GB"], "is no size such as 5GB or 500MB"),
        (["given.safetensors", "out", "--stage", "9s"], "--stage names a stage of --spec"),
        (
            ["given.safetensors", "out", "--dtype", "int8"],
            "'int8' is not one of 'keep', 'float32', 'bfloat16', 'float16'",
        ),
    ],
)
def test_what_is_wrong_is_one_line(
    convert: Convert, given: Path, arguments: list[str], message: str, weights: dict[str, Tensor]
) -> None:
    code, out, err = convert(*arguments)
    assert (code, out) == (2, "")
    assert message in err.splitlines()[0]
    assert "Traceback" not in err
    assert not Path("out").exists()


def test_a_spec_whose_model_cannot_be_built(convert: Convert, given: Path, spec: Path) -> None:
    spec.write_text(SPEC.replace("mini_batch_size = 6", "mini_batch_size = 5"))
    code, _, err = convert(given, "out", "--spec", "spec.toml")
    assert code == 2
    assert "84 tokens (text and video) are not divisible by mini_batch_size = 5" in err
    assert len(err.splitlines()) == 1


def test_a_spec_that_is_none(convert: Convert, given: Path, spec: Path) -> None:
    spec.write_text(SPEC.replace("fps = 16", 'fps = "many"\nlength = 1'))
    code, out, err = convert(given, "out", "--spec", "spec.toml")
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == "tttdit: spec.toml: 2 errors"
    assert [line.split()[1] for line in err.splitlines()[1:]] == ["TTD003", "TTD002"]


class Terminal:
    """What a terminal would have been told."""

    def __init__(self) -> None:
        self.said = ""

    def write(self, text: str) -> int:
        self.said += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal(convert: Convert, given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert convert(given, "out.safetensors")[0] == 0
    shown = terminal.said.split("\r\x1b[K")
    assert shown[0] == ""
    assert len(shown) == 149
    assert shown[-1] == "148 of 148 tensors, 285.69 kB of 285.69 kB\n"


def run_without(modules: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process where these modules cannot be imported."""
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({modules!r})); sys.argv[0] = 'tttdit';"
        "from tttdit.checker.cli import main; main()"
    )
    return subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)


def test_help_needs_no_torch_and_the_rest_says_that_it_does() -> None:
    assert run_without(["torch"], "convert-weights", "--help").returncode == 0
    done = run_without(["torch"], "convert-weights", "a", "b")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "tttdit: torch is not installed: pip install 'tttdit[run]'\n"
