"""What the symbolic world finds in a plugin's module, as findings: with plugins of the tests' own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tttdit
from tttdit.checker.render import full
from tttdit.checker.render.paint import Paint
from tttdit.core.findings import Finding

PLUGINS = Path(__file__).parent / "plugins"
ONE_SEGMENT = PLUGINS / "one_segment_mixer"

MODULE = """\
from torch import nn
import torch


class Mixer(nn.Module):
    def __init__(self, *, width, heads, regions):
        super().__init__()
        self.heads = heads
        self.regions = regions
        self.wo = nn.Linear(width, width)

    def forward(self, x):
        {body}
        return self.wo(x)
"""
ARGUMENTS = '{"width": dims["D"], "heads": dims["A"]}'
PLUGIN = '''\
from tttdit import hookimpl
from tttdit.core.plugin.kinds import Mixer
from tttdit.core.spec.tables import PluginTable


class Table(PluginTable):
    """Nothing of its own."""


@hookimpl
def tttdit_mixers():
    return [
        Mixer(
            name="{name}",
            summary="A mixer of a test.",
            table="{package}.plugin:Table",
            module="{package}.module:Mixer",
            arguments=lambda table, dims, model_table: {arguments},
        )
    ]
'''


@pytest.fixture
def check_mixer(
    make_spec: Callable[..., str], tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[..., tttdit.Report]:
    """The report on the spec of nine seconds with a mixer whose forward does this first."""
    package = "mixer_" + "".join(letter if letter.isalnum() else "_" for letter in request.node.name)

    def checked(body: str, arguments: str = ARGUMENTS) -> tttdit.Report:
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        (folder / "module.py").write_text(MODULE.format(body=body))
        (folder / "plugin.py").write_text(PLUGIN.format(package=package, name=package, arguments=arguments))
        return tttdit.check(
            make_spec('plugin = "ttt-dit"'), sets=[f"model.mixer.plugin={package}"], allow_plugins=[folder]
        )

    return checked


def only(report: tttdit.Report) -> Finding:
    (finding,) = report.findings
    return finding


def test_the_famous_one(make_spec: Callable[..., str]) -> None:
    """A mixer that takes T off the sequence where it should take S*T."""
    path = make_spec()
    text = Path(path).read_text().replace('plugin = "ttt-mlp"', 'plugin = "one-segment"')
    Path(path).write_text(text)
    report = tttdit.check(path, allow_plugins=[ONE_SEGMENT])
    finding = only(report)
    assert finding.code == "TTD310"
    assert finding.message.splitlines()[1] == (
        "RoPE has F*h*w = 49,950 (V, video tokens), the video part has F*h*w + S*T - T = 50,954; they differ by 1,004 = T*(S - 1): "
        "from L, one text segment was subtracted instead of 3"
    )
    (module,) = [related for related in finding.related if related.path is not None]
    assert module.path == str(ONE_SEGMENT / "module.py")
    assert module.span is not None
    assert (ONE_SEGMENT / "module.py").read_text().splitlines()[
        module.span.line - 1
    ].strip() == 'turned = named("the_video_part", video) * named("RoPE", self.rope)'
    assert {finding.key, *(related.key for related in finding.related)} >= {"text.segments", "text.tokens_per_segment"}
    drawn = "\n".join(full.findings(report, Paint()))
    assert "10 | segments = 3\n" in drawn
    assert "11 | tokens_per_segment = 502\n" in drawn


def test_a_module_without_mistakes_is_followed_to_its_end(check_mixer: Callable[[str], tttdit.Report]) -> None:
    report = check_mixer("pass")
    assert report.findings == ()
    assert report.files[0].stages[0].proved


def test_a_division_that_leaves_a_remainder(check_mixer: Callable[[str], tttdit.Report]) -> None:
    finding = only(check_mixer("half = x.shape[1] // 7; x = x + 0"))
    assert (finding.code, finding.severity) == ("TTD311", "error")
    assert "51,456" in finding.message


def test_a_call_that_is_not_known_proves_nothing_and_breaks_nothing(
    check_mixer: Callable[[str], tttdit.Report],
) -> None:
    report = check_mixer("x = torch.linalg.qr(x)[0]")
    finding = only(report)
    assert (finding.code, finding.severity) == ("TTD312", "warning")
    assert "linalg" in finding.message
    assert report.ok
    assert not report.files[0].stages[0].proved


def test_an_error_of_the_module_s_own(check_mixer: Callable[[str], tttdit.Report]) -> None:
    finding = only(check_mixer('raise ValueError("the sequence is too short")'))
    assert (finding.code, finding.severity) == ("TTD313", "error")
    assert "the sequence is too short" in finding.message
    assert finding.key == "model.mixer.plugin"


@pytest.mark.parametrize(
    ("keywords", "why"),
    [
        ("size, regions", "missing a required argument: 'size'"),
        ("width, heads", "got an unexpected keyword argument 'regions'"),
    ],
    ids=["more", "fewer"],
)
def test_a_mixer_that_cannot_be_made_is_the_mixer_s(
    check_mixer: Callable[[str], tttdit.Report], keywords: str, why: str
) -> None:
    """It has another constructor than its plugin announces: no line of the model is at fault."""
    finding = only(check_mixer(f"pass\n\n    def __init__(self, *, {keywords}):\n        super().__init__()"))
    assert (finding.code, finding.key) == ("TTD009", "model.mixer.plugin")
    assert finding.message.startswith('the mixer "mixer_test_')
    assert finding.message.endswith(f".module {why}")
    assert [related for related in finding.related if related.path is not None] == []


def test_a_plugin_that_fails_at_its_arguments(check_mixer: Callable[..., tttdit.Report]) -> None:
    finding = only(check_mixer("pass", arguments='{"width": dims["Q"]}'))
    assert (finding.code, finding.key) == ("TTD009", "model.mixer.plugin")
    assert finding.message.endswith(" fails when it is asked for its module's arguments: KeyError: 'Q'")
    assert finding.help == "this is a mistake in the plugin, not in the spec: please tell its authors"
    assert [related.path for related in finding.related if related.path is not None]


def test_an_error_about_the_run_leaves_the_shapes(make_spec: Callable[..., str]) -> None:
    (file,) = tttdit.check(make_spec(), sets=["parallelism.tp_sharding=5"]).files
    assert [finding.code for finding in file.findings] == ["TTD601"]
    assert file.stages[0].proved
    assert file.stages[0].shapes


def test_a_region_that_nobody_declared(check_mixer: Callable[[str], tttdit.Report]) -> None:
    """It would be kept or recomputed by no key of `[memory]`, and the run would refuse it."""
    finding = only(check_mixer('x = self.regions("blocks", torch.tanh, x)'))
    assert finding.code == "TTD313"
    assert finding.message == 'the region "blocks" is declared neither by the model nor by the mixer'
