"""TTD401: steps that take more samples than there are; TTD412: validation that holds all of them out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.core.findings import Finding

Check = Callable[..., tuple[Finding, ...]]

DATA = '[data]\nplugin = "synthetic"\n'


@pytest.mark.parametrize("sets", [(), ("training.global_batch_size=64",), ("parallelism.dp_sharding=64",)])
def test_as_many_as_a_step_takes(sets: tuple[str, ...], check_spec: Check) -> None:
    assert check_spec(DATA, *sets) == ()


@pytest.mark.parametrize(
    ("sets", "step"),
    [
        (("training.global_batch_size=65",), 65),
        (("parallelism.dp_replicate=8", "parallelism.dp_sharding=16"), 128),
        (("training.grad_accum_steps=33", "parallelism.dp_sharding=2"), 66),
    ],
)
def test_fewer(sets: tuple[str, ...], step: int, check_spec: Check) -> None:
    (finding,) = check_spec(DATA, *sets)
    assert (finding.code, finding.severity, finding.key) == ("TTD401", "info", "data.samples")
    assert finding.message == f"64 different samples for steps of {step}: samples come again within a step"
    assert finding.help == f"write data.samples = {step} or more"


def test_other_data_has_as_many_as_it_has(check_spec: Check) -> None:
    assert check_spec('[data]\nplugin = "precomputed"\nmanifest = "x.jsonl"\n', "training.global_batch_size=1000") == ()


# -- TTD412


@pytest.mark.parametrize(
    ("samples", "sets", "found"),
    [
        (8, (), 0),
        (9, ("training.validation_interval=5",), 0),
        (8, ("training.validation_interval=5",), 1),
        (1, ("training.validation_interval=5", "training.validation_samples=1"), 1),
        (2, ("training.validation_interval=5", "training.validation_samples=1"), 0),
    ],
)
def test_some_are_left_to_train_on(samples: int, sets: tuple[str, ...], found: int, check_spec: Check) -> None:
    findings = [one for one in check_spec(f"{DATA}samples = {samples}\n", *sets) if one.code == "TTD412"]
    assert len(findings) == found
    assert all(finding.message.endswith("none is left to train on") for finding in findings)
