"""`--verify`: what a check believes of a stage, held against torch."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator
from traceback import walk_tb
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from tttdit.checker.examining import Examined
from tttdit.checker.following import HELP_FOR_UNKNOWN, Followed, module_key
from tttdit.checker.output import complain
from tttdit.checker.report import ProofReport, RegionProof, Scale
from tttdit.checker.rules.not_verified import NotVerified
from tttdit.checker.rules.unknown_call import UnknownCall
from tttdit.checker.rules.worlds_differ import WorldsDiffer
from tttdit.checker.shrinking import NotShrunk, shrink
from tttdit.core import errors
from tttdit.core.errors import UsageError
from tttdit.core.findings import Finding, Related, Span
from tttdit.core.plugin.registry import Registry
from tttdit.core.stage import Stage

if TYPE_CHECKING:
    from tttdit.core.runtime.proof.comparing import Difference
    from tttdit.core.runtime.proof.proving import Proof
    from tttdit.core.shapes import NamedShape

# Codes whose findings may be made by a verification alone.
ONLY_VERIFIED = frozenset({NotVerified.code, UnknownCall.code, WorldsDiffer.code})


@frozen
class Verified:
    """What a verification says, the findings that it adds, and the model's shapes, which may be from torch itself."""

    proof: ProofReport
    followed: Followed
    findings: tuple[Finding, ...] = ()


def verify(examined: Examined, registry: Registry, scale: Scale) -> Verified:
    """The proof of a stage: made small on real tensors, or at its full size on fake ones.

    A stage with errors is not verified, unless they are about a machine that is too small, for a proof needs none. One whose modules call
    what the check does not know is run on torch's fake tensors alone. Tells on standard error what takes time. Raises UsageError where
    torch is not installed.
    """
    stage = examined.resolved.stage
    if stage is None or examined.own_errors:
        return Verified(ProofReport(scale, None, "it has errors"), examined.followed)
    require_torch()
    if not examined.followed.proved:
        return _traced(examined, stage)
    try:
        if scale == "full":
            from tttdit.core.runtime.proof.proving import prove_without_data

            complain(f'verifying stage "{stage.name}" at full size')
            proof = prove_without_data(stage, examined.followed.shapes, _dtype(stage))
            return _verified(examined, stage, _report(proof, "full"), proof.difference)
        return _small(examined, stage, registry)
    except errors.UnknownCall as error:
        return _traced(examined, stage, error)
    except NotShrunk as error:
        why = f"no small sizes were found for this stage: {error}"
        finding = NotVerified().finding(why, key="model.plugin", help="ask for --verify --full, which keeps the sizes")
        located = examined.resolved.locator.located(finding)
        return Verified(ProofReport(scale, None, str(error)), examined.followed, (located,))


def require_torch() -> None:
    """Raises UsageError where torch is not installed."""
    try:
        import tttdit.core.runtime.proof.proving  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"--verify runs the model on torch, which cannot be imported ({error}): pip install 'tttdit[run]'"
        ) from None


def _dtype(stage: Stage) -> str:
    """What the run computes in."""
    return stage.parallelism.unsharded_dtype


def _small(examined: Examined, stage: Stage, registry: Registry) -> Verified:
    from tttdit.core.runtime.proof.proving import prove

    small = shrink(examined, registry)
    complain(f'verifying stage "{stage.name}" with small sizes')
    proof = prove(small.stage, small.examined.followed.shapes, _dtype(small.stage))
    report = _report(proof, "small", tuple((size.key, size.small, size.full) for size in small.sizes))
    return _verified(examined, stage, report, proof.difference)


def _report(proof: Proof, scale: Scale, sizes: tuple[tuple[str, int, int], ...] = ()) -> ProofReport:
    report = ProofReport(
        scale,
        agrees=proof.difference is None,
        operators=proof.operators,
        parameters=proof.parameters,
        flops=proof.flops,
        flops_apart=proof.flops_apart,
        sizes=sizes,
    )
    memory = proof.memory
    if memory is None:
        return report
    return evolve(
        report,
        saved_bytes=memory.saved_bytes,
        peak_bytes=memory.peak_bytes,
        predicted_saved_bytes=memory.predicted_saved_bytes,
        predicted_peak_bytes=memory.predicted_peak_bytes,
        regions=tuple(
            RegionProof(
                region.name,
                region.saved_bytes,
                region.peak_bytes,
                region.predicted_saved_bytes,
                region.predicted_peak_bytes,
            )
            for region in memory.regions
        ),
    )


