"""What may be written where the cursor stands: tables, keys, and the values that a key chooses from."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator

from attrs import frozen
from lsprotocol import types

from tttdit.checker.assembling import KIND_OF
from tttdit.checker.importing import importer_of
from tttdit.checker.lsp.analysis import Analysis
from tttdit.checker.lsp.positions import Positions
from tttdit.checker.lsp.tables import StageTables
from tttdit.checker.lsp.wording import choices, takes
from tttdit.core.spec import keys, writing
from tttdit.core.spec.document import Document
from tttdit.core.spec.stages import StageSpec
from tttdit.core.spec.tables import BASE_TABLES
from tttdit.core.spec.wording import keys_of

# What makes an editor ask by itself.
TRIGGERS = ["[", ".", "=", '"']

_HEADER_ABOVE = re.compile(r"^[ \t]*(\[\[?)[ \t]*([\w.-]+)[ \t]*\]", re.MULTILINE)
_HEADER = re.compile(r"[ \t]*\[{1,2}[ \t]*(?P<typed>[\w.-]*)")
_VALUE = re.compile(r"[ \t]*(?P<key>[\w-]+(?:\.[\w-]+)*)[ \t]*=[ \t]*(?P<typed>\"?[\w.-]*)")
_KEY = re.compile(r"[ \t]*(?P<typed>(?:[\w-]+\.)*[\w-]*)")
_STAGE = "stage"
_TABLES = tuple(dict.fromkeys([*BASE_TABLES, *KIND_OF]))


@frozen
class _Offer:
    text: str
    kind: types.CompletionItemKind
    detail: str = ""
    meaning: str = ""


@frozen
class _Cursor:
    """Where the cursor stands: below which header, in which stage, and what the stage has so far without the line itself."""

    table: tuple[str, ...]  # () above all headers; without `stage`
    spec: StageSpec
    in_stage: bool

    def written(self, key: str) -> bool:
        """Whether the file states a key here."""
        above: tuple[str | int, ...] = (_STAGE, self.spec.index or 0) if self.in_stage else ()
        return (*above, *keys.split(key)) in self.spec.document.places


def completions(known: Analysis, position: types.Position, positions: Positions) -> list[types.CompletionItem]:
    """What may stand at the cursor; nothing inside texts, comments and arrays, nor in another project's file."""
    if importer_of(known.document, known.checker.registry) is not None:
        return []
    text, at = known.document.text, positions.offset(position)
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at) if "\n" in text[at:] else len(text)
    for pattern, offers in ((_HEADER, _headers), (_VALUE, _values), (_KEY, _keys)):
        match = pattern.fullmatch(text[start:at])
        if match is not None:
            cursor = _cursor(known, text[:start], text[end:])
            tables = StageTables.of(cursor.spec, known.checker.registry)
            quotes = match["typed"].startswith('"') and text.startswith('"', at)  # the editor has closed them already
            place = positions.between(start + match.start("typed"), at + quotes)
            return [_item(offer, place) for offer in offers(match, cursor, tables)]
    return []


def _cursor(known: Analysis, above: str, below: str) -> _Cursor:
    headers = [(brackets, tuple(name.split("."))) for brackets, name in _HEADER_ABOVE.findall(above)]
    table = headers[-1][1] if headers else ()
    number = sum(brackets == "[[" and name == (_STAGE,) for brackets, name in headers) - 1
    in_stage = table[:1] == (_STAGE,)
    document = Document.parse(above + below, known.document.path)
    every = known.checker.curriculum(document).stages if document.is_readable else ()
    specs = [one for one in every if not in_stage or one.index == number]
    spec = specs[0] if specs else StageSpec("", {}, document)
    return _Cursor(table[1:] if in_stage else table, spec, in_stage)


def _headers(match: re.Match[str], cursor: _Cursor, tables: StageTables) -> Iterator[_Offer]:
    meaning = "The stages of a curriculum, one after the other."
    yield _Offer(_STAGE, types.CompletionItemKind.Class, "array of tables", meaning)
    for table in _TABLES:
        yield _table(table, tables)


def _keys(match: re.Match[str], cursor: _Cursor, tables: StageTables) -> Iterator[_Offer]:
    """The keys of the table that are not written yet; above all tables, and in a stage, the tables too."""
    dotted = match["typed"].rpartition(".")[0]
    prefix = f"{dotted}." if dotted else ""
    around = ".".join([*cursor.table, *([dotted] if dotted else [])])
    if not around:
        yield from (_table(table, tables) for table in _TABLES)
        yield _Offer("name", types.CompletionItemKind.Property, "text", "What reports and folders call it.")
    table = tables.tables.get(around)
    for name in keys_of(table) if table is not None else ():
        key = f"{around}.{name}"
        if table is not None and not cursor.written(key):
            meaning = table.model_fields[name].description or ""
            yield _Offer(f"{prefix}{name}", types.CompletionItemKind.Property, takes(table, name), meaning)


def _values(match: re.Match[str], cursor: _Cursor, tables: StageTables) -> Iterator[_Offer]:
    """The choices of the key; of a table that names no plugin yet, the plugins."""
    key = ".".join([*cursor.table, match["key"]])
    around, _, name = key.rpartition(".")
    table = tables.tables.get(around)
    names: Iterable[object] = tables.names(key)
    if table is not None and name in table.model_fields:
        names = names or choices(table, name)
    for value in names:
        yield _Offer(writing.value(value), types.CompletionItemKind.Value, meaning=_summary(key, value, tables))


def _summary(key: str, value: object, tables: StageTables) -> str:
    """What the plugin of this name is."""
    kind = tables.kind_named_by(key)
    offers = tables.registry.offers(kind) if kind is not None else ()
    return next((offer.announcement.summary for offer in offers if offer.announcement.name == value), "")


def _table(key: str, tables: StageTables) -> _Offer:
    table = tables.tables.get(key)
    meaning = inspect.cleandoc(table.__doc__ or "") if table is not None else ""
    return _Offer(key, types.CompletionItemKind.Class, "table", meaning)


def _item(offer: _Offer, place: types.Range) -> types.CompletionItem:
    return types.CompletionItem(
        label=offer.text,
        kind=offer.kind,
        detail=offer.detail or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, offer.meaning) if offer.meaning else None,
        text_edit=types.TextEdit(place, offer.text),
    )
