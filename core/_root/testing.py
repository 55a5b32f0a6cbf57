"""For the tests of plugins: `from tttdit.testing import verify_plugin`.

    def test_the_check_believes_what_the_module_does():
        verify_plugin("my-mixer.toml", allow_plugins=["my_mixer"])

A spec that uses the plugin is checked, and a training step of each of its stages, made small, is compared with torch's own: shapes,
strides, dtypes and live bytes after every operator, saved and peak bytes of every region with those that are predicted, parameters,
gradients, floating-point operations. It needs torch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from attrs import frozen

from tttdit.checker.checking import Checker
from tttdit.checker.render import full as for_people
from tttdit.checker.render.paint import Paint
from tttdit.checker.report import ProofReport, RegionProof, Report
from tttdit.core.spec.document import Document, read

__all__ = ["RegionProof", "VerifiedStage", "verify_plugin"]


@frozen
class VerifiedStage:
    """A stage that agrees in both worlds, and in how much.

    `operators` of forward and backward were compared, `parameters` by name and shape; `flops`, `saved_bytes` and `peak_bytes` are torch's,
    at the small `sizes`: (key, here, in the spec). `regions` are what saved and peak bytes were compared for.
    """

    name: str
    operators: int
    parameters: int
    flops: int
    saved_bytes: int
    peak_bytes: int
    regions: tuple[RegionProof, ...]
    sizes: tuple[tuple[str, int, int], ...]


def verify_plugin(
    spec: str | os.PathLike[str],
    *,
    stage: str | None = None,
    allow_plugins: Iterable[str | os.PathLike[str]] = (),
    sets: Iterable[str] = (),
) -> tuple[VerifiedStage, ...]:
    """Proves, for each stage of a spec (or the one named), that the check believes what the modules do.

    `spec` is a path, or TOML text; the rest is as for `tttdit.check`. Raises AssertionError, with what `tttdit-check --verify`
    prints, for the first operator that differs, for a call that the check does not know, and for errors. Raises UsageError
    where the file cannot be read, or torch is not installed; PluginError for an allowed plugin that cannot be used.
    """
    text = os.fspath(spec)
    document = Document.parse(text, "<spec>") if "\n" in text else read(text)
    checker = Checker(
        stage=stage, sets=tuple(sets), allowed=tuple(os.fspath(path) for path in allow_plugins), verify="small"
    )
    report = checker.check(document)
    proofs = [(each.name, each.proof) for each in report.stages]
    if not report.ok or not proofs or any(proof is None or not proof.agrees for _, proof in proofs):
        raise AssertionError("\n".join(for_people.render(Report((report,)), Paint())))
    return tuple(_stage(name, proof) for name, proof in proofs if proof is not None)


def _stage(name: str, proof: ProofReport) -> VerifiedStage:
    return VerifiedStage(
        name,
        proof.operators,
        proof.parameters,
        proof.flops,
        proof.saved_bytes or 0,
        proof.peak_bytes,
        proof.regions,
        proof.sizes,
    )
