"""A sample as a run takes it: of the wanted shapes, and whatever is wrong names it."""

from __future__ import annotations

import pytest
import torch
from numbered_samples import Numbers

from tttdit.core.runtime.data.source import BadSample, read_sample

WANTED = {"number": (1,)}


def test_only_what_is_wanted_is_taken() -> None:
    sample = read_sample(Numbers(3), 2, torch.Generator(), WANTED)
    assert (sample.keys(), sample["number"].tolist()) == ({"number"}, [2.0])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("bad", "it is torn"),
        ("fails", "ZeroDivisionError: by zero"),
        ("shape", "number is [2], and the model takes [1]"),
        ("nan", "number has numbers that are not finite"),
    ],
)
def test_what_is_wrong_names_the_sample(wrong: str, told: str) -> None:
    with pytest.raises(BadSample) as error:
        read_sample(Numbers(3, {1: wrong}), 1, torch.Generator(), WANTED)
    assert str(error.value) == f"numbers:1: {told}"
