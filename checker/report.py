"""What a check has to say, as data: the JSON of `tttdit check --output-format json`, and what every renderer draws from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from attrs import asdict, field, frozen

from tttdit.core.errors import Unpredicted
from tttdit.core.findings import Change, Edit, Finding, Fix, Related, Removal, Renaming, Replacement, Span

if TYPE_CHECKING:
    from tttdit.checker.memory.prediction import Prediction
    from tttdit.checker.memory.sampling import SamplingPrediction
    from tttdit.checker.memory.weighing import Weighing

# The version of the JSON's form. Keys are added without raising it; it rises when one changes its meaning or goes away.
FORMAT = 1


@frozen
class Chosen:
    """A value that the spec left open (`"auto"`) and that was solved for, or planned."""

    key: str
    value: int | str
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """Its part of the JSON."""
        return {"key": self.key, "value": self.value, "reason": self.reason}


@frozen
class DimensionReport:
    """One dimension of a stage. `value` is None where it is open or not whole; `formula` is "" where the spec states it."""

    symbol: str
    value: int | None
    formula: str
    meaning: str
    keys: tuple[str, ...]


@frozen
class ShapeReport:
    """One tensor's shape: formulas over the stage's dimensions, and their values."""

    name: str
    kind: str  # input, parameter, buffer, intermediate or output
    dtype: str
    formula: tuple[str, ...]
    value: tuple[int, ...]
    symbols: frozenset[str] = frozenset()  # those that occur in the formulas

    def as_dict(self) -> dict[str, Any]:
        """Its part of the JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "dtype": self.dtype,
            "formula": list(self.formula),
            "value": list(self.value),
        }


Scale: TypeAlias = Literal["small", "full"]


@frozen
class RegionProof:
    """Bytes of the regions of one name, `layers.*.attention`: saved by all of them, and the highest peak while one is at work."""

    name: str
    saved_bytes: int
    peak_bytes: int
    predicted_saved_bytes: int
    predicted_peak_bytes: int


