"""`tttdit prepare` and `tttdit data describe`, as somebody types them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from clip_specs import write_clip_spec
from clips import make_clip
from launching import finish, start, wait_for
from PIL import Image
from safetensors.torch import load_file, save_file

from tttdit.checker import cli

PREPARE = ["prepare", "clip.toml", "--device", "cpu", "--output", "data/clip"]


def clips(folder: Path) -> list[str]:
    """A clip of 10 seconds and one of 4, at other rates than the spec's, and what is none."""
    make_clip(folder / "long.mp4", [number / 25 for number in range(250)], size=(48, 64))
    make_clip(folder / "short.mkv", [number / 10 for number in range(41)], size=(64, 48))
    (folder / "broken.mp4").write_text("no video")
    (folder / "captions.jsonl").write_text(
        '{"clip": "long.mp4", "captions": ["one", {"text": "two", "requires_scene_transition": true}, "three words here and more"]}\n'
        '{"clip": "short.mkv", "caption": "brief"}\n{"clip": "other.mp4", "caption": "of nothing"}\n'
    )
    return ["long.mp4", "short.mkv", "broken.mp4"]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a dataset of both stages, and what was said while it was made."""
    folder = tmp_path_factory.mktemp("prepared")
    write_clip_spec(folder)
    code, said = finish([*PREPARE, *clips(folder), "--captions", "captions.jsonl", "--workers", "1"], folder)
    assert code == 0, said
    return folder, said


def test_what_became_of_every_clip(prepared: tuple[Path, str]) -> None:
    _, said = prepared
    assert said.splitlines() == [
        "tttdit: captions.jsonl: other.mp4 is none of the clips",
        "broken.mp4: no captions in captions.jsonl: its texts are empty",
        "long.mp4: 1 token of its captions does not fit into 4 a segment, and is cut off",
        "broken.mp4 cannot be read: Invalid data found when processing input",
        said.splitlines()[4],
        "written: data/clip/3s/manifest.jsonl",
        "broken.mp4: no captions in captions.jsonl: its texts are empty",
        "long.mp4: 1 token of its captions does not fit into 4 a segment, and is cut off",
        "short.mkv: too short: 4.25 s, and a sample is 9.25 s (37 frames)",
        "broken.mp4 cannot be read: Invalid data found when processing input",
        said.splitlines()[10],
        "written: data/clip/9s/manifest.jsonl",
    ]
    assert said.splitlines()[4].startswith(
        "3s: 4 samples, 12.0 s, from 2 of 3 clips; dropped: 1.8 s at the ends of clips, 1 clip that cannot be read to the end; "
        "the codec's reconstruction: PSNR "
    )


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_bar_counts_samples_where_somebody_looks(
    workers: str, prepared: tuple[Path, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(prepared[0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    arguments = [*PREPARE, "long.mp4", "short.mkv", "--stage", "3s", "--workers", workers]
    assert cli.outcome(cli.tttdit_command, "tttdit", [*arguments, "--output", "data/bar"]) == 0
    bars = capsys.readouterr().err
    assert "clips of 3s (1 sample)" in bars or workers == "2"  # two may be done before anybody looks
    assert "clips of 3s (4 samples)  [####################################]  100%" in bars


def test_samples_are_what_the_spec_wants(prepared: tuple[Path, str]) -> None:
    folder, _ = prepared
    code, said = finish(["check", "--data", "clip.toml", "--output-format", "concise"], folder)
    assert (code, said) == (0, "ok: nothing wrong in 1 file, 2 stages\n")
    lines = [json.loads(line) for line in (folder / "data/clip/3s/manifest.jsonl").read_text().splitlines()]
    assert [(line["latents"], line["begins"], line["captions"]) for line in lines] == [
        ("long-0000.safetensors", 0.0, ["one"]),
        ("long-0001.safetensors", 3.0, ["two"]),
        ("long-0002.safetensors", 6.0, ["three words here and more"]),
        ("short-0000.safetensors", 0.0, ["brief"]),
    ]
    card = json.loads((folder / "data/clip/3s/card.json").read_text())
    assert [card[key] for key in ("samples", "seconds", "clips", "holds", "text_tokens")] == [
        4,
        12.0,
        2,
        "latents",
        [1, 4],
    ]
    stored = torch.stack([load_file(folder / "data/clip/3s" / line["latents"])["latents"] for line in lines])
    assert [card["lowest"], card["highest"]] == [float(stored.min()), float(stored.max())]
    (nine,) = (folder / "data/clip/9s/manifest.jsonl").read_text().splitlines()
    assert json.loads(nine)["captions"] == ["one <end_scene>", "<start_scene> two", "three words here and more"]
    three, nine_seconds = (load_file(folder / f"data/clip/{stage}/long-0000.safetensors") for stage in ("3s", "9s"))
    assert (three["latents"].shape, three["text"].shape) == ((16, 4, 4, 6), (1, 4, 8))
    assert (nine_seconds["latents"].shape, nine_seconds["text"].shape) == ((16, 10, 4, 6), (3, 4, 8))
    # the second sample begins with the first one's last frame, and time goes on: brighter, the clip's wave aside
    assert not torch.equal(three["latents"], load_file(folder / "data/clip/3s/long-0001.safetensors")["latents"])


def test_the_card_and_a_sheet(prepared: tuple[Path, str]) -> None:
    folder, _ = prepared
    code, said = finish(["data", "describe", "data/clip/3s"], folder)
    assert code == 0
    for text in (
        "samples   4 from 2 clips, 12.0 s in all",
        "16 x 4 x 4 x 6, by dct",
        "1 x 4 x 8, by hash",
        "tokens    1 to 4 a text",
        "captions  4 different ones; 0 segments without any",
    ):
        assert text in said
    assert Image.open(folder / "data/clip/3s/sheet.png").size[0] > 4 * 48
    code, said = finish(["data", "describe", "data/clip/9s", "--no-sheet", "--output-format", "json"], folder)
    found = json.loads(said)
    assert (found["samples"], found["latents"]) == (1, [{"shape": [16, 10, 4, 6], "samples": 1}])
    code, said = finish(["data", "describe", "data/clip"], folder)
    assert code == 2
    assert "its stages are data/clip/3s, data/clip/9s" in said


def test_a_dry_run_counts_what_would_be_made(prepared: tuple[Path, str]) -> None:
    folder, _ = prepared
    code, said = finish(
        ["prepare", "clip.toml", "long.mp4", "short.mkv", "broken.mp4", "--output", "never", "--dry-run"], folder
    )
    assert (code, said) == (
        0,
        "3s: samples of 3.25 s (13 frames)\n"
        "  long.mp4: 10.00 s, 3 samples\n"
        "  short.mkv: 4.25 s, 1 sample\n"
        "  broken.mp4 cannot be read: Invalid data found when processing input\n"
        "  4 samples in all\n"
        "9s: samples of 9.25 s (37 frames)\n"
        "  long.mp4: 10.00 s, 1 sample\n"
        "  short.mkv: 4.25 s, 0 samples\n"
        "  broken.mp4 cannot be read: Invalid data found when processing input\n"
        "  1 sample in all\n",
    )
    assert not (folder / "never").exists()


def test_what_is_there_is_not_made_again(prepared: tuple[Path, str]) -> None:
    folder, _ = prepared
    written = {path: path.stat().st_mtime_ns for path in folder.glob("data/clip/*/*.safetensors")}
    latents = {path: load_file(path)["latents"] for path in written}
    command = [*PREPARE, "long.mp4", "short.mkv", "--captions", "captions.jsonl"]
    code, said = finish([*command, "--stage", "3s", "--workers", "1"], folder)
    assert code == 0
    assert "3s: 4 samples (4 there already)" in said
    (folder / "captions.jsonl").write_text(
        '{"clip": "long.mp4", "captions": ["one", "other", "three words here and more"]}'
    )
    code, said = finish([*command, "--stage", "3s", "--workers", "2"], folder)
    assert code == 0
    assert "3s: 4 samples (2 there already)" in said  # two texts are others
    again = {path: path.stat().st_mtime_ns for path in written}
    assert sorted(path.name for path in written if again[path] != written[path]) == [
        "long-0001.safetensors", "short-0000.safetensors",
    ]  # fmt: skip
    assert all(torch.equal(load_file(path)["latents"], before) for path, before in latents.items())


def test_a_kill_leaves_whole_files_and_the_same_command_goes_on(tmp_path: Path) -> None:
    write_clip_spec(tmp_path)
    for name in ("one.mp4", "other.mp4"):
        make_clip(tmp_path / name, [number / 25 for number in range(750)], size=(240, 320))
    command = [*PREPARE, "one.mp4", "other.mp4", "--stage", "3s", "--workers", "2"]
    run = start(command, tmp_path)
    there = tmp_path / "data/clip/3s"
    wait_for(lambda: there.is_dir() and any(there.glob("*.safetensors")))
    (there / ".one-0009.safetensors.999999999.tmp").touch()  # as a kill while it writes would leave
    helpers = helpers_in(tmp_path)
    run.send(signal.SIGKILL)
    run.wait()
    assert len(helpers) == 2
    wait_for(lambda: not helpers_in(tmp_path))  # none goes on without the one that started it
    assert not (there / "manifest.jsonl").exists()
    for path in there.glob("*.safetensors"):
        assert load_file(path)["latents"].shape == (16, 4, 4, 6)
    code, said = finish([*command[:-1], "1"], tmp_path)
    assert code == 0, said
    assert "20 samples (" in said
    assert not [*there.glob(".*")]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_who_stops_it_is_told_that_the_same_command_goes_on(workers: str, tmp_path: Path) -> None:
    write_clip_spec(tmp_path)
    for name in ("one.mp4", "other.mp4"):
        make_clip(tmp_path / name, [number / 25 for number in range(750)], size=(240, 320))
    run = start([*PREPARE, "one.mp4", "other.mp4", "--stage", "3s", "--workers", workers], tmp_path)
    there = tmp_path / "data/clip/3s"
    wait_for(lambda: there.is_dir() and any(there.glob("*.safetensors")))
    run.send(signal.SIGINT)
    assert run.wait() == 130
    assert (
        run.output.rstrip().splitlines()[-1]
        == "tttdit: stopped; the same command goes on, and does not do again what is done"
    )
    assert not helpers_in(tmp_path)
    assert not (there / "one-0009.safetensors").exists()


def helpers_in(folder: Path) -> list[int]:
    """The processes in this working folder that another one has started to share its work."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is another user's
            if b"spawn_main" in (process / "cmdline").read_bytes() and (process / "cwd").readlink() == folder:
                found.append(int(process.name))
    return found


