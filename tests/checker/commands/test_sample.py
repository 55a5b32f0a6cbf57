"""`tttdit sample`, as somebody types it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from clip_specs import ONE, THREE, write_clip_spec, write_storyboards
from clips import make_clip
from launching import finish, finish_ranks, start, wait_for
from PIL import Image

from tttdit import load_spec
from tttdit.checker import cli
from tttdit.core.runtime.video.reading import clip_of
from tttdit.core.runtime.video.writing import read_metadata

CPU = ("--device", "cpu")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model that was trained for both stages, from a clip to a checkpoint."""
    folder = tmp_path_factory.mktemp("trained")
    spec = write_clip_spec(folder)
    make_clip(folder / "a.mp4", [number / 8 for number in range(90)])
    for command in (["prepare", spec, "a.mp4", "--output", "data/clip", "--workers", "1", *CPU], ["run", spec, *CPU]):
        code, said = finish(command, folder)
        assert code == 0, said
    return folder


def command(folder: Path, *storyboards: object, checkpoint: str = "runs/clip", output: str = "out") -> list[str]:
    prompts = write_storyboards(folder, *storyboards)
    return ["sample", "clip.toml", "--checkpoint", checkpoint, "--prompts", prompts, "--output", output, *CPU]


def test_storyboards_become_videos(trained: Path) -> None:
    boards = [ONE, {"name": "long", "seed": 7, "scenes": THREE}]
    code, said = finish([*command(trained, *boards), "--measure-memory"], trained)
    assert code == 0, said
    short, long = said.splitlines()
    assert short.startswith("out/1.mp4: 13 frames in ")
    assert long.startswith("out/long.mp4: 37 frames in ")
    for line in (short, long):
        measured, predicted = line.partition("; memory ")[2].split(", predicted ")
        assert measured == predicted
    assert ", seed 7; " in long
    clip = clip_of(trained / "out/long.mp4")
    assert (clip.height, clip.width, clip.rate) == (32, 48, 4.0)
    told = read_metadata(trained / "out/long.mp4")
    assert told is not None
    assert told["scenes"][1] == {"text": "a hare", "requires_scene_transition": True, "neg_text": ""}
    assert (told["seed"], told["stage"]) == (7, "9s")
    (trained / "told.toml").write_text(told["spec"])
    assert load_spec(trained / "told.toml").stages[0].video.seconds == 9
    assert Image.open(trained / "out/long.png").size[0] > 4 * 48


def test_a_seed_is_a_video_and_what_is_there_is_left_alone(trained: Path) -> None:
    same = command(trained, ONE, output="same")
    assert finish(same, trained)[0] == 0
    first = (trained / "same/1.mp4").read_bytes()
    assert finish(same, trained) == (0, "1 video is there already\n")
    code, said = finish([*same, "--seed", "1"], trained)
    assert code == 2
    assert (
        said == "tttdit: same/1.mp4 is there, and was made from something else: give another --output, or --overwrite\n"
    )
    assert finish([*same, "--seed", "1", "--overwrite"], trained)[0] == 0
    assert (trained / "same/1.mp4").read_bytes() != first
    assert finish([*same, "--overwrite"], trained)[0] == 0
    assert (trained / "same/1.mp4").read_bytes() == first


def test_ranks_share_the_storyboards(trained: Path) -> None:
    codes, said = finish_ranks(2, command(trained, ONE, ONE, ONE, output="shared"), trained)
    assert codes == {0}, said
    assert sorted(path.name for path in (trained / "shared").glob("*.mp4")) == ["1.mp4", "2.mp4", "3.mp4"]
    assert finish(command(trained, ONE, ONE, ONE, output="alone"), trained)[0] == 0
    for name in ("1.mp4", "2.mp4", "3.mp4"):
        assert (trained / "shared" / name).read_bytes() == (trained / "alone" / name).read_bytes()


def test_the_average_and_exported_weights(trained: Path) -> None:
    assert finish(["export", "runs/clip", "-o", "weights.safetensors"], trained)[0] == 0
    assert finish(command(trained, ONE, output="a"), trained)[0] == 0
    assert finish(command(trained, ONE, output="b", checkpoint="weights.safetensors"), trained)[0] == 0
    frames = [(trained / name / "1.png").read_bytes() for name in ("a", "b")]
    assert frames[0] == frames[1]  # the same weights, out of another file
    assert finish([*command(trained, ONE, output="c"), "--average"], trained)[0] == 0
    assert (trained / "c/1.png").read_bytes() != frames[0]


