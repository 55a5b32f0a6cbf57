"""`tttdit plan`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from tttdit.checker.commands import options
from tttdit.checker.output import write
from tttdit.core.errors import UsageError

if TYPE_CHECKING:
    from tttdit.checker.planned import Search

EPILOG = """\b
Examples:
  tttdit plan nine-seconds.toml
  tttdit plan nine-seconds.toml --budget 74GiB --write
  tttdit plan curriculum.toml --stage 63s --search mesh --gpus 128
  tttdit plan nine-seconds.toml --search batch

\b
Exit codes: 0 a plan for every stage, 1 nothing fits, or the spec has errors or
cannot be predicted, 2 the command was wrong, or a file could not be read or
written.
"""


@click.command(epilog=EPILOG, short_help="Find the setting of [memory] that fits.")
@click.argument("path", metavar="SPEC", type=click.Path())
@options.budget
@click.option("--write", "writes", is_flag=True, help="Put the plan into the file; all else in it stays as it is.")
@click.option(
    "--search",
    type=click.Choice(["mesh", "batch"]),
    help="Look beyond [memory]: at every mesh of the GPUs, or for the largest batch of a rank.",
)
@click.option(
    "--gpus",
    metavar="N",
    type=click.IntRange(1, 1_000_000),
    help="With --search mesh: so many GPUs. By default those of [hardware], or of the spec's mesh.",
)
@options.output_format
@options.choosing
def plan(
    path: str,
    budget_text: str | None,
    writes: bool,
    search: Search | None,
    gpus: int | None,
    output_format: str,
    stage: str | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
) -> int:
    """Find the setting of [memory] that fits with the least recomputation, out of all that there are.

    SPEC is a file, or - for standard input. What fits is what a rank of tttdit run needs on a GPU, within the budget. Of a curriculum every
    stage is planned for itself. Of settings that recompute equally much the one with the fewest bytes is taken.
    """
    from tttdit.checker.commands.progress import progress_bar
    from tttdit.checker.inputs import document_at
    from tttdit.checker.memory.budget import budget
    from tttdit.checker.plan_writing import plan_edits, refuse_unwritable, write_edits
    from tttdit.checker.planned import planned
    from tttdit.checker.render import full
    from tttdit.checker.render import plan as plans
    from tttdit.checker.render.paint import paint_for
    from tttdit.checker.report import Report
    from tttdit.checker.sound_stages import sound_stages

    if gpus is not None and search != "mesh":
        raise UsageError("--gpus says how many GPUs a mesh may have: write --search mesh --gpus N")
    limit = None if budget_text is None else budget(budget_text)
    document = document_at(path)
    checker, report, resolved = sound_stages(document, stage=stage, sets=sets, allowed=allowed)
    if writes:
        refuse_unwritable(document, (one.spec for one in resolved), sets)
    found, edits = [], []
    for one in resolved:
        answer = planned(one, checker.registry, budget_bytes=limit, search=search, gpus=gpus, bar=progress_bar)
        found.append(answer)
        if one.stage is not None and answer.best is not None and answer.best.chosen is not None:
            others = answer.variant.values if answer.variant is not None else {}
            edits += plan_edits(one.spec, one.stage, answer.best.chosen.setting, others)
    if writes and edits:
        write_edits(document, edits)
    if output_format == "json":
        write([plans.as_json(found, document.path, report)])
    else:
        write(plans.render(found, document.path, paint_for(sys.stdout, os.environ)))
        if writes and found:
            write([f"{document.path}: {len(edits)} {'key' if len(edits) == 1 else 'keys'} written"], sys.stderr)
    if not report.ok:
        write(full.findings(Report((report,)), paint_for(sys.stderr, os.environ)), sys.stderr)
    return 0 if report.ok and all(one.best is not None for one in found) else 1
