"""Fixes in memory: afterwards the finding is gone, nothing new is wrong, and nothing else has changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tttdit.checker import fixing, verifying
from tttdit.checker.checking import Checker
from tttdit.checker.examining import Examined
from tttdit.checker.fixing import SAFE, SAFE_AND_UNSAFE, Fixed, fix
from tttdit.checker.report import ProofReport, Scale
from tttdit.checker.verifying import Verified
from tttdit.core.errors import Uneditable
from tttdit.core.findings import Change, Edit, Finding
from tttdit.core.spec.document import Document, read
from tttdit.core.spec.editing.changing import changed

ROOT = Path(__file__).parents[2]
BROKEN = sorted((ROOT / "examples" / "broken").glob("*.toml"))
CASES = sorted(path.parent for path in (ROOT / "tests" / "rules" / "cases").glob("*/broken.toml"))

SPEC = """\
# A spec with everything that can be broken.
name = "nine"

[video]
seconds = 9         # as long as the text
fps     = 16
height  = 480
width   = 720

[text]
segments = 3
tokens_per_segment = 502  # for mini-batches of 64
width = 4096
encoder = 't5'

[model]
plugin = "ttt-dit"
preset = "5B"       # 42 layers
heads = 48
mixer = { plugin = "ttt-mlp", mini_batch_size = 64 }

# What is computed twice.
[memory]
transformer_checkpoint_layer_group_size = 1
attention = true

[training]
global_batch_size = 64

[parallelism]
dp_replicate = 8
dp_sharding = 8

