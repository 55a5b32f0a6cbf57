"""TTD503: groups so large that there is one; and that one group frees nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tttdit.checker.report import FileReport

LAYERS, SCAN = "transformer_checkpoint_layer_group_size", "scan_checkpoint_group_size"


@pytest.mark.parametrize("size", [42, 43, 100])
def test_all_layers_in_one_group(check_spec: Callable[..., FileReport], size: int) -> None:
    file = check_spec(sets=(f"memory.{LAYERS}={size}",))
    (finding,) = file.findings
    assert (finding.code, finding.severity, finding.key) == ("TTD503", "warning", f"memory.{LAYERS}")
    assert finding.message == (
        f"42 layers in groups of {size} are one group: backward makes all of them again at once, "
        "and holds no less than if none were recomputed"
    )
    assert finding.help == f"write memory.{LAYERS} = 1, 2 or 3, or 0 to recompute none"


@pytest.mark.parametrize("size", [0, 1, 21])
def test_smaller_groups(check_spec: Callable[..., FileReport], size: int) -> None:
    found = check_spec(sets=(f"memory.{LAYERS}={size}",)).findings
    assert [finding.code for finding in found] == (["TTD508"] if size > 1 else []), (
        "what larger groups cost is said, and no more"
    )


def test_a_single_layer_makes_a_group(check_spec: Callable[..., FileReport]) -> None:
    assert check_spec(sets=(f"memory.{LAYERS}=1", "model.layers=1")).findings == ()


@pytest.mark.parametrize("size", [804, 100_000])
def test_all_mini_batches_in_one_group_is_worth_knowing(check_spec: Callable[..., FileReport], size: int) -> None:
    (finding,) = check_spec(added=f"[memory]\n{SCAN} = {size}\n").findings
    assert (finding.code, finding.severity) == ("TTD503", "info")
    assert finding.message == (
        f"804 mini-batches in groups of {size:,} are one group, as with 0: backward keeps the steps of all of them at once"
    )
    assert finding.fix is not None
    assert finding.fix.applicability == "shown"


def test_a_default_is_nobodys_mistake(check_spec: Callable[..., FileReport]) -> None:
    """16 mini-batches are the default, and a video may have fewer."""
    file = check_spec(sets=("model.mixer.mini_batch_size=12864",))
    assert file.stages[0].dims["n"] == 4
    assert file.findings == ()


SPEC = """
name = "tiny"
[video]
pixel_frames = 17
fps = 16
height = 32
width = 48
[text]
segments = 2
tokens_per_segment = 3
width = 8
[codec]
plugin = "cogvideox-vae"
channels = 4
[model]
plugin = "ttt-dit"
width = 32
heads = 2
layers = 4
timestep_width = 12
attention_frames = 2
[model.mixer]
plugin = "ttt-linear"
mini_batch_size = 4
"""


def test_one_group_of_layers_frees_nothing(tmp_path: Path) -> None:
    """The peak of a step is that without groups (but for the few bytes that the last layers' inputs are), and there is more to compute."""
    torch = pytest.importorskip("torch")
    import tttdit
    from tttdit.core.runtime.live_bytes import LiveBytes

    (tmp_path / "spec.toml").write_text(SPEC)

    def step(size: int) -> tuple[int, int]:
        spec = tttdit.load_spec(tmp_path / "spec.toml", sets=[f"memory.{LAYERS}={size}"])
        torch.manual_seed(0)
        model = tttdit.build_model(spec)
        video = torch.randn(1, 5, 4, 4, 6)
        batch = (video, torch.randn(1, 2, 3, 8), torch.tensor([500]), torch.randn_like(video))
        with LiveBytes([*model.parameters(), *model.buffers(), *batch]) as rod:
            tttdit.training_loss(model, *batch).backward()
        return rod.peak, sum(operator.flops for operator in rod.log)

    (none, flops), (one, more), (single, _) = step(0), step(4), step(1)
    assert one == pytest.approx(none, rel=0.001)
    assert more > 1.2 * flops
    assert single < 0.7 * none
