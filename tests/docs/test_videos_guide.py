"""docs/videos.md: its commands run in their order, on its own captions and storyboard, with a small model."""

import re
import shlex
from pathlib import Path

from clip_specs import SPEC
from clips import make_clip
from launching import finish

TEXT = (Path(__file__).parents[2] / "docs" / "videos.md").read_text("utf-8")
NAME = "curriculum.toml"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    return [shlex.split(line.removeprefix("$ ")) for block in blocks("console") for line in block.splitlines()]


def spec() -> str:
    (sampling,) = blocks("toml")
    head, stages = SPEC.replace('name = "clip"', 'name = "one-minute"').split("[model]", 1)
    kept = [line for line in head.splitlines() if not line.startswith("sampling")]
    small = sampling.replace("steps = 50", "steps = 2")
    assert small != sampling
    return ("\n".join([*kept, small, "[model]"]) + stages).replace("data/clip/", "data/videos/")


def test_its_commands_run(tmp_path: Path) -> None:
    captions, storyboard = blocks("json")
    (tmp_path / NAME).write_text(spec(), "utf-8")
    (tmp_path / "captions.jsonl").write_text(captions, "utf-8")
    (tmp_path / "storyboard.json").write_text(storyboard, "utf-8")
    (tmp_path / "videos").mkdir()
    for clip in ("bikes.mp4", "rain.mp4"):
        make_clip(tmp_path / "videos" / clip, [number / 8 for number in range(73)])
    checks_prompts = re.search(r"`(tttdit-check --prompts [^`]+)`", TEXT)
    assert checks_prompts is not None
    for command in [*commands(), shlex.split(checks_prompts[1])]:
        assert NAME in command or command[1:3] == ["data", "describe"]
        if command[1] == "sample":
            code, said = finish(["run", NAME, "--device", "cpu"], tmp_path)
            assert code == 0, said
        arguments = command[1:] if command[0] == "tttdit" else ["check", *command[1:]]
        on_cpu = ["--device", "cpu"] if arguments[0] in ("prepare", "sample") else []
        code, said = finish([*arguments, *on_cpu], tmp_path)
        assert code == 0, f"{shlex.join(command)}\n{said}"
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == ["1.mp4", "1.png"]
    assert len(list((tmp_path / "data" / "videos" / "9s").glob("*.safetensors"))) == 2
