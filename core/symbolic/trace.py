"""A whole model in the symbolic world: the name and shape of every parameter, buffer and intermediate, and what went wrong."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FrameType, TracebackType
from typing import Any, Literal, TypeAlias, TypeVar

from attrs import frozen

from tttdit.core.construction import construct
from tttdit.core.errors import PluginError, ShapeMismatch, TttditError, UnknownCall, Unresolved
from tttdit.core.loops import shortened
from tttdit.core.naming import names_heard
from tttdit.core.regions import Regions
from tttdit.core.shapes import NamedShape, ShapeNotes, gives_back
from tttdit.core.stage import Stage
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.autograd import no_grad
from tttdit.core.symbolic.dimension import listening
from tttdit.core.symbolic.loader import World
from tttdit.core.symbolic.nn.module import ModuleList
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Tensor, given

Result = TypeVar("Result")
ProblemKind: TypeAlias = Literal["shape", "division", "unknown", "error", "plugin"]

# Of layers that are all alike a check builds so many. The second one has a first one before it, as all further ones have.
LAYERS_BUILT = 2

WORLD = World()
_HERE = os.path.dirname(__file__) + os.sep


@frozen
class Problem:
    """Why a module does not run, or where it rounded a division that nobody declared."""

    kind: ProblemKind
    message: str
    where: str  # the module or region at work: layers.0.seq_modeling_block
    path: str | None  # the plugin's file,
    line: int | None  # its line,
    code: str  # and what stands there
    mixers: bool = False  # it arose while the mixer was made
    left: int | None = None  # the two dimensions that disagree, or dividend and divisor
    right: int | None = None
    left_name: str = ""  # what the modules call the tensors that have these dimensions: RoPE
    right_name: str = ""


@frozen
class Trace:
    """What the symbolic world saw. With a problem, the shapes are those up to it."""

    shapes: tuple[NamedShape, ...]
    problems: tuple[Problem, ...]
    repeated: tuple[str, ...] = ()  # paths of lists of modules that are all alike: layers

    def once(self) -> tuple[NamedShape, ...]:
        """The shapes with identical layers named once: `layers.*.mlp`. Layers that differ keep their numbers."""
        groups: dict[str, list[NamedShape]] = {}
        lists = "|".join(re.escape(path) for path in self.repeated)
        member = re.compile(rf"^({lists})\.\d+(?=\.)") if lists else None
        for shape in self.shapes:
            name = member.sub(r"\1.*", shape.name) if member else shape.name
            groups.setdefault(name, []).append(shape)
        collapsed: list[NamedShape] = []
        for name, members in groups.items():
            first = members[0]
            if all(member.shape == first.shape and member.dtype == first.dtype for member in members):
                collapsed.append(NamedShape(name, first.kind, first.shape, first.dtype))
            else:
                collapsed.extend(members)
        return tuple(collapsed)


def trace(stage: Stage) -> Trace:
    """Builds a stage's model from the plugins' own module files, few of its identical layers, and runs its forward pass.

    Raises `Unresolved` where a dimension that the model needs has no value.
    """
    regions = (*stage.assembly.model.regions, *stage.assembly.mixer.regions)
    recorder = _Recorder({region.key for region in regions} | {region.group for region in regions if region.group})
    try:
        # a step's shapes are those of every other one, an operator's those of an earlier call like it
        with listening(recorder.heard_division), names_heard(recorder.name), no_grad(), shortened(1):
            before = STATE.recorder, STATE.operator_results, STATE.default_dtype
            STATE.recorder, STATE.operator_results = recorder, {}
            try:
                _run(recorder, stage)
            finally:
                STATE.recorder, STATE.operator_results, STATE.default_dtype = before
    except Unresolved:
        raise
    except Exception as error:
        recorder.problems.append(_problem(error, recorder))
    return Trace(tuple(recorder.notes.shapes), tuple(recorder.problems), recorder.repeated)


def _run(recorder: _Recorder, stage: Stage) -> None:
    module = construct(
        WORLD.load,
        stage,
        _RecordedRegions(recorder),
        layers=LAYERS_BUILT,
        formulas=True,
        of_mixer=recorder.of_mixer,
    )
    recorder.names = {id(each): path for path, each in module.named_modules()}
    recorder.repeated = tuple(path for path, each in module.named_modules() if are_alike(each))
    for name, parameter in module.named_parameters():
        recorder.notes.note(name, "parameter", parameter)
    for name, buffer in module.named_buffers():
        recorder.notes.note(name, "buffer", buffer)
    tensors = []
    for name, wanted in stage.assembly.model.inputs(stage.model, stage.dims).items():
        tensors.append(given(wanted.shape, types.NAMES[wanted.dtype]))
        recorder.notes.note(name, "input", tensors[-1])
    recorder.notes.note("output", "output", module(*tensors))


def are_alike(module: Any) -> bool:
    """Whether a module is a list of modules of one class with the same parameters."""
    if not isinstance(module, ModuleList) or not len(module):
        return False
    kinds = {(type(member), tuple((n, p.shape) for n, p in member.named_parameters())) for member in module}
    return len(kinds) == 1


def _look(value: Any) -> tuple[tuple[int, ...], str] | None:
    return (tuple(value.shape), value.dtype.name) if isinstance(value, Tensor) else None


class _Recorder:
    """Notes what every module and region returns."""

    def __init__(self, declared: set[str]) -> None:
        self.declared = declared  # regions, and the keys of sized ones
        self.notes = ShapeNotes(_look)
        self.problems: list[Problem] = []
        self.names: dict[int, str] = {}
        self.repeated: tuple[str, ...] = ()
        self.place = ""
        self.making_mixer = False
        self._tensors: list[tuple[Tensor, str]] = []  # those that have names, the latest last

    def name(self, name: str, tensor: Any) -> None:
        """A module has given a tensor a name: it is noted under the module's path."""
        self.notes.note(f"{self.place}.{name}" if self.place else name, "intermediate", tensor)
        self._tensors.append((tensor, name.replace("_", " ")))

    def name_of(self, tensor: Tensor) -> str:
        """What the modules call a tensor, or what it is a view of."""
        for wanted in (tensor, tensor.base):
            for other, name in reversed(self._tensors):
                if other is wanted:
                    return name
        return ""

    def of_mixer(self, make: Callable[[], Result]) -> Result:
        """What a function makes for the mixer; a problem in it is the mixer's."""
        self.making_mixer = True
        made = make()
        self.making_mixer = False  # not in a finally, as in `call`
        return made

    def call(self, module: Any, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """The module's result, noted under its path."""
        path = self.names.get(id(module), "")
        outer, self.place = self.place, path or self.place
        result = module.run(arguments, keywords)
        self.place = outer  # not in a finally: a problem is reported at the place where it arose
        if path and not gives_back(result, arguments):
            self.notes.note(path, "intermediate", result)
        return result

    def entered_region(self, name: str) -> None:
        """A region is run. One that nobody has declared could be switched by no key of `[memory]`."""
        if name in self.declared:
            return
        self.declared.add(name)  # told once
        path, line, code = _from_frame(sys._getframe(1))
        message = f'the region "{name}" is declared neither by the model nor by the mixer'
        self.problems.append(Problem("error", message, self.place, path, line, code, self.making_mixer))

    def heard_division(self, dividend: int, divisor: int) -> None:
        """A division of dimensions left a remainder that no law allows."""
        path, line, code = _from_frame(sys._getframe(1))
        if any(problem.path == path and problem.line == line for problem in self.problems):
            return
        from tttdit.core.symbolic.raw import dim_text

        message = f"{dim_text(dividend)} divided by {dim_text(divisor)} leaves a remainder of {int(dividend) % int(divisor):,}"
        self.problems.append(
            Problem("division", message, self.place, path, line, code, self.making_mixer, dividend, divisor)
        )


class _RecordedRegions(Regions):
    """Runs every region, and notes what goes in and what comes out."""

    def __init__(self, recorder: _Recorder, path: str = "") -> None:
        super().__init__(path)
        self._recorder = recorder

    def within(self, name: str) -> Regions:
        return _RecordedRegions(self._recorder, self._join(name))

    def group_size(self, name: str, count: int) -> int:
        self._recorder.entered_region(name)
        return count

    def __call__(self, name: str, function: Callable[..., Result], *arguments: Any) -> Result:
        full = self._join(name)
        self._recorder.entered_region(name)
        tensors = [argument for argument in arguments if isinstance(argument, Tensor)]
        self._recorder.notes.note(f"{full}.in", "intermediate", tensors[0] if len(tensors) == 1 else tensors)
        result = function(*arguments)
        self._recorder.notes.note(f"{full}.out", "intermediate", result)
        return result


def _problem(error: Exception, recorder: _Recorder) -> Problem:
    place, mixers = recorder.place, recorder.making_mixer
    if isinstance(error, PluginError):  # no line of a module is at fault
        return Problem("plugin", str(error), place, *_innermost(error.__cause__), mixers)
    path, line, code = _from_traceback(error.__traceback__)
    if isinstance(error, ShapeMismatch):
        names = [_name_with(dimension, error.operands, recorder) for dimension in (error.left, error.right)]
        return Problem("shape", str(error), place, path, line, code, mixers, error.left, error.right, *names)
    if isinstance(error, UnknownCall):
        return Problem("unknown", str(error), place, path, line, code, mixers)
    if isinstance(error, _BUGS) and _is_own(error.__traceback__):
        message = f"the symbolic world failed here, which is a mistake in tttdit ({type(error).__name__}: {error})"
        return Problem("unknown", message, place, path, line, code, mixers)
    message = str(error) if isinstance(error, TttditError) else f"{type(error).__name__}: {error}"
    return Problem("error", message, place, path, line, code, mixers)


# The symbolic world raises RuntimeError, IndexError, TypeError and ValueError where torch does; these it never means to.
_BUGS = (AssertionError, AttributeError, KeyError, NameError, RecursionError, ZeroDivisionError)


def _is_own(traceback: TracebackType | None) -> bool:
    """Whether an exception arose in the symbolic world itself."""
    code: CodeType | None = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        traceback = traceback.tb_next
    # a module's missing attribute and a ModuleDict's missing key are the author's, as in torch
    return (
        code is not None and code.co_filename.startswith(_HERE) and code.co_name not in ("__getattr__", "__getitem__")
    )


def _name_with(dimension: int | None, operands: Sequence[Tensor], recorder: _Recorder) -> str:
    """The name of the operand that has a dimension."""
    if dimension is None:
        return ""
    names = [recorder.name_of(operand) for operand in operands if dimension in operand.shape]
    return names[0] if len(names) == 1 else ""


def _from_traceback(traceback: TracebackType | None) -> tuple[str | None, int | None, str]:
    """The innermost line of a plugin's own file."""
    found: tuple[CodeType, int] | None = None
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if _is_plugins(code):
            found = code, traceback.tb_lineno
        traceback = traceback.tb_next
    return _line(*found) if found else (None, None, "")


def _innermost(error: BaseException | None) -> tuple[str | None, int | None, str]:
    """The line where an exception of a plugin's light file arose."""
    traceback, found = error.__traceback__ if error is not None else None, None
    while traceback is not None:
        found = traceback.tb_frame.f_code, traceback.tb_lineno
        traceback = traceback.tb_next
    return _line(*found) if found is not None else (None, None, "")


def _from_frame(frame: FrameType) -> tuple[str | None, int | None, str]:
    for each in _outwards(frame):
        if _is_plugins(each.f_code):
            return _line(each.f_code, each.f_lineno)
    return None, None, ""


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_plugins(code: CodeType) -> bool:
    return WORLD.runs(code.co_filename)


def _line(code: CodeType, line: int) -> tuple[str, int, str]:
    import linecache

    return code.co_filename, line, linecache.getline(code.co_filename, line).strip()
