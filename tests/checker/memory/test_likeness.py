"""What is put together from short forms is what a record of the whole says, and what does not follow is recorded."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from pathlib import Path

import pytest
from small_specs import TWO_LAYERS, small_stage

from tttdit import load_spec
from tttdit.checker.memory import outlining
from tttdit.checker.memory.likeness import Likeness, Sheets, families, worth_seeing
from tttdit.checker.memory.outlining import Outlines
from tttdit.checker.memory.predicting import manner_of
from tttdit.checker.memory.prediction import Runtime
from tttdit.checker.memory.settings import settings
from tttdit.checker.memory.structures import Form, Structure, structure_of
from tttdit.core.stage import Stage
from tttdit.core.symbolic.atlas import Atlas, Sheet
from tttdit.core.symbolic.formula import Formula
from tttdit.core.symbolic.outline import Outline, RunOutline
from tttdit.core.symbolic.periods import Rows, Who, grouping
from tttdit.core.symbolic.stepping import Manner

LAYERS = 18
OWN, SHORT = Form((), Rows(1, 6)), Form((), Rows(1, 3))


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTTDIT_CACHE", "")


def manner(stage: Stage, device: str = "cuda", runtime: Runtime = "fsdp2") -> Manner:
    return manner_of(stage, device=device, dtype=stage.parallelism.unsharded_dtype, runtime=runtime)


def structures(stage: Stage, manner: Manner, **fixed: bool) -> list[Structure]:
    """Those of all settings in which these switches are fixed, so that there are fewer."""
    group = grouping(stage)
    assert group is not None
    found = {}
    for one in settings(stage, fixed):
        size = int(one.values[group]) or LAYERS
        found[structure_of(stage, one.values, Rows(LAYERS // size, size), manner)] = None
    return [*found]


@pytest.fixture
def plain(tmp_path: Path) -> Stage:
    """A stage without a mixer, whose layers are soon recorded."""
    path = tmp_path / "plain.toml"
    path.write_text(TWO_LAYERS)
    (stage,) = load_spec(path, sets=[f"model.layers={LAYERS}"]).stages
    return stage


def said(atlas: Atlas, structure: Structure) -> object:
    """An outline in words that mean the same in any atlas."""
    sizes, tasks, runs = [*map(str, atlas.sizes)], [*map(str, atlas.tasks)], [*atlas.runs]

    def told(numbers: tuple[tuple[int, int], ...] | None, table: list[str]) -> Mapping[str, int] | None:
        return None if numbers is None else {table[number]: count for number, count in numbers}

    sheet = atlas.sheets[structure.name]
    return sheet.whos, [
        (
            told(run.change, sizes),
            [told(top, sizes) for top in run.tops],
            told(run.saved, sizes),
            told(run.flops, tasks),
            told(run.recomputed, tasks),
        )
        for run in (runs[number] for number in sheet.runs)
    ]


def compare(stage: Stage, manner: Manner, every: list[Structure], monkeypatch: pytest.MonkeyPatch) -> None:
    """What all structures are found to be against the records of some that are put together."""
    seen = worth_seeing(families(every))
    put_together = [one for one in every if one.switches not in seen]
    found, whole = Outlines(stage, manner), Outlines(stage, manner)
    assert {*found.record(every)} == {*every}
    assert found.atlas.sheets.keys() == {structure.name for structure in every}
    some = random.Random(0).sample(put_together, 5)
    monkeypatch.setattr(outlining, "worth_seeing", list)
    assert {*whole.record(some)} == {*some}
    for structure in some:
        assert said(found.atlas, structure) == said(whole.atlas, structure), structure.name


def test_what_is_put_together_is_what_is_recorded(plain: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    on_cpu = manner(plain, "cpu", "plain")
    compare(plain, on_cpu, structures(plain, on_cpu, attention=True), monkeypatch)


def test_with_a_mixer_and_on_ranks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = small_stage(f"model.layers={LAYERS}")
    on_ranks = manner(stage)
    compare(stage, on_ranks, structures(stage, on_ranks, attention=True, mlp=False), monkeypatch)


class Recorded:
    """Stands for `recorded`: makes outlines, and remembers of what. A run does what its switches and its place in the group say."""

    def __init__(self, *, alike: bool = True) -> None:
        self._alike, self.structures = alike, list[Structure]()

    def __call__(
        self, stage: Stage, structures: Sequence[Structure], manner: Manner
    ) -> Iterator[tuple[Structure, Outline]]:
        for structure in structures:
            self.structures.append(structure)
            yield structure, self._outline(structure)

    def _outline(self, structure: Structure) -> Outline:
        rows, tasks = structure.form.rows, {}
        runs: list[tuple[Who, RunOutline]] = []
        grouped = any(size for _, size in structure.form.groups)
        for layer in range(rows.layers):
            group, place = rows.place(layer)
            many = rows.size > 2, rows.size > 1
            what = (grouped, many, place == 0, place == rows.length(group) - 1, structure.switches)
            which = str(what if self._alike else (structure, layer))
            number = tasks.setdefault(Formula.symbol(which), len(tasks))
            runs.append((("forward", group, -1, place), RunOutline((), (), None, ((number, 1),), ())))
        return Outline(rows, tuple(runs), (), tuple(tasks))


@pytest.mark.parametrize("alike", [True, False])
def test_what_does_not_follow_is_recorded(plain: Stage, alike: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    records = Recorded(alike=alike)
    monkeypatch.setattr(outlining, "recorded", records)
    on_ranks = manner(plain)
    every = structures(plain, on_ranks)
    found, whole = Outlines(plain, on_ranks), Outlines(plain, on_ranks)
    assert sorted(one.name for one in found.record(every)) == sorted(one.name for one in every)
    assert (len({*records.structures} & {*every}) == len(every)) == (not alike)
    monkeypatch.setattr(outlining, "worth_seeing", list)
    assert [*whole.record(every)] == every
    assert found.atlas.sheets.keys() == whole.atlas.sheets.keys()
    for structure in every:
        assert said(found.atlas, structure) == said(whole.atlas, structure), structure.name


def sheets(own: str, short: str, whos: str = "") -> tuple[Sheets, Sheets]:
    """Of a family, with a letter for each run."""
    return {OWN: sheet(OWN, own, whos)}, {SHORT: sheet(SHORT, short)}


def sheet(form: Form, runs: str, whos: str = "") -> Sheet:
    named = whos or runs
    return Sheet(form.rows, tuple((f"{at}", 0, -1, at) for at, _ in enumerate(named)), tuple(map(ord, runs)))


def put_together(seen: list[tuple[Sheets, Sheets]], short: str) -> str | None:
    own, shorts = zip(*seen, strict=True)
    found = Likeness(own, shorts).put_together(OWN, {SHORT: sheet(SHORT, short)})
    return None if found is None else "".join(map(chr, found.runs))


def test_runs_are_those_of_places_that_were_alike() -> None:
    assert put_together([sheets("abbbbc", "abc"), sheets("deeeef", "def")], "xyz") == "xyyyyz"


def test_what_was_alike_once_only_is_not_alike() -> None:
    assert put_together([sheets("abbbbc", "abc"), sheets("deegef", "def")], "xyz") is None


def test_places_that_were_alike_have_to_stay_so() -> None:
    seen = [sheets("aabbbb", "aab"), sheets("ccdddd", "ccd")]
    assert put_together(seen, "xxy") == "xxyyyy"
    assert put_together(seen, "xyy") is None


def test_others_in_another_order_are_not_put_together() -> None:
    assert put_together([sheets("aab", "ab"), sheets("ccd", "cd")], "xyz") is None
    assert put_together([sheets("aab", "ab"), sheets("ccdd", "cd")], "xy") is None


def family(*switches: bool) -> list[Structure]:
    values = tuple(zip("abcde", switches, strict=False))
    return [Structure(values, Form((("groups", size),), rows)) for size, rows in FORMS]


FORMS = ((0, Rows(1, 6)), (6, Rows(1, 6)), (6, Rows(3, 6)), (3, Rows(3, 3)), (2, Rows(3, 2)), (1, Rows(4, 1)))


def test_each_two_switches_are_seen_in_all_positions() -> None:
    every = families(one for switches in product((False, True), repeat=5) for one in family(*switches))
    seen = worth_seeing(every)
    assert len(seen) < 8
    for one, other in combinations(range(5), 2):
        assert {(switches[one][1], switches[other][1]) for switches in seen} == {*product((False, True), repeat=2)}


def test_few_families_are_all_recorded() -> None:
    every = families(one for switches in product((False, True), repeat=2) for one in family(*switches))
    assert worth_seeing(every) == [*every]


def test_a_family_without_some_forms_is_none() -> None:
    whole, part = family(True), family(False)[1:]
    assert [*families([*whole, *part])] == [whole[0].switches]
