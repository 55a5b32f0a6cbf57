"""Puts a plan into the file that the spec came from; every byte that no plan is about stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tttdit.checker.inputs import STDIN_NAME
from tttdit.checker.memory.settings import Setting, own_setting
from tttdit.checker.rewriting import rewrite
from tttdit.core.errors import UsageError
from tttdit.core.findings import Edit
from tttdit.core.spec.document import Document
from tttdit.core.spec.editing.changing import changed
from tttdit.core.spec.stages import StageSpec
from tttdit.core.stage import Stage


def refuse_unwritable(document: Document, specs: Iterable[StageSpec], sets: Iterable[str]) -> None:
    """Raises UsageError where a plan could not be written into the document, or would not be one for it."""
    if document.path == STDIN_NAME:
        raise UsageError("--write needs a file: standard input cannot be written")
    if any(sets):
        raise UsageError("--write is for the spec as it stands in its file: leave --set out")
    if any(spec.importer is not None for spec in specs):
        raise UsageError(
            f"{document.path} is another project's file: tttdit convert makes a spec of it, which --write can change"
        )


def plan_edits(spec: StageSpec, stage: Stage, setting: Setting, others: Mapping[str, int]) -> list[Edit]:
    """What to change so that a stage has this setting, and these values for other keys. What it has already is left alone."""
    own = own_setting(stage).values
    values: dict[str, object] = {key: value for key, value in others.items() if _value(stage, key) != value}
    values |= {f"memory.{key}": value for key, value in setting.values.items() if own[key] != value}
    place = "" if spec.index is None else f"stage[{spec.index}]."
    return [Edit(f"{place}{key}", value) for key, value in values.items()]


def write_edits(document: Document, edits: Iterable[Edit]) -> None:
    """Makes the changes in the document's file. Raises UsageError, with the file as it was, where it cannot be written."""
    rewrite(document.path, changed(document, edits).source, was=document.source)


def _value(stage: Stage, key: str) -> object:
    table, _, name = key.partition(".")
    return getattr(getattr(stage, table), name)
