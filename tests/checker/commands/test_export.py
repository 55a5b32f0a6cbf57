"""`tttdit export`: from a run, or one of its checkpoints, to weights that load."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from ranks import run_ranks
from safetensors.torch import load_file
from sharded_models import everyone
from tiny_runs import write_spec
from torch import Tensor

import tttdit
from tttdit.checker import cli
from tttdit.core.runtime.checkpoints.saving import Checkpoints

Export = Callable[..., tuple[int, str, str]]


def values(step: int) -> dict[str, Tensor]:
    """Parameters of the tiny model behind so many steps."""
    model = tttdit.build_model(tttdit.load_spec("tiny.toml"), device="meta")
    chance = torch.Generator().manual_seed(step)
    return {name: torch.randn(each.shape, generator=chance) for name, each in model.state_dict().items()}


def save(folder: Path) -> None:
    """On one rank: the checkpoints of a run of two stages, the second one averaged."""
    os.chdir(folder)
    for stage, step, averaged in (("first", 4, False), ("second", 6, True)):
        save_stage(Path("runs/tiny"), stage, step, averaged)


def save_stage(folder: Path, stage: str, step: int, averaged: bool) -> None:
    model = values(step)
    state = {"model": model, "optimizer": {f"exp_avg.{name}": torch.zeros_like(each) for name, each in model.items()}}
    if averaged:
        state["average"] = {name: each + 1 for name, each in model.items() if "ssm" in name}
    checkpoints = Checkpoints(folder / "checkpoints" / stage, keep=None, group=everyone())
    checkpoints.save(step, state, {"stage": stage, "step": step})


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spec, and the folder of a run as it is left behind."""
    folder = tmp_path_factory.mktemp("saved")
    write_spec(folder)
    run = folder / "runs" / "tiny"
    run.mkdir(parents=True)
    (run / "events.jsonl").write_text('{"event": "launched", "time": 1}\n')
    (run / "spec.toml").write_text('[[stage]]\nname = "first"\n[[stage]]\nname = "second"\n[[stage]]\nname = "third"\n')
    run_ranks(1, save, folder)
    return folder