[hardware]
gpus_per_node = 8
nodes = 8
"""
# The key, what to write there, and the keys that a fix of it may change.
BREAKS = [
    ("fps    ", "16.0", "video.fps"),
    ("fps    ", '"16"', "video.fps"),
    ("fps    ", "15", "video.fps"),
    ("height ", "484", "video.height"),
    ("height ", "488", "video.height"),
    ("width  ", "724", "video.width"),
    ("seconds", "9.5", "video.seconds"),
    ("segments", "2", "text.segments"),
    ("tokens_per_segment", "493", "text.tokens_per_segment"),
    ("tokens_per_segment", "502.0", "text.tokens_per_segment"),
    ("width", "768", "text.width"),
    ("heads", "47", "model.heads"),
    ("heads", "128", "model.heads"),
    ("transformer_checkpoint_layer_group_size", "4", "memory.transformer_checkpoint_layer_group_size"),
    ("attention", '"true"', "memory.attention"),
    ("global_batch_size", "100", "training.global_batch_size"),
    ("dp_replicate", "16", "parallelism.dp_replicate"),
]


def broken(breaks: list[tuple[str, str, str]], ends: str = "\n", text: str = SPEC) -> Document:
    for key, value, _ in breaks:
        text, count = re.subn(rf"(?m)^{key} = [\w.']+", f"{key} = {value}", text, count=1)
        assert count == 1, f"there is no {key} in the spec"
    return Document.decode(text.replace("\n", ends).encode(), "spec.toml")


def fixed(document: Document, allowed: frozenset[Any] = SAFE_AND_UNSAFE) -> Fixed:
    return fix(Checker(), document, allowed)


def flat(values: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(values, dict):
        yield path, values
        return
    for key, value in values.items():
        yield from flat(value, f"{path}.{key}".lstrip("."))


def different(before: Document, after: Document) -> set[str]:
    one, other = dict(flat(before.values)), dict(flat(after.values))
    return {key for key in one.keys() | other.keys() if repr(one.get(key)) != repr(other.get(key))}


def same(finding: Finding) -> tuple[str, str | None, str | None]:
    return finding.code, finding.key, finding.stage


def comments(document: Document) -> list[str]:
    return re.findall(r"#.*", document.text)


def test_the_spec_that_is_broken_here_is_right() -> None:
    assert fixed(broken([])).after.findings == ()


@pytest.mark.parametrize("breaks", BREAKS, ids=lambda breaks: f"{breaks[0].strip()}={breaks[1]}")
def test_one_mistake_is_fixed_at_its_key(breaks: tuple[str, str, str]) -> None:
    document = broken([breaks])
    after = fixed(document)
    assert len(after.applied) >= 1
    assert after.after.findings == ()
    assert different(document, after.document) == {breaks[2]}


@settings(max_examples=25)
@given(
    st.lists(st.sampled_from(BREAKS), min_size=1, max_size=3, unique_by=lambda breaks: breaks[0]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([SAFE, SAFE_AND_UNSAFE]),
)
def test_fixed_is_gone_and_nothing_else_has_changed(
    breaks: list[tuple[str, str, str]], ends: str, allowed: frozenset[Any]
) -> None:
    document = broken(breaks, ends)
    after = fixed(document, allowed)
    left = {same(finding) for finding in after.after.findings if finding.severity == "error"}
    assert left.isdisjoint(same(finding) for finding in after.applied)
    assert all(finding.fix is not None and finding.fix.applicability in allowed for finding in after.applied)
    if after.before.stages:  # one that could not be made may show afterwards what was wrong all along
        assert left <= {same(finding) for finding in after.before.findings}
    if allowed == SAFE_AND_UNSAFE:
        assert left == set()
    assert different(document, after.document) <= {change.key for change in after.changes if isinstance(change, Edit)}
    if allowed == SAFE:
        assert different(document, after.document) <= {key for *_, key in breaks}
    assert comments(after.document) == comments(document)
    assert (b"\r\n" in after.document.source) == (ends == "\r\n")
    assert after.document.source.count(b"\n") == document.source.count(b"\n")
    again = fixed(after.document, allowed)
    assert again.applied == ()
    assert again.document.source == after.document.source


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_every_broken_example(path: Path) -> None:
    document = read(path)
    after = fixed(document)
    assert {same(finding) for finding in after.applied} == offered(after), "what is offered does what it should"
    left = [one for one in after.after.findings if one.severity != "info"]
    assert (left == []) == bool(offered(after))
    assert [comment for comment in comments(document) if comment not in comments(after.document)] == []
    assert fixed(after.document).applied == ()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_rule_offers_does_what_it_should(case: Path) -> None:
    options = case / "options.json"
    said = json.loads(options.read_text()) if options.exists() else {}
    allowed = tuple(str(case / plugin) for plugin in said.get("allow", ()))
    after = fix(Checker(sets=tuple(said.get("sets", ())), allowed=allowed), read(case / "broken.toml"), SAFE_AND_UNSAFE)
    assert {same(finding) for finding in after.applied} >= offered(after), (
        "an error may have kept others from being found"
    )
    assert offered(after).isdisjoint(same(finding) for finding in after.after.findings)


def offered(fixed: Fixed) -> set[tuple[str, str | None, str | None]]:
    fixable = [one for one in fixed.before.findings if one.fix is not None and one.fix.applicability in SAFE_AND_UNSAFE]
    return {same(finding) for finding in fixable}


def test_safe_fixes_leave_what_would_be_another_run() -> None:
    after = fixed(broken([BREAKS[0], BREAKS[15]]), SAFE)
    assert [finding.key for finding in after.applied] == ["video.fps"]
    assert [finding.key for finding in after.after.findings] == ["training.global_batch_size"]


def test_a_fix_that_brings_another_mistake_takes_its_remedy_along() -> None:
    """32 idle GPUs, and a batch of 96 that the 32 in use can share, but not all 64."""
    text = SPEC.replace("dp_replicate = 8", "dp_replicate = 4").replace("batch_size = 64\n", "batch_size = 96\n")
    after = fixed(Document.parse(text))
    assert [same(finding) for finding in after.applied] == [("TTD603", "parallelism.dp_replicate", "nine")]
    assert after.after.findings == ()
    assert after.document.values["parallelism"]["dp_replicate"] == 8
    assert after.document.values["training"]["global_batch_size"] % 64 == 0


def test_of_two_fixes_that_which_makes_the_other_needless() -> None:
    """128 ranks are more than the GPUs, and more than the batch has samples: fewer ranks, and the batch may stay."""
    document = broken([("dp_replicate", "16", "")])
    after = fixed(document)
    assert len(after.before.findings) == 2
    assert len(after.applied) == 1
    assert after.document.text == SPEC


def test_what_is_only_shown_is_not_done() -> None:
    document = Document.parse(SPEC.replace("mini_batch_size", "minibatch_size"))
    after = fixed(document)
    assert after.applied == ()
    assert after.document.source == document.source
    (finding,) = after.after.findings
    assert finding.fix is not None, "and still shown"


def test_a_fix_that_does_not_help_is_offered_no_more() -> None:
    """37 heads share a width of 3,071, but then each is 83 wide, which is another mistake."""
    document = broken([("heads", "47", "")])
    after = fix(Checker(sets=("model.width=3071",)), document, SAFE_AND_UNSAFE)
    assert [finding.fix is not None for finding in after.before.findings] == [True]
    assert after.applied == ()
    assert [finding.fix for finding in after.after.findings] == [None]


def test_what_is_no_toml_is_fixed_mistake_by_mistake() -> None:
    text = (
        SPEC.replace('name = "nine"', "name: nine")
        .replace("= 16", "= 16.")
        .replace("attention = true", "attention = True")
    )
    after = fixed(Document.parse(text.replace('"5B"', "“5B”").replace("[text]", "[text")), SAFE)
    assert after.after.findings == ()
    assert after.document.text == SPEC.replace("= 16", "= 16")
    assert len(after.applied) == 7


def test_a_mistake_behind_one_that_cannot_be_fixed_is_not_reached() -> None:
    text = SPEC.replace("= 16", "= 16.").replace("= 9 ", "= 9s ")
    after = fixed(Document.parse(text), SAFE)
    assert after.applied == ()
    assert after.document.text == text


# -- stages

STAGES = (
    SPEC.replace("seconds = 9 ", "seconds = 3 ")
    .replace("segments = 3", 'segments = "auto"')
    .replace("tokens_per_segment = 502", 'tokens_per_segment = "auto"')
    + """
