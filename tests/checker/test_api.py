"""`tttdit.load_spec` and `tttdit.check`, and the JSON that programs read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import tttdit
from tttdit.core.errors import SpecError, TttditError, UsageError

Make = Callable[..., str]


def test_the_public_names() -> None:
    assert set(tttdit.__all__) == {
        "Report", "Spec", "__version__", "build_model", "check", "hookimpl", "load_spec", "load_weights", "predict_memory", "training_loss",
    }  # fmt: skip
    assert set(tttdit.__all__) <= set(dir(tttdit))
    assert all(getattr(tttdit, name) is not None for name in tttdit.__all__)
    with pytest.raises(AttributeError, match="module 'tttdit' has no attribute 'chekc'"):
        _ = tttdit.chekc  # type: ignore[attr-defined]


def test_a_spec_has_its_stages_with_typed_tables_and_dimensions(make_spec: Make) -> None:
    spec = tttdit.load_spec(make_spec('tokens_per_segment = "auto"'))
    assert (spec.name, spec.path, [stage.name for stage in spec.stages]) == ("nine", "spec.toml", ["nine"])
    stage = spec.stage("nine")
    assert stage.model.width == 3072
    assert stage.memory.transformer_checkpoint_layer_group_size == 1
    assert stage.dims["L"] == 51_456
    assert str(stage.dims["L"].formula) == "F*h*w + S*T"
    assert stage.assembly.codec.name == "cogvideox-vae"
    assert stage.wrote("video.seconds")
    assert not stage.wrote("codec")
    with pytest.raises(KeyError):
        spec.stage("ten")


def test_check_says_the_same_about_a_path_and_a_spec(make_spec: Make) -> None:
    path = make_spec("tokens_per_segment = 493")
    spec = tttdit.load_spec(path)  # sizes that do not fit are check's business
    assert tttdit.check(spec) == tttdit.check(path) == tttdit.check(Path(path))
    assert not tttdit.check(spec).ok


def test_a_spec_keeps_what_was_set(make_spec: Make) -> None:
    spec = tttdit.load_spec(make_spec(), sets=["text.tokens_per_segment=438"])
    assert spec.stage("nine").dims["T"] == 438
    assert tttdit.check(spec).files[0].stages[0].dims["T"] == 438


def test_what_is_no_spec_is_an_error_with_findings(make_spec: Make) -> None:
    with pytest.raises(SpecError) as caught:
        tttdit.load_spec(make_spec("segments = 3.5", "fps = 16\nfp = 1"))
    assert [finding.code for finding in caught.value.findings] == ["TTD002", "TTD003"]
    assert str(caught.value).splitlines()[0] == "spec.toml: 2 errors"
    assert str(caught.value).splitlines()[1].startswith("  TTD002 unknown-key: line 6: video.fp ")
    with pytest.raises(SpecError):
        tttdit.load_spec(make_spec("seconds = 9 seconds"))
    with pytest.raises(SpecError, match="TTD204"):
        tttdit.load_spec(make_spec("seconds = 10", 'segments = "auto"'))


def test_what_cannot_be_read_is_an_error(tmp_path: Path, make_spec: Make) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        tttdit.check(tmp_path / "missing.toml")
    with pytest.raises(UsageError, match="cannot read"):
        tttdit.load_spec(tmp_path / "missing.toml")
    with pytest.raises(UsageError, match='has no stage "other"'):
        tttdit.check(make_spec(), stage="other")
    assert issubclass(SpecError, TttditError)


def test_a_report_s_json_has_the_promised_form(make_spec: Make) -> None:
    report = tttdit.check(make_spec("tokens_per_segment = 501", added="\n[optimizer]\nlr = 1\n"))
    content = json.loads(report.to_json())
    assert content == report.as_dict()
    assert content["version"] == 1
    (file,) = content["files"]
    assert (file["path"], file["ok"]) == ("spec.toml", False)
    (finding,) = file["findings"]
    assert {key: finding[key] for key in ("code", "name", "severity", "stage", "span", "fix")} == {
        "code": "TTD201",
        "name": "sequence-mini-batch",
        "severity": "error",
        "stage": "nine",
        "span": {"line": 11, "column": 1, "end_line": 11, "end_column": 25},
        "fix": {"applicability": "safe", "edits": [{"key": "text.tokens_per_segment", "value": 502}]},
    }
    assert finding["message"]
    assert finding["help"]
    assert all({"message", "span"} <= set(related) for related in finding["related"])
    (stage,) = file["stages"]
    assert stage["name"] == "nine"


def test_a_stage_s_numbers(make_spec: Make) -> None:
    (stage,) = tttdit.check(make_spec()).as_dict()["files"][0]["stages"]
    numbers = {
        "N": 145, "F": 37, "H": 60, "W": 90, "h": 30, "w": 45, "S": 3, "T": 502, "V": 49_950, "L": 51_456, "b": 64,
        "n": 804, "D": 3072, "A": 48, "K": 64, "B": 1, "C": 16,
    }  # fmt: skip
    assert {symbol: stage["dims"][symbol] for symbol in numbers} == numbers
    assert stage["sequence"] == {
        "video_tokens": 49_950,
        "text_tokens": 1_506,
        "total_tokens": 51_456,
        "rope_positions": 49_950,
        "mini_batches": 804,
    }
    assert stage["formulas"]["F"] == "(N + 3)/4"
    assert stage["formulas"]["L"] == "S*T + V"
    assert stage["proved"]
    shapes = {shape["name"]: shape for shape in stage["shapes"]}
    q = shapes["layers.*.seq_modeling_block.q"]
    assert len(q["formula"]) == len(q["value"])
    assert shapes["output"]["value"] == [1, 37, 16, 60, 90]


def test_a_number_that_is_not_known_is_null(make_spec: Make) -> None:
    (stage,) = tttdit.check(make_spec("tokens_per_segment = 501")).as_dict()["files"][0]["stages"]
    assert stage["dims"]["n"] is None
    assert stage["sequence"]["mini_batches"] is None
    assert not stage["proved"]
    assert stage["shapes"] == []


def test_pixel_frames_in_place_of_seconds(make_spec: Make) -> None:
    report = tttdit.check(make_spec(), sets=["video.pixel_frames=145"])
    assert report.files[0].stages[0].dims["F"] == 37
    assert "seconds" not in report.files[0].stages[0].dims


def test_a_tenth_of_a_second_is_a_tenth(make_spec: Make) -> None:
    """0.1 * 40 is 4, not a little more."""
    report = tttdit.check(make_spec("seconds = 0.1", "fps = 40"))
    assert report.files[0].stages[0].dims["N"] == 5


def test_text_outside_ascii_survives_json(make_spec: Make) -> None:
    report = tttdit.check(make_spec(added='\n[logging]\nplugin = "日本\\u0007"\n'))
    assert report.to_json().isascii()
    assert "日本" in json.loads(report.to_json())["files"][0]["findings"][0]["message"]