def test_a_dry_run_says_what_it_takes(trained: Path) -> None:
    code, said = finish([*command(trained, THREE, output="never"), "--dry-run"], trained)
    assert code == 0
    first, second, third = said.splitlines()
    assert first.startswith("would draw 1 video with the weights of runs/clip/checkpoints/9s/step-00000003, stage 9s:")
    assert second == "  never/1.mp4: stage 9s, 37 frames, seed 0"
    assert third.startswith("  stage 9s: 3 steps, ")
    assert third.endswith(" a video")
    assert not (trained / "never").exists()


@pytest.mark.parametrize(
    ("boards", "options", "message"),
    [
        ([[{"txt": "a"}]], (), "prompts.json:1: scene 1 has no text"),
        ([ONE], ("--checkpoint", "nowhere"), "--checkpoint nowhere is not there"),
        ([ONE], ("--set", "model.width=128"), " of another shape: "),
        ([ONE], ("--set", "model.layers=2"), "is a checkpoint of another model: 44 missing: layers.1."),
        ([THREE], ("--checkpoint", "runs/clip/checkpoints/3s"), 'its 3 scenes are those of stage "9s", and runs/clip/checkpoints/3s/'),
        ([ONE], ("--average", "--checkpoint", "clip.toml"), "--average is of a run's checkpoint, and clip.toml is none"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn(boards: list[object], options: tuple[str, ...], message: str, trained: Path) -> None:
    code, said = finish([*command(trained, *boards, output="wrong"), *options], trained)
    assert code == 2, said
    assert message in said.splitlines()[-1]
    assert "Traceback" not in said


def test_a_spec_with_errors_is_refused(trained: Path) -> None:
    code, said = finish([*command(trained, ONE), "--set", "text.tokens_per_segment=5"], trained)
    assert code == 1
    assert "TTD" in said


@pytest.mark.parametrize(
    ("board", "options", "told"),
    [
        ([*ONE, *ONE], (), "prompts.json:1 has 2 scenes, one a text segment, and videos of this spec have 1 (3s), 3 (9s)"),
        (ONE, ("--stage", "9s"), "prompts.json:1 has 1 scene, one a text segment, and videos of this spec have 3 (9s)"),
    ],
)  # fmt: skip
def test_scenes_that_fit_no_stage_are_a_finding(
    board: object, options: tuple[str, ...], told: str, trained: Path
) -> None:
    code, said = finish([*command(trained, board, output="refused"), *options], trained)
    assert code == 1, said
    assert f"error[TTD717] storyboard-segments: the storyboard {told}" in said
    assert not (trained / "refused").exists()


def test_bars_count_steps_and_frames_where_somebody_looks(
    trained: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = command(trained, ONE, output="bars")
    (trained / "bars").mkdir()
    left = trained / "bars" / ".1.mp4.999999999.tmp"  # by a process that was killed
    left.touch()
    monkeypatch.chdir(trained)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert cli.outcome(cli.tttdit_command, "tttdit", arguments) == 0
    bars = capsys.readouterr().err
    assert "steps of 1  [####################################]  100%" in bars
    assert "frames of 1  [####################################]  100%" in bars
    assert not left.exists()


def test_who_stops_it_is_told_that_the_same_command_goes_on(trained: Path) -> None:
    run = start([*command(trained, ONE, [*THREE], output="stopped"), "--set", "sampling.steps=900"], trained)
    wait_for(lambda: (trained / "stopped" / "1.mp4").exists())
    run.send(signal.SIGINT)
    assert run.wait() == 130
    assert (
        run.output.rstrip().splitlines()[-1]
        == "tttdit: stopped; the same command goes on, and does not do again what is done"
    )
    assert not (trained / "stopped" / "2.mp4").exists()


def test_storyboards_may_come_through_a_pipe(trained: Path) -> None:
    arguments = command(trained, ONE, output="piped")
    content = (trained / "prompts.json").read_bytes()
    os.mkfifo(trained / "pipe.json")
    arguments[arguments.index("prompts.json")] = "pipe.json"
    run = start(arguments, trained)
    (trained / "pipe.json").write_bytes(content)
    assert run.wait() == 0, run.output
    assert (trained / "piped" / "1.mp4").exists()


def test_tokens_that_do_not_fit_are_told(trained: Path) -> None:
    code, said = finish(command(trained, [{"text": "one two three four five six"}], output="cut"), trained)
    assert code == 0
    assert said.splitlines()[0] == "1: 2 tokens of scene 1 do not fit into text.tokens_per_segment = 4 and are cut off"
