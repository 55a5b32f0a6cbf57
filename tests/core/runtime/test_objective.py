"""The training objective: the public code's numbers, its equations one by one, and the same bytes in both worlds."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from worlds import Leaf, difference, real, symbolic

import tttdit
from tttdit.core.runtime.objective import amplitudes
from tttdit.core.symbolic.trace import WORLD

GOLDEN = Path(__file__).parents[4] / "shared" / "reference" / "golden" / "diffusion.safetensors"
SHAPE = (3, 2, 4, 4)  # of a sample


class Model(nn.Module):
    """Mixes everything that it is given, by two weights."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor([0.5, -0.2]))

    def forward(self, video: Tensor, text: Tensor, timestep: Tensor) -> Tensor:
        first, second = self.weights.unbind()
        seen = (text.mean((1, 2, 3)) + 0.001 * timestep).to(video.dtype)
        return first * video.tanh() + second * seen.view(-1, 1, 1, 1, 1)


def batch(levels: list[int], dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """video, text, timestep, noise."""
    generator = torch.Generator().manual_seed(0)
    video, noise = (torch.randn(len(levels), *SHAPE, generator=generator) for _ in range(2))
    text = torch.randn(len(levels), 2, 3, 5, generator=generator)
    return video.to(dtype), text.to(dtype), torch.tensor(levels), noise.to(dtype)


def by_the_equations(model: nn.Module, video: Tensor, text: Tensor, timestep: Tensor, noise: Tensor) -> Tensor:
    """Sample by sample, as papers write it, with a schedule that is multiplied out number by number."""
    abar, levels = 1.0, []
    for step in range(1000):
        beta = (0.00085**0.5 + (0.012**0.5 - 0.00085**0.5) * step / 999) ** 2
        abar *= 1 - beta
        levels.append(abar**0.5)
    levels = [(a - levels[-1]) * levels[0] / (levels[0] - levels[-1]) for a in levels]
    losses = []
    for x, words, level, e in zip(video, text, timestep, noise, strict=True):
        a = levels[int(level)]
        s = (1 - a**2) ** 0.5
        noised = a * x + s * e
        v = model(noised.unsqueeze(0), words.unsqueeze(0), level.unsqueeze(0))[0]
        losses.append((a * noised - s * v - x).square().mean() / (1 - a**2))
    return torch.stack(losses).mean()


@pytest.mark.skipif(
    not GOLDEN.is_file(), reason="no reference folder beside the repository: a few of its numbers are below"
)
def test_the_public_schedule_and_losses() -> None:
    golden = load_file(GOLDEN)
    torch.testing.assert_close(amplitudes().float(), golden["schedule.a"], rtol=0, atol=2e-7)
    for index, level in enumerate(golden["loss.level"]):
        video, noise, output = (golden[f"loss.{name}"][index : index + 1] for name in ("x", "noise", "model_output"))

        def model(
            noised: Tensor, text: Tensor, timestep: Tensor, output: Tensor = output, index: int = index
        ) -> Tensor:
            torch.testing.assert_close(noised, golden["loss.noised"][index : index + 1], rtol=0, atol=3e-6)
            return output

        loss = tttdit.training_loss(model, video, torch.zeros(1, 1, 1, 1), level.view(1), noise)
        torch.testing.assert_close(loss, golden["loss.loss"][index], rtol=1e-6, atol=0)


def test_some_of_the_public_numbers() -> None:
    """Amplitudes as the public code computed them."""
    levels = {
        0: 0.9995749,
        1: 0.9991164,
        2: 0.9986554,
        250: 0.8077481,
        500: 0.4909367,
        750: 0.1811053,
        998: 0.0004436,
        999: 0.0,
    }
    torch.testing.assert_close(
        amplitudes()[list(levels)].float(), torch.tensor(list(levels.values())), rtol=0, atol=2e-7
    )


def test_a_public_prediction() -> None:
    """Two numbers of the public code's sample at level 500: what it made of the model's output is what the loss sees."""
    numbers = {
        "video": [0.33621991, 0.57664496],
        "noise": [-0.72207332, -0.71780169],
        "output": [-0.95247, -0.29987484],
        "prediction": [0.6019907, 0.09322684],
    }
    video, noise, output, prediction = (torch.tensor(pair).view(1, 1, 1, 1, 2) for pair in numbers.values())
    loss = tttdit.training_loss(lambda *_: output, video, torch.zeros(1, 1, 1, 1), torch.tensor([500]), noise)
    want = (prediction - video).square().mean() / (1 - 0.4909367**2)
    torch.testing.assert_close(loss, want, rtol=1e-6, atol=0)


def test_the_most_noise_leaves_no_signal_and_the_least_hardly_any_noise() -> None:
    a = amplitudes()
    assert a.dtype == torch.float64
    assert a[-1] == 0
    assert a[0].item() == pytest.approx((1 - 0.00085) ** 0.5, abs=1e-12)
    assert (a.diff() < 0).all()


@pytest.mark.parametrize("levels", [[0], [999], [0, 1, 2, 500, 998, 999]])
def test_loss_and_gradient_are_those_of_the_equations(levels: list[int]) -> None:
    model = Model().double()
    inputs = batch(levels, torch.float64)
    loss = tttdit.training_loss(model, *inputs)
    want = by_the_equations(model, *inputs)
    assert loss.dtype == torch.float64
    torch.testing.assert_close(loss, want, rtol=1e-11, atol=0)
    (got,), (expected,) = torch.autograd.grad(loss, model.weights), torch.autograd.grad(want, model.weights)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("level", [0, 1, 500, 999])
def test_float32_loses_nothing_where_there_is_hardly_any_noise(level: int) -> None:
    want = tttdit.training_loss(Model().double(), *batch([level] * 2, torch.float64))
    loss = tttdit.training_loss(Model(), *batch([level] * 2))
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss.double(), want, rtol=1e-6, atol=0)


