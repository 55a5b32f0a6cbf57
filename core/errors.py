"""The exceptions of tttdit.

TttditError
├── UsageError              the command or the call was wrong; one line, exit code 2
├── SpecError               a spec that cannot be read as one; carries the findings
├── PluginError             a plugin that is missing, clashes or cannot be used
│   └── UnknownPlugin       nobody offers it; knows what there is, and the nearest
├── Uneditable              a change that cannot be made in this text; says why
├── Unresolved              a dimension has no value (yet), because something before it is wrong
├── Unpredicted             the memory of a step cannot be said; says why
├── RunError                training cannot go on; says what happened and knows of which kind it is
└── SymbolicError           a module does not run in the symbolic world
    ├── ShapeMismatch       two shapes that do not fit, with both sides' formulas
    └── UnknownCall         the symbolic world does not know this call; it never guesses
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tttdit.core.findings import Finding


class TttditError(Exception):
    """Whatever tttdit raises for its users."""


class UsageError(TttditError):
    """The command was wrong, or a file could not be read."""


class SpecError(TttditError):
    """A spec that cannot be read as one; `findings` say where and why."""

    def __init__(self, path: str, findings: tuple[Finding, ...]) -> None:
        lines = [f"{path}: {len(findings)} error{'s' * (len(findings) != 1)}"]
        for finding in findings:
            place = f"line {finding.span.line}: " if finding.span else ""
            lines.append(f"  {finding.code} {finding.name}: {place}{finding.message}")
        super().__init__("\n".join(lines))
        self.path = path
        self.findings = findings


class PluginError(TttditError):
    """A plugin that is missing, clashes with another, or announces something unusable."""


class UnknownPlugin(PluginError):
    """A name that no plugin of the kind has. `available` are the names there are, `nearest` the most similar one."""

    def __init__(self, message: str, available: tuple[str, ...], nearest: str | None) -> None:
        super().__init__(message)
        self.available = available
        self.nearest = nearest


class Uneditable(TttditError):
    """A change that cannot be made in a text: there is no such key, or something else stands in its place."""


class Unresolved(TttditError):
    """A dimension without a value."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"dimension {symbol} has no value")
        self.symbol = symbol


class Unpredicted(TttditError):
    """The memory of a training step cannot be predicted. The message is one sentence that says why."""


class RunError(TttditError):
    """Training cannot go on. `kind` is what `tttdit why` knows it by: not_finite, out_of_gpu_memory, disk, lost_rank, ...

    `region` is the module of the model that was at work, where that matters and is known.
    """

    def __init__(self, kind: str, message: str, region: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.region = region


class SymbolicError(TttditError):
    """A module does not run in the symbolic world."""


class ShapeMismatch(SymbolicError):
    """Two shapes that do not fit.

    `left` and `right` are the two dimensions that disagree, where there are two; the message names the call. `operands` are the tensors
    that it was called with.
    """

    def __init__(self, message: str, left: int | None = None, right: int | None = None) -> None:
        super().__init__(message)
        self.left = left
        self.right = right
        self.operands: tuple[Any, ...] = ()


class UnknownCall(SymbolicError):
    """A call that the symbolic world does not know."""

    def __init__(self, call: str, why: str = "") -> None:
        super().__init__(f"{call} is not known to the symbolic world" + (f": {why}" if why else ""))
        self.call = call
