"""Hooks around a module's forward, in both worlds: what is called, in which order, and whose results count."""

import pytest
import torch

from tttdit.core.symbolic.tensor import given
from tttdit.core.symbolic.world import TORCH


def calls_in(world, x, *, fails=False):
    """What is called when a module with hooks is called, and what comes of it."""
    called = []

    class Doubling(world.nn.Module):
        def forward(self, x):
            called.append(f"forward of {x.shape[0]}")
            if fails:
                raise ValueError("no")
            return world.cat((x, x))

    def before(module, arguments):
        called.append("before")
        return world.cat((arguments[0], arguments[0][:1]))

    def after(module, arguments, result):
        called.append(f"after {arguments[0].shape[0]}, {None if result is None else result.shape[0]}")
        return None if result is None else result[1:]

    module = Doubling()
    removed = module.register_forward_pre_hook(lambda *_: called.append("never"))
    module.register_forward_pre_hook(lambda *_: called.append("first"))
    module.register_forward_pre_hook(before)
    module.register_forward_hook(after)
    module.register_forward_hook(after, always_call=True)
    removed.remove()
    removed.remove()
    if fails:
        with pytest.raises(ValueError, match="no"):
            module(x)
        return called
    return called, tuple(module(x).shape)


def test_hooks_are_called_as_torch_does():
    expected = ["first", "before", "forward of 4", "after 4, 8", "after 4, 7"], (6, 2)
    assert calls_in(torch, torch.zeros(3, 2)) == expected
    assert calls_in(TORCH, given((3, 2))) == expected


def test_those_that_are_always_called_hear_of_failures():
    expected = ["first", "before", "forward of 4", "after 4, None"]
    assert calls_in(torch, torch.zeros(3, 2), fails=True) == expected
    assert calls_in(TORCH, given((3, 2)), fails=True) == expected
