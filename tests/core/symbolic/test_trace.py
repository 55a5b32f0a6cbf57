"""A whole model in the symbolic world."""

import pytest
from stages import stage_of

from tttdit.core.symbolic import trace as tracing
from tttdit.core.symbolic.trace import trace


def model_of(frames, segments, tokens, *, layers=6, mixer="ttt-mlp", **mixer_keys):
    """A stage with a model of the size "5B" with so many layers."""
    return stage_of(
        {"plugin": "ttt-dit", "preset": "5B", "layers": layers},
        {"plugin": mixer, **mixer_keys},
        {"B": 1, "F": frames, "H": 60, "W": 90, "C": 16, "S": segments, "T": tokens, "X": 4096},
    )


@pytest.fixture(scope="module")
def nine_seconds():
    return trace(model_of(37, 3, 502, layers=42))


def shown(seen, name):
    (shape,) = [shape for shape in seen.once() if shape.name == name]
    return [repr(size) if type(size) is not int else size for size in shape.shape]


def test_shapes_keep_their_formulas(nine_seconds):
    assert nine_seconds.problems == ()
    assert shown(nine_seconds, "layers.*.seq_modeling_block.q") == [
        "B*S = 3",
        "13*h*w + T = 18052",
        "D = 3072",
    ]
    assert shown(nine_seconds, "layers.*.forward_ssm.in") == ["B = 1", "F*h*w + S*T = 51456", "D = 3072"]
    assert shown(nine_seconds, "output") == ["B = 1", "F = 37", "C = 16", "h*p = 60", "p*w = 90"]


def test_identical_layers_appear_once_and_nothing_else_does(nine_seconds):
    names = [shape.name for shape in nine_seconds.once()]
    assert len(names) == len(set(names))
    assert not [name for name in names if name.startswith(("layers.0", "layers.1"))]
    assert "time_embed.0.bias" in names  # of a list that is no list of layers
    assert "time_embed.2.bias" in names


@pytest.mark.parametrize(
    ("mixer", "keys"),
    [
        *((mixer, {"learning_rates": rates}) for mixer in ("ttt-mlp", "ttt-linear") for rates in ("token", "upstream")),
        ("sliding-window", {"neighbours": 1}),
        ("none", {}),
    ],
)
def test_few_layers_say_what_all_of_them_say(monkeypatch, mixer, keys):
    """Only two of the layers are built; with all of them the report is the same."""
    few = trace(model_of(37, 3, 502, mixer=mixer, **keys))
    monkeypatch.setattr(tracing, "LAYERS_BUILT", 6)
    every = trace(model_of(37, 3, 502, mixer=mixer, **keys))
    assert few.problems == ()
    assert "layers.5.mlp" in {shape.name for shape in every.shapes}
    assert few.once() == every.once()
    assert [[str(size) for size in shape.shape] for shape in few.once()] == [
        [str(size) for size in shape.shape] for shape in every.once()
    ]


def test_the_windows_of_segments_have_formulas():
    """A row is as long as the first segment; a window is three of them."""
    seen = trace(model_of(37, 3, 502, mixer="sliding-window"))
    assert shown(seen, "layers.*.seq_modeling_block.ssm.windows.mask") == ["S = 3", 1, 1, "39*h*w + 3*T = 54156"]


def test_without_a_mixer_nothing_of_one_is_built():
    names = {shape.name for shape in trace(model_of(37, 3, 502, mixer="none")).once()}
    assert [name for name in names if "ssm" in name] == []
    assert "layers.*.attention.out" in names


def test_a_mistake_of_the_symbolic_world_is_not_the_authors(monkeypatch):
    """An exception that it never means to raise is reported as its own."""
    from tttdit.core.symbolic import raw

    monkeypatch.delattr(raw, "output_strides")
    (problem,) = trace(model_of(13, 1, 498)).problems
    assert problem.kind == "unknown"
    assert problem.message == (
        "the symbolic world failed here, which is a mistake in tttdit (NameError: name 'output_strides' is not defined)"
    )
    assert problem.path is not None
    assert problem.path.endswith("module.py")
