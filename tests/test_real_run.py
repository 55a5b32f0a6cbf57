"""docs/real-run.md: its commands, at small size, with small random weights of the classes that a full run reads."""

import re
import shlex
from pathlib import Path

import pytest
import torch
from clips import make_clip
from launching import finish

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "docs" / "real-run.md").read_text("utf-8")
WIDTH = 16  # of the text's embeddings
SMALL = {
    "height = 480\nwidth = 720": "height = 32\nwidth = 48",
    "width = 4096": f"width = {WIDTH}\nmax_tokens = 16",
    'preset = "5B"': "width = 64\nheads = 4\nlayers = 1\ntimestep_width = 8",
    "mini_batch_size = 64": "mini_batch_size = 8",
    "global_batch_size = 64\nsteps = 1000\nwarmup_steps = 50": "global_batch_size = 1\nsteps = 2\nwarmup_steps = 0",
    "training.steps = 5000\ntraining.warmup_steps = 100\n": "",
    "dp_replicate = 8\ndp_sharding = 8": 'unsharded_dtype = "float32"',
    '[hardware]\ngpu = "H100-80GB"\ngpus_per_node = 8\nnodes = 8\n': "",
    "interval = 500": "interval = 1",
    'data.manifest = "9s.jsonl"\n': "",  # the guide names another
}


def commands() -> list[list[str]]:
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def small_spec() -> str:
    """The spec that the guide describes, in sizes for seconds on a CPU: two of its stages, one rank."""
    text = (ROOT / "examples" / "curriculum.toml").read_text("utf-8")
    head, *stages = text.split("[[stage]]\n")
    spec = "[[stage]]\n".join([head, *stages[:2]])
    for large, small in SMALL.items():
        assert large in spec, large
        spec = spec.replace(large, small)
    (additions,) = re.findall(r"^```toml\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    for line in additions.splitlines():
        key, _, value = line.partition(" = ")
        if key == "text.encoder_folder":
            spec = spec.replace('encoder = "t5"\n', f'encoder = "t5"\nencoder_folder = {value}\n')
        elif key.startswith("stage."):
            _, stage, inner = key.split(".", 2)
            spec = spec.replace(f'name = "{stage}"\n', f'name = "{stage}"\n{inner} = {value}\n')
        else:
            spec = spec.replace("[video]", f"{key} = {value}\n\n[video]", 1)
    return spec.replace("sampling = { plugin", "sampling = { steps = 2, plugin")


def save_weights(folder: Path) -> None:
    """A pipeline's folder: transformer, VAE, T5 and its tokenizer, all small, all random."""
    from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel
    from transformers import T5Config, T5EncoderModel, T5Tokenizer

    torch.manual_seed(0)
    CogVideoXTransformer3DModel(
        num_attention_heads=4, attention_head_dim=16, in_channels=16, out_channels=16, time_embed_dim=8,
        text_embed_dim=WIDTH, num_layers=1, patch_size=2, use_rotary_positional_embeddings=True,
    ).save_pretrained(folder / "transformer")  # fmt: skip
    AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4, up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(4, 4, 4, 4), latent_channels=16, layers_per_block=1, norm_num_groups=2,
    ).save_pretrained(folder / "vae")  # fmt: skip
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((f"▁{letter}", -1.0) for letter in "abcde"), ("▁", -2.0)]
    tokenizer = T5Tokenizer(vocab=words, extra_ids=0)
    tokenizer.save_pretrained(folder / "tokenizer")
    T5EncoderModel(
        T5Config(vocab_size=len(tokenizer), d_model=WIDTH, d_kv=4, d_ff=32, num_layers=1, num_heads=4)
    ).save_pretrained(folder / "text_encoder")


def test_every_command_runs_at_small_size(tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    (tmp_path / "one-minute.toml").write_text(small_spec(), "utf-8")
    (tmp_path / "videos").mkdir()
    make_clip(tmp_path / "videos" / "a.mp4", [number / 16 for number in range(146)])
    (tmp_path / "captions.jsonl").write_text('{"clip": "a.mp4", "captions": ["a b", "c", "d e"]}\n')
    (tmp_path / "storyboard.json").write_text('[{"text": "a b"}, {"text": "c"}, {"text": "d e"}]')
    ran = []
    for command in commands():
        if command[0] == "hf":
            save_weights(tmp_path / command[command.index("--local-dir") + 1])
            continue
        assert command[0] in ("tttdit", "tttdit-check")
        arguments = command[1:] if command[0] == "tttdit" else ["check", *command[1:]]
        arguments = ["9s" if word == "63s" else word for word in arguments]
        on_cpu = ["--device", "cpu"] if arguments[0] in ("run", "sample", "prepare") else []
        code, said = finish([*arguments, *on_cpu], tmp_path)
        assert code == 0, f"{shlex.join(command)}\n{said}"
        ran.append(arguments[0])
    assert {"convert-weights", "check", "prepare", "data", "run", "export", "sample", "why", "launch", "plan"} <= set(
        ran
    )
    assert (tmp_path / "out" / "1.mp4").stat().st_size > 0
    assert (tmp_path / "model.safetensors").stat().st_size > 0