def test_samples_count_equally() -> None:
    video, text, timestep, noise = batch([3, 400, 999])
    model = Model()
    each = [
        tttdit.training_loss(model, *(tensor[i : i + 1] for tensor in (video, text, timestep, noise))) for i in range(3)
    ]
    torch.testing.assert_close(tttdit.training_loss(model, video, text, timestep, noise), torch.stack(each).mean())


def test_a_bfloat16_model_has_its_loss_in_float32() -> None:
    seen = []

    def model(noised: Tensor, text: Tensor, timestep: Tensor) -> Tensor:
        seen.append((noised.dtype, text.dtype, timestep.dtype))
        return Model().bfloat16()(noised, text, timestep)

    loss = tttdit.training_loss(model, *batch([0, 700], torch.bfloat16))
    assert seen == [(torch.bfloat16, torch.bfloat16, torch.int64)]
    assert loss.dtype == torch.float32
    want = tttdit.training_loss(Model(), *batch([0, 700]))
    torch.testing.assert_close(loss, want, rtol=0.02, atol=0)


@pytest.mark.parametrize("level", [1000, -1001])
def test_a_level_that_there_is_not(level: int) -> None:
    with pytest.raises((IndexError, RuntimeError), match="out of range"):
        tttdit.training_loss(Model(), *batch([level]))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"noise": (1, *SHAPE)}, r"noise is \[1, 3, 2, 4, 4\], and for a video \[2, 3, 2, 4, 4\] it has to be \[2, 3, 2, 4, 4\]"),
        ({"timestep": (1,)}, r"timestep is \[1\], and for a video \[2, 3, 2, 4, 4\] it has to be \[2\]"),
        ({"timestep": ()}, r"timestep is \[\], and"),
    ],
)  # fmt: skip
def test_nothing_is_repeated_in_silence(changed: dict[str, tuple[int, ...]], message: str) -> None:
    given = dict(zip(("video", "text", "timestep", "noise"), batch([0, 5]), strict=True))
    given |= {name: torch.ones(shape, dtype=given[name].dtype) for name, shape in changed.items()}
    with pytest.raises(ValueError, match=rf"^{message}"):
        tttdit.training_loss(Model(), **given)


def test_a_level_between_two() -> None:
    video, text, timestep, noise = batch([3])
    with pytest.raises((IndexError, RuntimeError), match="int"):
        tttdit.training_loss(Model(), video, text, timestep.float(), noise)


def test_on_meta_and_on_fake_tensors() -> None:
    loss = tttdit.training_loss(Model().to("meta"), *(tensor.to("meta") for tensor in batch([0, 5])))
    assert (loss.device.type, loss.shape) == ("meta", ())
    inputs = batch([0, 5])
    with FakeTensorMode() as mode:
        model = Model()
        tttdit.training_loss(model, *(mode.from_tensor(tensor) for tensor in inputs)).backward()
    assert model.weights.grad.shape == (2,)


def test_it_compiles_to_one_graph() -> None:
    def step(model: nn.Module, *inputs: Tensor) -> Tensor:
        return tttdit.training_loss(model, *inputs)

    model, inputs = Model(), batch([0, 5])
    compiled = torch.compile(step, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(model, *inputs), step(model, *inputs))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float64"])
def test_both_worlds_hold_the_same_bytes_after_every_operator(dtype: str) -> None:
    losses = {"real": tttdit.training_loss, "symbolic": WORLD.load("tttdit.core.runtime.objective:training_loss")}

    def program(loss, torch, video, text, timestep, noise, weight):
        return loss(lambda x, text, timestep: (x * weight).tanh(), video, text, timestep, noise)

    leaves = [
        Leaf((2, *SHAPE), False, dtype),
        Leaf((2, 2, 3, 5), False, dtype),
        Leaf((2,), False, "int64"),
        Leaf((2, *SHAPE), False, dtype),
        Leaf(SHAPE[-2:], True, dtype),
    ]
    on_torch = real(lambda *arguments: program(losses["real"], *arguments), leaves)
    found = difference(on_torch, symbolic(lambda *arguments: program(losses["symbolic"], *arguments), leaves))
    assert found is None, found
    assert on_torch.gradients == (False, False, False, False, True)
