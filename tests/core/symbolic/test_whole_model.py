"""The whole model, embeddings to latents, forward and backward: the same bytes after every operator in both worlds."""

import pytest
from attrs import frozen
from worlds import Leaf, difference, real_module, symbolic_module

GEOMETRY = {
    "latent_frames": 7,
    "grid_height": 2,
    "grid_width": 3,
    "segments": 3,
    "tokens_per_segment": 6,
    "attention_frames": 2,
    "prefix_frames": 1,
}
WIDTH, HEADS, LAYERS, CHANNELS, TEXT_WIDTH, PATCH = 32, 2, 3, 4, 20, 2


@frozen
class Chosen:
    """Recomputes layer groups of this size (0: none), and the named regions inside them."""

    layer_group: int
    recomputed: frozenset[str] = frozenset()

    def recomputes(self, region):
        name = region.rpartition(".")[2]
        return self.layer_group > 0 if name == "layer_group" else name in self.recomputed

    def group_size(self, name, count):
        if name == "transformer_checkpoint_layer_group_size":
            return min(self.layer_group or count, count)
        return min(3, count)


def model(load, mixer, strategy):
    make_mixer = load(mixer)
    return load("tttdit.plugins.ttt_dit.module:TTTVideoDiT")(
        **GEOMETRY,
        width=WIDTH,
        heads=HEADS,
        layers=LAYERS,
        timestep_width=24,
        text_width=TEXT_WIDTH,
        latent_channels=CHANNELS,
        patch_size=PATCH,
        rope_theta=10_000.0,
        norm_eps=1e-6,
        regions=load("tttdit.core.runtime.remat:RecomputedRegions")(strategy),
        mixer=lambda regions: make_mixer(
            **GEOMETRY,
            width=WIDTH,
            heads=HEADS,
            rope_theta=10_000.0,
            mini_batch_size=4,
            base_learning_rate=0.1,
            learning_rates="token",
            ttt_norm_eps=1e-6,
            norm_eps=1e-6,
            regions=regions,
        ),
    )


def compare(strategy, mixer="ttt_mlp.module:TTTMLPMixer", trained=lambda name: True, dtype="float32"):
    F, h, w = GEOMETRY["latent_frames"], GEOMETRY["grid_height"], GEOMETRY["grid_width"]
    leaves = [
        Leaf((1, F, CHANNELS, PATCH * h, PATCH * w), False, dtype),
        Leaf((1, GEOMETRY["segments"], GEOMETRY["tokens_per_segment"], TEXT_WIDTH), False, dtype),
        Leaf((1,), False, "int64"),
    ]

    def make(load):
        return model(load, f"tttdit.plugins.{mixer}", strategy)

    on_torch = real_module(make, leaves, dtype=dtype, trained=trained)
    found = difference(on_torch, symbolic_module(make, leaves, dtype=dtype, trained=trained))
    assert found is None, found
    return len(on_torch.log)


@pytest.mark.parametrize("layer_group", [0, 1, 2])
@pytest.mark.parametrize("mixer", ["ttt_mlp.module:TTTMLPMixer", "ttt_linear.module:TTTLinearMixer"])
def test_layer_groups(layer_group, mixer):
    assert compare(Chosen(layer_group), mixer) > 10_000


def test_regions_inside_layer_groups():
    compare(Chosen(1, frozenset({"attention", "forward_ssm", "reverse_ssm", "mlp"})))


def test_only_the_sequence_blocks_are_trained_in_bfloat16():
    """As the adapter "qkvo" has it."""
    compare(Chosen(1), trained=lambda name: "seq_modeling_block" in name, dtype="bfloat16")
