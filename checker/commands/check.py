"""`tttdit check`, which is also `tttdit-check`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import evolve

from tttdit.checker.commands import options
from tttdit.checker.inputs import STDIN
from tttdit.checker.render.formats import FORMATS
from tttdit.checker.report import Report, Scale
from tttdit.checker.showing import show_changes, show_report
from tttdit.core.errors import UsageError

if TYPE_CHECKING:
    from tttdit.checker.fixing_files import FileFixer

EPILOG = """\b
Examples:
  tttdit-check nine-seconds.toml
  tttdit-check specs/ --output-format json
  tttdit-check curriculum.toml --stage 9s --set text.segments=4
  cat spec.toml | tttdit-check -
  tttdit-check --ignore TTD5 specs/
  tttdit-check --watch specs/
  tttdit-check --fix nine-seconds.toml
  tttdit-check --unsafe-fixes --diff nine-seconds.toml
  tttdit-check --verify nine-seconds.toml
  tttdit-check --data nine-seconds.toml
  tttdit-check --prompts storyboards.json nine-seconds.toml

\b
Exit codes: 0 nothing wrong (warnings allowed), 1 errors found (after --fix:
left; with --diff: left, or something would change), 2 the command was wrong or
a file could not be read or written.
"""


@click.command(epilog=EPILOG, short_help="Say whether specs will run.")
@options.paths
@click.option(
    "--output-format",
    type=click.Choice(FORMATS),
    default="full",
    show_default=True,
    help="For people (full, concise), programs (json), annotations of a GitHub workflow, or code scanning (sarif).",
)
@options.choosing
@options.silencing
@click.option("--specs-only", is_flag=True, help="Pass over named files, too, that do not look like a spec.")
@click.option(
    "--fix", is_flag=True, help="Write into the files what is sure to be meant; of - the text goes to standard output."
)
@click.option("--unsafe-fixes", is_flag=True, help="The same, and fixes that make another run of it (remat, batch).")
@click.option("--diff", is_flag=True, help="Show what --fix, or --unsafe-fixes, would change, and write nothing.")
@click.option("--statistics", is_flag=True, help="Count the findings by their codes instead of showing them.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even where errors were found.")
@click.option("--watch", "watched", is_flag=True, help="Check again whenever a file changes, until Ctrl-C.")
@click.option(
    "--verify",
    is_flag=True,
    help="Run a training step on torch beside the check's own and compare them, operator by operator; with small sizes.",
)
@click.option("--full", is_flag=True, help="With --verify: at the spec's own sizes, on tensors without data.")
@click.option(
    "--data",
    is_flag=True,
    help="Look into the files of the data source, too: what their headers say against what the spec does.",
)
@click.option(
    "--prompts",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Storyboards, .json or .jsonl: whether each has as many scenes as a stage has text segments.",
)
def check(
    paths: tuple[str, ...],
    output_format: str,
    stage: str | None,
    sets: tuple[str, ...],
    allowed: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    specs_only: bool,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    statistics: bool,
    exit_zero: bool,
    watched: bool,
    verify: bool,
    full: bool,
    data: bool,
    prompts: Path | None,
) -> int:
    """Say whether specs will run, and what to change where they will not.

    PATH is a spec, a folder, or - for standard input. In a folder, and in all its folders, every .toml file is checked that looks like a
    spec (it has [video], [text], [model] or [[stage]], or a #:schema line that names tttdit) and does not say "# tttdit: skip".

    A comment "# tttdit: ignore[TTD204]" silences that code on its line; on a line of its own above the first table, in the whole file.
    """
    from tttdit.checker.api import check_paths, storyboards_at

    if full and not verify:
        raise UsageError("--full says how to verify: write --verify --full")
    scale: Scale | None = None if not verify else "full" if full else "small"
    fixer: FileFixer | None = None
    if fix or unsafe_fixes or diff:
        from tttdit.checker.fixing_files import FileFixer

        if watched:
            raise UsageError("--watch only shows: leave it out to fix files, or to see what would be fixed")
        if diff and (output_format != "full" or statistics):
            raise UsageError("--diff is written instead of a report: leave --output-format and --statistics out")
        fixer = FileFixer(unsafe=unsafe_fixes, dry=diff)

    def look() -> Report:
        report = check_paths(
            paths,
            stage=stage,
            sets=sets,
            allowed=allowed,
            verify=scale,
            data=data,
            storyboards=storyboards_at(prompts),
            select=select,
            ignore=ignore,
            specs_only=specs_only,
            shows_memory=True,
            examine=fixer,
        )
        refused = fixer.refused if fixer is not None else ()
        return evolve(report, unreadable=(*report.unreadable, *refused), exit_zero=exit_zero)

    def show(report: Report) -> bool:
        if fixer is not None and fixer.dry:
            return show_changes(report, fixer.changes)
        # the text of standard input goes to standard output
        stream = sys.stderr if fixer is not None and STDIN in paths else sys.stdout
        return show_report(report, output_format, stream, statistics=statistics)

    if watched:
        from tttdit.checker.watching import watch

        watch(paths, allowed, look, show)
        return 0
    report = look()
    show(report)
    would_change = fixer is not None and fixer.dry and bool(fixer.changes) and not exit_zero
    return report.exit_code or int(would_change)
