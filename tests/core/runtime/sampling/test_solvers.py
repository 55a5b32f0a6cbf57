"""What the samplers draw from data of which all is known, and the numbers of the reference implementation."""

import math
from pathlib import Path

import pytest
import torch
from gaussians import DEVIATION, MEAN, best_prediction, exact, gentle_levels, moments, orders
from safetensors.torch import load_file
from torch import Tensor

from tttdit.core.plugin.kinds import Sampler
from tttdit.core.plugin.references import load
from tttdit.core.plugin.registry import Registry
from tttdit.core.runtime.sampling.drawing import draw
from tttdit.core.runtime.sampling.schedule import levels
from tttdit.core.runtime.sampling.solver import Level, Solver

GOLDEN = Path(__file__).parents[5] / "shared" / "reference" / "golden" / "diffusion.safetensors"
COUNTS = (40, 80, 160)


def solver_of(name: str, **settings: object) -> Solver:
    registry = Registry.of_environment()
    sampler = next(offer.announcement for offer in registry.offers("sampler") if offer.announcement.name == name)
    assert isinstance(sampler, Sampler)
    assert sampler.module is not None
    return load(sampler.module)(registry.table(sampler)(plugin=name, **settings))  # type: ignore[no-any-return]


def all_steps(solver: Solver, start: Tensor, found: tuple[Level, ...]) -> Tensor:
    *_, last = solver.sample(start, found, best_prediction, lambda: torch.randn_like(start))
    return last


def test_ddim_is_of_first_order_along_the_probability_flow() -> None:
    start = torch.tensor([-1.3], dtype=torch.float64)

    def error(steps: int) -> float:
        found = gentle_levels(steps)
        drawn = solver_of("ddim").sample(start, found, best_prediction, lambda: start)
        for _ in range(steps - 1):
            next(drawn)
        return abs(float(next(drawn) - exact(start, found[0], found[-1])))

    assert orders(error, COUNTS) == pytest.approx([1, 1], abs=0.1)


@pytest.mark.parametrize(("name", "settings", "order"), [("dpmpp-2m-sde", {}, 2), ("ddim", {"eta": 1.0}, 1)])
def test_samples_with_fresh_noise_have_the_variance_of_the_data(
    name: str, settings: dict[str, float], order: int
) -> None:
    """In distribution: mean and variance of a sampler's affine steps, computed and not drawn."""

    def error(steps: int) -> float:
        found = gentle_levels(steps)
        mean, variance = moments(solver_of(name, **settings), found, steps)
        last = found[-1]
        wanted = (last.a * DEVIATION) ** 2 + 1 - last.a**2
        return abs(variance - wanted) + abs(mean - last.a * MEAN)

    assert error(COUNTS[-1]) < 0.05
    assert min(orders(error, COUNTS)) > order - 0.25


@pytest.mark.parametrize(("name", "settings"), [("dpmpp-2m-sde", {}), ("ddim", {}), ("ddim", {"eta": 0.7})])
@pytest.mark.parametrize("steps", [1, 2, 3, 50])
def test_where_the_model_is_certain_that_is_drawn(name: str, settings: dict[str, float], steps: int) -> None:
    torch.manual_seed(0)
    start, wanted = torch.randn(1, 2, 3, 4, 5), torch.randn(1, 2, 3, 4, 5)
    drawn = [*solver_of(name, **settings).sample(start, levels(steps), lambda x, level: wanted, start.clone)]
    assert len(drawn) == steps
    torch.testing.assert_close(drawn[-1], wanted)
    assert all(bool(each.isfinite().all()) for each in drawn)


@pytest.mark.parametrize("name", ["dpmpp-2m-sde", "ddim"])
def test_from_pure_noise_the_data_comes_back(name: str) -> None:
    """All 50 levels of a run, from no signal at all: the moments of many samples are the data's."""
    torch.manual_seed(0)
    drawn = all_steps(solver_of(name), torch.randn(200_000), levels(50))
    assert float(drawn.mean()) == pytest.approx(MEAN, abs=0.02)
    assert float(drawn.std()) == pytest.approx(DEVIATION, abs=0.04)


def test_ddim_needs_no_fresh_noise() -> None:
    def none() -> Tensor:
        raise AssertionError("asked for noise")

    start = torch.ones(2)
    *_, last = solver_of("ddim").sample(start, levels(5), best_prediction, none)
    assert last.shape == start.shape


@pytest.mark.skipif(not GOLDEN.is_file(), reason="the reference's numbers are not here")
@pytest.mark.parametrize("steps", [3, 8])
def test_steps_are_the_reference_s(steps: int) -> None:
    golden = {
        name.partition(".")[2]: each for name, each in load_file(GOLDEN).items() if name.startswith(f"sampler{steps}.")
    }

    def model(x: Tensor, text: Tensor, timestep: Tensor) -> Tensor:
        return 0.5 * x - 0.2 * text.mean() + 0.001 * timestep.view(-1, 1, 1, 1, 1)

    solver = solver_of("dpmpp-2m-sde", steps=steps)
    found = levels(steps)
    assert sorted(level.number for level in found) == golden["levels"].tolist()
    drawn = [*draw(model, solver, found, golden["start"], golden["text"], golden["negative"], lambda: golden["noise"])]
    torch.testing.assert_close(torch.stack(drawn), golden["trajectory"], rtol=0, atol=5e-6)
    torch.testing.assert_close(drawn[-1], golden["result"], rtol=0, atol=5e-6)


def test_guidance_by_the_level_and_by_the_step() -> None:
    smooth = solver_of("dpmpp-2m-sde", guidance_schedule="smooth", guidance_exponent=1.0)
    assert [round(smooth.guidance(level), 3) for level in levels(4)] == [7.0, 6.121, 4.0, 1.879]
    usual = solver_of("ddim")
    for level in levels(50):
        wanted = 1 + 6 * (1 - math.cos(math.pi * ((50 - level.number) / 50) ** 5.0)) / 2
        assert usual.guidance(level) == pytest.approx(wanted, abs=1e-6)


def test_without_guidance_the_negative_text_is_not_asked() -> None:
    asked = []

    def model(x: Tensor, text: Tensor, timestep: Tensor) -> Tensor:
        asked.append(float(text.sum()))
        return x

    start = torch.ones(1, 2, 3, 4, 4)
    [
        *draw(
            model,
            solver_of("ddim", guidance_scale=0.0),
            levels(3),
            start,
            torch.ones(1, 1),
            torch.zeros(1, 1),
            start.clone,
        )
    ]
    assert asked == [1.0, 1.0, 1.0]
    asked.clear()
    [*draw(model, solver_of("ddim"), levels(2), start, torch.ones(1, 1), torch.zeros(1, 1), start.clone)]
    assert asked == [1.0, 0.0, 1.0, 0.0]
