"""DCP checkpoints: read like torch reads them, without running what their metadata may name."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed.checkpoint as dcp
from torch import nn
from torch.distributed.checkpoint.metadata import ChunkStorageMetadata, Metadata

from tttdit.core.errors import UsageError
from tttdit.core.runtime.weights.opening import open_source

pytestmark = pytest.mark.filterwarnings("ignore:torch.distributed is disabled")


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """A function that saves a state with torch's DCP; the folder."""

    def save(state: dict[str, Any]) -> Path:
        folder = tmp_path / "checkpoint"
        dcp.save(state, checkpoint_id=folder, no_dist=True)
        return folder

    return save


def rewrite(folder: Path, change: Callable[[Metadata], Any]) -> None:
    """The metadata, changed as somebody might who wants to do harm."""
    path = folder / ".metadata"
    metadata = pickle.loads(path.read_bytes())
    changed = change(metadata)
    path.write_bytes(pickle.dumps(metadata if changed is None else changed))


def test_tensors_of_a_training_state(saved: Callable[..., Path]) -> None:
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(3)).sum().backward()
    optimizer.step()
    state = {"model": {"half": torch.arange(6).bfloat16().view(2, 3), **model.state_dict()}, "step": 7}
    source = open_source(saved({**state, "optimizer": optimizer.state_dict()}))
    assert {name: source.tensors[name].shape for name in source.tensors if name.startswith("model.")} == {
        "model.half": (2, 3),
        "model.weight": (2, 3),
        "model.bias": (2,),
    }
    for name, tensor in state["model"].items():
        read = source.read(f"model.{name}")
        assert read.dtype == tensor.dtype
        assert torch.equal(read, tensor)
    assert source.others["step"] == "no tensor, but pickled Python, which is not read"


def test_chunks_are_put_together(saved: Callable[..., Path]) -> None:
    """As a sharded run writes them: here, two saved tensors that the metadata calls the halves of one."""
    folder = saved({"first": torch.full((2, 3), 1.0), "second": torch.full((1, 3), 2.0)})

    def join(metadata: Metadata) -> None:
        entries, places = metadata.state_dict_metadata, metadata.storage_data
        whole = entries.pop("first")
        entries.pop("second")
        whole.size = torch.Size([3, 3])
        whole.chunks.append(ChunkStorageMetadata(torch.Size([2, 0]), torch.Size([1, 3])))
        entries["whole"] = whole
        index = {name: next(each for each in places if each.fqn == name) for name in ("first", "second")}
        for number, (name, at) in enumerate(index.items()):
            offset = whole.chunks[number].offsets
            places[type(at)("whole", offset, number)] = places.pop(index[name])

    rewrite(folder, join)
    assert open_source(folder).read("whole").tolist() == [[1.0] * 3, [1.0] * 3, [2.0] * 3]


class Harm:
    """Unpickling it would run a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch harmed",)


@pytest.mark.parametrize(
    "pickled",
    [
        pickle.dumps(Harm()),
        pickle.dumps({"deep": [Harm()]}, protocol=2),
        b"cbuiltins\neval\n(S'1'\ntR.",
        b"ctorch\nload\n(S'x'\ntR.",
        b"\x80\x04\x8c\x05torch\x8c\x0fos.path.dirname\x93.",
    ],
    ids=["os.system", "protocol 2", "eval", "torch.load", "dotted"],
)
def test_metadata_cannot_name_anything_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pickled: bytes) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".metadata").write_bytes(pickled)
    with pytest.raises(UsageError, match=r"\.metadata names \S+, which no checkpoint needs: it is not read$"):
        open_source(tmp_path)
    assert not (tmp_path / "harmed").exists()


def test_metadata_cannot_change_a_class(tmp_path: Path) -> None:
    """A pickle may set attributes on whatever it has named: here, on a record's class that nobody else has."""
    (tmp_path / ".metadata").write_bytes(b"ctorch.distributed.checkpoint.metadata\nMetadata\n(N(dS'harm'\nI1\nstb.")
    with pytest.raises(UsageError, match=r"\.metadata is no metadata of a checkpoint: "):
        open_source(tmp_path)
    assert not hasattr(Metadata, "harm")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no metadata of a checkpoint: EOFError"),
        (b"not a pickle", "is no metadata of a checkpoint: UnpicklingError"),
        (
            pickle.dumps({"a": 1}),
            "is no metadata of a checkpoint: AttributeError: 'dict' object has no attribute 'fields'",
        ),
    ],
)
def test_metadata_that_is_none(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / ".metadata").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        open_source(tmp_path)
    assert message in str(caught.value)


def escape(metadata: Metadata) -> None:
    for info in metadata.storage_data.values():
        info.relative_path = "../secret"


def lose_a_chunk(metadata: Metadata) -> None:
    metadata.state_dict_metadata["a"].chunks.clear()


def be_negative(metadata: Metadata) -> None:
    metadata.state_dict_metadata["a"].size = (-4,)


def lose_everything(metadata: Metadata) -> None:
    metadata.storage_data = None


def be_strange(metadata: Metadata) -> None:
    metadata.state_dict_metadata["a"] = 3  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (escape, 'names the file "../secret", which does not lie beside it'),
        (lose_a_chunk, '"a" has 4 numbers, and its chunks hold 0'),
        (be_negative, "is no metadata of a checkpoint: ValueError: (-4,) are no sizes"),
        (lose_everything, "is no metadata of a checkpoint: AttributeError"),
        (be_strange, "is no metadata of a checkpoint: AttributeError"),
    ],
)
def test_metadata_that_lies(saved: Callable[..., Path], change: Callable[[Metadata], None], message: str) -> None:
    folder = saved({"a": torch.zeros(4)})
    rewrite(folder, change)
    with pytest.raises(UsageError) as caught:
        open_source(folder)
    assert message in str(caught.value)


@pytest.mark.parametrize("damage", ["gone", "cut"])
def test_data_that_is_missing_is_one_line(saved: Callable[..., Path], damage: str) -> None:
    folder = saved({"a": torch.arange(1000.0)})
    source = open_source(folder)
    (data,) = folder.glob("*.distcp")
    if damage == "gone":
        data.unlink()
    else:
        data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(UsageError, match=r'checkpoint: "a" cannot be read: ') as caught:
        source.read("a")
    assert "\n" not in str(caught.value)
