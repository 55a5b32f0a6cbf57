"""`tttdit run`, as somebody types it, on one rank."""

from __future__ import annotations

import json
import random
import signal
import time
from pathlib import Path

import pytest
from launching import finish, start, wait_for
from tiny_runs import TWO_STAGES, events, losses, same, tensors, write_spec

from tttdit import load_spec
from tttdit.core.running.checkpoints import facts_of, newest, partial, whole
from tttdit.core.running.lines import read_lines

CPU = ("--device", "cpu")
HUGE = ("--set", "parallelism.unsharded_dtype=float16", "--set", "data.scale=1000", "--set", "optimizer.lr=1000")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run of the small spec that nobody has disturbed."""
    folder = tmp_path_factory.mktemp("finished")
    code, said = finish(["run", write_spec(folder), *CPU], folder)
    assert code == 0, said
    return folder / "runs" / "tiny"


def test_a_run_leaves_all_that_it_promises(finished: Path) -> None:
    assert load_spec(finished / "spec.toml").stages[0].training.steps == 6
    assert json.loads((finished / "report.json").read_text())["files"][0]["stages"][0]["memory"]["total_bytes"] > 0
    assert [each.name for each in whole(finished / "checkpoints" / "tiny")] == [f"step-{step:08}" for step in (2, 4, 6)]
    assert newest(finished / "checkpoints" / "tiny") == finished / "checkpoints" / "tiny" / "step-00000006"
    assert [*(finished / "tensorboard" / "tiny").iterdir()]
    assert read_lines(finished / "memory-0.jsonl")[-1]["rss_bytes"] > 2**20
    assert events(finished) == [
        "launched", "stage_started", "saving", "saved", "saving", "saved", "saving", "saved", "stage_finished", "finished",
    ]  # fmt: skip
    metrics = read_lines(finished / "metrics.jsonl")
    assert [line["step"] for line in metrics] == [1, 2, 3, 4, 5, 6]
    assert metrics[-1].keys() == {
        "time", "stage", "step", "steps", "loss", "gradient_norm", "lr", "lr_mixer", "seconds", "tokens_per_second",
        "data_seconds", "peak_bytes", "predicted_bytes", "skipped",
    }  # fmt: skip


def test_what_it_says(finished: Path) -> None:
    log = (finished / "log.txt").read_text()
    for text in (
        "tiny: starts with new weights",
        "tiny step 1/6: loss ",
        "tiny step 6/6: loss ",
        "tiny: all 6 steps are done",
    ):
        assert text in log
    assert "tiny step 4: saved in " in log


def test_the_same_again_is_the_same_to_the_bit(finished: Path, tmp_path: Path) -> None:
    assert finish(["run", write_spec(tmp_path), *CPU, "--output", "other"], tmp_path)[0] == 0
    assert losses(tmp_path / "other") == losses(finished)
    assert same(tensors(tmp_path / "other"), tensors(finished))


def test_another_seed_is_another_run(finished: Path, tmp_path: Path) -> None:
    code, _ = finish(["run", write_spec(tmp_path), *CPU, "--set", "training.seed=1"], tmp_path)
    assert code == 0
    assert losses(tmp_path / "runs" / "tiny")[0] != losses(finished)[0]


def test_a_finished_run_has_nothing_left_to_do(finished: Path) -> None:
    code, said = finish(["run", "tiny.toml", *CPU], finished.parents[1])
    assert (code, said) == (0, "tiny: all 6 steps are done already\n")


def test_a_signal_saves_the_last_step_and_the_same_command_goes_on(finished: Path, tmp_path: Path) -> None:
    command = ["run", write_spec(tmp_path), *CPU, "--set", "checkpoint.interval=0"]
    run = tmp_path / "runs" / "tiny"
    started = start(command, tmp_path)
    wait_for(lambda: len(losses(run)) >= 2)
    started.send(signal.SIGTERM)
    assert started.wait() == 75, started.output
    assert "SIGTERM: saving the last finished step" in started.output
    assert f"stopped; this goes on with it:\n  tttdit {' '.join(command)}\n" in started.output
    latest = newest(run / "checkpoints" / "tiny")
    assert latest is not None
    done = facts_of(latest)["step"]
    assert 2 <= done < 6
    code, said = finish(command, tmp_path)
    assert code == 0, said
    assert f"goes on behind step {done}, from runs/tiny/checkpoints/tiny/step-{done:08}" in said
    assert losses(run) == losses(finished)
    assert same(tensors(run), tensors(finished))


def test_killed_at_any_moment_it_goes_on_to_the_same_weights(finished: Path, tmp_path: Path) -> None:
    """30 times, saves included: every checkpoint that `latest` names is whole, and nothing of what happens before is lost."""
    chance = random.Random(0)
    command = ["run", write_spec(tmp_path), *CPU, "--set", "checkpoint.interval=1", "--set", "checkpoint.keep=2"]
    run = tmp_path / "runs" / "tiny"
    began = time.monotonic()
    start(command, tmp_path).wait()
    usual = time.monotonic() - began
    interrupted = 0
    for number in range(30):
        if number % 6 == 0:
            _forget(run)
        started = start(command, tmp_path)
        time.sleep(chance.uniform(0.3, 1.0) * usual)
        started.send(signal.SIGKILL)
        code = started.wait()
        assert code in (0, -signal.SIGKILL), started.output
        interrupted += code != 0
        for left in partial(run / "checkpoints" / "tiny"):
            assert left.name.endswith(".partial")
    assert interrupted >= 5
    assert finish(command, tmp_path)[0] == 0
    assert losses(run)[-1] == losses(finished)[-1]
    assert same(tensors(run), tensors(finished))


def test_stages_run_one_after_the_other_with_the_weights_of_the_one_before(tmp_path: Path) -> None:
    write_spec(tmp_path, TWO_STAGES)
    code, said = finish(["run", "tiny.toml", *CPU], tmp_path)
    assert code == 0, said
    run = tmp_path / "runs" / "tiny"
    assert "second: starts with the weights of runs/tiny/checkpoints/first/step-00000006" in said
    first, second = tensors(run, "first"), tensors(run, "second")
    frozen = "model.time_embed.0.weight"
    assert (first[frozen] == second[frozen]).all(), "qkvo trains the sequence blocks alone"
    trained = "model.layers.0.seq_modeling_block.q.weight"
    assert (first[trained] != second[trained]).any()
    assert not any(name.endswith(frozen.removeprefix("model.")) for name in second if name.startswith("optimizer"))


def test_one_stage_of_several_needs_the_one_before(tmp_path: Path) -> None:
    write_spec(tmp_path, TWO_STAGES)
    code, said = finish(["run", "tiny.toml", *CPU, "--stage", "second"], tmp_path)
    assert code == 70
    assert 'stage "second" goes on from stage "first", which has no checkpoint in runs/tiny/checkpoints/first' in said


def test_a_dry_run_says_what_would_run(finished: Path, tmp_path: Path) -> None:
    write_spec(tmp_path, TWO_STAGES)
    assert finish(["run", "tiny.toml", "--dry-run"], tmp_path) == (
        0,
        "would train in runs/tiny:\n"
        "  first: 6 steps on 1 rank, starts with new weights\n"
        "    tttdit run tiny.toml\n"
        "  second: 3 steps on 1 rank, starts with the weights of first\n",
    )
    assert not (tmp_path / "runs").exists()
    _, said = finish(["run", "tiny.toml", "--dry-run"], finished.parents[1])
    assert said == "would train in runs/tiny:\n  tiny: 6 steps on 1 rank, all done\n"


def test_a_spec_with_errors_is_refused(tmp_path: Path) -> None:
    code, said = finish(["run", write_spec(tmp_path), "--set", "text.tokens_per_segment=5"], tmp_path)
    assert code == 1
    assert "error[TTD201] sequence-mini-batch" in said
    assert not (tmp_path / "runs").exists()


def test_a_stage_that_needs_other_ranks_ends_the_launch(tmp_path: Path) -> None:
    write_spec(tmp_path, TWO_STAGES + "parallelism.dp_sharding = 2\n")
    code, said = finish(["run", "tiny.toml", *CPU], tmp_path)
    assert code == 76, said
    assert said.endswith(
        "second needs 2 ranks, and this launch has 1. It goes on with:\n"
        "  torchrun --standalone --nproc-per-node 2 --no-python tttdit run tiny.toml --device cpu\n"
    )
    assert events(tmp_path / "runs" / "tiny")[-2:] == ["stage_finished", "needs_other_world"]


def test_steps_that_are_not_finite_are_skipped_and_end_the_run(tmp_path: Path) -> None:
    command = ["run", write_spec(tmp_path), *CPU, *HUGE, "--set", "training.skipped_steps=2"]
    code, said = finish(command, tmp_path)
    assert code == 70, said
    assert " is skipped: the loss is not finite (loss nan, gradient norm nan); 1 of at most 2 in a row" in said
    assert "stopped: 2 steps in a row were not finite, the last one because of the loss" in said
    run = tmp_path / "runs" / "tiny"
    last = read_lines(run / "events.jsonl")[-1]
    assert (last["event"], last["kind"]) == ("failed", "not_finite")
    assert all(bool(each.isfinite().all()) for name, each in tensors(run).items()) or newest(
        run / "checkpoints" / "tiny"
    )


def test_an_average_and_a_validation(tmp_path: Path) -> None:
    more = ("training.average_decay=0.5", "training.validation_interval=3", "training.validation_samples=2")
    sets = [word for each in more for word in ("--set", each)]
    code, said = finish(["run", write_spec(tmp_path), *CPU, *sets], tmp_path)
    assert code == 0, said
    run = tmp_path / "runs" / "tiny"
    validated = [line for line in read_lines(run / "metrics.jsonl") if "validation_loss" in line]
    assert [line["step"] for line in validated] == [3, 6]
    assert "tiny step 3: validation loss " in said
    found = tensors(run)
    name = "layers.0.seq_modeling_block.q.weight"
    assert (found[f"average.{name}"] != found[f"model.{name}"]).any()
    assert (found[f"average.{name}"] - found[f"model.{name}"]).abs().max() < 0.01


def test_never_resuming_does_not_write_over_checkpoints(finished: Path) -> None:
    code, said = finish(["run", "tiny.toml", *CPU, "--resume", "never"], finished.parents[1])
    assert (code, said) == (
        2,
        "tttdit: runs/tiny has checkpoints, which --resume never would write over: give another --output, or remove it\n",
    )


def test_going_on_from_a_checkpoint_by_its_path(finished: Path, tmp_path: Path) -> None:
    earlier = finished / "checkpoints" / "tiny" / "step-00000002"
    code, said = finish(["run", write_spec(tmp_path), *CPU, "--resume", str(earlier)], tmp_path)
    assert code == 0, said
    assert losses(tmp_path / "runs" / "tiny") == losses(finished)[2:]
    assert same(tensors(tmp_path / "runs" / "tiny"), tensors(finished))


@pytest.mark.parametrize("named", ["", "checkpoints", "checkpoints/tiny", "checkpoints/tiny/step-00000006"])
def test_starting_with_the_weights_of_another_run(finished: Path, tmp_path: Path, named: str) -> None:
    path = finished / named
    code, said = finish(
        ["run", write_spec(tmp_path), "--dry-run", "--set", f"checkpoint.init_from={json.dumps(str(path))}"], tmp_path
    )
    assert code == 0, said
    last = finished / "checkpoints" / "tiny" / "step-00000006"
    assert f"tiny: 6 steps on 1 rank, starts with the weights of {last}\n" in said


def test_the_weights_of_another_run_are_loaded(finished: Path, tmp_path: Path) -> None:
    still = (
        "optimizer.lr=0",
        "optimizer.lr_mixer=0",
        "optimizer.lr_end=0",
        "training.steps=1",
        "training.warmup_steps=0",
    )
    sets = [word for each in (*still, f"checkpoint.init_from={json.dumps(str(finished))}") for word in ("--set", each)]
    code, said = finish(["run", write_spec(tmp_path), *CPU, *sets], tmp_path)
    assert code == 0, said
    before, after = (
        {name: each for name, each in tensors(run).items() if name.startswith("model.")}
        for run in (finished, tmp_path / "runs" / "tiny")
    )
    assert same(before, after)


def test_a_checkpoint_of_another_model_is_refused(finished: Path, tmp_path: Path) -> None:
    earlier = finished / "checkpoints" / "tiny" / "step-00000002"
    command = ["run", write_spec(tmp_path), *CPU, "--resume", str(earlier), "--set", "model.width=128"]
    code, said = finish(command, tmp_path)
    assert code == 70
    assert "is a checkpoint of another model: " in said
    assert "model.patch_embedding.vid_proj.bias is [64] in it, and [128] here; and 162 more" in said


def test_two_runs_in_one_folder(tmp_path: Path) -> None:
    write_spec(tmp_path)
    started = start(["run", "tiny.toml", *CPU], tmp_path)
    wait_for(lambda: (tmp_path / "runs" / "tiny" / "events.jsonl").exists())
    code, said = finish(["run", "tiny.toml", *CPU], tmp_path)
    assert (code, said) == (
        2,
        "tttdit: another run is at work in runs/tiny: wait for it, or give another --output\n",
    )
    assert started.wait() == 0


def test_a_spec_without_data(tmp_path: Path) -> None:
    path = tmp_path / write_spec(tmp_path)
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("data =")))
    code, said = finish(["run", "tiny.toml"], tmp_path)
    assert (code, said) == (2, 'tttdit: stage "tiny" has no [data]: say where its samples come from\n')


def test_calibrating_measures_what_was_predicted(tmp_path: Path) -> None:
    code, said = finish(["run", write_spec(tmp_path), *CPU, "--calibrate"], tmp_path)
    assert code == 0, said
    found = json.loads((tmp_path / "runs" / "tiny" / "calibration-tiny.json").read_text())
    assert found["components"].keys() == {"parameters", "gradients", "optimizer", "peak_bytes"}
    assert all(each["measured"] == each["predicted"] > 0 for each in found["components"].values())
    assert "parameters" in said
    assert "+0.00%" in said
    assert str(tmp_path) not in json.dumps(found)
    assert not (tmp_path / "runs" / "tiny" / "checkpoints").exists()


def test_memory_is_measured_beside_its_prediction(tmp_path: Path) -> None:
    code, said = finish(["run", write_spec(tmp_path), *CPU, "--measure-memory"], tmp_path)
    assert code == 0, said
    first, *others = read_lines(tmp_path / "runs" / "tiny" / "metrics.jsonl")
    assert first["peak_bytes"] >= others[0]["peak_bytes"], "AdamW's state is made in the first step"
    for each in others:
        assert abs(each["peak_bytes"] / each["predicted_bytes"] - 1) < 0.001
    assert " at peak, " in said
    assert " predicted, " in said


def _forget(run: Path) -> None:
    """The run begins anew."""
    import shutil

    shutil.rmtree(run, ignore_errors=True)