def test_a_helper_that_is_killed_ends_the_command(tmp_path: Path) -> None:
    write_clip_spec(tmp_path)
    for name in ("one.mp4", "other.mp4"):
        make_clip(tmp_path / name, [number / 4 for number in range(13)])
    run = start([*PREPARE, "one.mp4", "other.mp4", "--stage", "3s", "--workers", "2"], tmp_path)
    wait_for(lambda: helpers_in(tmp_path))
    os.kill(helpers_in(tmp_path)[0], signal.SIGKILL)
    assert run.wait() == 2
    assert run.output.splitlines()[-1].startswith(
        "tttdit: one of the processes was killed, most often because memory ran out"
    )


def test_a_sample_that_cannot_be_written_ends_the_command(tmp_path: Path) -> None:
    write_clip_spec(tmp_path)
    for name in ("one.mp4", "other.mp4"):
        make_clip(tmp_path / name, [number / 4 for number in range(13)])
    (tmp_path / "data/clip/3s/one-0000.safetensors").mkdir(parents=True)
    code, said = finish([*PREPARE, "one.mp4", "other.mp4", "--stage", "3s", "--workers", "1"], tmp_path)
    assert code == 2
    assert said.splitlines()[1:] == ["tttdit: data/clip/3s/one-0000.safetensors cannot be written: Is a directory"]


