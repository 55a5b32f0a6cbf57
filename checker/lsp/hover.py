"""What a key, a table or a plugin's name means, and what follows from it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from lsprotocol import types
from pydantic.fields import FieldInfo

from tttdit.checker.lsp import markdown
from tttdit.checker.lsp.analysis import Analysis
from tttdit.checker.lsp.memory import needs
from tttdit.checker.lsp.numbers import numbers
from tttdit.checker.lsp.positions import Positions
from tttdit.checker.lsp.subjects import Subject, pointed, subject
from tttdit.checker.lsp.tables import ABSENT, StageTables, value_at
from tttdit.checker.lsp.wording import takes
from tttdit.checker.resolving import Resolved
from tttdit.core.plugin.kinds import Announcement
from tttdit.core.plugin.registry import NOUNS, Registry
from tttdit.core.spec import keys
from tttdit.core.spec.keys import Path
from tttdit.core.spec.wording import either, show

_NAME = "What reports and folders call it."
_STAGE = "A stage of a curriculum: it inherits every table from above the first stage, and overrides them key by key."


def hover(known: Analysis, position: types.Position, positions: Positions) -> types.Hover | None:
    """What is known of the place under the cursor."""
    at = pointed(known.document, positions.offset(position))
    if at is None:
        return None
    if at.path[:1] == ("stage",) and len(at.path) <= 2:
        paragraphs = [_STAGE]
    elif at.path == ("name",) or (at.path[:1] == ("stage",) and at.path[2:] == ("name",)):
        paragraphs = [_NAME]
    else:
        about, own = subject(at.path, known.stages), [*_of_file(at.path, known)]
        said = _said if not own else _said_of_spec
        paragraphs = own + ([*said(about, known.checker.registry, on_value=at.on_value)] if about is not None else [])
        if paragraphs and about is not None and about.path[0] == "memory":
            paragraphs += _of_step(about, known)
    if not paragraphs:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, "\n\n".join(paragraphs))
    return types.Hover(content, positions.between(at.extent.start, at.extent.end))


def _of_step(about: Subject, known: Analysis) -> Iterator[str]:
    """What the training step needs in the stages where a table, or a key of it, is in force."""
    is_table = len(about.path) == 1
    if about.in_force or is_table:
        yield from needs([(one.spec.name, known.report_of(one)) for one in about.stages], with_parts=is_table)


def _of_file(path: Path, known: Analysis) -> Iterator[str]:
    """What another project's table or key means there, where its importer tells."""
    tables = known.imported.tables if known.imported is not None else {}
    if path in tables:
        yield inspect.cleandoc(tables[path].__doc__ or "")
        return
    table = tables.get(path[:-1])
    field = table.model_fields.get(str(path[-1])) if table is not None else None
    if table is not None and field is not None:
        yield f"**{markdown.code(keys.join(path))}**: {takes(table, str(path[-1]))}{_default(field)}"
        if field.description:
            yield field.description


def _said_of_spec(about: Subject, registry: Registry, *, on_value: bool) -> Iterator[str]:
    """The spec's key that another project's is, and what follows from it."""
    tables, value = StageTables.of(about.stages[0].spec, registry), value_at(about.stages[0].spec.values, about.path)
    is_known = about.key not in about.stages[0].spec.assumed
    yield f"In a spec: {markdown.code(f'{about.key} = {show(value)}' if is_known else about.key)}."
    if on_value and is_known and (plugin := tables.plugin_named_by(about.key)) is not None:
        yield _of_plugin(plugin, registry)
    yield from _following(about, tables)


def _said(about: Subject, registry: Registry, *, on_value: bool) -> Iterator[str]:
    tables = StageTables.of(about.stages[0].spec, registry)
    if about.key in tables.tables:
        yield from _of_table(about, tables)
        return
    table = tables.tables.get(keys.join(about.path[:-1]))
    field = table.model_fields.get(str(about.path[-1])) if table is not None else None
    if table is None or field is None:
        return
    plugin = tables.plugin_named_by(about.key) if on_value else None
    if plugin is not None:
        yield _of_plugin(plugin, registry)
    names = tables.names(about.key)
    what = either([show(name) for name in names]) if names else takes(table, str(about.path[-1]))
    key = markdown.code(about.key)
    title = f"**{markdown.code(keys.join(about.place))}**, in a spec {key}" if about.is_imported else f"**{key}**"
    yield f"{title}: {what}{_default(field)}"
    if field.description:
        yield field.description
    yield from _following(about, tables)


