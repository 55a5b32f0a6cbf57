"""diffusers' CogVideoX, saved by diffusers and converted by the command, is this model with local attention only.

On one three-second segment: 13 latent frames, one text, which one window holds. There the two compute the same.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_specs import Tables, spec_of
from torch import Tensor, nn

import tttdit
from tttdit.checker import cli
from tttdit.plugins.ttt_dit.weights import NAMES

diffusers = pytest.importorskip("diffusers", reason="diffusers, which [dev] installs, is not here")

TOLERANCE = 1e-5
HEADS, LAYERS, TEXT, ROWS, COLUMNS, FRAMES = 3, 2, 11, 4, 6, 13
THEIR_NAMES = next(names for names in NAMES if names.project == "diffusers").names


def theirs(head_width: int = 64, **settings: Any) -> nn.Module:
    """A CogVideoX as its 5B is, but small, with numbers that leave no weight, bias or norm without effect."""
    torch.manual_seed(0)
    model = diffusers.CogVideoXTransformer3DModel(
        num_attention_heads=HEADS,
        attention_head_dim=head_width,
        num_layers=LAYERS,
        in_channels=4,
        out_channels=4,
        time_embed_dim=32,
        text_embed_dim=24,
        sample_height=2 * ROWS,
        sample_width=2 * COLUMNS,
        max_text_seq_length=TEXT,
        **{"use_rotary_positional_embeddings": True, **settings},
    )
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:
                parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return model.eval()


def tables(mixer: dict[str, Any], head_width: int = 64, norm_eps: float = 1e-5) -> Tables:
    """The spec of the same model."""
    return {
        "video": {"seconds": 3, "fps": 16, "height": 16 * ROWS, "width": 16 * COLUMNS},
        "text": {"segments": 1, "tokens_per_segment": TEXT, "width": 24},
        "codec": {"plugin": "cogvideox-vae", "channels": 4},
        "model": {
            "plugin": "ttt-dit",
            "width": HEADS * head_width,
            "heads": HEADS,
            "layers": LAYERS,
            "timestep_width": 32,
            "norm_eps": norm_eps,
        },
        "model.mixer": mixer,
    }


NONE = {"plugin": "none"}
CLOSED = {"plugin": "ttt-mlp", "mini_batch_size": 17}  # with all gates 0; 17 divides 13 * 4 * 6 + 11 tokens


@pytest.fixture
def converted(tmp_path: Path) -> Callable[..., nn.Module]:
    """A function that saves diffusers' model in shards, converts it, and loads it with `strict=True` into ours, gates shut."""

    def convert(peer: nn.Module, spec_tables: Tables) -> nn.Module:
        peer.save_pretrained(tmp_path / "pipeline" / "transformer", max_shard_size="100KB")
        assert len(list((tmp_path / "pipeline" / "transformer").glob("*-of-*.safetensors"))) > 2
        spec = spec_of(tmp_path / "peer.toml", spec_tables)
        to = tmp_path / "converted.safetensors"
        command = ["convert-weights", str(tmp_path / "pipeline"), str(to), "--spec", spec.path]
        assert cli.outcome(cli.tttdit_command, "tttdit", command) == 0
        model = tttdit.build_model(spec)
        gates = {name: torch.zeros_like(tensor) for name, tensor in model.state_dict().items() if "_gating_" in name}
        mixers = {name: tensor for name, tensor in model.state_dict().items() if ".ssm." in name}
        model.load_state_dict({**load_file(to), **gates, **mixers}, strict=True)
        return model

    return convert


def batch() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    video = torch.randn(2, FRAMES, 4, 2 * ROWS, 2 * COLUMNS, generator=generator)
    return video, torch.randn(2, 1, TEXT, 24, generator=generator), torch.tensor([3, 950])


def run_theirs(model: nn.Module, video: Tensor, text: Tensor, timestep: Tensor, head_width: int = 64) -> Tensor:
    """As diffusers' pipeline calls it for a picture of the size that the model was made for."""
    rotary = diffusers.models.embeddings.get_3d_rotary_pos_embed(
        embed_dim=head_width, crops_coords=((0, 0), (ROWS, COLUMNS)), grid_size=(ROWS, COLUMNS), temporal_size=FRAMES
    )
    return model(video, text.flatten(1, 2), timestep, image_rotary_emb=rotary).sample


def difference(got: Tensor, want: Tensor) -> float:
    return ((got - want).norm() / want.norm()).item()


@pytest.mark.parametrize("head_width", [16, 64])
@pytest.mark.parametrize("norm_eps", [1e-5, 1e-6])
@pytest.mark.parametrize("mixer", [NONE, CLOSED], ids=["none", "gates shut"])
def test_the_forward_pass_is_diffusers_own(
    converted: Callable[..., nn.Module], head_width: int, norm_eps: float, mixer: dict[str, Any]
) -> None:
    peer = theirs(head_width, norm_eps=norm_eps)
    model = converted(peer, tables(mixer, head_width, norm_eps))
    with torch.no_grad():
        want = run_theirs(peer, *batch(), head_width=head_width)
        got = model(*batch())
    assert want.std() > 0.1
    assert difference(got, want) < TOLERANCE
    assert (got - want).abs().max() < TOLERANCE * want.abs().max()


