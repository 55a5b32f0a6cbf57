"""How near videos drawn by a model of one clip come to that clip: in decibels, and side by side.

    python examples/real-clip/compare.py out

Reads out/clips, out/data, out/runs/real-clip and out/videos; writes out/loss.png and out/side-by-side-NAME.png. Noise is what the model
would draw if it had learned nothing, the codec's reconstruction what it would if it had learned everything. Exit code 1 where a video is
less than 6 dB above noise.
"""

import json
import sys
from pathlib import Path

import matplotlib
import torch
from safetensors.torch import load_file
from torch import Tensor

from tttdit import load_spec
from tttdit.core.plugin.references import load
from tttdit.core.runtime.frames import psnr
from tttdit.core.runtime.video.reading import frames
from tttdit.core.runtime.video.sheets import contact_sheet

BAR = 6.0  # dB above noise
SHOWN = 4  # pictures of each row
VIDEOS = {"rabbit": ("3s", "bigbuckbunny"), "street": ("9s", "bikes")}  # of the storyboards: their stage and clip


def compare(out: Path) -> bool:
    """Prints a line a video; whether all are far enough above noise."""
    spec = load_spec(Path(__file__).with_name("clip.toml"))
    far_enough = True
    print(f"{'PSNR to the clip, dB':24}{'noise':>8}{'sample':>8}{'codec':>8}")
    for name, (stage_name, clip) in VIDEOS.items():
        stage = next(each for each in spec.stages if each.name == stage_name)
        assert stage.assembly.codec.module is not None
        codec = load(stage.assembly.codec.module)(stage.codec, Path(), torch.device("cpu"))
        size = {"fps": stage.video.fps, "height": stage.video.height, "width": stage.video.width}
        count = int(stage.dims["N"])
        source = torch.cat([*frames(out / "clips" / f"{clip}.mp4", **size)])[:count]
        sample = torch.cat([*frames(out / "videos" / f"{name}.mp4", **size)])[:count]
        latents = load_file(out / "data" / stage_name / f"{clip}-0000.safetensors")["latents"].transpose(0, 1)
        reconstruction = torch.cat([*codec.decode([latents])])
        noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
        of = {"noise": torch.cat([*codec.decode([noise])]), "sample": sample, "codec": reconstruction}
        decibels = {what: psnr([source], [video]) for what, video in of.items()}
        print(f"{name:24}" + "".join(f"{each:8.1f}" for each in decibels.values()))
        far_enough &= decibels["sample"] >= decibels["noise"] + BAR
        side_by_side(out / f"side-by-side-{name}.png", [source, reconstruction, sample])
    return far_enough


def side_by_side(path: Path, rows: list[Tensor]) -> None:
    """The same moments of the clip, of its reconstruction, and of the sample, twice as large."""
    moments = [len(rows[0]) * (2 * at + 1) // (2 * SHOWN) for at in range(SHOWN)]
    pictures = [row[at].repeat_interleave(2, 1).repeat_interleave(2, 2) for row in rows for at in moments]
    names = [name for name in ("the clip", "through the codec", "drawn by the model") for _ in moments]
    contact_sheet(path, pictures, SHOWN, names)


def draw_losses(metrics: Path, to: Path) -> None:
    """The loss of every step of both stages, and its mean over 20."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    losses = [
        line["loss"] for line in map(json.loads, metrics.read_text().splitlines()) if line.get("loss") is not None
    ]
    means = [sum(losses[max(0, at - 19) : at + 1]) / len(losses[max(0, at - 19) : at + 1]) for at in range(len(losses))]
    figure, axes = pyplot.subplots(figsize=(7, 3.5), layout="constrained")
    axes.plot(losses, color="0.8", linewidth=0.7, label="a step")
    axes.plot(means, color="tab:blue", label="mean of 20 steps")
    axes.set(xlabel="step of both stages", ylabel="loss", ylim=(0, None))
    axes.legend()
    figure.savefig(to, dpi=120)


if __name__ == "__main__":
    out = Path(sys.argv[1])
    draw_losses(out / "runs" / "real-clip" / "metrics.jsonl", out / "loss.png")
    sys.exit(0 if compare(out) else 1)