[[stage]]
name = "3s"

[[stage]]
name = "9s"
video.seconds = 9

[[stage]]
name = "18s"
video.seconds = 18
training.global_batch_size = 128
"""
)


def stages_with(*changes: tuple[str, str]) -> Document:
    text = STAGES
    for before, now in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, now)
    return Document.parse(text, "spec.toml")


def test_the_stages_that_are_broken_here_are_right() -> None:
    assert fixed(stages_with()).after.findings == ()


def test_what_all_stages_inherit_is_fixed_in_the_base() -> None:
    document = stages_with(("height  = 480", "height  = 484"))
    after = fixed(document)
    assert after.after.findings == ()
    assert after.document.text == STAGES


def test_what_one_stage_says_is_fixed_there() -> None:
    document = stages_with(("global_batch_size = 128", "global_batch_size = 130"))
    after = fixed(document)
    assert after.after.findings == ()
    assert after.document.text == STAGES


def test_what_those_inherit_who_have_it_wrong_is_fixed_in_the_base() -> None:
    document = stages_with(("global_batch_size = 64", "global_batch_size = 66"))
    after = fixed(document)
    assert after.after.findings == ()
    assert after.document.text == STAGES


def test_what_a_stage_inherits_with_others_is_overridden_in_it() -> None:
    document = stages_with(("video.seconds = 9\n", "video.seconds = 9\nparallelism.dp_sharding = 4\n"))
    after = fixed(document)
    assert after.after.findings == ()
    assert after.document.text == STAGES.replace(
        "video.seconds = 9\n", "video.seconds = 9\nparallelism.dp_sharding = 4\nparallelism.dp_replicate = 16\n"
    )


def test_a_length_that_is_wrong_in_each_stage_in_its_own_way() -> None:
    document = stages_with(('tokens_per_segment = "auto"', "tokens_per_segment = 493"))
    after = fixed(document, SAFE)
    assert after.after.findings == ()
    assert len(after.applied) == 3
    base, stages = after.document.values["text"], after.document.values["stage"]
    lengths = [stage.get("text", base)["tokens_per_segment"] for stage in stages]
    assert lengths == [498, 502, 503]


def test_one_stage_is_looked_at_and_only_that_is_changed() -> None:
    document = stages_with(("height  = 480", "height  = 484"))
    after = fix(Checker(stage="9s"), document, SAFE_AND_UNSAFE)
    assert after.after.findings == ()
    assert different(document, after.document) == {"stage"}
    assert after.document.values["stage"][1] == {"name": "9s", "video": {"seconds": 9, "height": 480}}


# -- fixes that are not about a key of a spec

IMPORTER = """
from tttdit import hookimpl
from tttdit.core.plugin.importing import Imported
from tttdit.core.plugin.kinds import Importer


