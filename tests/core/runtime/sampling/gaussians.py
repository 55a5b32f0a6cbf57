"""Data of which all is known: one number from a normal distribution, whose best prediction and whose samples have formulas."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tttdit.core.runtime.sampling.solver import Level, Solver

MEAN, DEVIATION = 1.5, 0.5


def best_prediction(x: Tensor, level: Level) -> Tensor:
    """E[data | x_t = x], for data from N(MEAN, DEVIATION^2): the exact answer of a model that was trained to the end."""
    a, s2 = level.a, 1 - level.a**2
    variance = DEVIATION**2
    return (a * variance * x + s2 * MEAN) / (a * a * variance + s2)


def gentle_levels(steps: int, first: float = -2.0, last: float = 2.0) -> tuple[Level, ...]:
    """Levels evenly apart in lambda = log(a / s), from much noise to little, but neither all nor none of it; one more for the end."""
    shares = [1 / math.sqrt(1 + math.exp(-2 * (first + (last - first) * step / steps))) for step in range(steps + 1)]
    following = [*shares[1:], 1.0]
    return tuple(Level(0, shares[at], following[at], shares[at], at, steps + 1) for at in range(steps + 1))


def exact(start: Tensor, first: Level, last: Level) -> Tensor:
    """Where the probability flow takes a sample: the same quantile of the later distribution."""

    def spread(level: Level) -> float:
        return math.sqrt((level.a * DEVIATION) ** 2 + 1 - level.a**2)

    return last.a * MEAN + (start - first.a * MEAN) * spread(last) / spread(first)


def moments(solver: Solver, levels: Sequence[Level], steps: int) -> tuple[float, float]:
    """Mean and variance after so many steps of samples whose start has those of the first level, by the affine map that the steps are."""

    def after(start: float, draws: Sequence[float]) -> float:
        given = iter(draws)
        drawn = solver.sample(
            torch.tensor([start], dtype=torch.float64),
            levels,
            best_prediction,
            lambda: torch.tensor([next(given)], dtype=torch.float64),
        )
        for _ in range(steps - 1):
            next(drawn)
        return float(next(drawn))

    quiet = [0.0] * len(levels)
    offset = after(0.0, quiet)
    slope = after(1.0, quiet) - offset
    weights = [after(0.0, [float(at == draw) for at in range(len(levels))]) - offset for draw in range(steps)]
    first = levels[0]
    mean = slope * first.a * MEAN + offset
    variance = slope**2 * ((first.a * DEVIATION) ** 2 + 1 - first.a**2) + sum(weight**2 for weight in weights)
    return mean, variance


def orders(error: Callable[[int], float], counts: Sequence[int]) -> list[float]:
    """By which power of the steps' number the error falls, between each two neighbouring counts of them."""
    errors = [error(count) for count in counts]
    return [
        math.log(errors[at] / errors[at + 1]) / math.log(counts[at + 1] / counts[at]) for at in range(len(counts) - 1)
    ]
