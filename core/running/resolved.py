"""A spec as it was resolved, every default written out: what a run stores first of all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from tttdit.core.spec.layers import SLOTS
from tttdit.core.spec.tables import BASE_TABLES
from tttdit.core.spec.writing import key, value
from tttdit.core.stage import Stage
from tttdit.core.unknowns import unknowns

_PLUGIN_TABLES = {"model.mixer": "mixer", "sampling": "sampling"}  # where a stage calls a table otherwise than a spec


def resolved_text(name: str, stages: Sequence[Stage]) -> str:
    """The stages as a spec that means the same, whatever defaults become; one stage alone is a spec without `[[stage]]`."""
    lines = [f"name = {value(name)}"]
    single = len(stages) == 1
    for stage in stages:
        lines += [] if single else ["", "[[stage]]", f"name = {value(stage.name)}"]
        for table, content in _tables(stage):
            lines += ["", f"[{table if single else f'stage.{table}'}]"]
            lines += [f"{key((field,))} = {value(each)}" for field, each in content.items()]
    return "\n".join(lines) + "\n"


def _tables(stage: Stage) -> Iterator[tuple[str, dict[str, Any]]]:
    for table in (*BASE_TABLES, *SLOTS):
        content = getattr(stage, _PLUGIN_TABLES.get(table, table))
        if isinstance(content, BaseModel):
            found = {one.key: int(stage.dims[one.symbol]) for one in unknowns(stage.text)} if table == "text" else {}
            yield (
                table,
                {
                    name: found.get(f"{table}.{name}", each)
                    for name, each in content.model_dump(exclude_none=True).items()
                },
            )
