"""Every name on either side is accounted for. The projects here are made up: no plugin's names are needed."""

from pathlib import Path
from typing import Any

import pytest
import torch
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from tttdit.core.errors import UsageError
from tttdit.core.plugin.weight_names import WeightNames
from tttdit.core.runtime.weights.formats import Placed
from tttdit.core.runtime.weights.matching import Match, grouped, listed, match, problems
from tttdit.core.runtime.weights.reading import SafetensorsSource

THEIRS = WeightNames(
    project="theirs",
    names={"input.w": "inlet.weight", "block.*.attn.0.w": "layers.*.attention.weight"},
    added=("layers.*.extra.**", "gate"),
    unplaced={"table": "positions are computed here", "odd.**": "nobody knows"},
)
PUBLIC = WeightNames(
    project="public",
    names={name: name for name in THEIRS.names.values()},
    prefixes=("net.",),
    container="model.",
    added=THEIRS.added,
)
WHOLE = {"input.w": (2,), "block.0.attn.0.w": (3,), "block.1.attn.0.w": (3,)}
OURS = {"inlet.weight": (2,), "layers.0.attention.weight": (3,), "layers.1.attention.weight": (3,)}
EXTRA = {f"layers.{layer}.extra.{name}": (4,) for layer in range(2) for name in ("W.0", "b")} | {"gate": (1,)}


def holding(shapes: dict[str, tuple[int, ...]], others: dict[str, str], path: str = "the file") -> SafetensorsSource:
    tensors = {name: Placed(torch.float32, shape, 0) for name, shape in shapes.items()}
    return SafetensorsSource(Path(path), tensors, {}, others)


def matched(shapes: dict[str, tuple[int, ...]], others: dict[str, str] | None = None, **arguments: Any) -> Match:
    return match(holding(shapes, others or {}), (THEIRS, PUBLIC), **arguments)


def test_another_projects_names() -> None:
    found = matched(WHOLE)
    assert found.project == "theirs"
    assert found.fits
    assert found.taken == {
        "inlet.weight": "input.w",
        "layers.0.attention.weight": "block.0.attn.0.w",
        "layers.1.attention.weight": "block.1.attn.0.w",
    }
    assert (found.new, found.left_out) == ((), {})


@pytest.mark.parametrize("prefix", ["", "net.", "model.", "model.net."])
def test_our_own_names_behind_any_prefix(prefix: str) -> None:
    found = matched({prefix + name: shape for name, shape in (OURS | EXTRA).items()}, target=OURS | EXTRA)
    assert found.fits
    assert found.taken == {name: prefix + name for name in OURS | EXTRA}


def test_what_a_checkpoint_has_beside_the_weights_is_left_out() -> None:
    shapes = {f"model.net.{name}": shape for name, shape in OURS.items()}
    found = matched({**shapes, "optimizer.state.gate.exp_avg": (1,)}, others={"step": "no tensor"}, target=OURS)
    assert found.fits
    assert found.left_out == {"step": "no tensor", "optimizer.state.gate.exp_avg": "not under model."}
    assert matched({**shapes, "model.other": (1,)}, target=OURS).unexpected == {"model.other": ""}


def test_what_their_files_lack_is_new() -> None:
    found = matched(WHOLE, target=OURS | EXTRA)
    assert found.fits
    assert set(found.new) == set(EXTRA)


def test_a_part_of_what_is_added_is_not_new() -> None:
    """A file that has some of it should have all: a layer that lost its mixer must not be trained anew in silence."""
    part = {name: shape for name, shape in (OURS | EXTRA).items() if name != "layers.1.extra.b"}
    found = matched(part, target=OURS | EXTRA)
    assert (found.new, found.missing) == ((), ("layers.1.extra.b",))
    assert not found.fits
    assert matched(part).missing == ("layers.1.extra.b",)  # without the model too: the layers are not alike


def test_missing_unexpected_and_of_another_shape() -> None:
    found = matched(
        {**WHOLE, "input.w": (5,), "stray": (1,), "table": (1,), "odd.1": (1,)}, target={**OURS, "end": (1,)}
    )
    assert found.missing == ("end",)
    assert found.unexpected == {"stray": "", "table": "positions are computed here", "odd.1": "nobody knows"}
    (mismatch,) = found.mismatched
    assert (mismatch.name, mismatch.source) == ("inlet.weight", "input.w")
    assert problems(found) == (
        "1 missing: end; 3 unexpected: stray, table, odd.1; 1 of another shape: inlet.weight is [5], not [2]"
    )