def test_a_dataset_that_is_damaged(prepared: tuple[Path, str]) -> None:
    folder, _ = prepared
    described = ["data", "describe", "copy", "--no-sheet"]
    shutil.copytree(folder / "data/clip/3s", folder / "copy")
    for name, latents in {
        "long-0000": torch.zeros(3),
        "long-0001": torch.zeros(16, 0, 4, 6),
        "long-0002": torch.full((16, 4, 4, 6), torch.nan),
    }.items():
        save_file({"latents": latents, "text": torch.zeros(1, 4, 8)}, folder / f"copy/{name}.safetensors")
    code, said = finish(described, folder)
    assert code == 1
    sizes = "its tensors are no latents [C, F, H, W] and embeddings [S, T, X]"
    assert said.splitlines()[-3:] == [
        f"cannot be used: copy/long-0000.safetensors: {sizes}",
        f"cannot be used: copy/long-0001.safetensors: {sizes}",
        "cannot be used: copy/long-0002.safetensors: it holds numbers that are not finite",
    ]
    manifest = folder / "copy/manifest.jsonl"
    for line, message in {
        b'{"latents": "../clip.toml"}': "tttdit: copy/manifest.jsonl:1: ../clip.toml is no file of this folder, "
        "where tttdit prepare puts all samples",
        b"\xff\xfe": "tttdit: copy/manifest.jsonl is no text in UTF-8",
        b"[]": "tttdit: copy/manifest.jsonl:1: no sample: a line is a JSON object with the key latents",
    }.items():
        manifest.write_bytes(line + b"\n")
        assert finish(described, folder) == (2, message + "\n")


