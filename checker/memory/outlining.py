"""Outlines of the structures that a sweep comes across: few, each recorded once, or put together from others, and kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import evolve

from tttdit.checker.memory.cache import Cache
from tttdit.checker.memory.likeness import Family, Likeness, Sheets, families, shortened, worth_seeing
from tttdit.checker.memory.recording import recorded
from tttdit.checker.memory.structures import Structure
from tttdit.core.stage import Stage
from tttdit.core.symbolic.atlas import Atlas
from tttdit.core.symbolic.atlas_text import atlas_of, text_of
from tttdit.core.symbolic.formula import Number
from tttdit.core.symbolic.sharding import Sharding
from tttdit.core.symbolic.stepping import Manner
from tttdit.core.symbolic.trace import WORLD


def stage_values(stage: Stage) -> dict[str, Number]:
    """The values of a stage's dimensions, as far as they have some."""
    values = {symbol: stage.dims.exact(symbol) for symbol in stage.dims}
    return {symbol: value for symbol, value in values.items() if value is not None}


class Outlines:
    """The atlas of a stage's structures, which the user's cache keeps: what is in there is not recorded again, unless all is to be made
    `anew`.
    """

    def __init__(self, stage: Stage, manner: Manner, *, anew: bool = False) -> None:
        self._stage, self._manner = stage, manner
        self._cache, self._key = Cache(stage), _key(stage, manner)
        WORLD.load(stage.assembly.model.module)  # whose custom operators the text speaks of
        if stage.assembly.mixer.module is not None:
            WORLD.load(stage.assembly.mixer.module)
        kept = None if anew else self._kept()
        self.atlas = kept if kept is not None else Atlas.empty()
        self._is_anew = anew

    def record(self, structures: Sequence[Structure]) -> Iterator[Structure]:
        """Records what is not there; gives each structure as it is ready, those from whose rows no longer ones follow without an outline.

        Raises what the modules raise.
        """
        missing = dict.fromkeys(structure for structure in structures if structure.name not in self.atlas)
        yield from (structure for structure in structures if structure not in missing)
        if not missing:
            return
        ready = set[Structure]()
        try:
            for structure in self._seen_and_alike(structures, {*missing}):
                ready.add(structure)
                yield structure
            yield from self._recorded([structure for structure in missing if structure not in ready])
        finally:
            self._keep()

    def _seen_and_alike(self, structures: Sequence[Structure], missing: set[Structure]) -> Iterator[Structure]:
        """What is recorded to see which layers do alike, and what follows from that."""
        every = {
            switches: family
            for switches, family in families(structures).items()
            if not missing.isdisjoint(family.values())
        }
        seen = worth_seeing(every)
        if len(seen) == len(every):
            return
        short = {switches: shortened(switches, family) for switches, family in every.items()}
        to_see = [one for switches in seen for family in (every, short) for one in family[switches].values()]
        # the longest first, so that no core is left with one of them at the end
        to_see.sort(key=lambda one: one.form.rows.layers, reverse=True)
        for structure in self._recorded([one for one in to_see if one.name not in self.atlas]):
            if structure in missing:
                yield structure
        likeness = Likeness(*([self._sheets(family[switches]) for switches in seen] for family in (every, short)))
        others = [one for switches, family in short.items() if switches not in seen for one in family.values()]
        for recorded_short in self._recorded(others):
            switches = recorded_short.switches
            if all(one.name in self.atlas for one in short[switches].values()):
                family = {form: one for form, one in every[switches].items() if one in missing}
                yield from self._put_together(family, likeness, self._sheets(short[switches]))
        for structure in {*to_see, *others}.difference(structures):
            self.atlas.sheets.pop(structure.name, None)

    def _put_together(self, family: Family, likeness: Likeness, short: Sheets) -> Iterator[Structure]:
        for form, structure in family.items():
            sheet = likeness.put_together(form, short)
            if sheet is not None:
                self.atlas.sheets[structure.name] = sheet
                yield structure

    def _recorded(self, structures: Sequence[Structure]) -> Iterator[Structure]:
        for structure, found in recorded(self._stage, structures, self._manner):
            if found is not None:
                self.atlas.add(structure.name, found)
            yield structure

    def _sheets(self, family: Family) -> Sheets:
        sheets = self.atlas.sheets
        return {form: sheets[one.name] for form, one in family.items() if one.name in sheets}

    def _kept(self) -> Atlas | None:
        text = self._cache.read("outlines", self._key)
        try:
            return atlas_of(text) if text is not None else None
        except (KeyError, TypeError, ValueError):  # no text of ours
            return None

    def _keep(self) -> None:
        """Keeps them, with what other processes have kept meanwhile."""
        kept = None if self._is_anew else self._kept()
        if kept is not None:
            self.atlas.join(kept)
        self._cache.write("outlines", self._key, text_of(self.atlas))


def _key(stage: Stage, manner: Manner) -> str:
    """What decides all outlines: all that is no size, and which sizes are 1, for those are left out of layouts."""
    sizes = {key for symbol in stage.dims for key in stage.dims.describe(symbol).keys}
    tables = {
        f"{name}.{field}": value
        for name, table in (("model", stage.model), ("model.mixer", stage.mixer))
        for field, value in table.model_dump(exclude={"mixer"}).items()
        if f"{name}.{field}" not in sizes and field != "preset"
    }
    ones = [symbol for symbol in stage.dims if stage.dims.exact(symbol) == 1]
    sharding = manner.sharding
    if (
        sharding is not None
    ):  # what matters is whether there are several; which sizes follow from how many, formulas know
        few = evolve(sharding, shards=min(2, sharding.shards), replicas=min(2, sharding.replicas))
        manner = evolve(manner, sharding=few)
    return f"{manner!r} {stage.assembly.of_a_step!r} {sorted(tables.items())!r} {ones!r} {_shares(stage, sharding)!r}"


def _shares(stage: Stage, sharding: Sharding | None) -> dict[str, int]:
    """Of each size what is left where tensor-parallel ranks share it out: where something is, they pad. Empty for one such rank."""
    if sharding is None or sharding.tensor == 1:
        return {}
    return {
        symbol: int(value % sharding.tensor) for symbol in stage.dims if (value := stage.dims.exact(symbol)) is not None
    }
