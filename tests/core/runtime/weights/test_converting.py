"""Converting streams, and what it writes is there whole or not at all: whoever kills it, whatever disk is full."""

import os
import resource
import signal
import subprocess
import sys
import weakref
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from attrs import evolve
from safetensors.torch import load_file, save_file
from torch import Tensor

from tttdit.core.errors import UsageError
from tttdit.core.plugin.weight_names import WeightNames
from tttdit.core.runtime.weights.converting import convert, converted
from tttdit.core.runtime.weights.matching import Match, match
from tttdit.core.runtime.weights.opening import open_source
from tttdit.core.runtime.weights.reading import SafetensorsSource, safetensors_file

NAMES = WeightNames(project="theirs", names={"in": "inlet", "block.*.w": "layers.*.weight"})
GIVEN = {"in": torch.arange(3), **{f"block.{i}.w": torch.randn(4, 5) for i in range(3)}}


@pytest.fixture
def source(tmp_path: Path) -> SafetensorsSource:
    path = tmp_path / "given.safetensors"
    save_file(GIVEN, path)
    return safetensors_file(path)


def matched(source: SafetensorsSource) -> Match:
    return match(source, (NAMES,))


def is_whole(path: Path) -> bool:
    read = open_source(path)
    return all(torch.equal(read.read(ours), GIVEN[theirs]) for ours, theirs in matched_names().items())


def matched_names() -> dict[str, str]:
    return {"inlet": "in", **{f"layers.{i}.weight": f"block.{i}.w" for i in range(3)}}


def test_to_a_file_and_to_a_folder(tmp_path: Path, source: SafetensorsSource) -> None:
    told: list[tuple[int, int]] = []
    file, folder = tmp_path / "out.safetensors", tmp_path / "out"
    assert convert(source, matched(source), file, progress=lambda *so_far: told.append(so_far)) == ("out.safetensors",)
    assert told == [(1, 24), (2, 104), (3, 184), (4, 264)]
    assert load_file(file).keys() == matched_names().keys()
    assert is_whole(file)

    names = convert(source, matched(source), folder, largest=160)
    assert names == (
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
        "model.safetensors.index.json",
    )
    assert sorted(os.listdir(folder)) == sorted(names)
    assert is_whole(folder)


def test_only_numbers_with_a_point_are_cast(tmp_path: Path, source: SafetensorsSource) -> None:
    path = tmp_path / "half.safetensors"
    convert(source, matched(source), path, dtype=torch.bfloat16)
    read = load_file(path)
    assert read["inlet"].dtype == torch.int64
    assert torch.equal(read["layers.1.weight"], GIVEN["block.1.w"].bfloat16())
    assert {name: tensor.dtype for name, tensor in converted(source, matched(source), torch.bfloat16).items()} == {
        name: tensor.dtype for name, tensor in read.items()
    }


def test_a_number_that_the_type_does_not_hold(tmp_path: Path) -> None:
    given = tmp_path / "given.safetensors"
    save_file({"in": torch.tensor([1.0, -70000.0]), "block.0.w": torch.tensor([float("inf")])}, given)
    large = safetensors_file(given)
    with pytest.raises(UsageError, match=r"^inlet has 7e\+04, more than torch.float16 holds: choose another dtype$"):
        convert(large, matched(large), tmp_path / "out.safetensors", dtype=torch.float16)
    assert os.listdir(tmp_path) == ["given.safetensors"]


def test_one_tensor_at_a_time(tmp_path: Path, source: SafetensorsSource, monkeypatch: pytest.MonkeyPatch) -> None:
    living: weakref.WeakSet[Tensor] = weakref.WeakSet()
    read = SafetensorsSource.read

    def counted(self: SafetensorsSource, name: str) -> Tensor:
        assert len(living) == 0
        tensor = read(self, name)
        living.add(tensor)
        return tensor

    monkeypatch.setattr(SafetensorsSource, "read", counted)
    convert(source, matched(source), tmp_path / "out", largest=100)


