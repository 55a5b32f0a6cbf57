"""Every rule has a case: a spec that breaks it, one just beside that does not, and what is printed about the first.

`cases/CODE/` holds `broken.toml`, `right.toml`, `message.txt` and, where a command line has to say more, `options.json`: {"sets":
["video.seconds=9"], "allow": ["plugin.py"], "verify": "small", "data": true, "prompts": "storyboards.json", "without": ["torch"]}
(modules that are not there). Rules are found as the checker finds them, so that a new one without a case fails here.
`TTTDIT_SNAPSHOTS=write pytest tests/rules` writes the messages anew; read them before committing.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from attrs import evolve

from tttdit.checker.api import check_paths
from tttdit.checker.pages import Pages, RulePage
from tttdit.checker.render import full
from tttdit.checker.render.closing import closing
from tttdit.checker.render.paint import Paint
from tttdit.checker.report import Report
from tttdit.core.plugin.registry import Registry
from tttdit.core.running.storyboard import read_storyboards

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "cases"
WRITES = os.environ.get("TTTDIT_SNAPSHOTS") == "write"

# How many lines a spec and the one just beside may differ in.
MOST_CHANGED = 6

FOUND = Pages.of(Registry.of_environment())
OURS = [page for page in FOUND.all if page.owner == "tttdit"]


@pytest.fixture(params=OURS, ids=[page.code for page in OURS])
def page(request: pytest.FixtureRequest) -> RulePage:
    """The page of one rule after the other."""
    return request.param


@pytest.fixture
def case(page: RulePage, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the rule's case, as the current one; modules of its plugins are forgotten afterwards."""
    folder = CASES / page.code
    missing = [name for name in ("broken.toml", "right.toml") if not (folder / name).is_file()]
    assert not missing, f"{page.code} {page.name} has no case: tests/rules/cases/{page.code} lacks {missing}"
    monkeypatch.chdir(folder)
    yield folder
    for name, module in [*sys.modules.items()]:
        if (getattr(module, "__file__", None) or "").startswith(f"{folder}{os.sep}"):
            del sys.modules[name]


def checked(folder: Path, name: str) -> Report:
    """The report on one of a case's specs, as its options ask for it."""
    options = json.loads(text) if (text := contents(folder / "options.json")) else {}
    verify = options.get("verify")
    if verify is not None:
        pytest.importorskip("torch")
    with without(options.get("without", ())):
        return check_paths(
            [name],
            sets=options.get("sets", ()),
            allowed=options.get("allow", ()),
            verify=verify,
            data=options.get("data", False),
            storyboards=read_storyboards(Path(options["prompts"])) if "prompts" in options else (),
        )


@contextmanager
def without(modules: Sequence[str]) -> Iterator[None]:
    """As if these modules were not there."""
    before = {name: sys.modules[name] for name in modules if name in sys.modules}
    sys.modules.update(dict.fromkeys(modules))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]
        sys.modules.update(before)


def contents(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def of_code(report: Report, code: str) -> Report:
    """The report with the findings of one code only."""
    (file,) = report.files
    return evolve(report, files=(evolve(file, findings=[one for one in file.findings if one.code == code]),))


def printed(report: Report, folder: Path) -> str:
    """What a terminal shows of the findings, without the last line's counts; the same wherever the repository lies.

    Of places in tttdit's own sources the file is kept and the line is not.
    """
    lines = [*full.findings(report, Paint())]
    text = "\n".join(lines[: len(lines) - len([*closing(report, Paint())])]).rstrip() + "\n"
    text = text.replace(f"{folder}{os.sep}", "")
    return re.sub(rf"{re.escape(str(ROOT))}{os.sep}([\w/]+\.py):\d+", r"\1", text)


def test_every_rule_can_be_read() -> None:
    assert FOUND.problems == ()


def test_every_code_and_every_name_stands_for_one_rule() -> None:
    for identities in ([page.code for page in OURS], [page.name for page in OURS]):
        assert sorted(set(identities)) == sorted(identities)


def test_every_case_is_one_of_a_rule() -> None:
    assert {folder.name for folder in CASES.iterdir() if folder.is_dir()} <= {page.code for page in OURS}


def test_a_name_is_words_and_dashes(page: RulePage) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", page.name)


def test_a_page_has_all_paragraphs(page: RulePage) -> None:
    assert all([page.what, page.why, page.example, page.instead, page.fix])
    assert re.match(r"(safe|unsafe|shown only|none)\b", page.fix), page.fix


def test_the_broken_spec_breaks_the_rule_and_its_page_is_right(page: RulePage, case: Path) -> None:
    """Severity and applicability are those that the page states; a paragraph about fixes may go on to name exceptions."""
    report = of_code(checked(case, "broken.toml"), page.code)
    findings = report.findings
    assert findings
    assert json.loads(report.to_json())["files"][0]["findings"][0]["code"] == page.code
    assert {finding.severity for finding in findings} == {page.severity}
    fixes = {finding.fix.applicability for finding in findings if finding.fix is not None}
    if page.fix_safety == "none":
        assert fixes == set()
    else:
        assert page.fix_safety in fixes
        assert all(re.search(rf"\b{word}\b", page.fix, re.IGNORECASE) for word in fixes)


def test_the_right_spec_does_not_break_it(page: RulePage, case: Path) -> None:
    report = checked(case, "right.toml")
    assert report.ok, printed(report, case)
    assert of_code(report, page.code).findings == (), printed(report, case)


def test_the_two_stand_side_by_side(page: RulePage, case: Path) -> None:
    broken, right = ((case / name).read_bytes().splitlines() for name in ("broken.toml", "right.toml"))
    changes = SequenceMatcher(None, broken, right, autojunk=False).get_opcodes()
    changed = sum(max(to - start, new_to - new) for kind, start, to, new, new_to in changes if kind != "equal")
    assert 1 <= changed <= MOST_CHANGED


def test_what_is_printed(page: RulePage, case: Path) -> None:
    text = printed(of_code(checked(case, "broken.toml"), page.code), case)
    snapshot = case / "message.txt"
    if WRITES:
        snapshot.write_text(text, encoding="utf-8")
    assert text == contents(snapshot)
