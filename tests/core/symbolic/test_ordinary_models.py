"""Models written the way people write them run in both worlds, and agree after every operator."""

import importlib.util
from pathlib import Path

import pytest
from worlds import Leaf, difference, real_module, symbolic_module

from tttdit.core.symbolic.loader import World

PATH = Path(__file__).parent / "modules" / "ordinary_transformer.py"
LEAVES = [Leaf((2, 4, 8, 8)), Leaf((2,)), Leaf((2,), dtype="int64"), Leaf((2, 5, 20)), Leaf((2, 5))]


def ordinary():
    spec = importlib.util.spec_from_file_location("ordinary_transformer", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("trained", ["everything", "attention"])
def test_a_diffusion_transformer(fused, trained):
    symbolic = World().module_from_file(PATH)
    plain = ordinary()

    def chosen(name):
        return name != "position" and (trained == "everything" or "attention" in name)

    on_torch = real_module(lambda load: plain.Transformer(fused=fused), LEAVES, trained=chosen)
    found = difference(
        on_torch, symbolic_module(lambda load: symbolic.Transformer(fused=fused), LEAVES, trained=chosen)
    )
    assert found is None, found
    assert len(on_torch.log) > 400
