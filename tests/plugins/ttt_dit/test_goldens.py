"""The model against tensors that the public code computed: output, intermediates and every gradient.

All of them where the reference folder lies beside the repository; one for each mixer, in tests/data, everywhere.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor, nn

from tttdit.core.regions import Regions
from tttdit.plugins.ttt_dit.module import TTTVideoDiT
from tttdit.plugins.ttt_linear.module import TTTLinearMixer
from tttdit.plugins.ttt_mlp.module import TTTMLPMixer

torch.set_num_threads(1)

ROOT = Path(__file__).parents[3]
OURS = sorted((ROOT / "tests" / "data" / "golden").glob("ttt_*.safetensors"))
REFERENCE = ROOT.parent / "shared" / "reference" / "golden"
MIXERS = {"ttt-mlp": TTTMLPMixer, "ttt-linear": TTTLinearMixer}
TOLERANCE = 3e-5


class Golden:
    """One file: its case, and its tensors by the part of the name before the first dot."""

    def __init__(self, path: Path) -> None:
        with safe_open(path, "pt") as file:
            self.case = json.loads(file.metadata()["case"])
            self.tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping

    def group(self, prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): x for name, x in self.tensors.items() if name.startswith(prefix)}


class Recording(Regions):
    """Notes what goes into and comes out of every region."""

    def __init__(self, path: str = "", seen: dict[str, Any] | None = None) -> None:
        super().__init__(path)
        self.seen = {} if seen is None else seen

    def within(self, name):
        return Recording(self._join(name), self.seen)

    def __call__(self, name, function, *arguments):
        result = function(*arguments)
        self.seen[self._join(name)] = (arguments, result)
        return result


def build(case: dict[str, Any], regions: Regions) -> nn.Module:
    rows, columns = case["token_grid"]
    sizes = {
        "width": case["width"],
        "heads": case["heads"],
        "latent_frames": case["frames"],
        "grid_height": rows,
        "grid_width": columns,
        "segments": case["segments"],
        "tokens_per_segment": case["tokens_per_segment"],
        "attention_frames": 12,
        "prefix_frames": 1,
        "rope_theta": 10000.0,
        "norm_eps": 1e-6,
    }

    def mixer(regions: Regions) -> nn.Module:
        return MIXERS[case["mixer"]](
            **sizes,
            mini_batch_size=case["mini_batch_size"],
            base_learning_rate=case["base_learning_rate"],
            learning_rates=case["learning_rates"],
            ttt_norm_eps=case["ttt_norm_eps"],
            regions=regions,
        )

    return TTTVideoDiT(
        **sizes,
        layers=case["layers"],
        timestep_width=case["timestep_width"],
        text_width=case["text_width"],
        latent_channels=case["latent_channels"],
        patch_size=case["patch"],
        mixer=mixer,
        regions=regions,
    )


def difference(got: Tensor, want: Tensor) -> float:
    """Relative, norm over norm; absolute where the golden is zero."""
    norm = want.norm().item()
    return (got - want).norm().item() / (norm or 1.0)


def compare(path: Path) -> None:
    golden = Golden(path)
    regions = Recording()
    model = build(golden.case, regions)
    assert {name: x.shape for name, x in model.state_dict().items()} == {
        name: x.shape for name, x in golden.group("param.").items()
    }
    model.load_state_dict(golden.group("param."), strict=True)

    seen = {}
    for index, layer in enumerate(model.layers):
        layer.register_forward_hook(lambda _, __, out, name=f"layers.{index}": seen.update({name: out}))
    inputs = golden.group("input.")
    output = model(inputs["video"], inputs["text"], inputs["timestep"])
    loss = output.square().mean()
    loss.backward()

    for name, out in list(seen.items()):
        seen |= {f"{name}.0": out[0], f"{name}.1": out[1]}
        for block in ("forward_ssm", "reverse_ssm"):
            ((x,), y) = regions.seen[f"{name}.{block}"]
            seen |= {f"{name}.{block}.in": x, f"{name}.{block}.out": y}
        video, text = regions.seen[f"{name}.seq_modeling_block"][1]
        seen |= {f"{name}.seq_modeling_block.0": video, f"{name}.seq_modeling_block.1": text}
    pairs = {"output": (output, golden.tensors["output"]), "loss": (loss.view(1), golden.tensors["loss"])}
    pairs |= {f"inter.{name}": (seen[name], want) for name, want in golden.group("inter.").items()}
    gradients = golden.group("grad.")
    for name, parameter in model.named_parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        pairs[f"grad.{name}"] = (gradient, gradients.pop(name))
    assert not gradients
    wrong = {name: error for name, (got, want) in pairs.items() if (error := difference(got, want)) > TOLERANCE}
    assert not wrong


def test_there_is_one_for_each_mixer():
    assert {Golden(path).case["mixer"] for path in OURS} == set(MIXERS)


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_golden(path):
    compare(path)


@pytest.mark.skipif(
    not REFERENCE.is_dir(), reason="no reference folder beside the repository: only tests/data is compared"
)
@pytest.mark.parametrize("path", sorted(REFERENCE.glob("ttt_*.safetensors")), ids=lambda path: path.stem)
def test_reference_golden(path):
    compare(path)
