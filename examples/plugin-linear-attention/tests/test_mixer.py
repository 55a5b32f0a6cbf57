"""The mixer against its recurrence, and what a check believes of it against what it does."""

from pathlib import Path

import pytest
import torch
from tttdit_linear_attention.module import LinearAttentionMixer

from tttdit.testing import verify_plugin

SPEC = Path(__file__).parents[1] / "linear-attention.toml"


def recurrence(mixer: LinearAttentionMixer, x: torch.Tensor) -> torch.Tensor:
    """Token by token: the state grows by phi(k) v', and phi(q) reads it."""
    heads = (mixer.heads, x.shape[-1] // mixer.heads)
    q, k, v = (layer(x).unflatten(-1, heads) for layer in (mixer.q, mixer.k, mixer.v))
    q, k = torch.nn.functional.elu(q) + 1, torch.nn.functional.elu(k) + 1
    state, weights = torch.zeros(len(x), *heads, heads[1], dtype=x.dtype), torch.zeros(len(x), *heads, dtype=x.dtype)
    read = []
    for token in range(x.shape[1]):
        state = state + k[:, token, :, :, None] * v[:, token, :, None, :]
        weights = weights + k[:, token]
        asked = q[:, token]
        read.append((asked[:, :, None, :] @ state).squeeze(2) / (asked * weights).sum(-1, keepdim=True))
    return torch.sigmoid(mixer.gate(x)) * mixer.o(torch.stack(read, 1).flatten(2))


@pytest.mark.parametrize("chunk", [1, 4, 24])
def test_chunks_change_nothing(chunk: int) -> None:
    torch.manual_seed(0)
    mixer = LinearAttentionMixer(width=32, heads=2, length=24, chunk=chunk).double()
    x = torch.randn(2, 24, 32, dtype=torch.float64)
    torch.testing.assert_close(mixer(x), recurrence(mixer, x), rtol=1e-9, atol=1e-9)


def test_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="24 tokens are no whole number of chunks of 5"):
        LinearAttentionMixer(width=32, heads=2, length=24, chunk=5)


def test_a_check_believes_what_the_module_does() -> None:
    verify_plugin(SPEC)
