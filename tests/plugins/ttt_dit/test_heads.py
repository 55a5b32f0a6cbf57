"""TTD301, TTD302 and TTD601: heads against the width, RoPE and the mesh."""

from collections.abc import Callable

import pytest

from tttdit.core.findings import Edit, Finding, Fix

Find = Callable[..., list[Finding]]


def test_heads_that_do_not_divide_the_width(findings_of: Find) -> None:
    (finding,) = findings_of(model={"heads": 47})
    assert (finding.code, finding.name, finding.key) == ("TTD301", "heads-width", "model.heads")
    assert finding.message == "the width D = 3,072 cannot be shared by A = 47 heads: 3,072 = 47*65 + 17"
    assert finding.help == "write model.heads = 32 or 48, or model.width = 3008 or 3760"
    assert [(one.key, one.message) for one in finding.related] == [("model.preset", "D = 3,072")]
    assert finding.fix == Fix("unsafe", (Edit("model.heads", 48),))


def test_a_width_that_heads_do_not_divide(findings_of: Find) -> None:
    (finding,) = findings_of(model={"width": 3000})
    assert (finding.code, finding.key) == ("TTD301", "model.width")
    assert [(one.key, one.message) for one in finding.related] == [("model.preset", "A = 48 heads")]
    assert finding.fix == Fix("unsafe", (Edit("model.width", 3072),))


def test_both_written(findings_of: Find) -> None:
    (finding,) = findings_of(model={"preset": None, "width": 3072, "heads": 47, "layers": 2})
    assert finding.key == "model.heads"
    assert [(one.key, one.message) for one in finding.related] == [("model.width", "D = 3,072")]


def test_rope_needs_head_widths_of_16(findings_of: Find) -> None:
    (finding,) = findings_of(model={"heads": 128})
    assert (finding.code, finding.name, finding.key) == ("TTD302", "rope-head-width", "model.heads")
    assert finding.message == (
        "RoPE splits the head width K = D/A = 3,072/128 = 24 into 6, 9, 9 (K/4, 3*K/8, 3*K/8), which have to be even: "
        "K has to be a multiple of 16"
    )
    assert finding.help == "write model.heads = 96 or 192, or model.width = 2048 or 4096"
    assert finding.fix == Fix("unsafe", (Edit("model.heads", 96),))


@pytest.mark.parametrize("model", [{"heads": 96}, {"heads": 192}, {"heads": 128, "width": 2048}])
def test_what_the_help_says_works(model: dict[str, int], findings_of: Find) -> None:
    assert findings_of(model=model) == []


def test_heads_over_tensor_parallel_ranks(findings_of: Find) -> None:
    (finding,) = findings_of(parallelism={"tp_sharding": 5})
    assert (finding.code, finding.name, finding.key) == ("TTD601", "heads-tp", "parallelism.tp_sharding")
    assert finding.message == "A = 48 heads cannot be shared by 5 tensor-parallel ranks: 3 left over"
    assert finding.help == "write parallelism.tp_sharding = 4 or 6"
    assert [(one.key, one.message) for one in finding.related] == [("model.preset", "A = 48 heads")]


def test_two_mistakes_are_two_findings(findings_of: Find) -> None:
    codes = [finding.code for finding in findings_of(model={"heads": 47}, video={"fps": 15})]
    assert codes == ["TTD101", "TTD301"]
