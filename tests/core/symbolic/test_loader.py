"""Plugins' own files in the symbolic world."""

import builtins
import subprocess
import sys
import textwrap
import threading

import pytest
import torch

from tttdit.core.errors import PluginError, UnknownCall
from tttdit.core.symbolic import dtype as types
from tttdit.core.symbolic.loader import World
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.storage import Meter
from tttdit.core.symbolic.tensor import given

PLUGIN = '''
"""An ordinary module."""
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import Linear


class Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = Linear(width, 4 * width)
        self.second = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        from torch.utils.checkpoint import checkpoint

        def inner(x):
            return self.second(F.gelu(self.first(x)))

        return x + checkpoint(inner, x, use_reentrant=False) / math.sqrt(2)
'''


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "block.py"
    path.write_text(PLUGIN)
    return path


def test_a_plain_module_runs_without_the_real_torch(plugin):
    before = set(sys.modules)
    module = World().module_from_file(plugin)
    out = module.Block(8)(given((2, 5, 8)))
    assert out.shape == (2, 5, 8)
    assert module.torch is not torch
    assert sys.modules["torch"] is torch
    assert {name for name in set(sys.modules) - before if not name.startswith("tttdit.core")} == set()
    assert builtins.__import__("torch") is torch


def test_no_torch_is_needed(plugin):
    code = f"""
        import sys
        from pathlib import Path
        from tttdit.core.symbolic.loader import World
        from tttdit.core.symbolic.tensor import given
        print(World().module_from_file(Path({str(plugin)!r})).Block(8)(given((2, 5, 8))).shape, "torch" in sys.modules)
    """
    said = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert said.stdout == "torch.Size([2, 5, 8]) False\n"


def test_both_worlds_at_once_in_several_threads(plugin):
    """Each thread has its own meter, modes and hooks; the real torch computes meanwhile."""
    world = World()
    peaks, failures = [], []

    def symbolic():
        try:
            block = world.module_from_file(plugin).Block(16)
            for _ in range(20):
                x = given((3, 7, 16), requires_grad=True)
                with Meter() as meter:
                    block(x).sum().backward()
                block.zero_grad()
                peaks.append(meter.peak)
        except Exception as error:  # a thread's exception would be lost
            failures.append(error)

    def real():
        for _ in range(20):
            layer = torch.nn.Linear(16, 16)
            layer(torch.randn(3, 16)).sum().backward()

    threads = [threading.Thread(target=target) for target in (symbolic, real, symbolic, real, symbolic)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(peaks) == 60
    assert len(set(peaks)) == 1
    assert STATE.meter is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import torchvision", "import torchvision is not known to the symbolic world"),
        ("import numpy as np", "import numpy is not known to the symbolic world"),
        ("torch.fft.fft(torch.ones(3))", "torch.fft is not known to the symbolic world"),
        ("from torch import fft", "torch.fft is not known to the symbolic world"),
        ("torch.ones(3).frobnicate()", "Tensor.frobnicate is not known to the symbolic world"),
        ("bool(torch.ones(3) > 0)", "the truth of a tensor is not known to the symbolic world: it depends on data"),
        (
            "torch.tanh(torch.ones(3), out=torch.ones(3))",
            "torch.tanh is not known to the symbolic world: with these arguments",
        ),
    ],
)
def test_what_it_does_not_know_it_says(tmp_path, line, message):
    path = tmp_path / "strange.py"
    path.write_text(f"import torch\n{line}\n")
    with pytest.raises(UnknownCall) as raised:
        World().module_from_file(path)
    assert str(raised.value).startswith(message)


def test_a_missing_module_and_a_missing_name():
    with pytest.raises(PluginError, match=r"there is no Python module tttdit\.plugins\.nothing"):
        World().load("tttdit.plugins.nothing:Model")
    with pytest.raises(PluginError, match=r"tttdit\.plugins\.ttt_dit\.module has no Nothing"):
        World().load("tttdit.plugins.ttt_dit.module:Nothing")


def test_a_file_that_fails_is_not_half_loaded(tmp_path):
    path = tmp_path / "fails.py"
    path.write_text("1 / 0\n")
    world = World()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            world.module_from_file(path)


def test_default_types():
    assert given((2,)).dtype is types.float32
