"""Rules about learning rates and what AdamW does with them: TTD701, TTD702, TTD703, TTD706, TTD711."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tttdit.checker.report import FileReport
from tttdit.core.findings import Finding

Check = Callable[..., FileReport]
NO_MIXER = "model.mixer.plugin=none"


def only(file: FileReport) -> Finding:
    (finding,) = file.findings
    return finding


def test_a_warm_up_that_leaves_a_step(check_spec: Check) -> None:
    assert check_spec(sets=("training.steps=51",)).findings == ()
    assert check_spec(sets=("training.steps=1", "training.warmup_steps=0")).findings == ()


def test_a_warm_up_of_all_steps(check_spec: Check) -> None:
    finding = only(check_spec(added="[training]\nsteps = 100\nwarmup_steps = 100\n"))
    assert (finding.code, finding.key) == ("TTD701", "training.warmup_steps")
    assert finding.message.endswith("they reach their full value only with the last step")
    assert finding.help == "write training.warmup_steps = 10 or less"


def test_steps_that_end_in_the_warm_up_that_nobody_states(check_spec: Check) -> None:
    finding = only(check_spec(added="[training]\nsteps = 20\n"))
    assert (finding.code, finding.key) == ("TTD701", "training.steps")
    assert finding.message == (
        "the learning rates rise over 50 steps of warm-up, and the stage has 20: they end at 40 % of their full value"
    )


# -- TTD702


@pytest.mark.parametrize(
    "sets",
    [
        ("optimizer.lr=1e-5", "optimizer.lr_mixer=1e-4", "optimizer.lr_end=1e-5"),
        ("optimizer.lr=1e-3", "optimizer.lr_end=1e-3", NO_MIXER),  # the mixers' rate is nobody's
        (),
    ],
)
def test_rates_that_fall_or_stay(check_spec: Check, sets: tuple[str, ...]) -> None:
    assert check_spec(sets=sets).findings == ()


def test_both_rates_rise(check_spec: Check) -> None:
    finding = only(check_spec(added="[optimizer]\nlr = 1e-5\nlr_mixer = 2e-5\nlr_end = 1e-3\n"))
    assert finding.code == "TTD702"
    assert finding.message == (
        "optimizer.lr_end = 0.001 is above optimizer.lr = 1e-05 and optimizer.lr_mixer = 2e-05: "
        "after the warm-up the learning rate would rise to the end"
    )
    assert finding.help == "write optimizer.lr_end = 1e-05"


def test_what_is_to_stay_as_it_is_does_not(check_spec: Check) -> None:
    """A rate of 0 that ends at another one."""
    finding = only(check_spec(added="[optimizer]\nlr = 0\nlr_end = 1e-5\n"))
    assert finding.code == "TTD702"
    assert finding.fix is not None
    assert finding.fix.applicability == "unsafe"


# -- TTD703


def test_nothing_learns(check_spec: Check) -> None:
    assert only(check_spec(sets=("optimizer.lr=0", "optimizer.lr_mixer=0"))).message == (
        "optimizer.lr and optimizer.lr_mixer are 0 in every step: no parameter would change"
    )
    without = only(check_spec(sets=("optimizer.lr=0", NO_MIXER)))
    assert (without.code, without.message) == ("TTD703", "optimizer.lr is 0 in every step: no parameter would change")


def test_the_mixers_alone_may_learn(check_spec: Check) -> None:
    assert check_spec(sets=("optimizer.lr=0",)).findings == ()


def test_a_step_of_a_rate_of_zero_changes_nothing() -> None:
    torch = pytest.importorskip("torch")
    parameter = torch.nn.Parameter(torch.ones(3))
    parameter.grad = torch.ones(3)
    torch.optim.AdamW([parameter], lr=0.0, weight_decay=0.1).step()
    assert parameter.tolist() == [1, 1, 1]


# -- TTD706


def test_rates_of_mixers_that_are_not_there(check_spec: Check) -> None:
    file = check_spec(added='[optimizer]\nlr_mixer = 1e-5\nmixer_schedule = "linear"\n', sets=(NO_MIXER,))
    assert [(finding.code, finding.severity, finding.key) for finding in file.findings] == [
        ("TTD706", "info", "optimizer.lr_mixer"),
        ("TTD706", "info", "optimizer.mixer_schedule"),
    ]


# -- TTD711


def test_betas(check_spec: Check) -> None:
    assert check_spec(sets=("optimizer.betas=[0.95, 0.95]",)).findings == ()
    finding = only(check_spec(sets=("optimizer.betas=[0.99, 0.9]",)))
    assert (finding.code, finding.help) == ("TTD711", "write optimizer.betas = [0.9, 0.99]")
