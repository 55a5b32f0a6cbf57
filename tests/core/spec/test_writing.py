"""Values and keys as TOML: what is written is read again as the same."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from tttdit.core.spec import writing

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.one_of(
        st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.booleans(), TEXT, st.dates(date(1000, 1, 1))
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=8,
)


@settings(max_examples=200)
@given(TEXT, VALUES, st.sampled_from(["", "'old'", '"old"', "'''old'''"]))
def test_what_is_written_is_read_again_as_the_same(name: str, value: Any, like: str) -> None:
    text = f"{writing.key([name])} = {writing.value(value, like)}"
    read = tomli.loads(text)
    assert read == {name: value}
    assert type(read[name]) is type(value)
    assert "\n" not in text


def test_a_string_takes_over_single_quotes_where_it_can() -> None:
    assert writing.value("C:\\x", "'old'") == "'C:\\x'"
    assert writing.value("it's", "'old'") == '"it\'s"'
    assert writing.value("two\nlines", "'old'") == '"two\\nlines"'
    assert writing.value("x", "'''old'''") == '"x"'


def test_what_toml_has_no_word_for() -> None:
    with pytest.raises(TypeError, match="TOML has no word for NoneType"):
        writing.value([1, None])
    with pytest.raises(UnicodeEncodeError):
        writing.value("\ud800")