def test_a_layer_too_many_and_one_too_few() -> None:
    more = {**WHOLE, "block.2.attn.0.w": (3,)}
    assert matched(more).fits
    assert matched(more, target=OURS).unexpected == {"block.2.attn.0.w": ""}
    assert matched({name: shape for name, shape in more.items() if ".1." not in name}).missing == (
        "layers.1.attention.weight",
    )
    assert matched({"input.w": (2,)}).missing == ("layers.0.attention.weight",)


@pytest.mark.parametrize("number", ["01", "-1", "x", "1e3", "10000", "٣"])
def test_what_is_no_layers_number(number: str) -> None:
    name = f"block.{number}.attn.0.w"
    assert matched({**WHOLE, name: (3,)}).unexpected == {name: ""}


def test_ignored() -> None:
    shapes = {**WHOLE, "odd.1": (1,), "odd.2": (1,)}
    found = matched(shapes, ignored=("odd.*",))
    assert found.fits
    assert found.left_out == dict.fromkeys(("odd.1", "odd.2"), 'ignored, as "odd.*" says')
    with pytest.raises(UsageError, match=r'^the file has nothing like "strange" to ignore$'):
        matched(shapes, ignored=("strange",))
    assert matched(WHOLE, ignored=("input.w",)).missing == ("inlet.weight",)


def test_a_parameter_twice() -> None:
    names = WeightNames(project="two", names={"a": "c", "b": "c"})
    with pytest.raises(UsageError, match=r'^the file has c twice: as "a" and as "b"$'):
        match(holding({"a": (1,), "b": (1,)}, {}), (names,))


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('{"rotary": true, "heads": 3}', ""),
        ('{"heads": 3}', ""),
        ('{"rotary": false}', "rotary is false, and this model is one with true: the weights are another model's"),
        ('{"rotary"', "the config is no JSON"),
        ("[]", "the config is no JSON object"),
    ],
)
def test_the_config_beside_the_weights(tmp_path: Path, config: str, said: str) -> None:
    (tmp_path / "config.json").write_text(config)
    for place in (tmp_path, tmp_path / "weights.safetensors"):  # a checkpoint's folder, a file
        weights = holding(WHOLE, {}, str(place))
        assert match(weights, (THEIRS,)).fits  # a project that asks for nothing
        try:
            assert match(weights, (evolve(THEIRS, config={"rotary": True}),)).fits
            told = ""
        except UsageError as error:
            told = str(error)
        assert told.startswith(f"{tmp_path / 'config.json'}: {said}" if said else "")
        assert bool(told) == bool(said)


def test_names_that_nobody_knows() -> None:
    with pytest.raises(UsageError) as caught:
        matched({"x.1.y": (1,), "x.2.y": (1,), "z": (1,)})
    assert str(caught.value) == (
        "the file has no name that weights are known by (to theirs, public); it has x.*.y x 2, z"
    )
    with pytest.raises(UsageError, match=r"it has none$"):
        matched({})


def test_a_model_whose_plugin_knows_no_other_names() -> None:
    found = match(holding({"anything": (1,), "else": (2,)}, {}), (), target={"anything": (1,)})
    assert (found.project, dict(found.taken), dict(found.unexpected)) == (
        "tttdit",
        {"anything": "anything"},
        {"else": ""},
    )


def test_long_lists_are_shortened() -> None:
    assert grouped(["a.0.b", "a.1.b", "time.0.w", "c"]) == {"a.*.b": 2, "time.0.w": 1, "c": 1}
    assert listed(f"name{letter}" for letter in "abcdef") == "namea, nameb, namec, named and 2 more"


@given(
    st.dictionaries(st.sampled_from([*WHOLE, *OURS, *EXTRA, "stray", "table", "net.gate", "model.x"]), st.just((3,)))
)
def test_nothing_vanishes(shapes: dict[str, tuple[int, ...]]) -> None:
    """Every name of the file, and every parameter of the model, is in one list."""
    target = OURS | EXTRA
    try:
        found = matched(shapes, target=target)
    except UsageError:
        return
    wrong = found.mismatched
    theirs = [*found.taken.values(), *found.unexpected, *found.left_out, *(each.source for each in wrong)]
    ours = [*found.taken, *found.new, *found.missing, *(each.name for each in wrong)]
    assert sorted(theirs) == sorted(shapes)
    assert sorted(ours) == sorted(target)