@frozen
class ProofReport:
    """What `--verify` says of a stage: whether torch and the check agree, and in how much.

    `agrees` is None for a stage that was not compared, and `note` says why. `scale` says at which sizes: those in `sizes` (the key, what
    it is here, what it is in the spec) are small, all others the spec's own. A stage that was `traced` has calls that the check does not
    know: it was run on torch's fake tensors alone, and its shapes and bytes are from there.
    """

    scale: Scale
    agrees: bool | None
    note: str = ""
    traced: bool = False
    operators: int = 0
    parameters: int = 0
    flops: int = 0
    flops_apart: float = 0.0  # as a share of torch's
    saved_bytes: int | None = None  # live when the loss has been computed
    peak_bytes: int = 0
    predicted_saved_bytes: int | None = None  # None where it was traced
    predicted_peak_bytes: int | None = None
    regions: tuple[RegionProof, ...] = ()
    sizes: tuple[tuple[str, int, int], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Its part of the JSON."""
        sizes = [{"key": key, "value": small, "spec": full} for key, small, full in self.sizes]
        return {**asdict(self), "sizes": sizes}


@frozen
class StageReport:
    """One stage: its numbers, and whether the model's shapes were proved with them. `proof` is there where it was asked for.

    `weighing` is None where memory cannot be spoken of, because the stage has errors or its shapes are not proved.
    """

    name: str
    ok: bool
    dimensions: tuple[DimensionReport, ...]
    sequence: dict[str, int | None]
    chosen: tuple[Chosen, ...]
    shapes: tuple[ShapeReport, ...]
    proved: bool  # the model ran in the symbolic world from end to end
    proof: ProofReport | None = None
    weighing: Weighing | None = field(default=None, eq=False, repr=False)

    @property
    def memory(self) -> Prediction | None:
        """What one rank needs for a training step: predicted now, if nobody has asked before. None where `unpredicted` says why not."""
        return self.weighing.prediction if self.weighing is not None and not self.unpredicted else None

    @property
    def unpredicted(self) -> str:
        """Why there is no prediction, in a few words; "" where there is one."""
        if self.weighing is not None:
            return self.weighing.unpredicted
        return "the model's shapes are not proved" if self.ok else "the stage has errors"

    @property
    def sampling(self) -> SamplingPrediction | None:
        """What drawing a video needs; None where nothing says how videos are drawn, or that cannot be said."""
        try:
            return self.weighing.sampling if self.weighing is not None else None
        except Unpredicted:
            return None

    @property
    def dims(self) -> dict[str, int | None]:
        """Symbols and values."""
        return {dimension.symbol: dimension.value for dimension in self.dimensions}

    def dimension(self, symbol: str) -> DimensionReport | None:
        """The dimension of this symbol, if the stage has it."""
        return next((dimension for dimension in self.dimensions if dimension.symbol == symbol), None)

    def as_dict(self) -> dict[str, Any]:
        """Its part of the JSON."""
        return {
            "name": self.name,
            "ok": self.ok,
            "proved": self.proved,
            "dims": self.dims,
            "formulas": {d.symbol: d.formula for d in self.dimensions if d.formula},
            "sequence": dict(self.sequence),
            "chosen": [chosen.as_dict() for chosen in self.chosen],
            "shapes": [shape.as_dict() for shape in self.shapes],
            "memory": self.memory.as_dict() if self.memory is not None else None,
            **({"sampling": sampling.as_dict()} if (sampling := self.sampling) is not None else {}),
            **({"unpredicted": self.unpredicted} if self.unpredicted else {}),
            **({"proof": self.proof.as_dict()} if self.proof is not None else {}),
        }


@frozen
class FileReport:
    """One file: what was found in it, and its stages as far as they could be resolved. `text` is what excerpts are cut from.

    `silenced` counts the findings that are left out: by `--select` and `--ignore`, and by comments.
    """

    path: str
    findings: tuple[Finding, ...]
    stages: tuple[StageReport, ...]
    text: str = field(default="", repr=False)
    silenced: int = 0
    fixed: tuple[Finding, ...] = ()  # what was found and is no more, with the places where it was

    @property
    def ok(self) -> bool:
        """Whether it has no errors; warnings are allowed."""
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def is_curriculum(self) -> bool:
        """Whether more than one stage is spoken of, so that it has to be said of which."""
        return len({stage.name for stage in self.stages} | {finding.stage for finding in self.findings} - {None}) > 1

    def as_dict(self) -> dict[str, Any]:
        """Its part of the JSON."""
        return {
            "path": self.path,
            "ok": self.ok,
            "findings": [_finding(finding) for finding in self.findings],
            "silenced": self.silenced,
            "stages": [stage.as_dict() for stage in self.stages],
            **({"fixed": [_finding(finding) for finding in self.fixed]} if self.fixed else {}),
        }


@frozen
class Report:
    """What a check found, file by file; `unreadable` says what could not be read, or written where it should be."""

    files: tuple[FileReport, ...]
    unreadable: tuple[str, ...] = ()
    exit_zero: bool = False  # whether errors are no reason to fail

    @property
    def ok(self) -> bool:
        """Whether no file has an error."""
        return all(file.ok for file in self.files)

    @property
    def exit_code(self) -> int:
        """What the command ends with: 0 nothing wrong, 1 errors, 2 not everything could be read."""
        if self.unreadable:
            return 2
        return 0 if self.ok or self.exit_zero else 1

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all files."""
        return tuple(finding for file in self.files for finding in file.findings)

    def count(self, severity: str) -> int:
        """How many findings are of this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """The report as lists, dictionaries, strings and numbers: what `to_json` writes."""
        return {
            "version": FORMAT,
            "files": [file.as_dict() for file in self.files],
            "unreadable": list(self.unreadable),
        }

    def to_json(self, *, indent: int | None = 2) -> str:
        """The report as JSON, in ASCII, so that no text of a spec reaches a terminal as anything but text."""
        return json.dumps(self.as_dict(), indent=indent, ensure_ascii=True)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity,
        "stage": finding.stage,
        "message": finding.message,
        "help": finding.help,
        "key": finding.key,
        "span": _span(finding.span),
        "related": [_related(related) for related in finding.related],
        "fix": _fix(finding.fix),
    }


def _related(related: Related) -> dict[str, Any]:
    return {"message": related.message, "key": related.key, "path": related.path, "span": _span(related.span)}


def _span(span: Span | None) -> dict[str, int] | None:
    if span is None:
        return None
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}


def _fix(fix: Fix | None) -> dict[str, Any] | None:
    if fix is None:
        return None
    return {"applicability": fix.applicability, "edits": [_change(change) for change in fix.edits]}


def _change(change: Change) -> dict[str, Any]:
    match change:
        case Edit():
            return {"key": change.key, "value": change.value}
        case Removal():
            return {"key": change.key, "remove": True}
        case Renaming():
            return {"key": change.key, "rename": change.name}
        case Replacement():
            return {"span": _span(change.span), "text": change.text}