@pytest.fixture
def run(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the run; the working folder has the spec."""
    monkeypatch.chdir(shutil.copytree(saved, tmp_path, dirs_exist_ok=True))
    return tmp_path / "runs" / "tiny"


@pytest.fixture
def export(capsys: pytest.CaptureFixture[str]) -> Export:
    """A function that runs the command: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = cli.outcome(cli.tttdit_command, "tttdit", ["export", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(each, other[name]) for name, each in one.items())


def test_the_last_checkpoint_of_a_run(run: Path, export: Export) -> None:
    code, out, err = export("runs/tiny")
    assert (code, err) == (0, "")
    count = len(values(6))
    assert out == f"second step 6: {count} tensors, 345.42 kB\nwritten: model.safetensors\n"
    assert same(load_file("model.safetensors"), values(6))
    assert sorted(path.name for path in run.parents[1].iterdir()) == ["model.safetensors", "runs", "tiny.toml"]


def test_what_was_exported_loads(run: Path, export: Export) -> None:
    for to in ("weights.safetensors", "weights"):
        assert export("runs/tiny", "--stage", "first", "-o", to)[0] == 0
        model = tttdit.build_model(tttdit.load_spec("tiny.toml"))
        assert tttdit.load_weights(model, to).new == ()
        assert same(model.state_dict(), values(4))


def test_the_average_and_what_was_not_trained(run: Path, export: Export) -> None:
    code, out, _ = export("runs/tiny", "--average", "--output-format", "json")
    assert code == 0
    expected = {name: each + 1 if "ssm" in name else each for name, each in values(6).items()}
    assert same(load_file("model.safetensors"), expected)
    assert json.loads(out) == {
        "from": "runs/tiny/checkpoints/second/step-00000006",
        "stage": "second",
        "step": 6,
        "to": "model.safetensors",
        "files": ["model.safetensors"],
        "tensors": len(expected),
        "bytes": sum(each.nbytes for each in expected.values()),
        "averaged": sum("ssm" in name for name in expected),
    }


def test_one_checkpoint_in_another_type(run: Path, export: Export) -> None:
    assert export("runs/tiny/checkpoints/first/step-00000004", "--dtype", "bfloat16")[0] == 0
    assert same(load_file("model.safetensors"), {name: each.bfloat16() for name, each in values(4).items()})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["tiny.toml"],
            "tiny.toml is neither the folder of a run, which tttdit run writes (runs/NAME), nor one of its checkpoints "
            "(runs/NAME/checkpoints/STAGE/step-00000500)",
        ),
        (
            ["nothing"],
            "nothing is neither the folder of a run, which tttdit run writes (runs/NAME), nor one of its checkpoints "
            "(runs/NAME/checkpoints/STAGE/step-00000500)",
        ),
        (
            ["runs/tiny", "--stage", "third"],
            'runs/tiny has no checkpoint of a stage "third": it has those of first, second',
        ),
        (
            ["runs/tiny/checkpoints/first/step-00000004", "--stage", "first"],
            "runs/tiny/checkpoints/first/step-00000004 is one checkpoint: --stage chooses between those of a run",
        ),
        (
            ["runs/tiny/checkpoints/first/step-00000005.partial"],
            "runs/tiny/checkpoints/first/step-00000005.partial is not whole: a run ended while it was being written",
        ),
        (
            ["runs/tiny", "--stage", "first", "--average"],
            "runs/tiny/checkpoints/first/step-00000004 has no average: training.average_decay makes one, and this run had none",
        ),
        (["runs/tiny", "-o", "tiny.toml"], "tiny.toml is a file, and a folder is to be written"),
        (["runs/tiny", "-o", "there.safetensors"], "there.safetensors is there already: --overwrite replaces it"),
        (["runs/tiny", "-o", "no/where.safetensors"], "no is no folder"),
        (
            ["runs/tiny", "-o", "model.pt"],
            "model.pt is a pickle's name, and safetensors are written: name a .safetensors file, or a folder",
        ),
        (["runs/empty"], "runs/empty has no whole checkpoint yet"),
        (
            ["runs/killed"],
            "runs/killed has no whole checkpoint: runs/killed/checkpoints/tiny/step-00000002.partial was being written when the "
            "run ended",
        ),
    ],
)
def test_what_cannot_be_is_one_line(run: Path, export: Export, arguments: list[str], message: str) -> None:
    Path("there.safetensors").touch()
    for name in ("empty", "killed"):
        Path("runs", name).mkdir()
        Path("runs", name, "events.jsonl").touch()
        Path("runs", name, "spec.toml").write_text('name = "tiny"\n')
    Path("runs/killed/checkpoints/tiny/step-00000002.partial").mkdir(parents=True)
    assert export(*arguments) == (2, "", f"tttdit: {message}\n")
    assert not Path("model.safetensors").exists()


def test_a_damaged_checkpoint_leaves_nothing(run: Path, export: Export) -> None:
    (data,) = (run / "checkpoints" / "second" / "step-00000006").glob("*.distcp")
    data.write_bytes(data.read_bytes()[:1000])
    code, out, err = export("runs/tiny")
    assert (code, out) == (2, "")
    assert err.startswith('tttdit: runs/tiny/checkpoints/second/step-00000006: "model.')
    assert err.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == ["runs", "tiny.toml"]


def test_overwrite(run: Path, export: Export) -> None:
    assert export("runs/tiny")[0] == 0
    assert export("runs/tiny", "--stage", "first", "--overwrite")[0] == 0
    assert same(load_file("model.safetensors"), values(4))


def test_help_has_examples() -> None:
    said = CliRunner().invoke(cli.tttdit_command, ["export", "--help"])
    assert said.exit_code == 0
    assert "tttdit export runs/tiny\n" in said.output
