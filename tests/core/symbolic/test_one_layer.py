"""One transformer layer with its mixer, forward and backward: the same bytes after every operator in both worlds."""

import itertools

import pytest
from attrs import frozen
from worlds import Leaf, difference, real_module, symbolic_module

SIZES = {"frames": 7, "h": 2, "w": 3, "segments": 3, "tokens": 6, "attention": 2, "width": 32, "heads": 2}
VIDEO = SIZES["frames"] * SIZES["h"] * SIZES["w"]
TEXT = SIZES["segments"] * SIZES["tokens"]
SWITCHES = ("attention", "forward_ssm", "reverse_ssm", "mlp", "seq_modeling_block")


@frozen
class Chosen:
    """A strategy that recomputes the named regions."""

    recomputed: frozenset[str]
    scan_group: int

    def recomputes(self, region):
        return region.rpartition(".")[2] in self.recomputed

    def group_size(self, name, count):
        return min(self.scan_group, count)


GEOMETRY = {
    "latent_frames": SIZES["frames"],
    "grid_height": SIZES["h"],
    "grid_width": SIZES["w"],
    "segments": SIZES["segments"],
    "tokens_per_segment": SIZES["tokens"],
    "attention_frames": SIZES["attention"],
    "prefix_frames": 1,
}
ANY_MIXER = {
    **GEOMETRY,
    "width": SIZES["width"],
    "heads": SIZES["heads"],
    "rope_theta": 10_000.0,
    "norm_eps": 1e-6,
}
TTT = {"mini_batch_size": 4, "base_learning_rate": 0.1, "learning_rates": "token", "ttt_norm_eps": 1e-6}


def layer(load, mixer, keys, strategy):
    regions = load("tttdit.core.runtime.remat:RecomputedRegions")(strategy, "layers.0")
    made = None if mixer is None else load(f"tttdit.plugins.{mixer}")(**ANY_MIXER, **keys, regions=regions)
    return load("tttdit.plugins.ttt_dit.module:Layer")(
        load("tttdit.plugins.ttt.segments.geometry:Geometry")(**GEOMETRY),
        SIZES["width"],
        SIZES["heads"],
        24,
        10_000.0,
        1e-6,
        1e-6,
        made,
        regions,
    )


def compare(
    recomputed,
    *,
    mixer="ttt_mlp.module:TTTMLPMixer",
    keys=TTT,
    scan_group=2,
    batch=1,
    trained=lambda name: True,
    dtype="float32",
):
    strategy = Chosen(frozenset(recomputed), scan_group)

    def make(load):
        return layer(load, mixer, keys, strategy)

    leaves = [
        Leaf((batch, VIDEO, SIZES["width"]), False, dtype),
        Leaf((batch, TEXT, SIZES["width"]), False, dtype),
        Leaf((batch, 24), False, dtype),
    ]
    on_torch = real_module(make, leaves, dtype=dtype, trained=trained)
    symbolic = symbolic_module(make, leaves, dtype=dtype, trained=trained)
    found = difference(on_torch, symbolic)
    assert found is None, found
    return len(on_torch.log)


def test_nothing_is_recomputed():
    assert compare([]) > 500


@pytest.mark.parametrize("region", SWITCHES)
def test_one_region_is_recomputed(region):
    compare([region])


@pytest.mark.parametrize("regions", list(itertools.combinations(SWITCHES, 3)))
def test_nested_regions(regions):
    compare(regions)


@pytest.mark.parametrize("mixer", ["ttt_mlp.module:TTTMLPMixer", "ttt_linear.module:TTTLinearMixer"])
@pytest.mark.parametrize("rates", ["token", "upstream"])
@pytest.mark.parametrize("scan_group", [1, 3, 100])
def test_mixers_rates_and_scan_groups(mixer, rates, scan_group):
    compare(["forward_ssm"], mixer=mixer, keys=TTT | {"learning_rates": rates}, scan_group=scan_group, batch=2)


def test_frozen_weights():
    compare(["attention"], trained=lambda name: "seq_modeling_block" in name)


def test_bfloat16():
    compare(["mlp", "reverse_ssm"], dtype="bfloat16")


@pytest.mark.parametrize(
    "recomputed", [[], ["sliding_window"], ["forward_ssm", "sliding_window"], ["seq_modeling_block"]]
)
@pytest.mark.parametrize("neighbours", [0, 1, 5])
@pytest.mark.parametrize("batch", [1, 2])
def test_sliding_windows(recomputed, neighbours, batch):
    mixer = "sliding_window.module:SlidingWindowMixer"
    compare(recomputed, mixer=mixer, keys={"neighbours": neighbours}, batch=batch)


@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
def test_sliding_windows_in_another_type(dtype):
    mixer = "sliding_window.module:SlidingWindowMixer"
    compare(["sliding_window"], mixer=mixer, keys={"neighbours": 1}, dtype=dtype)


@pytest.mark.parametrize("recomputed", [[], ["attention"], ["seq_modeling_block", "mlp"]])
def test_no_mixer(recomputed):
    compare(recomputed, mixer=None)
