"""Comments and options that silence findings, and comments that silence none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tttdit.checker.api import check
from tttdit.checker.checking import Checker
from tttdit.checker.fixing import SAFE, fix
from tttdit.checker.report import FileReport
from tttdit.core.errors import UsageError
from tttdit.core.findings import Finding
from tttdit.core.spec.document import Document, read

ROOT = Path(__file__).parents[2]
BROKEN = sorted((ROOT / "examples" / "broken").glob("*.toml"))
CLEAN = sorted((ROOT / "examples").glob("*.toml"))

Check = Callable[..., FileReport]


def codes(file: FileReport) -> list[str]:
    return [finding.code for finding in file.findings]


def silenced(text: str, findings: tuple[Finding, ...]) -> str:
    """The text with a comment for each finding: on the line where it ends, or, for one without a place, above everything."""
    lines = text.split("\n")
    wanted: dict[int, dict[str, None]] = {}
    for finding in findings:
        line = finding.span.end_line if finding.span is not None else 0
        wanted.setdefault(line, {})[finding.code] = None
    for line, found in wanted.items():
        if line:
            lines[line - 1] += f"  # tttdit: ignore[{', '.join(found)}] tried"
    above = [f"# tttdit: ignore[{', '.join(wanted[0])}]"] if 0 in wanted else []
    return "\n".join([*above, *lines])


# -- a comment


def test_a_comment_silences_its_code_on_its_line(check_spec: Check) -> None:
    file = check_spec("tokens_per_segment = 493  # tttdit: ignore[TTD201] padded by the loader")
    assert (codes(file), file.ok, file.silenced) == ([], True, 1)
    assert file.stages[0].ok


def test_another_code_does_not(check_spec: Check) -> None:
    file = check_spec("tokens_per_segment = 493  # tttdit: ignore[TTD202]")
    assert (codes(file), file.silenced) == (["TTD201"], 0)


def test_nor_does_another_line(check_spec: Check) -> None:
    assert "TTD201" in codes(check_spec("tokens_per_segment = 493", "fps = 16  # tttdit: ignore[TTD201]"))


@pytest.mark.parametrize(
    "comment",
    [
        "# tttdit: ignore[TTD201]",
        "#tttdit:ignore[TTD201]",
        "#  tttdit:  ignore [ ttd201 ]",
        "# short  # tttdit: ignore[TTD201]",
        "# tttdit: ignore[TTD201] # tttdit: ignore[TTD201]",
    ],
)
def test_how_it_may_be_written(check_spec: Check, comment: str) -> None:
    assert codes(check_spec(f"tokens_per_segment = 493 {comment}")) == []


def test_what_stands_in_a_text_is_no_comment(check_spec: Check) -> None:
    file = check_spec(added='\n[checkpoint]\nfolder = "# tttdit: ignore[TTD201]"\n')
    assert codes(file) == []


@pytest.mark.parametrize("line", [1, 2, 3])
def test_of_a_value_on_several_lines_any_will_do(check_spec: Check, line: int) -> None:
    lines = ["steps = [", "  10", "]"]
    lines[line - 1] += " # tttdit: ignore[TTD003]"
    file = check_spec(added="\n[training]\n" + "\n".join(lines) + "\n")
    assert (codes(file), file.silenced) == ([], 1)


def test_above_the_first_table_it_speaks_for_the_whole_file(make_spec: Callable[..., str]) -> None:
    text = "# tttdit: ignore[TTD004]\n[video]\nseconds = 9\nfps = 16\nheight = 480\nwidth = 720\n"
    (file,) = check(make_spec(text=text)).files
    assert (codes(file), file.silenced) == ([], 3)  # there is no [text], no [model], no [model.mixer]


def test_below_it_speaks_for_its_line_alone(check_spec: Check) -> None:
    file = check_spec("tokens_per_segment = 493\n# tttdit: ignore[TTD201]")
    assert codes(file) == ["TTD201"]


def test_a_text_that_cannot_be_read_is_never_silenced(make_spec: Callable[..., str]) -> None:
    (file,) = check(make_spec(text="# tttdit: ignore[TTD001]\n[video\n"), ignore=["ALL"]).files
    assert (codes(file), file.ok, file.silenced) == (["TTD001"], False, 0)


def test_one_finding_of_all_stages_is_one_silenced(make_spec: Callable[..., str]) -> None:
    stages = '\n[[stage]]\nname = "a"\n\n[[stage]]\nname = "b"\noptimizer.lr = 1e-5\n'
    path = make_spec("tokens_per_segment = 493  # tttdit: ignore[TTD201]", added=stages)
    (file,) = check(path).files
    assert (codes(file), file.silenced, [stage.ok for stage in file.stages]) == ([], 1, [True, True])


# -- one without effect


def test_a_comment_that_silences_nothing(check_spec: Check, drawn: Callable[[FileReport], str]) -> None:
    file = check_spec("seconds = 9  # tttdit: ignore[TTD201, TTD501]")
    assert file.ok
    assert drawn(file).startswith(
        "warning[TTD011] unused-ignore: there is no TTD201 to silence on this line; there is no TTD501 to silence on this line\n"
        " --> spec.toml:4:14\n"
        "  |\n"
        "4 | seconds = 9  # tttdit: ignore[TTD201, TTD501]\n"
        "  |              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  |\n"
        "  = help: remove the comment\n"
    )


def test_a_code_that_silences_nothing_beside_one_that_does(check_spec: Check) -> None:
    (finding,) = check_spec("tokens_per_segment = 493  # tttdit: ignore[TTD501, TTD201]").findings
    assert finding.message == "there is no TTD501 to silence on this line"
    assert finding.help == "write # tttdit: ignore[TTD201]"


def test_a_code_that_nobody_has_is_told_beside_errors(check_spec: Check) -> None:
    file = check_spec("tokens_per_segment = 493  # tttdit: ignore[TTD291, TTD501]")
    assert codes(file) == ["TTD201", "TTD011"]
    assert file.findings[1].message == "there is no code TTD291 (did you mean TTD201?)"
    assert file.findings[1].help == "write # tttdit: ignore[TTD501]"


@pytest.mark.parametrize(
    "comment", ["# tttdit: ignore", "# tttdit: ignore[]", "# tttdit: ignore[TTD201", "#tttdit:ignore TTD201"]
)
def test_a_comment_that_names_no_code(check_spec: Check, comment: str) -> None:
    file = check_spec(f"tokens_per_segment = 493  {comment}")
    assert codes(file) == ["TTD201", "TTD011"]
    assert file.findings[1].message == "the comment names no code in brackets, and silences nothing"
    assert file.findings[1].fix is None


def test_a_comment_on_a_line_of_its_own_is_told_where_it_would_speak(check_spec: Check) -> None:
    (finding,) = check_spec("seconds = 9\n# tttdit: ignore[TTD201]").findings
    assert finding.help == (
        "remove the comment; it speaks for its own line, or, above the first table, for the whole file"
    )


def test_one_for_the_whole_file(make_spec: Callable[..., str]) -> None:
    text = Path(make_spec()).read_text(encoding="utf-8")
    (file,) = check(make_spec(text="# tttdit: ignore[TTD201]\n" + text)).files
    assert [finding.message for finding in file.findings] == ["there is no TTD201 to silence in this file"]


@pytest.mark.parametrize(
    "comment", ["# tttdit: skip", "# tttdit: ignored[x]", "# tttdit ignore[TTD201]", "# ignore[TTD201]"]
)
def test_other_comments_are_other_comments(check_spec: Check, comment: str) -> None:
    assert codes(check_spec(f"seconds = 9  {comment}")) == []


def test_it_is_not_told_where_not_everything_is_looked_at(make_spec: Callable[..., str]) -> None:
    path = make_spec(
        "tokens_per_segment = 502  # tttdit: ignore[TTD201]",
        added='\n[[stage]]\nname = "a"\n\n[[stage]]\nname = "b"\noptimizer.lr = 1e-5\n',
    )

    def found(**asked: object) -> list[str]:
        return [finding.code for finding in check(path, **asked).findings]  # type: ignore[arg-type]

    assert found() == ["TTD011"]
    assert found(stage="a") == []
    assert found(sets=["training.seed=3"]) == []
    assert found(ignore=["TTD2"]) == []
    assert found(select=["TTD0"]) == []
    assert found(ignore=["TTD011"]) == []


def test_nor_for_a_code_that_only_a_verification_finds(check_spec: Check) -> None:
    assert codes(check_spec('plugin = "ttt-dit"  # tttdit: ignore[TTD320, TTD321]')) == []


def test_nor_while_an_error_may_hide_the_cause(check_spec: Check) -> None:
    assert codes(check_spec("tokens_per_segment = 493", "seconds = 9  # tttdit: ignore[TTD310]")) == ["TTD201"]


def test_it_can_be_silenced_itself(check_spec: Check) -> None:
    assert codes(check_spec("seconds = 9  # tttdit: ignore[TTD201, TTD011]")) == []


def test_a_file_full_of_them_is_answered_in_no_time() -> None:
    text = "\n".join(["# tttdit: ignore[XYZ999, TTD201]"] * 20_000 + ["# tttdit: ignore[" + "ABC123," * 20_000 + "]"])
    file = Checker().check(Document.parse(text))
    assert codes(file).count("TTD011") == 200


# -- options


def test_what_is_ignored_is_not_in_the_report(make_spec: Callable[..., str]) -> None:
    path = make_spec("tokens_per_segment = 493")
    report = check(path, ignore=["TTD2"])
    assert report.ok
    assert json.loads(report.to_json())["files"][0]["silenced"] == 1
    assert check(path, select=["TTD5", "TTD6"]).findings == ()
    assert [finding.code for finding in check(path, select=["TTD201"], ignore=["TTD"]).findings] == ["TTD201"]


def test_an_unknown_code_is_a_wrong_call_even_for_a_file_that_cannot_be_read(make_spec: Callable[..., str]) -> None:
    with pytest.raises(UsageError, match=r'--select: no code is "TTD999" or begins with it'):
        check(make_spec(text="[video\n"), select=["TTD999"])


@pytest.fixture(scope="module")
def reports() -> list[tuple[Document, FileReport]]:
    documents = [read(path) for path in BROKEN]
    return [(document, Checker().check(document)) for document in documents]


@settings(max_examples=15)
@given(data=st.data())
def test_of_any_codes_ignored_the_others_findings_are_left(
    reports: list[tuple[Document, FileReport]], data: st.DataObject
) -> None:
    document, whole = data.draw(st.sampled_from(reports))
    ignored = data.draw(st.sets(st.sampled_from(["TTD", "TTD0", "TTD2", "TTD20", *codes(whole)]), max_size=3))
    left = Checker(ignore=tuple(ignored)).check(document)
    expected = [one for one in whole.findings if not any(one.code.startswith(prefix) for prefix in ignored)]
    if document.is_readable:
        assert list(left.findings) == expected
        assert left.silenced == len(whole.findings) - len(expected)
    else:
        assert left == whole


# -- examples


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_comment_for_every_finding_leaves_nothing(path: Path) -> None:
    document = read(path)
    report = Checker().check(document)
    assert report.findings
    quiet = Checker().check(Document.parse(silenced(document.text, report.findings), str(path)))
    if document.is_readable:
        assert quiet.findings == ()
        assert quiet.silenced == len(report.findings)
    else:
        assert [one.code for one in quiet.findings] == [one.code for one in report.findings]


@settings(max_examples=20)
@given(data=st.data())
def test_a_comment_without_effect_is_removed_without_a_trace(data: st.DataObject) -> None:
    """Anywhere in a right spec: TTD011 says where it stands, and its fix gives the very bytes back."""
    document = read(data.draw(st.sampled_from(CLEAN)))
    line = data.draw(st.integers(0, len(document.lines) - 2))
    code = data.draw(st.sampled_from(["TTD201", "TTD999", "TTD201, TTD501"]))
    comment = f"# tttdit: ignore[{code}]"
    is_alone = data.draw(st.booleans())
    lines = list(document.lines)
    if is_alone:
        lines.insert(line, comment)
    else:
        lines[line] = f"{lines[line]}  {comment}" if lines[line] else comment
    changed = Document.parse("\n".join(lines), document.path)
    found = Checker().check(changed).findings
    assert [(one.code, one.span and one.span.line) for one in found] == [("TTD011", line + 1)]
    fixed = fix(Checker(), changed, SAFE)
    assert [one.code for one in fixed.applied] == ["TTD011"]
    expected = (
        document.lines if is_alone or document.lines[line] else document.lines[:line] + document.lines[line + 1 :]
    )
    assert fixed.document.lines == expected
    assert fixed.after.findings == ()


def test_a_fix_keeps_the_codes_that_have_an_effect(make_spec: Callable[..., str]) -> None:
    path = make_spec("tokens_per_segment = 493  # tttdit: ignore[TTD501, TTD201, TTD999] padded")
    fixed = fix(Checker(), read(path), SAFE)
    assert fixed.document.lines[10] == "tokens_per_segment = 493  # tttdit: ignore[TTD201] padded"
    assert fixed.after.findings == ()


def test_without_its_cause_a_comment_is_told_and_removed(make_spec: Callable[..., str]) -> None:
    silent = "tokens_per_segment = 493  # short  # tttdit: ignore[TTD201] padded"
    assert check(make_spec(silent)).findings == ()
    path = make_spec(silent.replace("493", "502"))
    assert [finding.code for finding in check(path).findings] == ["TTD011"]
    fixed = fix(Checker(), read(path), SAFE)
    assert fixed.document.lines[10] == "tokens_per_segment = 502  # short"


# -- imported files


def test_comments_speak_in_other_projects_files_too() -> None:
    """The importer's findings, and what a general rule finds in what it read."""
    for folder in sorted((ROOT / "tests" / "rules" / "cases").glob("TTD8*")):
        document = read(folder / "broken.toml")
        report = Checker().check(document)
        quiet = Checker().check(Document.parse(silenced(document.text, report.findings), document.path))
        assert quiet.findings == (), folder.name
        assert quiet.silenced == len(report.findings) > 0
