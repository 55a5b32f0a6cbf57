"""`tttdit memory`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from tttdit.checker.commands import options
from tttdit.checker.output import write

if TYPE_CHECKING:
    from tttdit.checker.memory.prediction import Runtime
    from tttdit.checker.memory.surveying import Survey
    from tttdit.checker.render.memory import Order
    from tttdit.checker.resolving import Resolved

EPILOG = """\b
Examples:
  tttdit memory nine-seconds.toml
  tttdit memory nine-seconds.toml --all --sort peak --filter attention=true
  tttdit memory curriculum.toml --stage 63s --budget 74GiB
  tttdit memory nine-seconds.toml --all --output-format csv > settings.csv
  tttdit memory curriculum.toml --html memory.html
  tttdit memory nine-seconds.toml --snapshot memory.pickle

\b
Exit codes: 0 shown, 1 the spec has errors, or its memory cannot be predicted,
2 the command was wrong or the file could not be read.
"""


@click.command(epilog=EPILOG, short_help="List the bytes of every setting of [memory].")
@click.argument("path", metavar="SPEC", type=click.Path())
@click.option("--all", "everything", is_flag=True, help="Every setting, not only those that no other is better than.")
@click.option(
    "--sort",
    "order",
    type=click.Choice(["peak", "saved", "total", "recompute"]),
    default="recompute",
    show_default=True,
    help="What comes first: the least of this.",
)
@click.option(
    "--filter",
    "filters",
    metavar="KEY=VALUE",
    multiple=True,
    shell_complete=options.offering("memory_filters"),
    help="Settings with this value only: attention=true, fits=true. May be repeated; of one key, either value.",
)
@options.budget
@click.option(
    "--runtime",
    type=click.Choice(["plain", "fsdp2"]),
    default="fsdp2",
    show_default=True,
    help="One process without optimizer (tttdit.build_model), or a rank of tttdit run.",
)
@click.option(
    "--device", type=click.Choice(["cpu", "cuda"]), default="cuda", show_default=True, help="Where operators run."
)
@click.option(
    "--output-format",
    type=click.Choice(["full", "json", "csv"]),
    default="full",
    show_default=True,
    help="For people, for programs, or for a spreadsheet.",
)
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write a page too, to look at in a browser: the step, the settings and the peak.",
)
@click.option(
    "--snapshot",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Write the step of one stage too, for PyTorch's memory viewer (https://pytorch.org/memory_viz).",
)
@options.choosing
def memory(
    path: str,
    everything: bool,
    order: Order,
    filters: tuple[str, ...],
    budget_text: str | None,
    runtime: Runtime,
    device: str,
    output_format: str,
    page: str | None,
    snapshot: str | None,
    stage: str | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
) -> int:
    """List what every setting of [memory] needs: bytes that are saved, the peak, the total, what is recomputed, and whether it fits.

    SPEC is a file, or - for standard input. Shown are the settings that no other is better than in both bytes and recomputation, and the
    spec's own. The budget is what the GPU that the spec names can hold.
    """
    from tttdit.checker.commands.progress import progress_bar
    from tttdit.checker.inputs import document_at
    from tttdit.checker.memory.budget import budget
    from tttdit.checker.memory.filtering import Filter
    from tttdit.checker.memory.surveying import search_space, survey
    from tttdit.checker.memory_files import MemoryFiles
    from tttdit.checker.render import full
    from tttdit.checker.render import memory as tables
    from tttdit.checker.render.paint import paint_for
    from tttdit.checker.report import Report
    from tttdit.checker.sound_stages import sound_stages
    from tttdit.core.errors import Unpredicted

    wanted, limit = Filter.of(filters), None if budget_text is None else budget(budget_text)
    document = document_at(path)
    checker, report, resolved = sound_stages(document, stage=stage, sets=sets, allowed=allowed)
    files = MemoryFiles(page=page, snapshot=snapshot)
    files.refuse(document, resolved)
    shown: list[tables.Listed] = []
    surveyed: list[tuple[Resolved, Survey]] = []
    for each in resolved:
        one = each.stage
        if one is None:
            continue
        try:
            space = search_space(one)
            wanted.refuse_unknown(space[0].values)
            with progress_bar(len(space), one.name) as progress:
                found = survey(one, space, device=device, runtime=runtime, budget_bytes=limit, progress=progress)
        except Unpredicted as why:
            shown.append(tables.Listed(one, str(why)))
        else:
            shown.append(tables.listed(found, wanted.passed(found), order, everything=everything))
            surveyed.append((each, found))
    files.write(lambda: checker.curriculum(document).name, document, surveyed, device=device, runtime=runtime)
    if output_format == "json":
        write(tables.as_json(shown, document.path, report))
    elif output_format == "csv":
        write(tables.as_csv(shown))
    else:
        write(tables.render(shown, document.path, paint_for(sys.stdout, os.environ)))
    if not report.ok:
        write(full.findings(Report((report,)), paint_for(sys.stderr, os.environ)), sys.stderr)
    return 0 if report.ok and all(one.survey is not None for one in shown) else 1
