"""Edits keep a text's style: of random documents only the stretch that is changed becomes different; and by hand, what is written where."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
import tomli
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tttdit.core.errors import Uneditable
from tttdit.core.findings import Change, Edit, Removal, Renaming, Replacement, Span
from tttdit.core.spec import keys
from tttdit.core.spec.document import Document
from tttdit.core.spec.editing.changing import changed
from tttdit.core.spec.keys import Path

# -- random documents

SPACE = st.sampled_from(["", " ", "  ", "\t"])
INDENT = st.sampled_from(["", "", "  ", "\t"])
COMMENT = st.sampled_from(["", "", "  # a comment", " #[x] = {"])
PART = st.sampled_from(["a", "b", "c", "'d e'", '"f#g"', "h_i"])
KEY = st.lists(PART, min_size=1, max_size=3).map(".".join)
SCALAR = st.sampled_from(
    ["1", "-2.5", "1e6", "true", '"text # none"', "'C:\\x'", '"""two\nlines"""', "'''#\n'''", "1979-05-27", '"ä€😀"']
)
INLINE = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda items: "[\n" + "".join(f"  {i}, # i\n" for i in items) + "]"
        ),
        st.lists(st.tuples(KEY, inner), max_size=3).map(
            lambda pairs: "{" + ",".join(f" {key} = {value}" for key, value in pairs) + " }"
        ),
    ),
    max_leaves=4,
)
STATEMENT = st.one_of(
    st.tuples(INDENT, KEY, SPACE, INLINE, COMMENT).map(lambda m: f"{m[0]}{m[1]}{m[2]}={m[2]}{m[3]}{m[4]}"),
    st.tuples(INDENT, KEY, SPACE, INLINE, COMMENT).map(lambda m: f"{m[0]}{m[1]}{m[2]}={m[2]}{m[3]}{m[4]}"),
    st.tuples(INDENT, KEY, COMMENT).map(lambda m: f"{m[0]}[{m[1]}]{m[2]}"),
    st.tuples(INDENT, KEY, COMMENT).map(lambda m: f"{m[0]}[[{m[1]}]]{m[2]}"),
    st.sampled_from(["", "# a line", "   "]),
)


def put_together(statements: list[str]) -> str:
    text = ""
    for statement in statements:
        try:
            tomli.loads(f"{text}{statement}\n")
        except tomli.TOMLDecodeError:
            continue
        text += f"{statement}\n"
    return text


@st.composite
def documents(draw: st.DrawFn) -> Document:
    text = put_together(draw(st.lists(STATEMENT, min_size=1, max_size=12)))
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    ends = draw(st.sampled_from([["\n"], ["\r\n"], ["\n", "\r\n"]]))
    seed = random.Random(draw(st.integers(0, 99)))
    text = "".join(seed.choice(ends) if character == "\n" else character for character in text)
    document = Document.decode((draw(st.sampled_from(["", "\ufeff"])) + text).encode())
    assert document.is_readable, document.findings
    return document


def paths(values: Any, path: Path = ()) -> list[Path]:
    """Every key and item."""
    inside = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    return [found for key, value in inside for found in ((*path, key), *paths(value, (*path, key)))]


def at(values: Any, path: Path) -> Any:
    for part in path:
        values = values[part]
    return values


def comments(document: Document) -> list[str]:
    return [document.lines[span.line - 1][span.column - 1 : span.end_column - 1] for span in document.comments]


def kept(before: bytes, after: bytes) -> int:
    """How many bytes stand in front of and behind the stretch that has become different."""
    front = alike(before, after)
    return front + alike(before[front:][::-1], after[front:][::-1])


def alike(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (left, right) in pairs if left != right), min(len(one), len(other)))


def pruned(values: Any) -> Any:
    """Without empty tables: a dotted key takes the table that it made with it."""
    if isinstance(values, list):
        return [pruned(value) for value in values]
    if not isinstance(values, dict):
        return values
    inside = {key: pruned(value) for key, value in values.items()}
    return {key: value for key, value in inside.items() if value != {}}


def read(document: Document) -> dict[str, Any]:
    """What tomli reads in the file itself."""
    return tomli.loads(document.source.decode().removeprefix("\ufeff"))


VALUES = st.sampled_from([7, -1, 0.5, 1e300, True, 'two "words"\n', "", "\x7f", [1, 2, "x"], []])


@settings(max_examples=150)
@given(documents(), st.data(), VALUES)
def test_another_value_changes_that_value_alone(document: Document, data: st.DataObject, value: object) -> None:
    found = [path for path in paths(document.values) if document.value_span(path) and not comments_in(document, path)]
    assume(found)
    path = data.draw(st.sampled_from(found))
    after = changed(document, [Edit(keys.join(path), value)])
    expected = copy.deepcopy(document.values)
    at(expected, path[:-1])[path[-1]] = value
    assert read(after) == after.values == expected
    place = document.places[path].value
    assert place is not None
    stretch = len(document.text[place.start : place.end].replace("\n", "\r\n").encode())
    assert len(document.source) - kept(document.source, after.source) <= stretch
    assert comments(after) == comments(document)


def comments_in(document: Document, path: Path) -> bool:
    place = document.places[path].value
    return place is not None and "# i" in document.text[place.start : place.end]


@settings(max_examples=150)
@given(documents(), st.data(), VALUES)
def test_a_new_key_is_put_in_and_nothing_else_moves(document: Document, data: st.DataObject, value: object) -> None:
    tables = [(), *(path for path in paths(document.values) if isinstance(at(document.values, path), dict))]
    table = data.draw(st.sampled_from(tables))
    path = (*table, *data.draw(st.lists(st.sampled_from(["new", "n w"]), min_size=1, max_size=3)))
    after = changed(document, [Edit(keys.join(path), value)])
    expected = copy.deepcopy(document.values)
    inner = expected
    for part in path[:-1]:
        inner = inner[part] if isinstance(part, int) else inner.setdefault(part, {})
    inner[path[-1]] = value
    assert read(after) == after.values == expected
    if not (table and document.value_span(table) and not at(document.values, table)):  # braces without anything in them
        assert kept(document.source, after.source) == len(document.source)
    assert comments(after) == comments(document)
    assert after.source.endswith(b"\n") or not document.source.endswith(b"\n")


@settings(max_examples=150)
@given(documents(), st.data())
def test_a_key_that_goes_away_takes_nothing_with_it(document: Document, data: st.DataObject) -> None:
    found = [path for path in paths(document.values) if document.value_span(path) and not comments_in(document, path)]
    assume(found)
    path = data.draw(st.sampled_from(found))
    after = changed(document, [Removal(keys.join(path))])
    expected = copy.deepcopy(document.values)
    del at(expected, path[:-1])[path[-1]]
    assert read(after) == after.values
    assert pruned(after.values) == pruned(expected)
    assert kept(document.source, after.source) == len(after.source)
    assert len(comments(document)) - len(comments(after)) in (0, 1), "the one on its own line"


@settings(max_examples=150)
@given(documents(), st.data(), st.sampled_from(["new", "n w", 'n"w', "näw"]))
def test_another_name_changes_that_part_of_keys_alone(document: Document, data: st.DataObject, name: str) -> None:
    found = [path for path in paths(document.values) if isinstance(path[-1], str)]
    assume(found)
    path = data.draw(st.sampled_from(found))
    after = changed(document, [Renaming(keys.join(path), name)])
    expected = copy.deepcopy(document.values)
    around = at(expected, path[:-1])
    around[name] = around.pop(path[-1])
    assert read(after) == after.values == expected
    assert comments(after) == comments(document)


# -- by hand


def edited(text: str, *changes: Change) -> str:
    return changed(Document.decode(text.encode()), changes).source.decode()


def test_a_value_keeps_its_line() -> None:
    text = "[video]\r\n  seconds  = 9   # long\r\nfps=16"
    assert edited(text, Edit("video.seconds", 18)) == "[video]\r\n  seconds  = 18   # long\r\nfps=16"
    assert edited(text, Edit("video.fps", 8)) == "[video]\r\n  seconds  = 9   # long\r\nfps=8"


def test_a_string_keeps_its_quotes_where_it_can() -> None:
    assert edited("path = 'C:\\x'\n", Edit("path", "D:\\y")) == "path = 'D:\\y'\n"
    assert edited("path = 'C:\\x'\n", Edit("path", "it's")) == 'path = "it\'s"\n'
    assert edited("path = '''\nx'''\n", Edit("path", "y")) == 'path = "y"\n'


def test_of_an_array_only_the_items_that_differ_are_written() -> None:
    text = "betas = [\n  0.90,  # first\n  0.999, # second\n]\n"
    assert edited(text, Edit("betas", (0.9, 0.95))) == "betas = [\n  0.90,  # first\n  0.95, # second\n]\n"
    assert edited(text, Edit("betas[0]", 0.8)) == "betas = [\n  0.8,  # first\n  0.999, # second\n]\n"


def test_a_new_key_stands_behind_the_last_one_and_looks_like_it() -> None:
    text = "[video] # the video\n    seconds = 9\n    fps     = 16  # frames\n\n[text]\nwidth=4096\n"
    assert (
        edited(text, Edit("video.height", 480), Edit("text.segments", 3))
        == "[video] # the video\n    seconds = 9\n    fps     = 16  # frames\n    height  = 480\n\n[text]\nwidth=4096\nsegments=3\n"
    )


def test_a_new_key_of_a_table_without_keys_stands_below_its_header() -> None:
    assert (
        edited("[memory]  # nothing\n\n[text]\n", Edit("memory.mlp", True))
        == "[memory]  # nothing\nmlp = true\n\n[text]\n"
    )


def test_a_new_key_behind_a_last_line_without_an_end() -> None:
    assert edited("[video]\r\nfps = 16", Edit("video.height", 480)) == "[video]\r\nfps = 16\r\nheight = 480"
    assert edited("[video]\r\nfps = 16", Edit("text.width", 9)) == "[video]\r\nfps = 16\r\n\r\n[text]\r\nwidth = 9"


def test_a_new_key_in_braces() -> None:
    assert edited("video = { fps = 16 }\n", Edit("video.height", 480)) == "video = { fps = 16, height = 480 }\n"
    assert edited("video = {}\n", Edit("video.a.b", 480)) == "video = { a.b = 480 }\n"


def test_a_new_key_among_dotted_ones() -> None:
    text = "video.fps = 16  # frames\ntext.width = 9\n"
    assert edited(text, Edit("video.height", 480)) == "video.fps = 16  # frames\nvideo.height = 480\ntext.width = 9\n"
    assert edited(text, Edit("model.heads", 48)).endswith("text.width = 9\nmodel.heads = 48\n")


def test_a_new_key_above_all_tables() -> None:
    assert (
        edited("# a spec\n\n[video]\nfps = 16\n", Edit("name", "x")) == '# a spec\n\nname = "x"\n\n[video]\nfps = 16\n'
    )


def test_a_new_table_stands_at_the_end_or_in_front_of_the_stages() -> None:
    assert (
        edited("[video]\nfps = 16\n# end\n", Edit("text.width", 9)) == "[video]\nfps = 16\n# end\n\n[text]\nwidth = 9\n"
    )
    stages = '[video]\nfps = 16\n\n# all stages\n[[stage]]\nname = "a"\n'
    assert (
        edited(stages, Edit("text.width", 9))
        == '[video]\nfps = 16\n\n[text]\nwidth = 9\n\n# all stages\n[[stage]]\nname = "a"\n'
    )
    assert edited("", Edit("text.width", 9)) == "[text]\nwidth = 9\n"


def test_a_new_table_stands_behind_the_one_that_it_lies_in() -> None:
    text = '[model]\nplugin = "m"\n\n[text]\nwidth = 9\n'
    assert (
        edited(text, Edit("model.mixer.window", 2))
        == '[model]\nplugin = "m"\n\n[model.mixer]\nwindow = 2\n\n[text]\nwidth = 9\n'
    )


def test_a_stage_gets_dotted_keys_or_headers_as_it_has_them() -> None:
    dotted = '[[stage]]\nname = "a"\nvideo.fps = 8\n\n[[stage]]\nname = "b"\n'
    assert edited(dotted, Edit("stage[0].text.width", 9)).startswith(
        '[[stage]]\nname = "a"\nvideo.fps = 8\ntext.width = 9\n\n'
    )
    assert edited(dotted, Edit("stage[1].text.width", 9)).endswith('name = "b"\ntext.width = 9\n')
    headers = '[[stage]]\nname = "a"\n[stage.video]\nfps = 8\n[[stage]]\nname = "b"\n'
    assert (
        edited(headers, Edit("stage[0].text.width", 9))
        == '[[stage]]\nname = "a"\n[stage.video]\nfps = 8\n\n[stage.text]\nwidth = 9\n\n[[stage]]\nname = "b"\n'
    )
    assert edited(headers, Edit("stage[0].video.height", 480)).startswith(
        '[[stage]]\nname = "a"\n[stage.video]\nfps = 8\nheight = 480\n[[stage]]'
    )


def test_two_new_keys_of_one_new_table() -> None:
    assert edited("", Edit("text.width", 9), Edit("text.segments", 3)) == "[text]\nwidth = 9\nsegments = 3\n"


def test_a_key_goes_away_with_its_line() -> None:
    text = "[video]\nfps = 16\n  # about seconds\nseconds = 9  # nine\nheight = 480"
    assert edited(text, Removal("video.seconds")) == "[video]\nfps = 16\n  # about seconds\nheight = 480"
    assert edited(text, Removal("video.height")) == "[video]\nfps = 16\n  # about seconds\nseconds = 9  # nine"


def test_an_entry_in_braces_or_an_array_goes_away_with_its_comma() -> None:
    text = "video = { fps = 16, seconds = 9, height = 480 }\n"
    assert edited(text, Removal("video.fps")) == "video = { seconds = 9, height = 480 }\n"
    assert edited(text, Removal("video.height")) == "video = { fps = 16, seconds = 9 }\n"
    assert edited("a = [\n  1, # one\n  2, # two\n]\n", Removal("a[1]")) == "a = [\n  1, # one\n]\n"
    assert edited("a = [1 # one\n, 2]\n", Removal("a[0]")) == "a = [ # one\n 2]\n"


def test_a_table_goes_away_and_comments_stay() -> None:
    text = "[video]\nfps = 16\n\n# text\n[text]\nwidth = 9\n[text.more]\nx = 1\n[model]\n"
    assert edited(text, Removal("text")) == "[video]\nfps = 16\n\n# text\n[model]\n"
    assert edited("[video]\nfps = 16\n[text]\nwidth = 9\nsegments = 3", Removal("text")) == "[video]\nfps = 16"
    assert edited("[text]\nwidth = 9", Removal("text")) == ""


def test_every_mention_is_renamed() -> None:
    text = "[vdeo.more]\nx = 1\n[ vdeo ]  # [vdeo]\nfps = 16\n"
    assert edited(text, Renaming("vdeo", "video")) == "[video.more]\nx = 1\n[ video ]  # [vdeo]\nfps = 16\n"
    assert edited("[[stages]]\n[[stages]]\nx.y=1\n", Renaming("stages", "stage")) == "[[stage]]\n[[stage]]\nx.y=1\n"
    assert edited("v = { a.b = 1, a.c = 2 }\n", Renaming("v.a", "b c")) == 'v = { "b c".b = 1, "b c".c = 2 }\n'


def test_other_text_at_a_place() -> None:
    text = "\ufeff# ä\r\nfps = 16  # tttdit: ignore[TTD1]\r\n"
    after = edited(text, Replacement(Span(2, 9, 2, 33), ""))
    assert after == "\ufeff# ä\r\nfps = 16\r\n"


def test_a_text_that_is_no_toml_can_be_changed_by_place() -> None:
    document = Document.parse("a = True\n")
    assert not document.is_readable
    assert changed(document, [Replacement(Span(1, 5, 1, 9), "true")]).values == {"a": True}


@pytest.mark.parametrize(
    ("text", "change", "why"),
    [
        ("a = 1\n", Edit("a.b", 1), "a is no table"),
        ("a = [1]\n", Edit("a[3]", 1), "a is no table"),
        ("[a]\nb = 1\n", Edit("a", 1), "a is a table"),
        ("[[a]]\n", Edit("a[2].b", 1), "there is no a\\[2\\]"),
        ("a = 1\n", Removal("b"), "there is no b"),
        ("a = 1\n", Renaming("b", "c"), "there is no b"),
        ("a = 1\n", Edit("a", None), "TOML has no word for NoneType"),
        ("a = 1\n", Edit("a", "\ud800"), "cannot be written"),
    ],
)
def test_what_cannot_be_changed(text: str, change: Change, why: str) -> None:
    with pytest.raises(Uneditable, match=why):
        edited(text, change)


def test_two_changes_of_one_place() -> None:
    here = Span(1, 1, 1, 4)
    with pytest.raises(Uneditable, match="same place"):
        edited("# a\n", Replacement(here, "# b"), Replacement(here, "# c"))
