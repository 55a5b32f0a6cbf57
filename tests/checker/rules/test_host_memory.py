"""TTD510 on what a node needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from tttdit.checker.api import load_spec
from tttdit.checker.rules.host_memory import HostMemory
from tttdit.core.findings import Finding

GIB = 1 << 30
NODE = "[hardware]\nhost_memory_gib = 100\n"
ASYNCHRONOUS = "[checkpoint]\nasynchronous = true\n"


@pytest.fixture
def found(make_spec: Callable[..., str]) -> Callable[..., list[Finding]]:
    """What the rule finds for a spec whose node needs this."""

    def weigh(held: Mapping[str, int], added: str) -> list[Finding]:
        (stage,) = load_spec(make_spec(added=added)).stages
        weighed: Any = SimpleNamespace(stage=stage, prediction=SimpleNamespace(host_bytes=held))
        return [*HostMemory().weigh(weighed)]

    return weigh


def test_more_than_there_is(found: Callable[..., list[Finding]]) -> None:
    held = {"processes": 4 * GIB, "data workers": 0, "checkpoint": 102 * GIB}
    (finding,) = found(held, NODE + ASYNCHRONOUS)
    assert finding.severity == "error"
    assert finding.message == (
        "a node's ranks need 106.00 GiB of its 100.00 GiB main memory, more than there is: checkpoint 102.00 GiB, processes 4.00 GiB"
    )
    assert finding.help == "write checkpoint.asynchronous = false: a checkpoint is then copied tensor by tensor"
    assert finding.key == "hardware.host_memory_gib"
    assert [related.key for related in finding.related] == ["checkpoint.asynchronous"]
    assert finding.fix is not None
    assert finding.fix.applicability == "unsafe"
    assert [(edit.key, edit.value) for edit in finding.fix.edits] == [("checkpoint.asynchronous", False)]


def test_hardly_less_than_there_is(found: Callable[..., list[Finding]]) -> None:
    (finding,) = found({"data workers": 76 * GIB}, NODE)
    assert finding.severity == "warning"
    assert finding.message == (
        "a node's ranks need 76.00 GiB of its 100.00 GiB main memory, 24% headroom, less than 25 %: data workers 76.00 GiB"
    )
    assert finding.help == "spread the ranks over more nodes, or have fewer workers in [data]"
    assert finding.fix is None


@pytest.mark.parametrize(
    ("held", "added"),
    [({"processes": 75 * GIB}, NODE), ({}, NODE), ({"processes": 75 * GIB}, "")],
    ids=["room", "ranks of a node unknown", "memory of a node unknown"],
)
def test_nothing_to_say(found: Callable[..., list[Finding]], held: dict[str, int], added: str) -> None:
    assert found(held, added) == []
