"""Other projects' files: whichever importer knows one reads it as a spec."""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import evolve

from tttdit.checker.rules.unusable_plugin import UnusablePlugin
from tttdit.core.errors import PluginError
from tttdit.core.findings import Change, Edit, Finding, Fix, Related, Removal, Renaming
from tttdit.core.plugin.importing import Imported
from tttdit.core.plugin.kinds import Importer
from tttdit.core.plugin.references import one_line
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec import keys
from tttdit.core.spec.document import Document
from tttdit.core.spec.layers import Layers
from tttdit.core.spec.sets import Set, as_layer
from tttdit.core.spec.stages import Curriculum, StageSpec


def importer_of(document: Document, registry: Registry) -> Importer | None:
    """The importer that knows this document; None for a spec, and for what nobody knows."""
    return importer_for(document.path, document.text, registry)


def importer_for(path: str, text: str, registry: Registry) -> Importer | None:
    """The importer that knows a file with this text."""
    for offer in registry.offers("importer"):
        importer = offer.announcement
        assert isinstance(importer, Importer)
        if importer.recognises(path, text):
            return importer
    return None


def read_with(importer: Importer, document: Document, registry: Registry) -> Imported:
    """What the importer makes of the file. One that fails at it has nothing but the finding that says so."""
    try:
        imported = registry.reader(importer)(document)
        assert isinstance(imported, Imported)
    except PluginError as error:
        why = str(error)
    except Exception as error:
        why = f'the importer "{importer.name}" fails: {one_line(error)}'
    else:
        return imported
    help = "this is a mistake in the importer, not in the file: please tell its authors"
    return Imported(name="", values={}, findings=(UnusablePlugin().finding(why, key="", help=help),))


def as_curriculum(
    importer: Importer,
    document: Document,
    imported: Imported,
    sets: tuple[Set, ...],
    default_plugins: Mapping[str, str],
) -> Curriculum:
    """The one stage that the file is, with what the command line sets over it."""
    if not imported.values:
        return Curriculum(imported.name, (), imported.findings)
    layers = Layers(default_plugins)
    layers.lay(imported.values, lambda path: imported.origins.get(path, ()))
    if sets:
        nested, by_path = as_layer(sets)
        layers.lay(nested, lambda path: by_path[path])
    written = {path: origin for path, origin in layers.origins.items() if origin != ()}
    assumed = frozenset(key for key in imported.assumed if not isinstance(written.get(keys.split(key)), Set))
    stage = StageSpec(imported.name, layers.values, document, None, written, imported.words, importer.name, assumed)
    return Curriculum(imported.name, (stage,), imported.findings, imported.replaces)


def in_its_words(finding: Finding, words: Mapping[str, str]) -> Finding:
    """A finding about a spec as one about the file that the spec was imported from."""
    if not words:
        return finding
    return evolve(
        finding,
        key=words.get(finding.key or "", finding.key),
        message=_translated(finding.message, words),
        help=_translated(finding.help, words),
        related=[_related(related, words) for related in finding.related],
        fix=_fix(finding.fix, words),
    )


def _translated(text: str, words: Mapping[str, str]) -> str:
    known = "|".join(re.escape(key) for key in sorted(words, key=len, reverse=True))
    return re.sub(rf"(?<![\w.])(?:{known})(?!\.?\w)", lambda match: words[match[0]], text)


def _related(related: Related, words: Mapping[str, str]) -> Related:
    return evolve(related, message=_translated(related.message, words), key=words.get(related.key or "", related.key))


def _fix(fix: Fix | None, words: Mapping[str, str]) -> Fix | None:
    """The fix, if the file has a key for everything that it changes."""
    if fix is None:
        return None
    changes = [_change(change, words) for change in fix.edits]
    known = tuple(change for change in changes if change is not None)
    return Fix(fix.applicability, known) if len(known) == len(changes) else None


def _change(change: Change, words: Mapping[str, str]) -> Change | None:
    if isinstance(change, Edit | Removal | Renaming):
        return evolve(change, key=words[change.key]) if change.key in words else None
    return change
