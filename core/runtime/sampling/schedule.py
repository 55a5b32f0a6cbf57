"""The noise levels of a sampler's steps."""

from __future__ import annotations

from tttdit.core.runtime.objective import LEVELS, amplitudes, signal, zero_terminal
from tttdit.core.runtime.sampling.solver import Level


def levels(steps: int) -> tuple[Level, ...]:
    """The levels of so many steps, from noise to data: linspace(999, 0, steps, without the end), truncated.

    Their shares of the signal have a terminal signal-to-noise ratio of zero among themselves (Lin et al. 2024), as in CogVideoX's
    sampler. Raises ValueError unless there are 1 to 999 steps: each needs a level of its own.
    """
    if not 0 < steps < LEVELS:
        raise ValueError(
            f"there are {LEVELS:,} levels, and {steps:,} steps do not have each its own below {LEVELS - 1}"
        )
    last = LEVELS - 1
    numbers = [
        last + (-last * step) // steps for step in range(steps)
    ]  # truncated in whole numbers, which do not round
    by_steps = zero_terminal(signal()[numbers[::-1]].sqrt()).flip(0)
    trained = amplitudes()
    shares = [
        0.0,
        *by_steps[1:].tolist(),
        1.0,
    ]  # of a single level there is nothing to stretch: it is the one without any signal
    nearest = [float(trained[(trained - share).abs().argmin()]) for share in shares[:-1]]
    return tuple(
        Level(number, shares[step], shares[step + 1], nearest[step], step, steps) for step, number in enumerate(numbers)
    )
