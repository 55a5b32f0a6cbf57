"""Samples from files, in torch: latents, or a draw from a VAE's posterior, and text embeddings."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from tttdit.core.errors import RunError, UsageError
from tttdit.core.plugin.references import one_line
from tttdit.core.runtime.data.source import BadSample
from tttdit.core.runtime.weights.formats import read_header
from tttdit.core.runtime.weights.reading import SafetensorsSource
from tttdit.plugins.precomputed.files import LONGEST_HEADER, Held, damaged
from tttdit.plugins.precomputed.fitting import INPUTS, Fitting, Part
from tttdit.plugins.precomputed.manifest import Manifest
from tttdit.plugins.precomputed.problem import Problem
from tttdit.plugins.precomputed.rules.damaged_file import DamagedFile
from tttdit.plugins.precomputed.spec import PrecomputedTable

# Log variances are held between these, as diffusers' DiagonalGaussianDistribution does (diffusers/models/autoencoders/vae.py).
LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE = -30.0, 20.0


class PrecomputedSource:
    """The samples of a manifest, in its order."""

    def __init__(self, table: PrecomputedTable, wanted: Mapping[str, tuple[int, ...]], folder: Path) -> None:
        """`wanted` is video [F, C, H, W] and text [S, T, X]. Raises RunError where the manifest cannot be used at all."""
        if wanted.keys() != set(INPUTS):
            raise RunError(
                "error", f"the model takes {', '.join(wanted)}, and precomputed samples have {' and '.join(INPUTS)}"
            )
        try:
            self._manifest = Manifest(folder / table.manifest)
        except Problem as problem:
            raise RunError("error", str(problem)) from None
        self._fitting = Fitting.of(table, wanted, folder)

    def __len__(self) -> int:
        return len(self._manifest)

    def name(self, index: int) -> str:
        """The manifest and the line."""
        return f"{self._manifest.path}:{self._manifest.number(index)}"

    def sample(self, index: int, chance: torch.Generator) -> Mapping[str, Tensor]:
        """The latents and the text of a line; from `chance` comes what a posterior is sampled with."""
        files = TorchFiles()
        try:
            line = self._manifest.sample(index)
            found = self._fitting.latents(line, files)
            parts = self._fitting.text(line, files)
            latents = files.read(found.part)
            text = [files.read(part).reshape(-1, *self._fitting.wanted["text"][1:]) for part in parts]
        except Problem as problem:
            raise BadSample(str(problem)) from None
        if found.is_posterior:
            latents = drawn(latents, chance)
        return {"video": latents.transpose(0, 1).contiguous(), "text": torch.cat(text)}


def drawn(posterior: Tensor, chance: torch.Generator) -> Tensor:
    """Latents [C, F, H, W] from a posterior [2C, F, H, W]: its mean, and noise of its variance."""
    mean, log_variance = posterior.chunk(2)
    deviation = (0.5 * log_variance.clamp(LEAST_LOG_VARIANCE, MOST_LOG_VARIANCE)).exp()
    return mean + deviation * torch.randn(mean.shape, generator=chance)


class TorchFiles:
    """The tensors of a sample's files. `.pt` files are remembered, so that looking and reading open them once."""

    def __init__(self) -> None:
        self._loaded: dict[Path, dict[str, Tensor]] = {}

    def held(self, path: Path) -> dict[str, Held]:
        """The tensors of a file by their names; "" for a `.pt` file that is one tensor. Raises Problem where that cannot be told."""
        if path.suffix == ".safetensors":
            return {name: _held(entry.dtype, entry.shape) for name, entry in _safetensors(path).tensors.items()}
        if path not in self._loaded:
            self._loaded[path] = _load(path)
        return {name: _held(tensor.dtype, tensor.shape) for name, tensor in self._loaded[path].items()}

    def read(self, part: Part) -> Tensor:
        """A tensor in float32, in memory of its own. Raises Problem where that fails."""
        if part.path.suffix != ".safetensors":
            return self._loaded[part.path][part.name].to(torch.float32, copy=True)
        try:
            return _safetensors(part.path).read(part.name).float()
        except UsageError as error:
            raise damaged(part.path, error) from None


def _held(dtype: torch.dtype, shape: tuple[int, ...]) -> Held:
    return Held(str(dtype).removeprefix("torch."), tuple(shape))


def _safetensors(path: Path) -> SafetensorsSource:
    try:
        tensors = read_header(path, LONGEST_HEADER)
    except UsageError as error:
        raise damaged(path, error) from None
    return SafetensorsSource(path, tensors, dict.fromkeys(tensors, path))


def _load(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.pt` file, which may be one, or a dictionary. Nothing in it is run, and what is mapped is read when it is used."""
    try:
        is_archive = zipfile.is_zipfile(path)  # what torch has written since 1.6
        if is_archive:
            _check_archive(path)
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=is_archive)
    except Problem:
        raise
    except pickle.UnpicklingError:
        what = "is no file of tensors alone, and is not loaded, for others may run code: save tensors with torch.save"
        raise Problem(DamagedFile(), str(path), what) from None
    except Exception as error:
        raise Problem(DamagedFile(), str(path), f"cannot be loaded: {one_line(error)}") from None
    named = content if isinstance(content, dict) else {"": content}
    return {
        name: tensor.detach()
        for name, tensor in named.items()
        if isinstance(name, str) and isinstance(tensor, Tensor) and _is_plain(tensor)
    }


def _check_archive(path: Path) -> None:
    """Raises Problem for an archive that would grow when it is read: torch compresses none, and what it pickles of tensors is short."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if entry.compress_type != zipfile.ZIP_STORED:
                raise Problem(DamagedFile(), str(path), "is a compressed archive, which torch.save does not write")
            if entry.filename.endswith("/data.pkl") and entry.file_size > LONGEST_HEADER:
                what = f"has a header of {entry.file_size:,} bytes, and at most {LONGEST_HEADER:,} are read"
                raise Problem(DamagedFile(), str(path), what)


def _is_plain(tensor: Tensor) -> bool:
    """Whether its numbers are there, one after the other."""
    return tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
