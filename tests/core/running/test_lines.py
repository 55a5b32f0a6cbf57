"""JSON lines that survive a kill."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.running.lines import append, read_lines


def test_what_is_appended_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append(path, {"event": "launched", "text": "zwölf\nlines"})
    append(path, {"event": "finished", "loss": float("nan")})
    first, second = read_lines(path)
    assert first == {"event": "launched", "text": "zwölf\nlines"}
    assert second["event"] == "finished"
    assert second["loss"] != second["loss"]


def test_a_file_that_is_not_there_has_no_lines(tmp_path: Path) -> None:
    assert read_lines(tmp_path / "none.jsonl") == []


def test_a_torn_line_is_left_out_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    append(path, {"step": 1})
    with path.open("ab") as file:
        file.write(b'{"step": 2, "lo')
    append(path, {"step": 3})
    assert [line["step"] for line in read_lines(path)] == [1, 3]


@given(st.binary(max_size=200))
def test_any_bytes_can_be_read(tmp_path_factory: object, data: bytes) -> None:
    path = tmp_path_factory.mktemp("lines") / "metrics.jsonl"  # type: ignore[attr-defined]
    path.write_bytes(data)
    assert all(isinstance(line, dict) for line in read_lines(path))
    append(path, {"step": 1})
    assert read_lines(path)[-1] == {"step": 1}