# Converts 200 MB in 80 tensors, and says how much resident memory grew by, sampled at every tensor.
MEASURED = """
import sys, warnings
from pathlib import Path
import torch
from torch.distributed import checkpoint
from safetensors.torch import save_file
from tttdit.core.plugin.weight_names import WeightNames
from tttdit.core.runtime.weights.converting import convert
from tttdit.core.runtime.weights.matching import match
from tttdit.core.runtime.weights.opening import open_source

warnings.simplefilter("ignore")  # torch: no process group

def save_checkpoint(state, folder):
    checkpoint.save(state, checkpoint_id=folder, no_dist=True)

def save_safetensors(state, folder):
    folder.mkdir()
    save_file(state, folder / "in.safetensors")

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

def growth(save, folder, count, size):
    save({f"b.{i}": torch.full((size,), float(i)) for i in range(count)}, folder)
    source = open_source(folder)
    names = WeightNames(project="x", names={"b.*": "c.*"})
    found = match(source, (names,))
    before, seen = resident(), []
    convert(source, found, Path(f"{folder}.safetensors"), progress=lambda *_: seen.append(resident()))
    assert len(seen) == count
    return max(seen) - before

for save in (save_safetensors, save_checkpoint):
    growth(save, Path(sys.argv[1], f"small-{save.__name__}"), 3, 1000)
    print(growth(save, Path(sys.argv[1], save.__name__), 80, 625_000))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="measures with /proc, which Linux has")
def test_the_memory_it_takes_is_that_of_one_tensor(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MALLOC_TRIM_THRESHOLD_": "0"},
    )
    assert done.returncode == 0, done.stderr
    written = [path.stat().st_size for path in tmp_path.glob("save*.safetensors")]
    assert min(written) > 200e6
    assert max(map(int, done.stdout.split())) < 10e6  # a tensor is 2.5 MB


# -- whole or not at all


def killed(source: SafetensorsSource, to: Path, at: int) -> int:
    """Converts in a process that is killed when it has come to this tensor; the process's number."""
    come, say = os.pipe()

    def progress(tensors: int, size: int) -> None:
        if tensors == at:
            os.write(say, b"!")
            signal.pause()

    process = os.fork()
    if process == 0:
        with suppress(BaseException):
            convert(source, matched(source), to, largest=100, overwrite=True, progress=progress)
        os._exit(0)
    os.close(say)
    assert os.read(come, 1) == b"!"
    os.kill(process, signal.SIGKILL)
    assert os.waitpid(process, 0)[1] == signal.SIGKILL
    os.close(come)
    return process


@pytest.mark.parametrize("to", ["out.safetensors", "out"])
@pytest.mark.parametrize("at", [1, 3, 4])
@pytest.mark.parametrize("before", [False, True])
def test_killed_it_leaves_what_was_there(
    tmp_path: Path, source: SafetensorsSource, to: str, at: int, before: bool
) -> None:
    path = tmp_path / to
    if before:
        convert(source, matched(source), path)
    process = killed(source, path, at)
    assert path.exists() == before
    assert not before or is_whole(path)
    assert [left.name for left in tmp_path.glob(".*")] == [f".{to}.{process}.partial"]


def test_what_fails_leaves_nothing(tmp_path: Path, source: SafetensorsSource) -> None:
    def interrupt(tensors: int, size: int) -> None:
        if tensors == 3:
            raise KeyboardInterrupt

    for to in ("out", "out.safetensors"):
        with pytest.raises(KeyboardInterrupt):
            convert(source, matched(source), tmp_path / to, progress=interrupt)
        assert os.listdir(tmp_path) == ["given.safetensors"]


