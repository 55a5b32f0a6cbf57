"""Samples from files: latents, posteriors and texts as a model takes them, and what cannot be used."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from sample_files import LATENTS, POSTERIOR, TEXT, WANTED, save, write_manifest, write_samples

from tttdit.core.errors import RunError
from tttdit.core.runtime.data.source import BadSample, read_sample
from tttdit.plugins.precomputed.module import PrecomputedSource
from tttdit.plugins.precomputed.spec import PrecomputedTable

THREE = {"video": (37, 16, 2, 2), "text": (3, 3, 8)}


def source_of(spec: Path, wanted: Mapping[str, tuple[int, ...]] = WANTED, **keys: Any) -> PrecomputedSource:
    """The source of a spec in this folder."""
    table = PrecomputedTable.model_validate({"plugin": "precomputed", "manifest": "clips.jsonl", **keys})
    return PrecomputedSource(table, wanted, spec)


def sample(
    source: PrecomputedSource, index: int = 0, seed: int = 0, wanted: Mapping[str, tuple[int, ...]] = WANTED
) -> Any:
    return read_sample(source, index, torch.Generator().manual_seed(seed), wanted)


def of_line(folder: Path, line: Mapping[str, Any], wanted: Mapping[str, tuple[int, ...]] = WANTED, **keys: Any) -> Any:
    write_manifest(folder, line)
    return sample(source_of(folder, wanted, **keys), wanted=wanted)


def tensor(shape: tuple[int, ...], dtype: Any = torch.float32, seed: int = 0) -> Any:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
def test_latents_come_frame_by_frame(ending: str, dtype: Any, tmp_path: Path) -> None:
    save(tmp_path / f"a.{ending}", dtype=dtype, latents=LATENTS, text=TEXT, other=(5,))
    got = of_line(tmp_path, {"latents": f"a.{ending}", "text": f"a.{ending}"})
    assert {name: (each.dtype, tuple(each.shape)) for name, each in got.items()} == {
        name: (torch.float32, shape) for name, shape in WANTED.items()
    }
    assert torch.equal(got["video"], tensor(LATENTS, dtype).float().transpose(0, 1))
    assert got["video"].is_contiguous()


def test_a_file_may_hold_one_tensor_of_any_name_or_none(tmp_path: Path) -> None:
    save(tmp_path / "a.safetensors", x=LATENTS)
    torch.save(tensor(TEXT, seed=1), tmp_path / "text.pt")
    got = of_line(tmp_path, {"latents": "a.safetensors", "text": "text.pt"})
    assert torch.equal(got["text"], tensor(TEXT, seed=1))


def test_a_posterior_is_drawn_from(tmp_path: Path) -> None:
    """mean + exp(0.5 log variance) noise; log variances are held between -30 and 20."""
    mean, log_variance = tensor(LATENTS), tensor(LATENTS, seed=1) * 40
    torch.save(torch.cat([mean, log_variance]), tmp_path / "a.pt")
    save(tmp_path / "text.pt", text=TEXT)
    write_manifest(tmp_path, {"latents": "a.pt", "text": "text.pt"})
    source = source_of(tmp_path)
    noise = torch.randn(LATENTS, generator=torch.Generator().manual_seed(5))
    expected = mean + torch.exp(0.5 * torch.clamp(log_variance, -30, 20)) * noise
    assert torch.equal(sample(source, seed=5)["video"], expected.transpose(0, 1))
    assert torch.equal(sample(source, seed=5)["video"], sample(source, seed=5)["video"])
    assert not torch.equal(sample(source, seed=5)["video"], sample(source, seed=6)["video"])


@pytest.mark.parametrize("shape", [(3, 8), (1, 3, 8)])
def test_a_text_may_be_a_file_a_segment(shape: tuple[int, ...], tmp_path: Path) -> None:
    save(tmp_path / "a.safetensors", latents=(16, 37, 2, 2))
    names = []
    for segment in range(3):
        save(tmp_path / f"{segment}.safetensors", segment, text=shape)
        names.append(f"{segment}.safetensors")
    got = of_line(tmp_path, {"latents": "a.safetensors", "text": names}, THREE)
    assert torch.equal(got["text"], torch.stack([tensor(shape, seed=segment).reshape(3, 8) for segment in range(3)]))


@pytest.mark.parametrize(
    ("shapes", "told"),
    [
        (
            {"latents": (16, 12, 2, 2)},
            "holds latents [16, 12, 2, 2], and the model takes [16, 13, 2, 2], or a posterior's [32, 13, 2, 2]",
        ),
        ({"text": (2, 3, 8)}, "holds text [2, 3, 8], and the model takes [3, 8] in each file, a segment's"),
        ({"text": (24,)}, "holds text [24], and the model takes [3, 8] in each file, a segment's"),
    ],
)
def test_other_shapes(shapes: dict[str, tuple[int, ...]], told: str, tmp_path: Path) -> None:
    save(tmp_path / "a.safetensors", **{"latents": LATENTS, "text": TEXT, **shapes})
    with pytest.raises(BadSample) as error:
        of_line(tmp_path, {"latents": "a.safetensors", "text": "a.safetensors"})
    assert str(error.value) == f"{tmp_path}/clips.jsonl:1: {tmp_path}/a.safetensors {told}"


def test_as_many_files_as_segments(tmp_path: Path) -> None:
    save(tmp_path / "a.safetensors", latents=(16, 37, 2, 2), text=(3, 8))
    with pytest.raises(BadSample, match=r'the line has 2 files in "text", and there are 3 segments'):
        of_line(tmp_path, {"latents": "a.safetensors", "text": ["a.safetensors"] * 2}, THREE)


def test_other_names_and_types(tmp_path: Path) -> None:
    save(tmp_path / "text.safetensors", text=TEXT)
    save(tmp_path / "two.safetensors", a=LATENTS, b=LATENTS)
    save(tmp_path / "whole.safetensors", dtype=torch.int32, latents=LATENTS)
    torch.save([tensor(LATENTS)], tmp_path / "list.pt")
    torch.save({"latents": tensor(LATENTS).to_sparse()}, tmp_path / "sparse.pt")
    told = {
        "two.safetensors": 'holds 2 tensors, and none of the name "latents"',
        "whole.safetensors": "holds latents of the type int32, which is no floating-point type",
        "list.pt": 'holds 0 tensors, and none of the name "latents"',
        "sparse.pt": 'holds 0 tensors, and none of the name "latents"',
    }
    for name, what in told.items():
        with pytest.raises(BadSample) as error:
            of_line(tmp_path, {"latents": name, "text": "text.safetensors"})
        assert str(error.value).endswith(f"{name} {what}")


class Runs:
    """Something whose loading runs a command."""

    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> Any:
        return os.system, (self.command,)


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"latents": Runs(f"touch {tmp_path}/ran")}, tmp_path / "a.pt")
    with pytest.raises(BadSample, match=r"a\.pt is no file of tensors alone, and is not loaded"):
        of_line(tmp_path, {"latents": "a.pt", "text": "a.pt"})
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\x80\x02.", b"not a tensor", b"\x80\x02" + b"(" * 5000])
@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_damaged_files(ending: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / f"a.{ending}").write_bytes(content)
    with pytest.raises(BadSample) as error:
        of_line(tmp_path, {"latents": f"a.{ending}", "text": f"a.{ending}"})
    assert f"clips.jsonl:1: {tmp_path}/a.{ending} " in str(error.value)
    assert "\n" not in str(error.value)


def _header(content: bytes, length: int | None = None) -> bytes:
    return (len(content) if length is None else length).to_bytes(8, "little") + content


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (_header(b"{" + b" " * 2**21 + b"}"), "has a header of 2,097,154 bytes, and at most 1,048,576 are read"),
        (_header(b"{", 2**60), "is no safetensors file"),
        (_header(b'{"a":' + b"[" * 50_000), "its header is no JSON"),
        (
            _header(json.dumps({"a": {"dtype": "F32", "shape": [2**62] * 9000, "data_offsets": [0, 4]}}).encode()),
            "has 9,000 dimensions, and at most 64 are read",
        ),
        (
            _header(json.dumps({"latents": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()),
            "is not whole: its tensors end at byte",
        ),
    ],
)
def test_headers_that_are_made_to_hurt(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    with pytest.raises(BadSample, match=told):
        of_line(tmp_path, {"latents": "a.safetensors", "text": "a.safetensors"})


def test_an_archive_that_would_grow_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "whole.pt", latents=LATENTS, text=TEXT)
    bomb = b"\0" * 2**21
    for pack, told in (
        (zipfile.ZIP_DEFLATED, "is a compressed archive, which torch.save does not write"),
        (zipfile.ZIP_STORED, "has a header of 2,097,152 bytes, and at most 1,048,576 are read"),
    ):
        with zipfile.ZipFile(tmp_path / "whole.pt") as whole, zipfile.ZipFile(tmp_path / "a.pt", "w", pack) as archive:
            for entry in whole.infolist():
                is_header = entry.filename.endswith("/data.pkl")
                archive.writestr(entry.filename, bomb if is_header else whole.read(entry))
        with pytest.raises(BadSample, match=told):
            of_line(tmp_path, {"latents": "a.pt", "text": "a.pt"})


def test_files_of_old_torch_versions_are_read(tmp_path: Path) -> None:
    tensors = {"latents": tensor(LATENTS), "text": tensor(TEXT)}
    torch.save(tensors, tmp_path / "a.pt", _use_new_zipfile_serialization=False)
    got = of_line(tmp_path, {"latents": "a.pt", "text": "a.pt"})
    assert torch.equal(got["text"], tensors["text"])


def test_a_huge_tensor_of_few_bytes_is_never_made(tmp_path: Path) -> None:
    """Strides of 0 give a small file any shape."""
    torch.save(torch.zeros(1).expand(2**20, 2**20, 2**10, 2), tmp_path / "a.pt")
    with pytest.raises(BadSample, match="holds latents"):
        of_line(tmp_path, {"latents": "a.pt", "text": "a.pt"})


def test_paths_stay_in_the_data_folder(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    save(outer / "a.safetensors", latents=LATENTS, text=TEXT)
    inner.mkdir()
    (inner / "link.safetensors").symlink_to(outer / "a.safetensors")
    (inner / "loop.safetensors").symlink_to(inner / "loop.safetensors")
    for name in ("../outer/a.safetensors", str(outer / "a.safetensors"), "link.safetensors"):
        line = {"latents": name, "text": name}
        with pytest.raises(BadSample, match=f"lies outside of the folder {inner}$"):
            of_line(inner, line)
        assert of_line(inner, line, outside_paths=True)["video"].shape == WANTED["video"]
    with pytest.raises(BadSample, match="cannot be read: Too many levels of symbolic links"):
        of_line(inner, {"latents": "loop.safetensors", "text": "loop.safetensors"})


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    (tmp_path / "folder.pt").mkdir()
    for name, told in (
        ("gone.pt", "is not there"),
        ("pipe.pt", "is no file"),
        ("folder.pt", "is no file"),
        ("x" * 300 + ".pt", "cannot be read"),
    ):
        with pytest.raises(BadSample, match=told):
            of_line(tmp_path, {"latents": name, "text": name})


def test_the_manifest_may_lie_elsewhere(tmp_path: Path) -> None:
    write_samples(tmp_path / "data", 2)
    (tmp_path / "lists").mkdir()
    (tmp_path / "data" / "clips.jsonl").rename(tmp_path / "lists" / "9s.jsonl")
    source = source_of(tmp_path, manifest="lists/9s.jsonl", folder="data")
    assert len(source) == 2
    assert sample(source, 1)["video"].shape == WANTED["video"]
    assert source.name(1) == f"{tmp_path}/lists/9s.jsonl:2"


def test_a_run_without_a_manifest_ends_at_once(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"clips\.jsonl cannot be read: No such file"):
        source_of(tmp_path)
    write_samples(tmp_path, 1)
    with pytest.raises(RunError, match="the model takes sound, and precomputed samples have video and text"):
        source_of(tmp_path, {"sound": (1,)})


def test_posteriors_and_latents_stand_side_by_side(tmp_path: Path) -> None:
    write_samples(tmp_path, 4)
    source = source_of(tmp_path)
    assert [tuple(sample(source, index)["video"].shape) for index in range(4)] == [WANTED["video"]] * 4
    assert POSTERIOR[0] == 2 * LATENTS[0]
