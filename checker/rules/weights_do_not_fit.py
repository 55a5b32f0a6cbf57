"""TTD712."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from tttdit.core.findings import Finding
from tttdit.core.rules import Rule
from tttdit.core.stage import BuiltStage
from tttdit.core.symbolic.dimension import formula_of
from tttdit.core.symbolic.formula import Formula, Number
from tttdit.core.wording import spoken, written

Shapes = Mapping[str, tuple[int, ...]]

# How many parameters are named.
_NAMED = 2


class WeightsDoNotFit(Rule):
    """What: the model of a stage has other parameters than that of the stage before.

    Why: a stage of a curriculum starts with the weights of the one before. They can be taken over only if both models have parameters of
    the same names and shapes: the length of the videos may change, and their size in pixels, but not the width, the heads, the layers,
    the patch, the text encoder's width or the latent channels. A mixer may be new where there was none; another one has other parameters.

    Example: `model.preset = "debug"` in the second stage of a curriculum whose base has "5B".

    Instead: the same model in all stages. Or, in the stage with the other one, `checkpoint.init_from`, weights that fit it: it does not
    start from the stage before then.

    Fix: none; which of the two models is meant, a person knows.
    """

    code = "TTD712"
    name = "weights-do-not-fit"

    def inspect(self, built: BuiltStage, before: BuiltStage | None) -> Iterator[Finding]:
        """One finding about all parameters, at the key that makes the first difference."""
        if before is None or not built.stage.inherits_weights:
            return
        difference = _Difference.between(before, built)
        if not difference.is_fatal(built):
            return
        causes = difference.causes(before, built)
        key, *others = causes or [_plugin_key(before, built)]
        told = f": {'; '.join(causes.values())}" if causes else ""
        yield self.finding(
            "\n".join([f"the weights of the stage before do not fit{told}", *difference.told()]),
            key=key,
            help="keep the model as it was, or write checkpoint.init_from, weights for this one",
            related=written(built.stage, {other: causes[other] for other in others}),
        )


@frozen
class _Difference:
    """What two models' parameters differ in."""

    reshaped: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]  # by name, before and now
    lost: tuple[str, ...]
    new: tuple[str, ...]
    repeated: tuple[int | None, int | None]  # layers that are all alike, before and now

    @classmethod
    def between(cls, before: BuiltStage, built: BuiltStage) -> _Difference:
        old, now = before.parameters, built.parameters
        return cls(
            {name: (old[name], now[name]) for name in now if name in old and old[name] != now[name]},
            tuple(name for name in old if name not in now),
            tuple(name for name in now if name not in old),
            (before.repeated, built.repeated),
        )

    def is_fatal(self, built: BuiltStage) -> bool:
        """Whether the old weights cannot be loaded: new parameters may begin anew where files of some project lack them altogether."""
        if self.reshaped or self.lost or self.repeated[0] != self.repeated[1]:
            return True
        if not self.new:
            return False
        from tttdit.core.plugin.weight_names import weight_names

        kept = [name for name in built.parameters if name not in self.new]
        return not any(
            all(map(names.is_added, self.new)) and not any(map(names.is_added, kept))
            for names in weight_names(built.stage.assembly.model)
        )

    def causes(self, before: BuiltStage, built: BuiltStage) -> dict[str, str]:
        """The keys behind it, each with what has changed: `D (model width) is 512 and was 3,072`."""
        sizes = [size for shapes in self.reshaped.values() for shape in shapes for size in shape]
        if self.repeated[0] != self.repeated[1]:
            sizes += [count for count in self.repeated if count is not None]
        dims, old = built.stage.dims, before.stage.dims
        found: dict[str, str] = {}
        for symbol in dict.fromkeys(name for size in sizes for name in sorted(formula_of(size).symbols())):
            for given in sorted(dims.expand(Formula.symbol(symbol), to_given=True).symbols()) if symbol in dims else ():
                value, was = dims.exact(given), old.exact(given) if given in old else None
                if value is not None and was is not None and value != was and dims.describe(given).keys:
                    found[dims.describe(given).keys[0]] = _changed(given, dims.describe(given).meaning, value, was)
        return found

    def told(self) -> Iterator[str]:
        """Parameters, a few of each kind."""
        for name, (was, now) in list(self.reshaped.items())[:1]:
            yield f"{name} is {[*map(int, now)]} and was {[*map(int, was)]}{_more(len(self.reshaped) - 1)}"
        for names, what in ((self.lost, "no place for"), (self.new, "no weights for")):
            if names:
                yield f"{what} {', '.join(names[:_NAMED])}{_more(len(names) - _NAMED)}"


def _changed(symbol: str, meaning: str, value: Number, was: Number) -> str:
    name = symbol if symbol == meaning else f"{symbol} ({meaning})"
    return f"{name} {'are' if symbol == meaning else 'is'} {spoken(value)} and {'were' if symbol == meaning else 'was'} {spoken(was)}"


def _more(count: int) -> str:
    return " and others" if count > 0 else ""


def _plugin_key(before: BuiltStage, built: BuiltStage) -> str:
    """Where no size explains it: the plugin that is another one."""
    changed = before.stage.assembly.mixer.name != built.stage.assembly.mixer.name
    return "model.mixer.plugin" if changed else "model.plugin"
