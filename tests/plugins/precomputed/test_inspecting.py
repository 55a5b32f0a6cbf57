"""`tttdit-check --data`: what it says of manifests and files, and where."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from sample_files import LATENTS, SPEC, TEXT, save, write_manifest, write_samples

from tttdit.checker.api import check_paths
from tttdit.checker.report import FileReport


def check(folder: Path, *sets: str, data: bool = True) -> FileReport:
    (folder / "spec.toml").write_text(SPEC, "utf-8")
    (file,) = check_paths([str(folder / "spec.toml")], sets=sets, data=data).files
    return file


def told(file: FileReport) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.severity, finding.message) for finding in file.findings]


def places(file: FileReport) -> list[tuple[str, int]]:
    """Files and lines that the findings point to, as JSON has them."""
    findings = file.as_dict()["findings"]
    return [
        (related["path"], related["span"]["line"])
        for finding in findings
        for related in finding["related"]
        if related["path"]
    ]


def test_samples_that_fit(tmp_path: Path) -> None:
    write_samples(tmp_path, 4)
    assert check(tmp_path).findings == ()


def test_nothing_is_opened_unless_asked(tmp_path: Path) -> None:
    assert check(tmp_path, data=False).findings == ()
    assert [code for code, _, _ in told(check(tmp_path))] == ["TTD404"]


def test_lines_that_are_wrong_alike_are_one_finding(tmp_path: Path) -> None:
    lines = write_samples(tmp_path, 12)
    for number in range(2, 9):
        save(tmp_path / f"{number}.safetensors", latents=(16, 12, 2, 2))
    write_manifest(tmp_path, *lines)
    file = check(tmp_path)
    (finding,) = file.findings
    assert finding.message == (
        f"{tmp_path}/clips.jsonl:3: {tmp_path}/2.safetensors holds latents [16, 12, 2, 2], and the model takes [16, 13, 2, 2], "
        "or a posterior's [32, 13, 2, 2]: F = 13 (latent frames), and not 12 (6 more lines are alike)"
    )
    assert places(file) == [(f"{tmp_path}/clips.jsonl", line) for line in (3, 4, 5)]
    assert {related.key for related in finding.related if related.key} == {"video.fps", "video.seconds"}
    assert finding.key == "data.manifest"
    assert finding.span is not None


@pytest.mark.parametrize(
    ("shapes", "what"),
    [
        ({"latents": (8, 13, 2, 2)}, "C = 16 (latent channels), and not 8"),
        ({"latents": (32, 13, 4, 2)}, "H = 2 (rows of a latent frame), and not 4"),
        ({"latents": (16, 13, 2, 6)}, "W = 2 (columns of a latent frame), and not 6"),
        ({"text": (1, 4, 8)}, "T = 3 (tokens in a text segment), and not 4"),
        ({"text": (3, 9)}, "X = 8 (text width), and not 9"),
    ],
)
def test_what_differs_is_named(shapes: dict[str, tuple[int, ...]], what: str, tmp_path: Path) -> None:
    save(tmp_path / "a.safetensors", **{"latents": LATENTS, "text": TEXT, **shapes})
    write_manifest(tmp_path, {"latents": "a.safetensors", "text": "a.safetensors"})
    (finding,) = check(tmp_path).findings
    assert finding.code == "TTD409"
    assert finding.message.endswith(f": {what}")


def test_many_ways_to_be_wrong_are_few_findings(tmp_path: Path) -> None:
    save(tmp_path / "text.safetensors", text=TEXT)
    lines = []
    for frames in range(20, 60):
        save(tmp_path / f"{frames}.safetensors", latents=(16, frames, 2, 2))
        lines.append({"latents": f"{frames}.safetensors", "text": "text.safetensors"})
    write_manifest(tmp_path, *lines)
    findings = check(tmp_path).findings
    assert len(findings) == 11
    assert findings[-1].message.endswith("(29 more lines are wrong in other ways)")


def test_with_skip_bad_lines_are_warnings_unless_all_are(tmp_path: Path) -> None:
    lines = write_samples(tmp_path, 1)
    gone = {"latents": "gone.pt", "text": "gone.pt"}
    write_manifest(tmp_path, *lines, gone)
    assert [severity for _, severity, _ in told(check(tmp_path, "data.bad_samples=skip"))] == ["warning"]
    assert [severity for _, severity, _ in told(check(tmp_path))] == ["error"]
    write_manifest(tmp_path, gone)
    assert [severity for _, severity, _ in told(check(tmp_path, "data.bad_samples=skip"))] == ["error"]


def test_places_in_a_line(tmp_path: Path) -> None:
    write_manifest(tmp_path, "", '{"latents": "a.pt", "text": nothing}')
    file = check(tmp_path)
    (related,) = file.as_dict()["findings"][0]["related"]
    assert (related["path"], related["span"]["line"], related["span"]["column"]) == (f"{tmp_path}/clips.jsonl", 2, 29)


def test_pt_files_are_looked_at_where_torch_is(tmp_path: Path) -> None:
    save(tmp_path / "a.pt", latents=LATENTS, text=(1, 9, 8))
    write_manifest(tmp_path, {"latents": "a.pt", "text": "a.pt"})
    (finding,) = check(tmp_path).findings
    assert finding.message.endswith("T = 3 (tokens in a text segment), and not 9")


class Runs:
    """Something whose loading runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def test_a_check_runs_no_pickle(tmp_path: Path) -> None:
    torch.save(Runs(f"touch {tmp_path}/ran"), tmp_path / "a.pt")
    write_manifest(tmp_path, {"latents": "a.pt", "text": "a.pt"})
    assert [code for code, _, _ in told(check(tmp_path))] == ["TTD408"]
    assert not (tmp_path / "ran").exists()


