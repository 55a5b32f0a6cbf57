"""The mixers around their scans: learning rates, initial values, dtypes, what does not fit."""

import pytest
import torch
from torch import nn

from tttdit.core.regions import Regions
from tttdit.plugins.ttt.module import UpstreamRates
from tttdit.plugins.ttt.segments.geometry import Geometry
from tttdit.plugins.ttt_linear.module import TTTLinearMixer
from tttdit.plugins.ttt_mlp.module import TTTMLPMixer

torch.set_num_threads(1)

MIXERS = {"ttt-mlp": TTTMLPMixer, "ttt-linear": TTTLinearMixer}
SIZES = {
    "width": 64,
    "heads": 2,
    "latent_frames": 7,
    "grid_height": 2,
    "grid_width": 2,
    "segments": 3,
    "tokens_per_segment": 4,
    "attention_frames": 2,
    "prefix_frames": 1,
    "rope_theta": 10000.0,
    "mini_batch_size": 8,
    "base_learning_rate": 1.0,
    "learning_rates": "token",
    "ttt_norm_eps": 1e-6,
    "norm_eps": 1e-6,
    "regions": Regions(),
}
LENGTH = 7 * 4 + 3 * 4


class ScanGroups(Regions):
    """Scan groups of a given size; notes what it was asked."""

    def __init__(self, size):
        super().__init__()
        self.size, self.asked = size, []

    def group_size(self, name, count):
        self.asked.append((name, count))
        return self.size


def build(mixer: str, **changes) -> nn.Module:
    torch.manual_seed(0)
    return MIXERS[mixer](**SIZES | changes)


def test_upstream_rates_are_the_last_rows_of_the_interleaved_matrices():
    """As the public code does it: b x b matrices of rates, rows interleaved like tokens, then the last row of each."""
    b, geometry = 8, Geometry(**{name: SIZES[name] for name in Geometry.__annotations__})
    eta = torch.rand(2, LENGTH, 3)  # text then video
    T, hw = 4, 4
    order = [*range(4), *range(12, 12 + 3 * hw)]
    order += [*range(T, 2 * T), *range(24, 24 + 2 * hw), *range(2 * T, 3 * T), *range(32, 32 + 2 * hw)]
    assert sorted(order) == list(range(LENGTH))
    matrices = eta.unflatten(1, (LENGTH // b, 1, b)).expand(2, LENGTH // b, b, b, 3)  # the row of rates, b times
    rows = matrices.reshape(2, LENGTH, b, 3)[:, order]
    want = rows.unflatten(1, (LENGTH // b, b))[:, :, -1].flatten(1, 2)
    assert torch.equal(UpstreamRates(geometry, b)(eta[:, order]), want)


def test_upstream_rates_change_nothing_with_one_segment():
    geometry = Geometry(
        **{name: SIZES[name] for name in Geometry.__annotations__} | {"segments": 1, "latent_frames": 3}
    )
    eta = torch.rand(1, geometry.length, 3)
    assert torch.equal(UpstreamRates(geometry, 8)(eta), eta)


@pytest.mark.parametrize("mixer", MIXERS)
def test_every_token_starts_at_half_the_base_rate(mixer):
    layer = build(mixer).ttt
    nn.init.zeros_(layer.learnable_ttt_lr_weight)
    eta = layer.learning_rates(torch.randn(2, LENGTH, 64))
    assert eta.shape == (2, LENGTH, 2)
    torch.testing.assert_close(eta, torch.full_like(eta, 1.0 / 32 * 0.5 / 8))


@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize("rates", ["token", "upstream"])
def test_samples_of_a_batch_do_not_meet(mixer, rates):
    module = build(mixer, learning_rates=rates)
    x = torch.randn(3, LENGTH, 64)
    together = module(x)
    assert together.shape == x.shape
    torch.testing.assert_close(together, torch.cat([module(one) for one in x.split(1)]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mixer", MIXERS)
def test_scan_groups_change_nothing_but_memory(mixer):
    outcomes = []
    for size in (1, 2, 5):
        regions = ScanGroups(size)
        module = build(mixer, regions=regions)
        module(torch.linspace(-1, 1, LENGTH * 64).view(1, LENGTH, 64).sin()).square().mean().backward()
        assert regions.asked == [("scan_checkpoint_group_size", LENGTH // 8)]
        outcomes.append([parameter.grad for parameter in module.parameters()])
    for other in outcomes[1:]:
        for one, two in zip(outcomes[0], other, strict=True):
            torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("mixer", MIXERS)
def test_bfloat16_is_float32_to_bfloat16s_precision(mixer):
    x = torch.randn(1, LENGTH, 64)
    wide, narrow = build(mixer), build(mixer).to(torch.bfloat16)
    want, got = wide(x), narrow(x.to(torch.bfloat16))
    assert got.dtype == torch.bfloat16
    assert (got.float() - want).norm() / want.norm() < 0.02


@pytest.mark.parametrize("mixer", MIXERS)
def test_every_parameter_gets_a_gradient(mixer):
    module = build(mixer)
    module(torch.randn(1, LENGTH, 64)).square().sum().backward()
    assert [name for name, p in module.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_initial_values():
    layer = build("ttt-mlp").ttt
    for name in ("W1", "W2", "learnable_ttt_lr_weight"):
        assert getattr(layer, name).std().item() == pytest.approx(0.02, rel=0.3)
    assert all(not getattr(layer, name).any() for name in ("b1", "b2", "learnable_ttt_lr_bias", "ttt_norm_bias"))
    assert torch.equal(layer.ttt_norm_weight, torch.ones(2, 32))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"heads": 3}, "width = 64 is not divisible by heads = 3"),
        ({"mini_batch_size": 16}, r"40 tokens \(text and video\) are not divisible by mini_batch_size = 16"),
        ({"learning_rates": "tokens"}, 'learning_rates = "tokens" is neither "token" nor "upstream"'),
        ({"latent_frames": 8}, "3 segments of 2 frames and 1 in front cover 7 latent frames, not 8"),
        ({"width": 48}, "24 is not divisible by 16"),
    ],
)
def test_what_does_not_fit(changes, message):
    with pytest.raises(ValueError, match=message):
        build("ttt-mlp", **changes)