def test_a_disk_that_is_full(tmp_path: Path, source: SafetensorsSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit on a file's size stands for the disk here: the system refuses to write, in the midst of a tensor."""
    path = tmp_path / "out.safetensors"
    large = tmp_path / "large.safetensors"
    save_file({"in": torch.zeros(1000), "block.0.w": torch.zeros(1000)}, large)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        with pytest.raises(UsageError, match=r"out\.safetensors cannot be written: File too large$"):
            convert(safetensors_file(large), matched(safetensors_file(large)), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert sorted(os.listdir(tmp_path)) == ["given.safetensors", "large.safetensors"]

    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 100}))
    with pytest.raises(UsageError, match=r"out\.safetensors would take 264 bytes, and 100 are free there$"):
        convert(source, matched(source), path)


def test_what_is_there_is_replaced_only_if_asked_for(tmp_path: Path, source: SafetensorsSource) -> None:
    found = matched(source)
    file, folder = tmp_path / "out.safetensors", tmp_path / "out"
    for to in (file, folder):
        convert(source, found, to)
        with pytest.raises(UsageError, match=r" is there already: --overwrite replaces it$"):
            convert(source, found, to)
        convert(source, found, to, largest=100, overwrite=True)
        assert is_whole(to)
    (folder / "notes.txt").touch()
    with pytest.raises(
        UsageError, match=r"out is not replaced: it holds notes\.txt, which is no file of weights of ours$"
    ):
        convert(source, found, folder, overwrite=True)
    (tmp_path / "plain").touch()
    with pytest.raises(UsageError, match=r"plain is a file, and a folder is to be written$"):
        convert(source, found, tmp_path / "plain", overwrite=True)
    (tmp_path / "x.safetensors").mkdir()
    with pytest.raises(UsageError, match=r"x.safetensors is a folder, and a file is to be written$"):
        convert(source, found, tmp_path / "x.safetensors", overwrite=True)
    with pytest.raises(UsageError, match=r"nowhere is no folder$"):
        convert(source, found, tmp_path / "nowhere" / "out.safetensors")


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path, source: SafetensorsSource) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("out.safetensors", "out"):
        convert(source, matched(source), elsewhere / name)
        link = tmp_path / name
        link.symlink_to(elsewhere / name)
        before = (elsewhere / name).stat().st_ino
        convert(source, matched(source), link, overwrite=True)
        assert link.is_symlink()
        assert (elsewhere / name).stat().st_ino != before
        assert is_whole(link)
    assert sorted(os.listdir(elsewhere)) == ["out", "out.safetensors"]
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "given.safetensors", "out", "out.safetensors"]


def test_the_name_of_a_pickle(tmp_path: Path, source: SafetensorsSource) -> None:
    with pytest.raises(
        UsageError,
        match=r"out\.pt is a pickle's name, and safetensors are written: name a \.safetensors file, or a folder$",
    ):
        convert(source, matched(source), tmp_path / "out.pt")
    assert os.listdir(tmp_path) == ["given.safetensors"]


def test_the_folder_that_one_is_in(tmp_path: Path, source: SafetensorsSource, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    convert(source, matched(source), Path(), overwrite=True)
    assert is_whole(here)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read and write anything")
def test_what_may_not_be_read_or_written(tmp_path: Path, source: SafetensorsSource) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    with pytest.raises(UsageError, match=r"closed cannot be read: Permission denied$"):
        open_source(closed)
    with pytest.raises(UsageError, match=r"out cannot be written: Permission denied$"):
        convert(source, matched(source), closed / "out")


def test_a_file_may_replace_itself(source: SafetensorsSource) -> None:
    convert(source, matched(source), source.path, overwrite=True)
    assert is_whole(source.path)


def test_a_file_that_changes_while_it_is_read(tmp_path: Path, source: SafetensorsSource) -> None:
    longer = {name: evolve(tensor, offset=tensor.offset + 50) for name, tensor in source.tensors.items()}
    with pytest.raises(UsageError, match=r'given\.safetensors became shorter while ".*" was read from it$'):
        convert(evolve(source, tensors=longer), matched(source), tmp_path / "out.safetensors")
    assert os.listdir(tmp_path) == ["given.safetensors"]
