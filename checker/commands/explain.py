"""`tttdit explain`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from tttdit.checker.commands import options
from tttdit.checker.output import complain, write

if TYPE_CHECKING:
    from tttdit.checker.render.explanation import Explained
    from tttdit.checker.report import StageReport

EPILOG = """\b
Examples:
  tttdit explain memory nine-seconds.toml
  tttdit explain memory curriculum.toml --stage 63s --output-format json

\b
Exit codes: 0 shown, 1 the spec has errors, or its memory cannot be predicted,
2 the command was wrong or a file could not be read.
"""


@click.group(short_help="Take a number apart.", no_args_is_help=False)
def explain() -> None:
    """Take a number that a check predicts apart, tensor by tensor."""


@explain.command(epilog=EPILOG, short_help="Say what saved bytes and peak consist of.")
@options.paths
@options.output_format
@options.choosing
def memory(
    paths: tuple[str, ...], output_format: str, stage: str | None, sets: tuple[str, ...], allowed: tuple[str, ...]
) -> int:
    """Say what saved bytes and peak consist of: as polynomials in the spec's dimensions, term by term with the tensors they come from.

    Tensors that are alike are one line, layers that are alike one table; the lines add up to the bytes.
    """
    from tttdit.checker.api import check_paths
    from tttdit.checker.render import explanation, full
    from tttdit.checker.render.paint import paint_for
    from tttdit.checker.report import FORMAT, Report

    report = check_paths(paths, stage=stage, sets=sets, allowed=allowed)
    unexplained = []
    explained: list[tuple[str, list[Explained]]] = []
    for file in report.files:
        explained.append((file.path, [_explained(one) for one in file.stages if not one.unpredicted]))
        unexplained += [
            f"{file.path}, stage {one.name}: {one.unpredicted}" for one in file.stages if one.ok and one.unpredicted
        ]
    if output_format == "json":
        files = [
            {
                **{key: file.as_dict()[key] for key in ("path", "ok", "findings")},
                "stages": list(map(explanation.as_dict, found)),
            }
            for file, (_, found) in zip(report.files, explained, strict=True)
        ]
        write([json.dumps({"version": FORMAT, "files": files}, indent=2)])
    else:
        paint = paint_for(sys.stdout, os.environ)

        def lines() -> Iterator[str]:
            for path, found in explained:
                for one in found:
                    yield from explanation.render(one, path, paint)

        write(lines())
        wrong = Report(tuple(file for file in report.files if file.findings))
        if wrong.files:
            write(full.findings(wrong, paint_for(sys.stderr, os.environ)), sys.stderr)
    for message in (*report.unreadable, *(f"memory is not explained of {why}" for why in unexplained)):
        complain(message)
    return report.exit_code or (1 if unexplained else 0)


def _explained(stage: StageReport) -> Explained:
    from tttdit.checker.memory import weighing
    from tttdit.checker.memory.explaining import explain as explain_tape
    from tttdit.checker.memory.predicting import tape_of
    from tttdit.checker.render.explanation import Explained

    assert stage.weighing is not None, "a stage without it is not explained"
    one = stage.weighing.stage
    dtype = one.parallelism.unsharded_dtype
    tape = tape_of(one, device=weighing.DEVICE, dtype=dtype, runtime=weighing.RUNTIME, lines=True)
    return Explained(
        stage=one,
        device=weighing.DEVICE,
        dtype=dtype,
        runtime=weighing.RUNTIME,
        explanation=explain_tape(tape),
    )
