"""Samples that are made up: always the same, of unit variance, and such that the latents follow from the text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tttdit.plugins.synthetic.module import SyntheticSource
from tttdit.plugins.synthetic.spec import SyntheticTable

WANTED = {"video": (13, 16, 4, 6), "text": (1, 10, 32)}


def source_of(wanted: Any = WANTED, **keys: Any) -> SyntheticSource:
    return SyntheticSource(SyntheticTable.model_validate({"plugin": "synthetic", **keys}), wanted, Path())


def sample(source: SyntheticSource, index: int) -> Any:
    return source.sample(index, torch.Generator())


def test_shapes_and_count() -> None:
    source = source_of(samples=5)
    assert (len(source), source.name(3)) == (5, "sample 3")
    assert {name: tuple(each.shape) for name, each in sample(source, 0).items()} == WANTED


def test_seed_and_number_decide_and_nothing_else() -> None:
    one = sample(source_of(), 3)
    torch.manual_seed(123)
    torch.rand(5)
    again = source_of().sample(3, torch.Generator().manual_seed(9))
    assert all(torch.equal(one[name], again[name]) for name in WANTED)
    for other in (sample(source_of(), 4), sample(source_of(seed=1), 3)):
        assert not any(torch.equal(one[name], other[name]) for name in WANTED)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_the_standard_deviation_is_the_scale(scale: float) -> None:
    source = source_of(scale=scale, samples=200)
    for name in WANTED:
        values = torch.stack([sample(source, index)[name] for index in range(200)])
        assert float(values.std()) == pytest.approx(scale, rel=0.2)


def test_latents_follow_from_the_text() -> None:
    """A linear map from the text of half of the samples gives the latents of the others."""
    source = source_of(samples=64)
    samples = [sample(source, index) for index in range(64)]
    text = torch.stack([one["text"][0, 0] for one in samples])
    video = torch.stack([one["video"].flatten() for one in samples])
    learned = torch.linalg.lstsq(text[:32], video[:32], driver="gelsd").solution
    assert float((text[32:] @ learned - video[32:]).square().mean()) < 1e-3 * float(video.square().mean())


def test_frames_are_smooth() -> None:
    """Neighbouring frames of a long video differ less than frames of different samples do."""
    source = source_of({"video": (61, 4, 4, 4), "text": (5, 3, 8)})
    one, other = sample(source, 0)["video"], sample(source, 1)["video"]
    assert float((one[1:] - one[:-1]).square().mean()) < 0.05 * float((one - other).square().mean())
