"""Safetensors files, read and written: the same as the safetensors package's, and what is said of damaged ones."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.runtime.weights.formats import DTYPES, Stored, read_header
from tttdit.core.runtime.weights.opening import open_source
from tttdit.core.runtime.weights.reading import indexed_files, safetensors_file
from tttdit.core.runtime.weights.writing import INDEX, write_file, write_folder


def stored(tensors: dict[str, Tensor]) -> dict[str, Stored]:
    return {name: Stored(tensor.dtype, tuple(tensor.shape)) for name, tensor in tensors.items()}


def same(left: Tensor, right: Tensor) -> bool:
    """To the bit, NaN too."""
    return (left.dtype, left.shape) == (right.dtype, right.shape) and torch.equal(
        left.contiguous().view(-1).view(torch.uint8), right.contiguous().view(-1).view(torch.uint8)
    )


@st.composite
def tensors(draw: st.DrawFn) -> dict[str, Tensor]:
    """Some tensors of any type and shape, of any bytes, some of them views that are not contiguous."""
    found = {}
    names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda name: name != "__metadata__")
    for name in draw(st.lists(names, max_size=6, unique=True)):
        dtype = draw(st.sampled_from(sorted(DTYPES.values(), key=str)))
        shape = draw(st.lists(st.integers(0, 4), max_size=3))
        if dtype == torch.bool:
            tensor = torch.randint(0, 2, shape).bool()
        else:
            size = math.prod(shape) * dtype.itemsize
            tensor = torch.randint(0, 256, (size,), dtype=torch.uint8).view(dtype).view(shape)
        found[name] = tensor.transpose(0, -1) if len(shape) > 1 and draw(st.booleans()) else tensor
    return found


@given(tensors())
@settings(max_examples=60)
def test_what_is_written_is_what_the_safetensors_package_reads(tmp_path_factory, given: dict[str, Tensor]) -> None:
    path = tmp_path_factory.mktemp("written") / "written.safetensors"
    write_file(path, stored(given), given.__getitem__)
    read = load_file(path)
    assert read.keys() == given.keys()
    assert all(same(read[name], tensor) for name, tensor in given.items())
    ours = safetensors_file(path)
    assert all(same(ours.read(name), tensor) for name, tensor in given.items())


@given(tensors())
@settings(max_examples=40)
def test_what_the_safetensors_package_writes_is_read(tmp_path_factory, given: dict[str, Tensor]) -> None:
    path = tmp_path_factory.mktemp("saved") / "saved.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in given.items()}, path, metadata={"format": "pt"})
    source = safetensors_file(path)
    assert source.tensors.keys() == given.keys()
    assert all(same(source.read(name), tensor) for name, tensor in given.items())


@given(tensors(), st.integers(1, 64))
@settings(max_examples=40)
def test_a_folder_of_shards_is_read_as_it_was_written(tmp_path_factory, given: dict[str, Tensor], largest: int) -> None:
    folder = tmp_path_factory.mktemp("shards")
    names = write_folder(folder, stored(given), given.__getitem__, largest)
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)
    for name in names:
        if name != INDEX:
            held = read_header(folder / name)
            assert len(held) < 2 or sum(tensor.nbytes for tensor in held.values()) <= largest
    source = open_source(folder)
    assert source.tensors.keys() == given.keys()
    assert all(same(source.read(name), tensor) for name, tensor in given.items())


def test_a_tensor_read_is_in_memory_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.zeros(3)}, path)
    tensor = safetensors_file(path).read("a")
    path.write_bytes(b"gone")
    assert tensor.tolist() == [0, 0, 0]


# -- damaged files

HEADER = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def made(header: object, data: bytes = b"\0" * 8) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def changed(**changes: object) -> bytes:
    return made({"a": {**HEADER["a"], **changes}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no safetensors file: it does not begin with a header"),
        (b"PK\3\4" + b"x" * 100, "is no safetensors file: it does not begin with a header"),
        (b"\0" * 8 + b"{" * 100, "is no safetensors file: it does not begin with a header"),
        (made(HEADER)[:20], "is not whole: its header takes 61 bytes, and 12 are there"),
        (made(HEADER)[:-3], "is not whole: its tensors end at byte 77, the file at 74"),
        (made(HEADER) + b"xyz", "has 3 bytes after its last tensor: it is damaged"),
        (made(b"{nonsense"), "its header is no JSON"),
        (made(b'{"a":' * 5000), "its header is no JSON"),
        (made(b'{"a":1,"a":2}'), 'its header has "a" twice'),
        (made({"a": 1}), 'the tensor "a" lacks its type, its shape or its place'),
        (changed(dtype="F4"), 'the tensor "a" is of the type "F4", which is none of F64, F32'),
        (changed(dtype=["F32"]), 'the tensor "a" is of the type ["F32"], which is none of'),
        (changed(shape=[-2]), 'the tensor "a" has a shape or a place that is no list of whole numbers'),
        (changed(shape=[True, True]), 'the tensor "a" has a shape or a place that is no list of whole numbers'),
        (changed(data_offsets=[0]), 'the tensor "a" has a shape or a place that is no list of whole numbers'),
        (changed(shape=[3]), 'the tensor "a" takes 12 bytes by its shape and type, and 8 by its place'),
        (changed(data_offsets=[4, 12]), 'the tensor "a" begins at byte'),
        (made({**HEADER, "b": HEADER["a"]}), 'the tensor "b" begins at byte'),
        (changed(shape=[2**62], data_offsets=[0, 2**64]), "no list of whole numbers"),
    ],
)
def test_a_damaged_file_is_told_by_what_is_wrong_with_it(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "damaged.safetensors"
    path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        open_source(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.data())
@settings(max_examples=100)
def test_no_bytes_make_it_fail_otherwise(tmp_path_factory, data: st.DataObject) -> None:
    """A whole file with some bytes changed, or cut off: read, or refused in words."""
    content = bytearray(made({**HEADER, "b": {"dtype": "BF16", "shape": [], "data_offsets": [8, 10]}}, b"\0" * 10))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("changed") / "changed.safetensors"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        source = open_source(path)
    except UsageError:
        return
    for name in source.tensors:
        source.read(name)


# -- indices and folders


@pytest.fixture
def sharded(tmp_path: Path) -> Callable[..., Path]:
    """A function that makes a folder of two shards, a in one and b in two, with the index as given."""

    def make(places: object) -> Path:
        save_file({"a": torch.zeros(1)}, tmp_path / "one.safetensors")
        save_file({"b": torch.zeros(1)}, tmp_path / "two.safetensors")
        path = tmp_path / "x.safetensors.index.json"
        path.write_text(places if isinstance(places, str) else json.dumps({"weight_map": places}))
        return path

    return make


RIGHT = {"a": "one.safetensors", "b": "two.safetensors"}


def test_an_index_keeps_files_together(sharded: Callable[..., Path]) -> None:
    index = sharded(RIGHT)
    assert set(indexed_files(index).tensors) == {"a", "b"}
    assert set(open_source(index.parent).tensors) == {"a", "b"}


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ({**RIGHT, "c": "three.safetensors"}, 'names "three.safetensors", which is not there'),
        ({**RIGHT, "c": "two.safetensors"}, 'places "c" in "two.safetensors", which does not hold it'),
        ({"a": "one.safetensors", "c": "two.safetensors"}, 'holds "b", which x.safetensors.index.json does not name'),
        ({"a": "one.safetensors", "b": "one.safetensors"}, 'places "b" in "one.safetensors", which does not hold it'),
        ({**RIGHT, "a": "two.safetensors"}, 'places "a" in "two.safetensors", which does not hold it'),
        ({"a": "../one.safetensors"}, 'names the file "../one.safetensors", which does not lie beside it'),
        ({"a": "/etc/passwd"}, 'names the file "/etc/passwd", which does not lie beside it'),
        ({"a": ".."}, 'names the file "..", which does not lie beside it'),
        ({"a": "..\\one.safetensors"}, "which does not lie beside it"),
        ({"a": ""}, 'names the file "", which does not lie beside it'),
        ({"a": 3}, 'is no index: it has no "weight_map" of names and files'),
        ([], 'is no index: it has no "weight_map" of names and files'),
        ('{"weight_map": {"a": "one.safetensors", "a": "two.safetensors"}}', 'the index has "a" twice'),
        ("{", "the index is no JSON"),
        ("[]", "the index is no JSON object"),
    ],
)
def test_an_index_that_is_wrong(sharded: Callable[..., Path], places: object, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        indexed_files(sharded(places))
    assert message in str(caught.value)


def test_a_tensor_in_two_shards(sharded: Callable[..., Path]) -> None:
    index = sharded(RIGHT)
    save_file({"a": torch.zeros(1), "b": torch.zeros(1)}, index.parent / "two.safetensors")
    with pytest.raises(UsageError, match=r'two.safetensors holds "a", which x.* places in "one.safetensors"'):
        indexed_files(index)


def test_what_a_folder_holds(tmp_path: Path, sharded: Callable[..., Path]) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UsageError, match=r"empty holds no weights: no \*\.safetensors, .* no \.metadata$"):
        open_source(empty)
    (empty / "model.bin").touch()
    with pytest.raises(UsageError, match=r"model\.bin is a pickle, which is not read$"):
        open_source(empty)
    with pytest.raises(UsageError, match=r"model\.bin is a pickle, which is not read: save it as safetensors"):
        open_source(empty / "model.bin")
    with pytest.raises(UsageError, match=r"nowhere is not there"):
        open_source(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"pipe is neither a file nor a folder$"):
        open_source(tmp_path / "pipe")

    index = sharded(RIGHT)
    (tmp_path / "y.safetensors.index.json").write_text(index.read_text())
    with pytest.raises(UsageError, match=r"holds several: name one of x\.saf.*json, y\.saf.*json"):
        open_source(tmp_path)


def test_weights_inside_a_pipelines_folder(tmp_path: Path) -> None:
    inner = tmp_path / "transformer"
    inner.mkdir()
    save_file({"a": torch.zeros(1)}, inner / "a.safetensors")
    assert set(open_source(tmp_path, ["transformer"]).tensors) == {"a"}
    with pytest.raises(UsageError, match=r"holds no weights"):
        open_source(tmp_path)
