"""The codec against diffusers' own VAE, a small one with random weights that diffusers saved."""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.runtime.frames import as_numbers
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.plugins.cogvideox_vae import spec
from tttdit.plugins.cogvideox_vae.module import CogVideoXVAE
from tttdit.plugins.cogvideox_vae.spec import VideoVAETable

CPU = torch.device("cpu")
CHANNELS = 4


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """The VAE, and the folder whose `vae` holds it."""
    from diffusers import AutoencoderKLCogVideoX

    torch.manual_seed(0)
    vae = AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(4, 4, 4, 4),
        latent_channels=CHANNELS,
        layers_per_block=1,
        norm_num_groups=2,
        scaling_factor=0.7,
        sample_height=16,  # it would tile a larger picture, were tiling on
        sample_width=16,
    ).eval()
    folder = tmp_path_factory.mktemp("weights")
    vae.save_pretrained(folder / "vae")
    return vae, folder


@pytest.fixture(scope="module")
def codec(saved: tuple[Any, Path]) -> CogVideoXVAE:
    return made(saved[1])


def made(base: Path, **keys: Any) -> CogVideoXVAE:
    table = {"plugin": "cogvideox-vae", "folder": "vae", "channels": CHANNELS, **keys}
    return CogVideoXVAE(VideoVAETable(**table), base, CPU)


def video(frames: int) -> Tensor:
    return torch.randint(
        0, 256, (frames, 3, 16, 24), generator=torch.Generator().manual_seed(frames), dtype=torch.uint8
    )


def whole(parts: Iterable[Tensor]) -> Tensor:
    return torch.cat([*parts])


def as_batch(frames: Tensor) -> Tensor:
    return frames.transpose(0, 1).unsqueeze(0)


@pytest.mark.parametrize("frames", [1, 9, 25])
def test_the_numbers_are_those_of_the_whole_video_at_once(
    frames: int, saved: tuple[Any, Path], codec: CogVideoXVAE
) -> None:
    vae, given = saved[0], video(frames)
    with torch.no_grad():
        posterior = vae.encode(as_batch(as_numbers(given))).latent_dist.parameters
        decoded = vae.decode(posterior[:, :CHANNELS]).sample
    encoded = whole(codec.encode([given]))
    assert encoded.shape == ((frames - 1) // 4 + 1, 2 * CHANNELS, 2, 3)
    assert torch.equal(as_batch(encoded), posterior)
    seen = whole(codec.decode([encoded[:, :CHANNELS]]))
    assert (seen.shape, seen.dtype) == (given.shape, torch.uint8)
    assert torch.equal(seen, ((decoded[0].transpose(0, 1).clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8))


def test_how_a_video_is_cut_changes_no_bit(codec: CogVideoXVAE) -> None:
    given = video(17)
    encoded = whole(codec.encode([given]))
    assert torch.equal(whole(codec.encode(given.tensor_split([1, 1, 4, 12]))), encoded)
    latents = encoded[:, :CHANNELS]
    assert torch.equal(whole(codec.decode(latents.split(1))), whole(codec.decode([latents])))


def test_memory_does_not_grow_with_the_length(codec: CogVideoXVAE) -> None:
    def peak(frames: int) -> int:
        """Of both directions, of a video that is made a frame at a time and looked at a part at a time."""
        rod = LiveBytes([*codec._vae.parameters()])
        latents = (part[:, :CHANNELS] for part in codec.encode(video(1) for _ in range(frames)))
        with rod:
            for _ in codec.decode(latents):
                pass
        return rod.peak

    assert peak(17) == peak(65) > 0


def test_gradients_are_as_the_caller_has_them_between_two_parts(codec: CogVideoXVAE) -> None:
    assert all(torch.is_grad_enabled() for _ in codec.encode([video(17)]))
    assert not any(part.requires_grad for part in codec.encode([video(9)]))


def test_a_scale_factor(saved: tuple[Any, Path], codec: CogVideoXVAE) -> None:
    """Latents drawn from the scaled posterior are drawn latents, scaled; and decoding takes the scale away."""
    given, scaled = video(9), made(saved[1], scale_factor=0.7)
    means, log_variances = whole(codec.encode([given])).chunk(2, 1)
    expected = torch.cat([means * 0.7, 2 * (log_variances.div(2).exp() * 0.7).log()], 1)
    torch.testing.assert_close(whole(scaled.encode([given])), expected)
    off = whole(scaled.decode([means * 0.7])).int() - whole(codec.decode([means])).int()
    assert int(off.abs().max()) <= 1


def test_steps_are_diffusers(saved: tuple[Any, Path]) -> None:
    vae = saved[0]
    assert (
        vae.num_sample_frames_batch_size,
        vae.num_latent_frames_batch_size,
    ) == (spec.FRAMES_AT_ONCE, spec.LATENTS_AT_ONCE)


def test_what_diffusers_makes_of_another_length(saved: tuple[Any, Path]) -> None:
    """The reason why it is refused: 4 latent frames should be 13 frames."""
    with torch.no_grad():
        assert saved[0].decode(torch.zeros(1, CHANNELS, 4, 2, 3)).sample.shape[2] == 16


@pytest.mark.parametrize(
    ("frames", "height", "message"),
    [
        (13, 16, "a video of 13 pixel frames cannot be taken: after the first, they have to be a multiple of 8"),
        (9, 20, "a picture of 20 x 24 pixels does not make whole latent pixels of 8 x 8"),
        (0, 16, "a video without frames cannot be taken"),
    ],
)
def test_videos_that_are_refused(frames: int, height: int, message: str, codec: CogVideoXVAE) -> None:
    with pytest.raises(UsageError) as caught:
        whole(codec.encode([torch.zeros(frames, 3, height, 24, dtype=torch.uint8)]))
    assert str(caught.value) == message


def test_an_even_number_of_latent_frames_is_refused(codec: CogVideoXVAE) -> None:
    with pytest.raises(UsageError) as caught:
        whole(codec.decode([torch.zeros(4, CHANNELS, 2, 3)]))
    assert str(caught.value) == (
        "a video of 4 latent frames cannot be taken: after the first, they have to be a multiple of 2"
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"folder": None}, "codec.folder is not stated: the folder with the VAE's config.json and weights"),
        (
            {"folder": "nowhere"},
            "codec.folder: {folder}/nowhere has no config.json: it is no folder of a VAE that diffusers has saved",
        ),
        ({"channels": 16}, "codec.channels is 16, and the VAE in {folder}/vae has 4"),
        ({"time_compression": 8}, "codec.time_compression is 8, and the VAE in {folder}/vae has 4"),
        ({"space_compression": 16}, "codec.space_compression is 16, and the VAE in {folder}/vae has 8"),
    ],
)
def test_folders_that_do_not_fit(keys: dict[str, Any], message: str, saved: tuple[Any, Path]) -> None:
    with pytest.raises(UsageError) as caught:
        made(saved[1], **keys)
    assert str(caught.value) == message.format(folder=saved[1])


def test_a_folder_with_something_else(tmp_path: Path) -> None:
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / "config.json").write_text("{")
    with pytest.raises(
        UsageError, match=r"^codec\.folder: .*/vae cannot be read as a VAE of CogVideoX: \w+: "
    ) as caught:
        made(tmp_path)
    assert "\n" not in str(caught.value)


def test_without_diffusers(saved: tuple[Any, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(UsageError) as caught:
        made(saved[1])
    assert str(caught.value) == '[codec] plugin = "cogvideox-vae" needs diffusers: pip install "tttdit[real]"'
