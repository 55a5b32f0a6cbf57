"""`tttdit convert`."""

from __future__ import annotations

import os
import sys

import click

from tttdit.checker.commands import options
from tttdit.checker.output import complain, write
from tttdit.core.errors import UsageError
from tttdit.core.wording import plural

EPILOG = """\b
Examples:
  tttdit convert job.toml
  tttdit convert job.toml -o spec.toml

\b
Exit codes: 0 converted, 1 the file cannot be read as a spec, 2 the command was
wrong, or a file could not be read or written.
"""


@click.command(epilog=EPILOG, short_help="Write another project's file as a spec.")
@click.argument("path", metavar="FILE", type=click.Path())
@click.option("-o", "--output", metavar="SPEC", type=click.Path(), help="Write to this file, not to standard output.")
@click.option("--force", is_flag=True, help="Replace what is at SPEC.")
@options.allow_plugin
def convert(path: str, output: str | None, force: bool, allowed: tuple[str, ...]) -> int:
    """Write another project's file as a spec.

    FILE is one that an installed importer reads, or - for standard input. What it leaves out has the defaults of its own code, and what
    a spec has no place for stands in comments, as does a value in whose place the file has a TODO.
    """
    from tttdit.checker.checking import Checker
    from tttdit.checker.converting import spec_text
    from tttdit.checker.importing import importer_of
    from tttdit.checker.inputs import document_at
    from tttdit.checker.report import Report

    if force and output is None:
        raise UsageError("--force says that a file may be replaced: write -o SPEC --force")
    if output is not None:
        _refuse(path, output, force)
    checker = Checker(allowed=allowed)
    document = document_at(path)
    importer = importer_of(document, checker.registry)
    if importer is None:
        raise UsageError(_unknown(path, document.source, checker.registry.names("importer")))
    report = checker.check(document)
    imported = checker.imported(document) if document.is_readable else None
    if imported is None or not imported.values:
        from tttdit.checker.render import full
        from tttdit.checker.render.paint import paint_for

        write(full.findings(Report((report,)), paint_for(sys.stderr, os.environ)), sys.stderr)
        complain(f"{path} cannot be read as a spec, and nothing is written")
        return 1
    errors = sum(finding.severity == "error" for finding in report.findings)
    text = spec_text(document, imported, importer.name, errors)
    if output is None:
        write(text.removesuffix("\n").split("\n"))
    else:
        _save(output, text, force)
        write([f"written: {output}"])
    if errors:
        complain(f"{path} has {errors:,} {plural(errors, 'error')}: tttdit-check {path} says which")
    return 0


def _refuse(path: str, output: str, force: bool) -> None:
    """Says before anything is done that nothing could be written."""
    if os.path.exists(path) and os.path.exists(output) and os.path.samefile(path, output):
        raise UsageError(f"{output} is the file itself: a spec goes into another one")
    if os.path.isdir(output):
        raise UsageError(f"{output} is a folder: -o takes a file")
    if os.path.lexists(output) and not force:
        raise UsageError(f"{output} is there already: --force replaces it")


def _unknown(path: str, source: bytes, importers: tuple[str, ...]) -> str:
    from tttdit.checker.inputs import looks_like_a_spec

    if looks_like_a_spec(source):
        return f"{path} is a spec already: there is nothing to convert"
    there = f"there are {', '.join(importers)}" if importers else "there are no importers"
    return f"{path} is no file that an installed importer reads ({there})"


def _save(output: str, text: str, force: bool) -> None:
    from tttdit.checker.creating import create
    from tttdit.checker.rewriting import rewrite

    try:
        create(output, text.encode())
    except FileExistsError:
        if not force:
            raise UsageError(f"{output} is there already: --force replaces it") from None
        try:
            with open(output, "rb") as file:
                was = file.read()
        except OSError as error:
            raise UsageError(f"cannot write {output}: {error.strerror or error}") from None
        rewrite(output, text.encode(), was=was)
