"""Manifests: which lines are samples, and what is said of the others, whatever bytes they have."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tttdit.plugins.precomputed import manifest as manifests
from tttdit.plugins.precomputed.manifest import ENDINGS, LONGEST_LINE, Manifest, Sample, parse
from tttdit.plugins.precomputed.problem import Problem

GOOD = b'{"latents": "a.safetensors", "text": "b.pt"}'


def manifest_of(folder: Path, content: bytes) -> Manifest:
    (folder / "clips.jsonl").write_bytes(content)
    return Manifest(folder / "clips.jsonl")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (GOOD, ("b.pt",)),
        (b'{"text": ["1.pt", "2.pt"], "latents": "a.safetensors", "caption": {"of": [1, null]}}', ("1.pt", "2.pt")),
        (b"\xef\xbb\xbf" + GOOD + b"\r\n", ("b.pt",)),
    ],
)
def test_lines_that_are_samples(line: bytes, text: tuple[str, ...]) -> None:
    assert parse(line) == Sample("a.safetensors", text)


@pytest.mark.parametrize(
    ("line", "told", "column"),
    [
        (b"[]", "is no JSON object", 1),
        (b"{", "is no JSON: Expecting property name enclosed in double quotes", 2),
        (b'{"latents": "a.pt"', "is no JSON: Expecting ',' delimiter", 19),
        (b'{"latents": "\xff.pt"}', "is not UTF-8", 14),
        (b'{"text": "b.pt"}', 'has no "latents"', 1),
        (b'{"Latents": "a.pt", "text": "b.pt"}', 'has no "latents" (but "Latents")', 1),
        (b'{"latents": "a.pt", "latents": "b.pt", "text": "b.pt"}', "has a key twice", 1),
        (b'{"latents": 5, "text": "b.pt"}', 'has something else than the name of a file in "latents"', 1),
        (
            b'{"latents": "a\\u001b[31m.pt", "text": "b.pt"}',
            'has something else than the name of a file in "latents"',
            1,
        ),
        (b'{"latents": "a\\u0000.pt", "text": "b.pt"}', 'has something else than the name of a file in "latents"', 1),
        (b'{"latents": "a\\ud800.pt", "text": "b.pt"}', 'has something else than the name of a file in "latents"', 1),
        (b'{"latents": "a.pt", "text": []}', 'has no files in "text"', 1),
        (b'{"latents": "a.pt", "text": ["b.pt", null]}', 'has something else than the name of a file in "text"', 1),
        (
            b'{"latents": "a.npy", "text": "b.pt"}',
            'has a name in "latents" that ends neither in .safetensors nor in .pt',
            1,
        ),
        (b"[" * 100_000, "is no JSON that can be read", 1),
        (b'{"latents": ' + b"1" * 5000 + b"}", "is no JSON that can be read", 1),
        (b" " * (LONGEST_LINE + 1), "has more than 1,048,576 bytes", 1),
    ],
)
def test_lines_that_are_none(line: bytes, told: str, column: int) -> None:
    with pytest.raises(Problem) as problem:
        parse(line)
    assert str(problem.value) == f"the line {told}"
    assert (problem.value.page.code, problem.value.column) == ("TTD405", column)


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_any_bytes_are_a_sample_or_a_problem(line: bytes) -> None:
    """Nothing else is raised."""
    with suppress(Problem):
        assert parse(line).latents.endswith(ENDINGS)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["latents", "text", "x"]), inner),
        max_leaves=8,
    )
)
def test_any_json_is_a_sample_or_a_problem(value: Any) -> None:
    try:
        sample = parse(json.dumps(value).encode())
    except Problem:
        return
    assert value["latents"] == sample.latents


def test_blank_lines_count_and_are_no_samples(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, b"\n\n" + GOOD + b"\n  \r\n" + GOOD.replace(b"a.", b"z."))
    assert [manifest.number(index) for index in range(len(manifest))] == [3, 5]
    assert [manifest.sample(index).latents for index in (1, 0)] == ["z.safetensors", "a.safetensors"]


def test_a_line_that_is_too_long_is_one_sample_that_cannot_be_used(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, GOOD + b"\n" + b"x" * (3 * LONGEST_LINE) + b"\n" + GOOD + b"\n")
    assert [manifest.number(index) for index in range(len(manifest))] == [1, 2, 3]
    with pytest.raises(Problem, match="the line has more than"):
        manifest.sample(1)
    assert manifest.sample(2).latents == "a.safetensors"


@pytest.mark.parametrize(
    ("content", "told"), [(b"", "has no lines: there are no samples"), (b"\n \n", "has no lines: there are no samples")]
)
def test_manifests_without_samples(content: bytes, told: str, tmp_path: Path) -> None:
    with pytest.raises(Problem) as problem:
        manifest_of(tmp_path, content)
    assert str(problem.value) == f"{tmp_path / 'clips.jsonl'} {told}"
    assert problem.value.page.code == "TTD404"


def test_what_is_no_manifest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, told in (("gone", "No such file"), (".", "Is a directory"), ("pipe", "is no file")):
        with pytest.raises(Problem, match=told) as problem:
            Manifest(tmp_path / name)
        assert problem.value.page.code == "TTD404"


@pytest.mark.parametrize(
    ("bound", "told"),
    [("MOST_SAMPLES", "has more than 2 samples"), ("LARGEST_MANIFEST", r"has 135 bytes, and at most 2 are read")],
)
def test_manifests_are_bounded(bound: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manifests, bound, 2)
    with pytest.raises(Problem, match=told):
        manifest_of(tmp_path, (GOOD + b"\n") * 3)


def test_a_manifest_that_changes_is_no_longer_read(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, GOOD + b"\n" + GOOD)
    (tmp_path / "clips.jsonl").write_bytes(GOOD)
    with pytest.raises(Problem, match=r"clips\.jsonl has changed since it was opened"):
        manifest.sample(0)
