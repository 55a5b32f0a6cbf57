"""What codec and text encoder take: of tensors without data beside real ones, and with random weights of their own classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
import torch
from clip_specs import SPEC

from tttdit.checker.api import load_spec
from tttdit.core.plugin.references import load
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.runtime.sampling.around import Around, decoding, encoding, text_encoding
from tttdit.core.stage import Stage

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> tuple[Stage, Path]:
    """A stage with a VAE and a T5 of its own folder."""
    from diffusers import AutoencoderKLCogVideoX
    from transformers import T5Config, T5EncoderModel, T5Tokenizer

    folder = tmp_path_factory.mktemp("around")
    torch.manual_seed(0)
    AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4, up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(4, 4, 4, 4), latent_channels=16, layers_per_block=1, norm_num_groups=2,
    ).save_pretrained(folder / "weights" / "vae")  # fmt: skip
    tokenizer = T5Tokenizer(vocab=[("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁a", -1.0)], extra_ids=0)
    tokenizer.save_pretrained(folder / "weights" / "tokenizer")
    config = T5Config(vocab_size=16, d_model=8, d_kv=4, d_ff=32, num_layers=2, num_heads=2)
    T5EncoderModel(config).save_pretrained(folder / "weights" / "text_encoder")
    spec = SPEC.replace('codec = { plugin = "dct" }', 'codec = { plugin = "cogvideox-vae", folder = "weights" }')
    spec = spec.replace('encoder = "hash"', 'encoder = "t5", encoder_folder = "weights"')
    (folder / "clip.toml").write_text(spec)
    return load_spec(folder / "clip.toml", sets=["video.fps=8", "model.attention_frames=6"]).stages[1], folder


def measured(weights: list[torch.Tensor], work: Callable[[], object]) -> Around:
    with LiveBytes(weights) as live:
        work()
    return Around(sum(each.nbytes for each in weights), live.peak)


def test_a_codec_takes_what_it_is_said_to(stage: tuple[Stage, Path]) -> None:
    chosen, folder = stage
    codec = load("tttdit.plugins.cogvideox_vae.module:CogVideoXVAE")(chosen.codec, folder, CPU)
    frames, latents = int(chosen.dims["N"]), int(chosen.dims["F"])

    def parts(count: int, *shape: int, dtype: torch.dtype) -> Iterator[torch.Tensor]:
        for first in range(0, count, 16):
            yield torch.zeros((min(16, count - first), *shape), dtype=dtype)

    def encode() -> None:
        for _ in islice(codec.encode(parts(frames, 3, 32, 48, dtype=torch.uint8)), 4):
            pass

    def decode() -> None:
        for _ in islice(codec.decode(parts(latents, 16, 4, 6, dtype=torch.float32)), 4):
            pass

    assert encoding(chosen, folder) == measured(codec.weights, encode)
    assert decoding(chosen, folder) == measured(codec.weights, decode)


def test_a_text_encoder_takes_what_it_is_said_to(stage: tuple[Stage, Path]) -> None:
    chosen, folder = stage
    encoder = load("tttdit.plugins.t5.module:T5Encoder").without_weights(chosen.text, folder, CPU)
    ids = torch.zeros((1, int(chosen.dims["T"])), dtype=torch.int64)
    found = text_encoding(chosen, folder)
    assert found == measured(encoder.weights, lambda: encoder.embed(ids))


def test_where_nothing_has_weights_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "clip.toml").write_text(SPEC)
    plain = load_spec(tmp_path / "clip.toml").stages[0]
    assert (encoding(plain, tmp_path), decoding(plain, tmp_path), text_encoding(plain, tmp_path)) == (None, None, None)


def test_the_published_vae_is_known_without_its_folder(stage: tuple[Stage, Path], tmp_path: Path) -> None:
    chosen, _ = stage
    found = decoding(chosen, tmp_path)
    assert found is not None
    assert found.weights_bytes == 862_335_628  # 215 million parameters in float32