def test_a_comment_about_data_is_not_without_effect_in_a_check_without(tmp_path: Path) -> None:
    spec = SPEC.replace("workers = 0 }", "workers = 0 } # tttdit: ignore[TTD404]")
    (tmp_path / "spec.toml").write_text(spec, "utf-8")
    for data in (False, True):
        (file,) = check_paths([str(tmp_path / "spec.toml")], data=data).files
        assert (file.findings, file.silenced) == ((), int(data))
    write_samples(tmp_path, 1)
    (file,) = check_paths([str(tmp_path / "spec.toml")], data=True).files
    assert [finding.code for finding in file.findings] == ["TTD011"]


def test_every_stage_is_held_against_its_own_samples(tmp_path: Path) -> None:
    write_samples(tmp_path, 1)
    stages = '\n[[stage]]\nname = "3s"\n\n[[stage]]\nname = "9s"\nvideo.seconds = 9\ntext.segments = 3\ntext.tokens_per_segment = 9\n'
    (tmp_path / "spec.toml").write_text(SPEC + stages, "utf-8")
    (file,) = check_paths([str(tmp_path / "spec.toml")], data=True).files
    errors = [(finding.code, finding.stage) for finding in file.findings if finding.severity == "error"]
    assert errors == [("TTD409", "9s")] * 2  # the latents, and the text


def test_all_samples_held_out(tmp_path: Path) -> None:
    write_samples(tmp_path, 2)
    (finding,) = check(tmp_path, "training.validation_interval=1", "training.validation_samples=2").findings
    assert (finding.code, finding.key) == ("TTD411", "training.validation_samples")
    assert "2 samples, and validation holds out 2: none is left to train on" in finding.message
    assert check(tmp_path, "training.validation_interval=1", "training.validation_samples=1").findings == ()


def test_a_check_of_safetensors_takes_no_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    write_samples(tmp_path, 2)
    (tmp_path / "spec.toml").write_text(SPEC, "utf-8")
    code = (
        "import sys, json\nfrom tttdit.checker.api import check_paths\n"
        "report = check_paths(['spec.toml'], data=True)\n"
        "print(json.dumps([report.ok, sorted({name.partition('.')[0] for name in sys.modules})]))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    ok, modules = json.loads(done.stdout)
    assert ok
    assert not {"torch", "numpy", "safetensors", "sympy"} & set(modules)
