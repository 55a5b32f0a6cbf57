"""One training step, predicted and measured."""

from __future__ import annotations

from attrs import frozen

from tttdit.checker.memory.prediction import Prediction
from tttdit.core.runtime.measuring import Measured
from tttdit.core.runtime.proof.comparing import parting
from tttdit.core.runtime.proof.steps import real_step
from tttdit.core.stage import Stage
from tttdit.core.symbolic.periods import whole_step
from tttdit.core.symbolic.stepping import Manner, record_step, symbolic_step
from tttdit.core.symbolic.storage import Meter

# How far a predicted peak may lie from the measured one: as a share, below also so many bytes.
BELOW, ABOVE = 0.001, 0.01
BELOW_BYTES = 1024
FLOPS_APART = 0.01


@frozen
class Case:
    """What one step was predicted to take, and what it took. `cause` says why they differ."""

    name: str
    saved_bytes: int
    peak_bytes: int
    peak_at: str
    flops: int
    measured: Measured
    cause: str = ""

    @property
    def saved_exact(self) -> bool:
        """Whether what is live after forward agrees to the byte."""
        return self.saved_bytes == self.measured.saved_bytes

    @property
    def exact(self) -> bool:
        """Whether that and the peak agree to the byte."""
        return self.saved_exact and self.peak_bytes == self.measured.peak_bytes

    @property
    def error(self) -> float:
        """By how much the predicted peak is too high, as a share of the measured one."""
        return (self.peak_bytes - self.measured.peak_bytes) / self.measured.peak_bytes

    @property
    def flops_error(self) -> float:
        """The same of floating-point operations."""
        return (self.flops - self.measured.flops) / max(1, self.measured.flops)

    @property
    def within_bars(self) -> bool:
        """Saved bytes equal; the peak and the operations near enough."""
        missing = self.measured.peak_bytes - self.peak_bytes
        near = self.error <= ABOVE and missing <= max(BELOW_BYTES, BELOW * self.measured.peak_bytes)
        return self.saved_exact and near and abs(self.flops_error) <= FLOPS_APART


def case_of(name: str, prediction: Prediction, measured: Measured, cause: str = "") -> Case:
    """A prediction beside its measurement."""
    return Case(
        name,
        prediction.saved_bytes,
        prediction.peak_bytes,
        prediction.peak_at,
        prediction.flops,
        measured,
        cause,
    )


def cause_of(stage: Stage, dtype: str) -> str:
    """Why prediction and measurement of a small stage differ: where the search for it ends, in one line."""
    meter = Meter(log=True)
    parted = parting(real_step(stage, dtype).log, symbolic_step(stage, dtype, meter).log)
    if parted is not None:
        return " ".join(parted.told().split())
    manner = Manner(dtype=dtype)
    whole, recorded = whole_step(stage, manner), record_step(stage, manner)
    if (whole.saved_bytes, whole.peak_bytes) != (recorded.saved_bytes, recorded.peak_bytes):
        return "the record of a few layers, put together to all, is not that of all"
    at = recorded.moments[recorded.peak_at]
    return f"all operators agree where custom ones are looked into; as one they do not, at {at.name} in {at.place}"
