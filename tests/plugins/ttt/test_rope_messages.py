"""A module that turns the wrong number of tokens by our tables is told so in their names."""

from collections.abc import Callable
from pathlib import Path

import pytest

import tttdit

SPEC = """\
name = "nine-seconds"
video = { seconds = 9, fps = 16, height = 480, width = 720 }
text = { segments = 3, tokens_per_segment = 502, width = 4096 }
model = { plugin = "ttt-dit", preset = "5B", mixer = { plugin = "turning" } }
"""
PLUGIN = '''\
from tttdit import hookimpl
from tttdit.core.plugin.kinds import Mixer
from tttdit.core.spec.tables import PluginTable


class Table(PluginTable):
    """Nothing of its own."""


def arguments(table, dims, model_table):
    return {"width": dims["D"], "heads": dims["A"], "text": dims["T"], "grid": (dims["F"], dims["h"], dims["w"])}


@hookimpl
def tttdit_mixers():
    return [Mixer(name="turning", summary="Turns.", table="turning.plugin:Table", module="turning.module:Mixer", arguments=arguments)]
'''
MODULE = """\
from torch import nn

from tttdit.core.runtime.tables import shared
from tttdit.plugins.ttt.rotary.module import RotaryTables, apply_rope


class Mixer(nn.Module):
    def __init__(self, *, width, heads, text, grid, regions):
        super().__init__()
        self.text, self.heads = text, (heads, width // heads)
        self.rotary = shared(RotaryTables, 0, *grid, width // heads, 10000.0)

    def forward(self, x):
        video = x[:, self.text :].unflatten(-1, self.heads)
        apply_rope(video, self.rotary.cos.unsqueeze(1), self.rotary.sin.unsqueeze(1))
        return x
"""


@pytest.fixture
def check(tmp_path: Path) -> Callable[[], tttdit.Report]:
    folder = tmp_path / "turning"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "plugin.py").write_text(PLUGIN)
    (folder / "module.py").write_text(MODULE)
    (tmp_path / "spec.toml").write_text(SPEC)
    return lambda: tttdit.check(tmp_path / "spec.toml", allow_plugins=[folder])


def test_one_text_segment_taken_for_all(check):
    (finding,) = check().findings
    assert finding.code == "TTD310"
    assert finding.message.splitlines()[1] == (
        "RoPE has F*h*w = 49,950 (V, video tokens), what RoPE turns has F*h*w + S*T - T = 50,954; they differ by 1,004 = T*(S - 1): "
        "from L, one text segment was subtracted instead of 3"
    )
