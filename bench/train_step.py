"""Times a training step with the TTT scans, with their oracles, and without any scan; writes docs/performance.md.

A step is forward, loss and backward of a small model; the oracle is `naive.py`, plain PyTorch under autograd, in the operator's place. The
kinds of step take turns, round by round, so that what else the machine does falls on all alike; the fastest of each was disturbed least.

    python bench/train_step.py
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from unittest import mock

import page
import torch
from attrs import frozen
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import tttdit
from tttdit.plugins.ttt.scan.operators import Scan, scan_backward, scan_forward

THREADS = 2
ROUNDS = 15
GROUP = 16  # mini-batches that the backward replays at once
NORM_EPS = 1e-6


@frozen
class Sizes:
    """The model: latent frames follow from segments; everything in tokens and widths."""

    width: int = 256
    heads: int = 4
    layers: int = 2
    grid: int = 8  # rows, and columns, of tokens in a frame
    segments: int = 2
    text_tokens: int = 32  # of a segment
    mini_batch: int = 64

    @property
    def frames(self) -> int:
        """Latent frames: 12 a segment and one in front."""
        return 12 * self.segments + 1

    @property
    def length(self) -> int:
        """Tokens of the sequence."""
        return self.frames * self.grid**2 + self.segments * self.text_tokens

    def spec(self, mixer: str) -> str:
        """The spec of the model with one of the TTT mixers, without remat."""
        return f"""
name = "train-step"
[video]
pixel_frames = {4 * (self.frames - 1) + 1}
fps = 16
height = {16 * self.grid}
width = {16 * self.grid}
[text]
segments = {self.segments}
tokens_per_segment = {self.text_tokens}
width = {self.width}
[model]
plugin = "ttt-dit"
width = {self.width}
heads = {self.heads}
layers = {self.layers}
timestep_width = {2 * self.width}
[model.mixer]
plugin = "{mixer}"
mini_batch_size = {self.mini_batch}
base_learning_rate = 0.1
[memory]
transformer_checkpoint_layer_group_size = 0
scan_checkpoint_group_size = {GROUP}
[training]
global_batch_size = 1
"""


@frozen
class Mixer:
    """A TTT mixer, and how much faster than its oracle's a whole step should be."""

    name: str
    network: str  # the class in its operators.py
    bar: float

    @property
    def scan(self) -> str:
        """The name of its scan, in its modules."""
        return f"{self.name.replace('-', '_')}_scan"

    def part(self, name: str) -> ModuleType:
        """One of its plugin's modules."""
        return import_module(f"tttdit.plugins.{self.name.replace('-', '_')}.{name}")


MIXERS = (Mixer("ttt-mlp", "MLP", 2.5), Mixer("ttt-linear", "Linear", 1.8))


# -- a step


def kinds(mixer: Mixer) -> dict[str, Callable[..., Tensor]]:
    """What may stand in the scan's place."""
    oracle = getattr(mixer.part("naive"), mixer.scan)
    return {
        "operator": getattr(mixer.part("operators"), mixer.scan),
        "oracle": lambda *operands, group, **sizes: oracle(*operands, **sizes),
        "no scan": no_scan,
    }


