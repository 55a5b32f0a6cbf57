"""Random programs, as source text that runs in both worlds.

A program is drawn statement by statement. Each statement is tried in the symbolic world first, so that the next one knows the shapes it
has to work with; what comes out is plain text, so a failing program can be read, and pasted.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from attrs import define, field, frozen
from worlds import Leaf

from tttdit.core.errors import SymbolicError, UnknownCall
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.tensor import Tensor, given
from tttdit.core.symbolic.world import TORCH

HEADER = """import torch
import torch.nn.functional as F
from torch.utils.checkpoint import checkpoint

"""

ELEMENTWISE = (
    "torch.tanh({x})", "torch.sigmoid({x})", "torch.exp(-{x})", "F.silu({x})", "F.gelu({x})", "F.gelu({x}, approximate='tanh')",
    "-{x}", "{x} * 0.5", "0.5 * {x}", "{x} + 1", "1 - {x}", "{x} / 3", "{x}.clone()", "{x}.contiguous()", "{x}.detach() * {x}",
    "{x}.float()", "{x}.bfloat16()", "{x}.to(torch.float32)",
    "{x}.abs()", "{x}.square()", "torch.sqrt({x} * {x} + 1)", "torch.rsqrt({x} * {x} + 1)", "torch.sin({x})", "torch.cos({x})",
    "F.relu({x})", "F.softplus({x})", "{x}.clamp(min=0.1)", "{x} ** 2", "{x} ** 3", "1 / ({x} * {x} + 1)", "torch.log({x} * {x} + 1)",
    "torch.where({x} > 0, {x}, {x} * 0.1)", "{x}.masked_fill({x} < 0, 0.0)", "F.leaky_relu({x}, 0.2)",
)  # fmt: skip
PAIRS = (
    "{x} + {y}", "{x} - {y}", "{x} * {y}", "{x} / ({y} * {y} + 1)", "torch.maximum({x}, {y})", "torch.minimum({x}, {y})",
    "torch.lerp({x}, {y}, 0.3)", "torch.where({x} > {y}, {x}, {y})", "torch.add({x}, {y}, alpha=2)", "torch.addcmul({x}, {x}, {y})",
)  # fmt: skip
IN_PLACE = (
    "{x}.mul_(0.5)",
    "{x}.add_(1)",
    "{x}.add_({y})",
    "{x}.mul_({y})",
    "{x} += {y}",
    "{x} *= 0.5",
    "{x}.sub_({y})",
    "{x}.copy_({y})",
)
REDUCTIONS = (
    "{x}.mean({d}, keepdim=True)", "{x}.sum({d}, keepdim=True)", "{x}.mean({d})", "{x}.sum({d})", "{x} - {x}.mean({d}, keepdim=True)",
    "torch.softmax({x}, {d})", "{x}.softmax({d})", "F.log_softmax({x}, {d})", "{x}.std({d}, keepdim=True)",
    "{x}.var({d}, keepdim=True, unbiased=False)", "F.normalize({x}, dim={d})", "{x}.amax({d}, keepdim=True)", "torch.cumsum({x}, {d})",
    "torch.logsumexp({x}, {d})", "torch.linalg.vector_norm({x}, dim={d}, keepdim=True)",
)  # fmt: skip


@define
class Block:
    """Statements under construction: the body of the program, or of a region in it."""

    names: dict[str, Tensor]
    lines: list[str] = field(factory=list)
    inside: bool = False  # a region


@frozen
class Refused:
    """A statement that the symbolic world refused, with those before it: torch must refuse it too."""

    lines: tuple[str, ...]
    leaves: tuple[tuple[str, Leaf], ...]
    why: str

    def program(self) -> Program:
        """Everything up to the refused statement."""
        body = "\n".join(f"    {line}" for line in self.lines)
        names = ", ".join(name for name, _ in self.leaves)
        return Program(f"def program({names}):\n{body}\n", tuple(leaf for _, leaf in self.leaves))


@frozen
class Program:
    """A program's text, and the tensors that it starts from."""

    source: str
    leaves: tuple[Leaf, ...]

    def function(self, torch: Any) -> Callable[..., Any]:
        """The program in one world."""
        space: dict[str, Any] = {
            "torch": torch, "F": torch.nn.functional, "checkpoint": torch.utils.checkpoint.checkpoint,
        }  # fmt: skip
        exec(compile(self.source, "<program>", "exec"), space)
        program: Callable[..., Any] = space["program"]
        return program

    def __call__(self, torch: Any, *tensors: Any) -> Any:
        return self.function(torch)(*tensors)