def _verified(examined: Examined, stage: Stage, report: ProofReport, difference: Difference | None) -> Verified:
    if difference is None:
        return Verified(report, examined.followed)
    path, _ = _place(difference.module)
    finding = WorldsDiffer().finding(
        difference.message,
        key=module_key(path or None, stage),
        help=_HELP_FOR_FAKE if difference.of_fake else _HELP_FOR_WORLDS,
        related=[*_line("the module", difference.module), *_line("the rule", difference.rule)],
    )
    return Verified(report, examined.followed, (examined.resolved.locator.located(finding),))


_HELP_FOR_WORLDS = (
    "nothing is wrong with the spec: either the check's rule is, or the module does different things in the two worlds"
)
_HELP_FOR_FAKE = (
    "nothing is wrong with the spec: the operator's fake has to promise shapes, strides and types as its body gives them; "
    "torch.library.opcheck tries that"
)


def _place(line: str) -> tuple[str, int]:
    """Path and number of `path:57`."""
    path, _, number = line.rpartition(":")
    return path, int(number or 0)


def _line(what: str, line: str) -> Iterator[Related]:
    path, number = _place(line)
    if path:
        code = linecache.getline(path, number).strip()
        yield Related(f"{what}: {code}", span=Span(number, 1, number, 1), path=path)


# -- modules that the check does not know whole


def _traced(examined: Examined, stage: Stage, error: errors.UnknownCall | None = None) -> Verified:
    """Shapes and bytes from torch's own fake tensors, at the spec's sizes."""
    from tttdit.core.runtime.proof.proving import trace_without_data

    findings = () if error is None else (examined.resolved.locator.located(_unknown(error, stage)),)
    complain(f'tracing stage "{stage.name}" on fake tensors')
    run = trace_without_data(stage, _dtype(stage))
    note = f"nor can torch's fake tensors follow it: {run.error}" if run.error else ""
    report = ProofReport(
        "full",
        None,
        note,
        traced=True,
        operators=len(run.log),
        parameters=sum(shape.kind == "parameter" for shape in run.shapes),
        flops=run.flops,
        saved_bytes=run.saved_bytes,
        peak_bytes=run.peak_bytes,
    )
    shapes = _alike_named_once(run.shapes, stage)
    return Verified(report, evolve(examined.followed, shapes=shapes, proved=False), findings)


def _unknown(error: errors.UnknownCall, stage: Stage) -> Finding:
    """A call that only forward and backward together meet."""
    from tttdit.core.symbolic.stepping import is_module

    line = ""
    for frame, number in walk_tb(error.__traceback__):
        if is_module(frame.f_code.co_filename):
            line = f"{frame.f_code.co_filename}:{number}"
    key = module_key(_place(line)[0] or None, stage)
    return UnknownCall().finding(str(error), key=key, help=HELP_FOR_UNKNOWN, related=_line("the module", line))


def _alike_named_once(shapes: tuple[NamedShape, ...], stage: Stage) -> tuple[NamedShape, ...]:
    """With layers that are alike named once, as a check names them."""
    from tttdit.core.symbolic.trace import Trace

    model = stage.assembly.model
    if model.repeated is None:
        return shapes
    layers = int(model.arguments(stage.model, stage.dims)[model.repeated])
    numbers: dict[str, set[int]] = {}
    for shape in shapes:
        for found in re.finditer(r"\.(\d+)\.", shape.name):
            numbers.setdefault(shape.name[: found.start()], set()).add(int(found[1]))
    repeated = tuple(path for path, found in numbers.items() if found == set(range(layers)))
    return Trace(shapes, (), repeated).once()
