"""TTD402: names that no manifest has; TTD403: the same samples in stages that want other ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.core.findings import Finding

Check = Callable[..., tuple[Finding, ...]]

DATA = '[data]\nplugin = "precomputed"\nmanifest = "{}"\n'
WANTED = "; a manifest is one JSON Lines file, with one sample a line"


@pytest.mark.parametrize(
    "name", ["9s.jsonl", "9s", "/data/9s.ndjson", "../9s.jsonl", "a,b", "clips, part 2.jsonl", "9s.v2", "x.JSONL"]
)
def test_a_file_may_be_called_as_one_likes(name: str, check_spec: Check) -> None:
    assert check_spec(DATA.format(name)) == ()


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("clips.csv", "is named like a file with comma-separated values"),
        ("clips.PARQUET", "is named like a file with a Parquet table"),
        ("latents.safetensors", "is named like a file with tensors"),
        ("data/9s/", "is the name of a folder"),
        ("a.jsonl,b.jsonl", "names 2 files"),
        ("a.jsonl, b.jsonl, c.json", "names 3 files"),
    ],
)
def test_names_of_something_else(name: str, what: str, check_spec: Check) -> None:
    (finding,) = check_spec(DATA.format(name))
    assert (finding.code, finding.severity, finding.key) == ("TTD402", "warning", "data.manifest")
    assert finding.message == f'data.manifest = "{name}" {what}{WANTED}'


def test_json_lines_are_often_called_json(check_spec: Check) -> None:
    (finding,) = check_spec(DATA.format("clips.json"))
    assert (finding.code, finding.severity) == ("TTD402", "info")


# -- TTD403

STAGES = """
[[stage]]
name = "first"

[[stage]]
name = "second"
"""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            "video.seconds = 18",
            "F = 73 and not 37 (latent frames), S = 6 and not 3 (text segments), T = 503 and not 502 (tokens in a text segment)",
        ),
        ("video.height = 960\ntext.tokens_per_segment = 502", "H = 120 and not 60 (rows of a latent frame)"),
    ],
)
def test_samples_of_another_size(change: str, told: str, check_spec: Check) -> None:
    (finding,) = [one for one in check_spec(DATA.format("9s.jsonl") + STAGES + change + "\n") if one.code == "TTD403"]
    assert (finding.severity, finding.key, finding.stage) == ("warning", "data.manifest", "second")
    assert finding.message == (
        f'data.manifest = "9s.jsonl" is that of the stage before, whose samples are of another size: {told}'
    )


@pytest.mark.parametrize(
    "change",
    [
        "training.steps = 1000",
        'video.seconds = 18\ndata.manifest = "18s.jsonl"',
        'video.seconds = 18\ndata.folder = "18s"',
        'video.seconds = 18\ndata = { plugin = "synthetic" }',
    ],
)
def test_samples_that_fit(change: str, check_spec: Check) -> None:
    assert check_spec(DATA.format("9s.jsonl") + STAGES + change + "\n") == ()