class Writer:
    """Draws one program."""

    def __init__(self, random: Random, *, statements: int = 14, depth: int = 2) -> None:
        self.random = random
        self.statements = statements
        self.depth = depth
        self.leaves: dict[str, Leaf] = {}
        self.made = 0
        self.refused: list[Refused] = []
        self.unknown: list[str] = []  # calls that were tried, and that the symbolic world does not know

    def program(self) -> Program:
        """The program's text and leaves."""
        shape = self.shape()
        start = {self.leaf(shape, trained=self.random.random() < 0.4): None, self.leaf(shape, trained=True): None}
        block = Block({name: self.tensor(name) for name in start})
        last = self.fill(block, self.statements, self.depth)
        body = "\n".join(f"    {line}" for line in block.lines)
        source = f"def program({', '.join(self.leaves)}):\n{body}\n    return {last}\n"
        return Program(source, tuple(self.leaves.values()))

    def fill(self, block: Block, statements: int, depth: int) -> str:
        """Writes statements into a block; the name that it ends with."""
        last = next(iter(block.names))
        for _ in range(statements):
            kind = self.random.choices(KINDS, WEIGHTS)[0]
            if kind == "region":
                new = self.region(block, depth) if depth else None
            elif kind == "forget":
                new = None
                spare = [name for name in block.names if name not in self.leaves and name != last]
                if spare:
                    gone = self.random.choice(spare)
                    del block.names[gone]
                    block.lines.append(f"del {gone}")
            else:
                new = getattr(self, kind)(block)
            if new is not None:
                last = new
        if last in self.leaves or not block.names[last].dtype.is_floating_point:
            last = self.write(block, f"{last} * 1.0") or last
        return last

    # -- statements

    def elementwise(self, block: Block) -> str | None:
        return self.write(block, self.random.choice(ELEMENTWISE).format(x=self.pick(block)))

    def pair(self, block: Block) -> str | None:
        x = self.pick(block)
        y = self.partner(block, x)
        if self.random.random() < 0.5:
            x, y = y, x
        return self.write(block, self.random.choice(PAIRS).format(x=x, y=y))

    def in_place(self, block: Block) -> str | None:
        owned = [name for name in block.names if name[0] == "t"]
        if not owned:
            return None
        x = self.random.choice(owned)
        line = self.random.choice(IN_PLACE).format(x=x, y=self.partner(block, x))
        if self.try_line(block, line):
            block.lines.append(line)
            return x
        return None

    def assignment(self, block: Block) -> str | None:
        owned = [name for name in block.names if name[0] == "t" and block.names[name].ndim]
        if not owned:
            return None
        x = self.random.choice(owned)
        index = self.index(block.names[x], integers=True)
        value = self.random.choice(["0.5", f"{x}[{index}] * 2", f"{x}[{index}].clone()"])
        line = f"{x}[{index}] = {value}"
        if self.try_line(block, line):
            block.lines.append(line)
            return x
        return None

    def reduction(self, block: Block) -> str | None:
        x = self.pick(block)
        tensor = block.names[x]
        if not tensor.ndim:
            return None
        d = self.random.randrange(-tensor.ndim, tensor.ndim)
        return self.write(block, self.random.choice(REDUCTIONS).format(x=x, d=d))

    def look(self, block: Block) -> str | None:
        """A view."""
        x = self.pick(block)
        tensor = block.names[x]
        if not tensor.ndim:
            return None
        random, dims = self.random, tensor.ndim
        d = random.randrange(dims)
        size = int(tensor.shape[d])
        start = random.randrange(size)
        divisors = [n for n in range(1, size + 1) if size % n == 0]
        order = random.sample(range(dims), dims)
        choices = [
            f"{x}.transpose({d}, {random.randrange(dims)})", f"{x}.permute({', '.join(map(str, order))})", f"{x}.unsqueeze({d})",
            f"{x}.unsqueeze(-1)", f"{x}.flatten({random.randrange(d + 1)}, {d})", f"{x}.flatten()",
            f"{x}.unflatten({d}, ({random.choice(divisors)}, -1))", f"{x}.reshape({random.choice(divisors)}, -1)",
            f"{x}.view(-1)", f"{x}.reshape(-1)", f"{x}.narrow({d}, {start}, {random.randint(1, size - start)})",
            f"{x}.select({d}, {start})", f"{x}.squeeze({d})", f"{x}.mT", f"{x}[{self.index(tensor, integers=True)}]",
            f"{x}[{self.index(tensor, integers=True)}]", f"{x}.expand({', '.join('3' if s == 1 else '-1' for s in tensor.shape)})",
            f"{x}.flip({d})", f"{x}.roll(1, {d})", f"{x}.repeat({', '.join(['2'] + ['1'] * (dims - 1))})",
            f"{x}.movedim({d}, 0)", f"F.pad({x}, (1, 1))", f"{x}.unfold({d}, {max(1, size // 2)}, 1)",
            f"{x}.repeat_interleave(2, {d})",
        ]  # fmt: skip
        return self.write(block, random.choice(choices))

    def parts(self, block: Block) -> str | None:
        """Several views at once."""
        x = self.pick(block)
        tensor = block.names[x]
        if not tensor.ndim:
            return None
        d = self.random.randrange(tensor.ndim)
        size = int(tensor.shape[d])
        if size < 2 or size > 6:
            return None
        cut = self.random.randrange(1, size)
        text, count = self.random.choice(
            [(f"{x}.split(({cut}, {size - cut}), {d})", 2), (f"{x}.unbind({d})", size), (f"{x}.chunk(2, {d})", 2)]
        )
        names = [self.name() for _ in range(count)]
        line = f"{', '.join(names)} = {text}"
        if not self.try_line(block, line):
            return None
        block.lines.append(line)
        for unused in self.random.sample(names, self.random.randrange(len(names))):
            if len(names) > 1:
                names.remove(unused)
                del block.names[unused]
                block.lines.append(f"del {unused}")
        return self.random.choice(names)

    def join(self, block: Block) -> str | None:
        x = self.pick(block)
        tensor = block.names[x]
        same = [
            name for name, other in block.names.items() if other.shape == tensor.shape and other.dtype is tensor.dtype
        ]
        chosen = [self.random.choice(same) for _ in range(self.random.randint(1, 3))]
        how = self.random.choice(["cat", "stack"]) if tensor.ndim else "stack"
        d = self.random.randrange(tensor.ndim) if tensor.ndim else 0
        return self.write(block, f"torch.{how}(({', '.join(chosen)},), {d})")

    def layer(self, block: Block) -> str | None:
        """A linear layer, a norm, a product or attention, with parameters that may be frozen, and may be used before."""
        x = self.pick(block)
        tensor = block.names[x]
        if tensor.ndim < 2 or tensor.elements > 4000:
            return None
        width = int(tensor.shape[-1])
        kind = self.random.choice(["linear", "linear", "bare", "norm", "plain norm", "product", "attention", "rms"])
        if kind == "norm":
            return self.write(
                block,
                f"F.layer_norm({x}, ({width},), {self.weight((width,), tensor)}, {self.weight((width,), tensor)})",
            )
        if kind == "plain norm":
            return self.write(block, f"F.layer_norm({x}, ({width},))")
        if kind == "rms":
            return self.write(block, f"F.rms_norm({x}, ({width},), {self.weight((width,), tensor)})")
        if kind == "product":
            other = self.random.choice([x, self.pick(block)])
            return self.write(block, f"{x} @ {other}.transpose(-1, -2)")
        if kind == "attention":
            if tensor.ndim != 4:
                return None
            return self.write(block, f"F.scaled_dot_product_attention({x}, {x} * 0.5, {x})")
        out = self.random.choice([width, 3, 4])
        weight = self.weight((out, width), tensor)
        return self.write(
            block, f"F.linear({x}, {weight}" + (")" if kind == "bare" else f", {self.weight((out,), tensor)})")
        )

    def region(self, block: Block, depth: int) -> str | None:
        """A recomputed region, with tensors as arguments."""
        outside = list(block.names)
        chosen = self.random.sample(outside, min(len(outside), self.random.randint(1, 2)))
        inner_names = [f"i{self.made + n}" for n in range(len(chosen))]
        self.made += len(chosen)
        inside = Block(
            {inner: self.look_alike(block.names[name]) for inner, name in zip(inner_names, chosen, strict=True)},
            inside=True,
        )
        before = dict(self.leaves)
        last = self.fill(inside, self.random.randint(1, 5), depth - 1)
        function = self.name()
        lines = [
            f"def {function}({', '.join(inner_names)}):",
            *(f"    {line}" for line in inside.lines),
            f"    return {last}",
        ]
        name = self.name()
        line = f"{name} = checkpoint({function}, {', '.join(chosen)}, use_reentrant=False)"
        block.lines += lines
        if not self.try_line(block, "\n".join([*lines, line])):
            del block.lines[-len(lines) :]
            self.leaves = before
            return None
        block.names.pop(function, None)
        block.lines.append(line)
        return name

    # -- means

    def shape(self) -> tuple[int, ...]:
        return tuple(self.random.choice([1, 2, 3, 4, 5]) for _ in range(self.random.randint(2, 4)))

    def leaf(self, shape: tuple[int, ...], *, trained: bool, dtype: str = "float32") -> str:
        name = f"p{len(self.leaves)}"
        self.leaves[name] = Leaf(shape, trained, dtype)
        return name

    def tensor(self, name: str) -> Tensor:
        leaf = self.leaves[name]
        return given(leaf.shape, types.NAMES[leaf.dtype], requires_grad=leaf.trained)

    @staticmethod
    def look_alike(tensor: Tensor) -> Tensor:
        other = given(tensor.shape, tensor.dtype, requires_grad=tensor.requires_grad)
        other.strides = tensor.strides
        return other * 1.0 if tensor.requires_grad else other

    def weight(self, shape: tuple[int, ...], like: Tensor) -> str:
        """A parameter of this shape: one that there is, or a new one, frozen now and then."""
        there = [name for name, leaf in self.leaves.items() if leaf.shape == shape and leaf.dtype == like.dtype.name]
        if there and self.random.random() < 0.5:
            return self.random.choice(there)
        return self.leaf(shape, trained=self.random.random() < 0.75, dtype=like.dtype.name)

    def pick(self, block: Block) -> str:
        names = [name for name, tensor in block.names.items() if tensor.dtype.is_floating_point]
        # the newest are the likeliest, so that programs grow deep
        return self.random.choice(names[-4:] if self.random.random() < 0.7 else names)

    def partner(self, block: Block, name: str) -> str:
        """Something that broadcasts with this tensor."""
        shape = tuple(map(int, block.names[name].shape))
        fitting = [other for other, tensor in block.names.items() if _broadcasts(shape, tuple(map(int, tensor.shape)))]
        if self.random.random() < 0.3 and shape:
            cut = self.random.randrange(len(shape))
            small = tuple(1 if self.random.random() < 0.3 else size for size in shape[cut:])
            return self.weight(small, given(small))
        return self.random.choice(fitting)

    def index(self, tensor: Tensor, *, integers: bool) -> str:
        parts = []
        for size in map(int, tensor.shape[: self.random.randint(1, tensor.ndim)]):
            start = self.random.randrange(size)
            options = [":", f"{start}:", f":{start + 1}", f"{start}:{self.random.randint(start + 1, size)}", "::2"]
            if integers:
                options += [str(start), str(-1)]
            parts.append(self.random.choice(options))
        if self.random.random() < 0.15:
            parts.insert(0, "...") if len(parts) == tensor.ndim else parts.append("None")
        return ", ".join(parts)

    def name(self) -> str:
        self.made += 1
        return f"t{self.made}"

    def write(self, block: Block, expression: str) -> str | None:
        name = self.name()
        line = f"{name} = {expression}"
        if not self.try_line(block, line):
            return None
        if (
            not isinstance(block.names[name], Tensor)
            or block.names[name].elements > 8000
            or 0 in block.names[name].shape
        ):
            del block.names[name]
            return None
        block.lines.append(line)
        return name

    def try_line(self, block: Block, line: str) -> bool:
        """Whether the symbolic world runs the line; then its names are known."""
        space: dict[str, Any] = {
            "torch": TORCH, "F": TORCH.nn.functional, "checkpoint": TORCH.utils.checkpoint.checkpoint,
            **{name: self.tensor(name) for name in self.leaves},
        }  # fmt: skip
        names = dict(block.names)
        space |= names
        try:
            exec(line, space)
        except UnknownCall as unknown:
            self.unknown.append(str(unknown))
            return False
        except (SymbolicError, RuntimeError, IndexError, TypeError) as refusal:
            if not block.inside and "\n" not in line:  # only what a program of its own can show
                self.refused.append(Refused((*block.lines, line), tuple(self.leaves.items()), str(refusal)))
            return False
        for name, value in space.items():
            if isinstance(value, Tensor) and name not in self.leaves:
                block.names[name] = value
        return True


KINDS = (
    "elementwise",
    "pair",
    "in_place",
    "assignment",
    "reduction",
    "look",
    "parts",
    "join",
    "layer",
    "region",
    "forget",
)
WEIGHTS = (18, 18, 5, 3, 8, 16, 5, 6, 14, 7, 6)


def _broadcasts(left: tuple[int, ...], right: tuple[int, ...]) -> bool:
    pairs = zip(reversed(left), reversed(right), strict=False)
    return all(a == b or 1 in (a, b) for a, b in pairs)
