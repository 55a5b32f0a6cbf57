"""What a shell may complete in a command line: codes of rules, stages of the spec that is named, keys that can be set.

Only what a shell takes as one plain word is offered: a spec of unknown origin says how its stages are called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from tttdit.core.errors import TttditError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_WORD = re.compile(r"[A-Za-z0-9_.+-]+=?")


def codes(_ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """The codes of all rules; behind a comma another one."""
    from tttdit.checker.pages import Pages
    from tttdit.core.plugin.registry import Registry

    before, comma, begun = incomplete.rpartition(",")
    pages = Pages.of(Registry.of_environment()).all
    named = {page.code: page.name for page in pages if page.code.startswith(begun.upper())}
    return [CompletionItem(f"{before}{comma}{code}", help=name) for code, name in named.items()]


def stages(ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """The stages of the first file that is named."""
    from tttdit.core.spec.document import read

    # where a value is still missing, click has left them among the rest
    paths = [*(ctx.params.get("paths") or ()), ctx.params.get("path"), *ctx.args]
    path = next(filter(None, paths), None)
    if path is None:
        return []
    try:
        written = read(path).values.get("stage")
    except TttditError:
        return []
    names = [stage.get("name") for stage in written if isinstance(stage, dict)] if isinstance(written, list) else []
    return _beginning((name for name in names if isinstance(name, str)), incomplete)


def settings(_ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """The keys that `--set` takes, with an equals sign."""
    return _beginning((f"{key}=" for key in _fields()), incomplete)


def number_keys(_ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """The keys that `tttdit solve` takes: those with numbers."""
    from tttdit.core.spec.domains import domain_of

    return _beginning((key for key, field in _fields().items() if domain_of(field) is not None), incomplete)


def memory_filters(_ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
    """What `--filter` of `tttdit memory` takes: the regions' keys, with an equals sign."""
    keys = [key.removeprefix("memory.") for key in _fields() if key.startswith("memory.")]
    return _beginning((f"{key}=" for key in [*keys, "fits"] if key not in ("plugin", "preset")), incomplete)


def _fields() -> dict[str, FieldInfo]:
    """Every key of our own tables and of the tables of all plugins; where two plugins have it, as the first has it."""
    from tttdit.checker.schema import environment_tables
    from tttdit.core.plugin.registry import Registry
    from tttdit.core.spec.tables import BASE_TABLES

    tables = list(BASE_TABLES.items())
    for key, by_plugin in environment_tables(Registry.of_environment()).items():
        tables += [(key, table) for table in by_plugin.values()]
    found: dict[str, FieldInfo] = {}
    for key, table in tables:
        for name, field in table.model_fields.items():
            found.setdefault(f"{key}.{name}", field)
    return found


def _beginning(words: Iterable[str], incomplete: str) -> list[CompletionItem[str]]:
    return [CompletionItem(word) for word in words if word.startswith(incomplete) and _WORD.fullmatch(word)]
