"""Names and shapes of parameters and intermediates are those of the reference tensors (a safetensors header is JSON; no torch here)."""

import json
import struct
from pathlib import Path

import pytest
from stages import stage_of

from tttdit.core.symbolic.trace import trace

ROOT = Path(__file__).parents[3]
FOLDERS = [ROOT.parent / "shared" / "reference" / "golden", ROOT / "tests" / "data" / "golden"]
FILES = sorted(path for folder in FOLDERS for path in folder.glob("ttt_*.safetensors"))


def header(path):
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        return json.loads(file.read(length))


def traced(case):
    """The symbolic model of a reference file's configuration."""
    rows, columns = case["token_grid"]
    stage = stage_of(
        {
            "plugin": "ttt-dit",
            "width": case["width"],
            "heads": case["heads"],
            "layers": case["layers"],
            "timestep_width": case["timestep_width"],
            "patch_size": case["patch"],
        },
        {
            "plugin": case["mixer"],
            "mini_batch_size": case["mini_batch_size"],
            "base_learning_rate": case["base_learning_rate"],
            "learning_rates": case["learning_rates"],
            "ttt_norm_eps": case["ttt_norm_eps"],
        },
        {
            "B": case["batch"],
            "F": case["frames"],
            "H": rows * case["patch"],
            "W": columns * case["patch"],
            "C": case["latent_channels"],
            "S": case["segments"],
            "T": case["tokens_per_segment"],
            "X": case["text_width"],
        },
    )
    return trace(stage)


@pytest.mark.skipif(not FILES, reason="no reference tensors here")
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.parent.name}/{path.stem}")
def test_names_and_shapes(path):
    tensors = header(path)
    case = json.loads(tensors.pop("__metadata__")["case"])
    seen = traced(case)
    assert seen.problems == ()
    shapes = {shape.name: list(shape.shape) for shape in seen.shapes}
    expected = {
        name.partition(".")[2]: entry["shape"]
        for name, entry in tensors.items()
        if name.startswith(("param.", "inter."))
    }
    assert {name: shapes.get(name) for name in expected} == expected
    parameters = {shape.name for shape in seen.shapes if shape.kind == "parameter"}
    assert parameters == {name.removeprefix("param.") for name in tensors if name.startswith("param.")}
    assert shapes["output"] == tensors["output"]["shape"]
