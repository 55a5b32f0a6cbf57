"""The example specs: what runs has nothing wrong, and what is broken has exactly the findings that it announces."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
import tomli

from tttdit.checker.api import check, check_paths
from tttdit.checker.report import StageReport
from tttdit.checker.schema import environment_schema
from tttdit.core.plugin.registry import Registry
from tttdit.core.spec.document import read

EXAMPLES = Path(__file__).parents[2] / "examples"
CLEAN = sorted(EXAMPLES.glob("*.toml"))
BROKEN = sorted((EXAMPLES / "broken").glob("*.toml"))

# F, S, T, L: of the public training runs, where the text's length was found by hand.
STAGES = {
    "3s": (13, 1, 498, 18_048),
    "9s": (37, 3, 502, 51_456),
    "18s": (73, 6, 503, 101_568),
    "30s": (121, 10, 497, 168_320),
    "63s": (253, 21, 458, 351_168),
}
SINGLE = {"three": "3s", "nine": "9s", "eighteen": "18s", "thirty": "30s", "sixty-three": "63s"}


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
def test_an_example_has_nothing_wrong(path: Path) -> None:
    report = check(path)
    assert report.findings == ()
    assert all(stage.proved and stage.shapes for file in report.files for stage in file.stages)


def numbers(stage: StageReport) -> tuple[int | None, ...]:
    return tuple(stage.dims[symbol] for symbol in ("F", "S", "T", "L"))


def test_the_curriculum_has_the_public_runs_numbers() -> None:
    (file,) = check(EXAMPLES / "curriculum.toml").files
    assert {stage.name: numbers(stage) for stage in file.stages} == STAGES


@pytest.mark.parametrize("name", SINGLE)
def test_a_single_example_has_them_too(name: str) -> None:
    (file,) = check(EXAMPLES / f"{name}-seconds.toml").files
    (stage,) = file.stages
    assert numbers(stage) == STAGES[SINGLE[name]]


def test_the_curriculum_says_what_the_single_examples_say() -> None:
    """The same stage, written twice, is the same stage."""
    (curriculum,) = check(EXAMPLES / "curriculum.toml").files
    by_name = {stage.name: stage for stage in curriculum.stages}
    for name, stage in SINGLE.items():
        (file,) = check(EXAMPLES / f"{name}-seconds.toml").files
        assert file.stages[0].dims == by_name[stage].dims
        assert file.stages[0].shapes == by_name[stage].shapes


def test_there_are_broken_examples_of_the_commonest_mistakes() -> None:
    assert len(BROKEN) >= 10


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_example_has_the_findings_that_it_announces_and_no_others(path: Path) -> None:
    expected = re.findall(r"^# expect: (.*)$", path.read_text(), re.MULTILINE)
    (file,) = check(path).files
    assert [finding.code for finding in file.findings] == expected[0].split()
    assert all(finding.span is not None for finding in file.findings)


def test_a_search_through_the_examples_passes_over_what_is_broken() -> None:
    report = check_paths([str(EXAMPLES)])
    assert report.unreadable == ()
    assert report.ok
    assert {Path(file.path) for file in report.files} >= set(CLEAN)
    assert not {Path(file.path) for file in report.files} & set(BROKEN)


def test_every_example_names_the_schema_in_its_first_line() -> None:
    for path in [*CLEAN, *BROKEN]:
        assert re.match(r"#:schema (\.\./)?tttdit\.schema\.json\n", read(path).text), path.name


def test_the_schema_beside_the_examples_is_what_the_program_prints() -> None:
    """`#:schema tttdit.schema.json` in their first line means that file; `tttdit schema > examples/tttdit.schema.json` renews it."""
    registry = Registry.of_environment()
    owners = {offer.owner.name for offer in registry.offers()}
    if owners != {"tttdit"}:
        pytest.skip(f"plugins of {', '.join(sorted(owners - {'tttdit'}))} are installed and would be in the schema")
    assert json.loads((EXAMPLES / "tttdit.schema.json").read_text(encoding="utf-8")) == environment_schema(registry)


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
def test_the_examples_are_valid_by_the_schema(path: Path) -> None:
    schema = json.loads((EXAMPLES / "tttdit.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(tomli.loads(path.read_text(encoding="utf-8")), schema)