def _following(about: Subject, tables: StageTables) -> Iterator[str]:
    """What holds of a key besides its meaning: where its value is in force, its preset, its numbers."""
    yield from _in_force(about)
    yield from _of_preset(about, tables)
    yield from numbers(about.key, [one.stage for one in about.stages if one.stage is not None])


def _default(field: FieldInfo) -> str:
    is_told = not field.is_required() and field.default is not None
    return f"; default {markdown.code(show(field.default))}" if is_told else ""


def _in_force(about: Subject) -> Iterator[str]:
    """Where the value holds, what it overrides, and what `"auto"` has been solved to."""
    if not about.in_force:
        yield "No stage uses this value: each has its own."
        return
    names = [markdown.code(one.spec.name) for one in about.stages]
    for one, name in zip(about.stages, names, strict=True):
        of_stage = f" in stage {name}" if len(names) > 1 else ""
        for chosen in one.chosen:
            if chosen.key == about.key:
                yield f'`"auto"` is **{show(chosen.value)}**{of_stage}: {chosen.reason}.'
    if about.is_inherited:
        yield f"Inherited by {'the stage' if len(names) == 1 else f'{len(names)} stages:'} {', '.join(names)}."
    elif about.stages[0].spec.index is not None:
        base = value_at(about.stages[0].spec.document.values, about.path)
        instead = f"; the base says {markdown.code(show(base))}" if base is not ABSENT else ""
        yield f"In the stage {names[0]}{instead}."


def _of_preset(about: Subject, tables: StageTables) -> Iterator[str]:
    """What a preset sets."""
    table, name = keys.join(about.path[:-1]), value_at(about.stages[0].spec.values, about.path)
    if about.path[-1] == "preset" and isinstance(name, str) and name in tables.presets(table):
        values = tables.presets(table)[name].items()
        yield markdown.table(
            ("key", "value"), ((markdown.code(key), markdown.code(show(value))) for key, value in values)
        )


def _of_table(about: Subject, tables: StageTables) -> Iterator[str]:
    """What a table is for and, of one stage, every key of it that has a value."""
    table, plugin = tables.tables[about.key], tables.plugins.get(about.key)
    yield inspect.cleandoc(table.__doc__ or "")
    if plugin is not None:
        yield _of_plugin(plugin, tables.registry)
    if len(about.stages) == 1:
        rows = [
            row
            for name, field in table.model_fields.items()
            if name != "plugin" and (row := _row(about.key, name, field, about.stages[0], tables)) is not None
        ]
        yield markdown.table(("key", "value", "from"), rows)


def _row(table: str, name: str, field: FieldInfo, one: Resolved, tables: StageTables) -> tuple[str, str, str] | None:
    """A key's value in force and where it comes from; None for one that is left out."""
    key = f"{table}.{name}"
    written, preset = (value_at(one.spec.values, keys.split(place)) for place in (key, f"{table}.preset"))
    given = tables.presets(table).get(preset, {}) if isinstance(preset, str) else {}
    if written is not ABSENT:
        solved = next((f" = {chosen.value}" for chosen in one.chosen if chosen.key == key), "")
        return markdown.code(name), markdown.code(f"{show(written)}{solved}"), "the file"
    if name in given:
        return markdown.code(name), markdown.code(show(given[name])), f"preset {markdown.code(str(preset))}"
    if field.is_required() or field.default is None:
        return None
    return markdown.code(name), markdown.code(show(field.default)), "default"


def _of_plugin(plugin: Announcement, registry: Registry) -> str:
    kind = next(offer.kind for offer in registry.offers() if offer.announcement is plugin)
    return f"{markdown.code(plugin.name)}, a {NOUNS[kind][0]} of {registry.owner(plugin)}: {plugin.summary}"
