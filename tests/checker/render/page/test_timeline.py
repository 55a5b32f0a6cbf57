"""Bytes over the step: thinned, without losing a peak or a byte."""

import pytest

from tttdit.checker.render.page import timeline as module
from tttdit.checker.render.page.timeline import timeline


@pytest.mark.parametrize("runtime", ["plain", "fsdp2"])
@pytest.mark.parametrize("columns", [7, 480, 10**6])
def test_every_column_is_the_highest_moment_of_its_neighbours(make_views, monkeypatch, runtime, columns):
    monkeypatch.setattr(module, "COLUMNS", columns)
    (view,) = make_views(runtime)
    tape, line = view.tape, timeline(view)
    standing = sum(one.nbytes for one in tape.standing)
    count = min(columns, len(tape.moments))
    assert len(line.columns) == count
    for number, column in enumerate(line.columns):
        run = range(number * len(tape.moments) // count, (number + 1) * len(tape.moments) // count)
        assert column.at in run
        assert column.total == standing + max(tape.high[at] for at in run)
    assert line.columns[line.peak].total == max(column.total for column in line.columns)
    assert line.columns[line.peak].at == tape.highest_at


def test_components_are_those_of_the_tape(make_views):
    (view,) = make_views("plain")
    line = timeline(view)
    names = [each.name for each in line.components.every]
    assert names[:3] == ["parameters", "inputs", "tables"]
    assert "activations: attention" in names
    column = line.columns[line.peak]
    parts = view.tape.parts_at(column.at)
    found = dict(zip(names, column.bytes, strict=True))
    assert sum(count for name, count in found.items() if name.startswith("activations")) == parts["activations"]
    assert found["gradients"] == parts["gradients"]
    assert found["workspace"] == parts.get("workspace", 0)


def test_a_column_names_what_is_largest_there(make_views):
    (view,) = make_views("plain")
    line = timeline(view)
    for column in line.columns[:: len(line.columns) // 9]:
        moment = view.tape.moments[column.at]
        most = max([*(one.nbytes for one in view.tape.live_at(column.at)), moment.workspace])
        number, count = column.largest[0]
        assert count * line.tensors[number].nbytes >= most
        totals = [count * line.tensors[number].nbytes for number, count in column.largest]
        assert totals == sorted(totals, reverse=True)


def test_many_regions_share_a_colour():
    from tttdit.checker.render.page.components import OTHER, components

    parts = components({f"activations: r{number}": 100 - number for number in range(12)})
    names = [each.name for each in parts.every]
    assert names == [f"activations: r{number}" for number in range(7)] + [OTHER]
    assert parts.number("activations: r9") == parts.number(OTHER)