def no_scan(q: Tensor, k: Tensor, v: Tensor, eta: Tensor, *rest: Tensor, **sizes: Any) -> Tensor:
    """Something cheap that still sends gradients to q, k, v and the learning rates."""
    return q + k + v + eta.repeat_interleave(q.shape[-1] // eta.shape[-1], -1)


@contextmanager
def in_place(mixer: Mixer, scan: Callable[..., Tensor]) -> Iterator[None]:
    """The mixer's module runs this scan."""
    with mock.patch.object(mixer.part("module"), mixer.scan, scan):
        yield


def seconds(work: Callable[[], Any]) -> float:
    """The wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(works: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[float]]:
    """Each one's times, after a first call that does not count."""
    for work in works.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(seconds(work))
    return times


def steps(mixer: Mixer, sizes: Sizes) -> dict[str, Callable[[], None]]:
    """A whole training step of each kind."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "spec.toml"
        path.write_text(sizes.spec(mixer.name), "utf-8")
        spec = tttdit.load_spec(path)
    torch.manual_seed(0)
    model = tttdit.build_model(spec)
    inputs = spec.stages[0].assembly.model.inputs(spec.stages[0].model, spec.stages[0].dims)
    video, noise = (torch.randn(tuple(map(int, inputs["video"].shape))) for _ in range(2))
    text = torch.randn(tuple(map(int, inputs["text"].shape)))
    batch = (video, text, torch.tensor([500]), noise)

    def step_with(scan: Callable[..., Tensor]) -> Callable[[], None]:
        return lambda: train(model, batch, mixer, scan)

    return {kind: step_with(scan) for kind, scan in kinds(mixer).items()}


def train(model: nn.Module, batch: tuple[Tensor, ...], mixer: Mixer, scan: Callable[..., Tensor]) -> None:
    """Forward, loss and backward."""
    with in_place(mixer, scan):
        tttdit.training_loss(model, *batch).backward()
    model.zero_grad()


# -- the scan alone


def operands(mixer: Mixer, sizes: Sizes) -> list[Tensor]:
    """q, k, v, eta, cos, sin, norm weight and bias, fast weights, of the sizes that the model's have."""
    A, K, L = sizes.heads, sizes.width // sizes.heads, sizes.length
    inner = 4 * K if mixer.network == "MLP" else K
    angles = torch.randn(L, K // 2)
    q, k, v = torch.randn(3, 1, L, A * K)
    drawn = [
        q,
        k,
        v,
        torch.rand(1, L, A) / sizes.mini_batch,
        angles.cos(),
        angles.sin(),
        torch.ones(A, K),
        torch.zeros(A, K),
    ]
    drawn += [torch.randn(A, K, inner) * 0.02, torch.zeros(A, 1, inner)]
    if mixer.network == "MLP":
        drawn += [torch.randn(A, inner, K) * 0.02, torch.zeros(A, 1, K)]
    return drawn


def scans(mixer: Mixer, sizes: Sizes) -> dict[str, Callable[[], None]]:
    """The scan forwards, and forwards and backwards, as operator and as oracle."""
    settings = {"mini_batch_size": sizes.mini_batch, "norm_eps": NORM_EPS, "group": GROUP}
    given = operands(mixer, sizes)
    trained = [tensor.clone().requires_grad_(at not in (4, 5)) for at, tensor in enumerate(given)]

    def both(scan: Callable[..., Tensor]) -> None:
        out = scan(*trained, **settings)
        torch.autograd.grad(out, [tensor for tensor in trained if tensor.requires_grad], out.detach())

    works: dict[str, Callable[[], None]] = {}
    for kind, scan in list(kinds(mixer).items())[:2]:
        works[f"{kind}, forward"] = lambda scan=scan: scan(*given, **settings)
        works[f"{kind}, forward and backward"] = lambda scan=scan: both(scan)
    return works


class OperatorTimes(TorchDispatchMode):
    """Seconds spent in aten's operators, by what they are for. Each call is timed, and costs a few microseconds more for it."""

    def __init__(self, hidden_width: int) -> None:
        super().__init__()
        self.hidden_width = hidden_width
        self.spent: dict[str, float] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        start = time.perf_counter()
        result = func(*args, **(kwargs or {}))
        spent = time.perf_counter() - start
        kind = self._kind(func.overloadpacket.__name__, args)
        self.spent[kind] = self.spent.get(kind, 0.0) + spent
        return result

    def _kind(self, name: str, args: Any) -> str:
        if name in ("bmm", "baddbmm", "baddbmm_"):
            return "matrix products"
        if name.startswith("native_layer_norm"):
            return "inner norms"
        if any(isinstance(each, Tensor) and each.dim() == 3 and each.shape[-1] == self.hidden_width for each in args):
            return "the hidden layer: GELU, its derivatives, sums"
        return "the rest: RoPE, targets, rates, copies, views"


def where_time_goes(mixer: Mixer, sizes: Sizes, rounds: int) -> dict[str, float]:
    """Seconds that the operator's forward and backward spend, by kind; medians."""
    q, k, v, eta, cos, sin, weight, bias, *fast = operands(mixer, sizes)
    hidden = fast[0].shape[-1] if mixer.network == "MLP" else -1
    network = getattr(mixer.part("operators"), mixer.network)

    def both() -> None:
        scan = Scan(network(), k, v, eta, cos, sin, weight, bias, sizes.mini_batch, NORM_EPS, GROUP)
        out, *states = scan_forward(scan, q, fast)
        scan_backward(scan, q, states, out)

    both()
    rows: list[dict[str, float]] = []
    for _ in range(rounds):
        with OperatorTimes(hidden) as inside:
            both()
        rows.append(inside.spent)
    return {kind: median(row[kind] for row in rows) for kind in sorted(rows[0], key=lambda kind: -rows[0][kind])}


# -- the page


def block(sizes: Sizes, rounds: int) -> str:
    """The tables."""
    lines = [
        f"{date.today().isoformat()}. {page.machine()}; {torch.get_num_threads()} threads, float32.",
        f"Batch 1, {sizes.layers} layers of width {sizes.width}, {sizes.heads} heads, {sizes.frames} frames of {sizes.grid} x {sizes.grid} "
        f"tokens, {sizes.segments} texts of {sizes.text_tokens}: L = {sizes.length:,}, {sizes.length // sizes.mini_batch} mini-batches of "
        f"{sizes.mini_batch}; scan groups of {GROUP}, nothing else recomputed. {rounds} rounds, the kinds in turn.",
    ]
    for mixer in MIXERS:
        whole = in_turn(steps(mixer, sizes), rounds)
        alone = in_turn(scans(mixer, sizes), rounds)
        lines += ["", *step_table(mixer, whole), "", *scan_table(mixer, sizes, alone)]
        lines += ["", *spent_table(mixer, where_time_goes(mixer, sizes, rounds))]
    return "\n".join(lines)


def step_table(mixer: Mixer, times: dict[str, list[float]]) -> list[str]:
    """Whole steps, against the oracle's."""
    rows = [
        f"| a training step with {mixer.name} | fastest | median | the oracle's time over it |",
        "|---|---|---|---|",
    ]
    for kind, values in times.items():
        best, middle = min(times["oracle"]) / min(values), median(times["oracle"]) / median(values)
        wanted = f", wanted {mixer.bar}" if kind == "operator" else ""
        rows.append(f"| {kind} | {_both(values)} | {best:.2f}, of medians {middle:.2f}{wanted} |")
    return rows


def scan_table(mixer: Mixer, sizes: Sizes, times: dict[str, list[float]]) -> list[str]:
    """The scan by itself."""
    rows = [
        f"| the scan of {mixer.name} alone, 1 of {2 * sizes.layers} in a step | fastest | median |",
        "|---|---|---|",
    ]
    return rows + [f"| {kind} | {_both(values)} |" for kind, values in times.items()]


def spent_table(mixer: Mixer, spent: dict[str, float]) -> list[str]:
    """What the operator does in that time."""
    rows = [f"| where the time of {mixer.name}'s operator goes, each call timed | median | share |", "|---|---|---|"]
    return rows + [f"| {kind} | {_ms(value)} | {value / sum(spent.values()):.0%} |" for kind, value in spent.items()]


def _both(values: list[float]) -> str:
    return f"{_ms(min(values))} | {_ms(median(values))}"


def _ms(value: float) -> str:
    return f"{1000 * value:.1f} ms"


def main(sizes: Sizes | None = None, rounds: int = ROUNDS, target: Path = page.PAGE) -> int:
    """Measure, print, and write the page's block."""
    torch.set_num_threads(THREADS)
    text = block(sizes or Sizes(), rounds)
    page.write("train_step.py", text, target)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