def read(document):
    clip = document.values["clip"]
    return Imported(
        name="clip",
        values={
            "video": {"seconds": 9, "fps": 16, "height": 480, "width": 720},
            "text": {"segments": 3, "tokens_per_segment": clip["words"], "width": 4096},
            "model": {"plugin": "ttt-dit", "preset": "5B", "mixer": {"plugin": "ttt-mlp"}},
            "training": {"global_batch_size": 7},
            "parallelism": {"dp_replicate": 2},
        },
        origins={("text", "tokens_per_segment"): ("clip", "words")},
        words={"text.tokens_per_segment": "clip.words"},
    )


@hookimpl
def tttdit_importers():
    return [
        Importer(
            name="shorts",
            summary="Short clips.",
            recognises=lambda path, text: "[clip]" in text,
            reader=__name__ + ":read",
        )
    ]
"""


def test_another_project_s_file_is_fixed_at_its_own_keys(tmp_path: Path) -> None:
    plugin = tmp_path / "shorts_importer.py"
    plugin.write_text(IMPORTER)
    document = Document.parse("[clip]\nwords = 493  # too few\n")
    after = fix(Checker(allowed=(str(plugin),)), document, SAFE_AND_UNSAFE)
    assert after.document.text == "[clip]\nwords = 502  # too few\n"
    assert [finding.key for finding in after.applied] == ["clip.words"]
    assert [finding.code for finding in after.after.findings] == ["TTD602"], "for its batch the file has no key"


def test_a_comment_that_silences_nothing_goes_away() -> None:
    document = Document.parse(SPEC.replace("= 16", "= 16  # tttdit: ignore[TTD204]"))
    after = fixed(document, SAFE)
    assert [finding.code for finding in after.applied] == ["TTD011"]
    assert after.document.text == SPEC


def test_what_only_verifying_finds_is_fixed_where_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    verified: list[str] = []

    def verify(examined: Examined, registry: object, scale: Scale) -> Verified:
        verified.append(examined.resolved.spec.document.text)
        return Verified(ProofReport(scale, True), examined.followed)

    monkeypatch.setattr(verifying, "verify", verify)
    document = Document.parse(SPEC.replace("= 16", "= 16.0  # tttdit: ignore[TTD320]"))
    assert [finding.code for finding in fixed(document).applied] == ["TTD003"]
    assert verified == []
    after = fix(Checker(verify="small"), document, SAFE)
    assert [finding.code for finding in after.applied] == ["TTD003", "TTD011"]
    assert after.after.findings == ()
    assert verified == [SPEC.replace("= 16", "= 16  # tttdit: ignore[TTD320]"), SPEC]
    assert after.document.text == SPEC


def test_many_comments_are_taken_away_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[Document] = []
    check = Checker.check
    monkeypatch.setattr(Checker, "check", lambda self, document: checked.append(document) or check(self, document))
    text = re.sub(r"(?m)^\w+ += \d+$", lambda match: f"{match[0]}  # tttdit: ignore[TTD204]", SPEC)
    after = fixed(Document.parse(text.replace("global_batch_size = 64", "global_batch_size = 64.0")), SAFE)
    assert [finding.code for finding in after.applied] == ["TTD003", *["TTD011"] * text.count("ignore")]
    assert len(checked) == 3, "before, without the error, and without comments"
    assert after.document.text == SPEC


def test_comments_that_do_not_go_together_are_taken_away_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def only_one(document: Document, changes: Iterable[Change]) -> Document:
        change, *others = changes
        if others:
            raise Uneditable("two changes are about the same place")
        return changed(document, [change])

    monkeypatch.setattr(fixing, "changed", only_one)
    document = Document.parse(re.sub("= (16|64)\n", r"= \1  # tttdit: ignore[TTD204]\n", SPEC))
    after = fixed(document, SAFE)
    assert [finding.code for finding in after.applied] == ["TTD011"] * 2
    assert after.document.text == SPEC
