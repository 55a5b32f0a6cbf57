"""The model: windows, reversal, names, sizes, regions, initial values, dtypes."""

import re
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tttdit.core.regions import Regions
from tttdit.plugins.ttt.rotary.module import rotate
from tttdit.plugins.ttt.segments.geometry import Geometry
from tttdit.plugins.ttt_dit.module import TTTVideoDiT
from tttdit.plugins.ttt_dit.sequence.module import SequenceBlock
from tttdit.plugins.ttt_mlp.module import TTTMLPMixer

torch.set_num_threads(1)

TINY = {
    "width": 32,
    "heads": 2,
    "latent_frames": 5,
    "grid_height": 2,
    "grid_width": 3,
    "segments": 2,
    "tokens_per_segment": 3,
    "attention_frames": 2,
    "prefix_frames": 1,
    "rope_theta": 10000.0,
    "norm_eps": 1e-6,
}
ENDS = {"layers": 3, "timestep_width": 16, "text_width": 8, "latent_channels": 4, "patch_size": 2}


def build(regions: Regions = Regions(), **changes: Any) -> TTTVideoDiT:  # noqa: B008 - has no state
    torch.manual_seed(0)
    sizes = TINY | changes

    def mixer(regions: Regions) -> nn.Module:
        return TTTMLPMixer(
            **sizes,
            mini_batch_size=9,
            base_learning_rate=0.1,
            learning_rates="token",
            ttt_norm_eps=1e-6,
            regions=regions,
        )

    return TTTVideoDiT(**sizes, **ENDS, mixer=mixer, regions=regions)