def test_so_it_is_with_the_numbers_of_the_released_weights(tmp_path: Path, converted: Callable[..., nn.Module]) -> None:
    """1e-5 in all norms but those of q and k, and queries so small that it shows."""
    peer = theirs()
    with torch.no_grad():
        for block in peer.transformer_blocks:
            for layer in (block.attn1.to_q, block.attn1.to_k):
                layer.weight.mul_(0.01)
                layer.bias.mul_(0.01)
    spec = tables(NONE)
    spec["model"]["qk_norm_eps"] = 1e-6
    same = converted(peer, spec)
    del spec["model"]["qk_norm_eps"]
    near = tttdit.build_model(spec_of(tmp_path / "near.toml", spec))
    near.load_state_dict(same.state_dict())
    with torch.no_grad():
        want = run_theirs(peer, *batch())
        assert difference(same(*batch()), want) < TOLERANCE
        assert difference(near(*batch()), want) > 3 * TOLERANCE


def test_so_are_the_gradients(converted: Callable[..., nn.Module]) -> None:
    """Of every parameter, by its name there and here: a name that led to the wrong place would show, whatever its shape."""
    peer = theirs(norm_eps=1e-6)
    model = converted(peer, tables(NONE, norm_eps=1e-6))
    run_theirs(peer, *batch()).square().mean().backward()
    model(*batch()).square().mean().backward()
    ours = dict(model.named_parameters())
    seen = {}
    for name, parameter in peer.named_parameters():
        layer = next((part for part in name.split(".") if part.isdigit()), "")
        pattern = name.replace(f".{layer}.", ".*.", 1) if name.startswith("transformer_blocks.") else name
        here = THEIR_NAMES[pattern].replace("*", layer)
        seen[here] = difference(ours[here].grad, parameter.grad)
    assert seen.keys() == ours.keys()
    assert max(seen.values()) < TOLERANCE, max(seen, key=seen.get)


def test_every_key_is_accounted_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], converted: Callable[..., nn.Module]
) -> None:
    peer = theirs()
    converted(peer, tables(CLOSED))
    capsys.readouterr()
    arguments = [str(tmp_path / "pipeline"), str(tmp_path / "other.safetensors"), "--spec", str(tmp_path / "peer.toml")]
    command = ["convert-weights", *arguments, "--dry-run", "--output-format", "json"]
    assert cli.outcome(cli.tttdit_command, "tttdit", command) == 0
    said = json.loads(capsys.readouterr().out)
    assert {each["from"] for each in said["converted"]} == set(peer.state_dict())
    ours = tttdit.build_model(tttdit.load_spec(tmp_path / "peer.toml"), device="meta").state_dict()
    assert {each["to"] for each in said["converted"]} | set(said["new"]) == set(ours)
    assert not any(said[what] for what in ("missing", "unexpected", "other_shapes", "left_out", "files"))
    assert not (tmp_path / "other.safetensors").exists()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        # CogVideoX-2B: a 5B model's names and shapes, and sines that are added to the tokens but in no file.
        ({"use_rotary_positional_embeddings": False}, "use_rotary_positional_embeddings is false, and this model is one with true"),
        ({"activation_fn": "gelu"}, 'activation_fn is "gelu", and this model is one with "gelu-approximate"'),
    ],
)  # fmt: skip
def test_another_model_of_the_same_names_and_shapes_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: dict[str, Any], said: str
) -> None:
    theirs(**settings).save_pretrained(tmp_path / "other")
    command = ["convert-weights", str(tmp_path / "other"), str(tmp_path / "out")]
    assert cli.outcome(cli.tttdit_command, "tttdit", command) == 2
    config = tmp_path / "other" / "config.json"
    assert capsys.readouterr().err == f"tttdit: {config}: {said}: the weights are another model's\n"
    assert not (tmp_path / "out").exists()


def test_a_model_with_absolute_positions_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the image-to-video models are added to the tokens; without them, the weights would not do what they were trained for."""
    peer = theirs(use_learned_positional_embeddings=True, sample_frames=4 * (FRAMES - 1) + 1)
    peer.save_pretrained(tmp_path / "image-to-video")
    command = ["convert-weights", str(tmp_path / "image-to-video"), str(tmp_path / "out")]
    assert cli.outcome(cli.tttdit_command, "tttdit", command) == 1
    assert "unexpected: 1\n  patch_embed.pos_embedding    a table of absolute positions" in capsys.readouterr().out
    command += ["--ignore", "patch_embed.pos_embedding"]
    assert cli.outcome(cli.tttdit_command, "tttdit", command) == 0
    assert "left out: 1\n  patch_embed.pos_embedding    ignored" in capsys.readouterr().out