def test_where_nothing_can_be_made(tmp_path: Path) -> None:
    write_clip_spec(tmp_path)
    make_clip(tmp_path / "blink.mp4", [0, 0.04, 0.08])
    code, said = finish([*PREPARE, "blink.mp4", "--stage", "3s"], tmp_path)
    assert code == 2
    assert "blink.mp4: too short: 0.25 s, and a sample is 3.25 s (13 frames)" in said
    assert 'tttdit: no clip gave a sample of stage "3s"' in said
    code, said = finish([*PREPARE, "missing.mp4"], tmp_path)
    assert (code, said) == (2, "tttdit: missing.mp4 is not there\n")
    code, said = finish(
        [*PREPARE, "blink.mp4", "--set", "text.encoder_folder='t5'", "--captions", "no.jsonl"], tmp_path
    )
    assert code == 2
    assert "no.jsonl cannot be read" in said


def test_a_rate_that_changes_is_told(tmp_path: Path) -> None:
    write_clip_spec(tmp_path)
    make_clip(tmp_path / "phone.mkv", [0, 0.5, 1, 1.5, *(2 + number / 8 for number in range(12))])
    code, said = finish([*PREPARE, "phone.mkv", "--stage", "3s", "--workers", "1"], tmp_path)
    assert code == 0, said
    assert "phone.mkv: its rate changes, from 2 to 8 pictures a second: taken by its time stamps\n" in said


def test_a_clip_that_lacks_one_frame_stands_still_for_it(tmp_path: Path) -> None:
    write_clip_spec(tmp_path)
    make_clip(tmp_path / "exact.mp4", [number / 4 for number in range(12)])  # 3 seconds: 12 frames, and a sample has 13
    code, said = finish([*PREPARE, "exact.mp4", "--stage", "3s", "--workers", "1"], tmp_path)
    assert code == 0, said
    assert "exact.mp4: its last picture stands once more, for the one frame that its last sample lacks" in said