def inputs(batch: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    video = torch.randn(batch, 5, 4, 4, 6, generator=generator)
    return video, torch.randn(batch, 2, 3, 8, generator=generator), torch.tensor([999, 3][:batch])


class Named(Regions):
    """Lists the regions in the order of their calls, and groups layers."""

    def __init__(self, path="", called=None, layers=1):
        super().__init__(path)
        self.called, self.layers = [] if called is None else called, layers

    def within(self, name):
        return Named(self._join(name), self.called, self.layers)

    def __call__(self, name, function, *arguments):
        self.called.append(self._join(name))
        return function(*arguments)

    def group_size(self, name, count):
        return self.layers if name == "transformer_checkpoint_layer_group_size" else count


def test_predicts_what_it_is_given():
    video, text, timestep = inputs()
    assert build()(video, text, timestep).shape == video.shape


@settings(deadline=None, max_examples=30)
@given(
    B=st.integers(1, 2),
    S=st.integers(1, 3),
    T=st.integers(1, 3),
    attention=st.integers(1, 4),
    prefix=st.integers(1, 2),
    h=st.integers(1, 2),
    w=st.integers(1, 2),
)
def test_attention_looks_at_one_window_at_a_time(B, S, T, attention, prefix, h, w):
    """Against windows that are cut out, attended to and put back one by one."""
    attention = max(attention, prefix)
    geometry = Geometry(
        latent_frames=attention * S + prefix,
        grid_height=h,
        grid_width=w,
        segments=S,
        tokens_per_segment=T,
        attention_frames=attention,
        prefix_frames=prefix,
    )
    block = SequenceBlock(geometry, 32, 2, 10000.0, 1e-6, nn.Identity(), Regions()).double()
    video = torch.randn(B, geometry.video, 32, dtype=torch.float64)
    text = torch.randn(B, geometry.text, 32, dtype=torch.float64)

    def heads(x: Tensor) -> Tensor:
        return x.unflatten(-1, (2, 16)).transpose(1, 2)

    texts, total, count = [], torch.zeros_like(video), torch.zeros(geometry.video, 1)
    for i in range(S):
        frames = slice(attention * i * h * w, (attention * i + attention + prefix) * h * w)
        x = torch.cat((text[:, T * i : T * (i + 1)], video[:, frames]), 1)
        q, k, v = block.q_norm(heads(block.q(x))), block.k_norm(heads(block.k(x))), heads(block.v(x))
        q, k = (rotate(each, block.rotary.cos, block.rotary.sin) for each in (q, k))
        scores = (q @ k.transpose(-2, -1) / 16**0.5).softmax(-1)
        out = block.o((scores @ v).transpose(1, 2).flatten(2))
        texts.append(out[:, :T])
        total[:, frames] += out[:, T:]
        count[frames] += 1
    torch.testing.assert_close(block.attend(video, text), torch.cat((*texts, total / count), 1))


def test_the_second_pass_sees_everything_reversed():
    """Video tokens from the last to the first; text segments from the last to the first, each read forwards."""
    seen = []

    class Mixer(nn.Module):
        def forward(self, x):
            seen.append(x)
            return torch.zeros_like(x)

    geometry = Geometry(
        latent_frames=5,
        grid_height=1,
        grid_width=2,
        segments=2,
        tokens_per_segment=3,
        attention_frames=2,
        prefix_frames=1,
    )
    block = SequenceBlock(geometry, 32, 2, 10000.0, 1e-6, Mixer(), Regions())
    video, text = block(torch.randn(1, 10, 32), torch.randn(1, 6, 32))
    forwards, backwards = seen
    assert torch.equal(backwards[:, :6], forwards[:, [3, 4, 5, 0, 1, 2]])
    assert torch.equal(backwards[:, 6:], forwards[:, 6:].flip(1))
    assert torch.equal(torch.cat((text, video), 1), forwards)


def test_what_the_mixer_says_comes_back_to_its_token():
    """A mixer that returns its input adds tanh(0.1) of it twice, whatever the order."""
    geometry = Geometry(
        latent_frames=5,
        grid_height=1,
        grid_width=2,
        segments=2,
        tokens_per_segment=3,
        attention_frames=2,
        prefix_frames=1,
    )
    block = SequenceBlock(geometry, 32, 2, 10000.0, 1e-6, nn.Identity(), Regions())
    video, text = torch.randn(1, 10, 32), torch.randn(1, 6, 32)
    got = block(video, text)
    want = block.attend(video, text) * (1 + torch.tanh(torch.tensor(0.1))) ** 2
    torch.testing.assert_close(torch.cat((got[1], got[0]), 1), want)


def test_regions_have_the_declared_names_and_lie_inside_each_other():
    regions = Named(layers=2)
    build(regions)(*inputs())
    layer = ["seq_modeling_block", "attention", "forward_ssm", "reverse_ssm", "mlp"]
    inside = [[f"layers.{i}.{name}" for name in layer] for i in range(3)]
    assert regions.called == ["layers.0.layer_group", *inside[0], *inside[1], "layers.2.layer_group", *inside[2]]


def test_layer_groups_change_no_number():
    want = build()(*inputs())
    assert all(torch.equal(build(Named(layers=size))(*inputs()), want) for size in (1, 2, 3))


def test_tables_are_there_once_for_all_layers():
    model = build()
    first, *others = model.layers
    for layer in others:
        block = layer.seq_modeling_block
        assert block.rotary is first.seq_modeling_block.rotary
        assert block.ssm.ttt.rotary is first.seq_modeling_block.ssm.ttt.rotary
    assert all(name.startswith(("layers.0.", "frequencies.")) for name, _ in model.named_buffers())


def test_timesteps_do_not_lose_their_angles_in_bfloat16():
    """999 in bfloat16 is 1000, and cos(999) is not cos(1000)."""
    model = build().to(torch.bfloat16)
    features = model.frequencies(torch.tensor([999]))
    assert features.dtype == torch.float32
    angles = 999 * 10000 ** (-torch.arange(16, dtype=torch.float64) / 16)
    torch.testing.assert_close(features[0].double(), torch.cat((angles.cos(), angles.sin())), rtol=0, atol=2e-4)


def test_bfloat16_is_float32_to_bfloat16s_precision():
    video, text, timestep = inputs()
    want = build()(video, text, timestep)
    got = build().to(torch.bfloat16)(video.bfloat16(), text.bfloat16(), timestep)
    assert got.dtype == torch.bfloat16
    assert (got.float() - want).norm() / want.norm() < 0.03


def test_everything_learns_from_the_first_step_but_what_nobody_reads():
    """The last layer's text output is read by nobody."""
    model = build()
    model(*inputs()).square().mean().backward()
    still = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert still == ["layers.2.seq_modeling_block.backward_ssm_gating_text.gating_alpha"]


def test_layers_start_near_the_identity():
    model = build()
    video, text, time = torch.randn(1, 30, 32), torch.randn(1, 6, 32), torch.randn(1, 16)
    for layer in model.layers:
        new_video, new_text = layer(video, text, time)
        assert (new_video - video).norm() < 0.3 * video.norm()
        assert (new_text - text).norm() < 0.3 * text.norm()
    gates = [p for name, p in model.named_parameters() if name.endswith("gating_alpha")]
    assert len(gates) == 12
    assert all(torch.equal(gate, torch.full((32,), 0.1)) for gate in gates)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": 3}, "width = 32 is not divisible by heads = 3"),
        ({"latent_frames": 6}, "2 segments of 2 frames and 1 in front cover 5 latent frames, not 6"),
        ({"heads": 4}, "8 is not divisible by 16"),
        ({"width": 1, "heads": 1}, "width = 1 is odd: a timestep's features are as many cosines as sines"),
        ({"width": 33, "heads": 1}, "width = 33 is odd"),
    ],
)
def test_what_does_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({0: (2, 5, 4, 6, 4)}, r"video is [2, 5, 4, 6, 4], and this model takes [B, F, C, H, W] = [2, 5, 4, 4, 6]"),
        ({0: (2, 4, 5, 4, 6)}, r"video is [2, 4, 5, 4, 6], and this model takes [B, F, C, H, W] = [2, 5, 4, 4, 6]"),
        ({0: (5, 4, 4, 6)}, r"video is [5, 4, 4, 6], and this model takes [B, F, C, H, W] = [5, 5, 4, 4, 6]"),
        ({1: (2, 3, 2, 8)}, r"text is [2, 3, 2, 8], and this model takes [B, S, T, X] = [2, 2, 3, 8]"),
        ({1: (1, 2, 3, 8)}, r"text is [1, 2, 3, 8], and this model takes [B, S, T, X] = [2, 2, 3, 8]"),
        ({2: (1,)}, r"timestep is [1], and this model takes [B] = [2]"),
        ({2: ()}, r"timestep is [], and this model takes [B] = [2]"),
    ],
)
def test_inputs_of_other_shapes(changed, message):
    """Some have as many tokens as they should, and would be read in the wrong order."""
    given = [torch.zeros(changed[i]) if i in changed else tensor for i, tensor in enumerate(inputs())]
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        build()(*given)
