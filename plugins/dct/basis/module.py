"""The coefficients of a cosine transform that hold the most of a video, by a model of what videos look like.

The model: numbers are spread evenly over [-1, 1], and what is apart by a distance d, in pixels and frames alike, has the correlation r^d: a
first-order Markov process, of which the cosine transform is nearly the Karhunen-Loeve transform (N. Ahmed, T. Natarajan, K. R. Rao,
"Discrete Cosine Transform", IEEE Transactions on Computers C-23, 1974). Colours are such neighbours too: red, green, blue. r is 0.95, as is
usual for pictures (A. K. Jain, "Fundamentals of Digital Image Processing", 1989). Nothing of it was measured here.
"""

from __future__ import annotations

import math
from functools import reduce

import torch
from attrs import frozen
from torch import Tensor

CORRELATION = 0.95  # of neighbours
VARIANCE = 1 / 3  # of what is spread evenly over [-1, 1]


@frozen
class Basis:
    """The kept coefficients of one kind of block.

    `rows` [C, P] are orthonormal, P numbers of a block in the order frames, colours, rows, columns; `deviations` [C] are the standard
    deviations of the coefficients, by which latents are divided, so that a video that is as the model says has latents of unit variance.
    """

    rows: Tensor
    deviations: Tensor

    def to(self, device: torch.device) -> Basis:
        """On a device, float32."""
        return Basis(self.rows.to(device, torch.float32), self.deviations.to(device, torch.float32))


def bases(frames: int, colours: int, space: int, channels: int) -> tuple[Basis, Basis]:
    """Of a video's first frame, which is alone, and of a block of `frames` frames; `channels` coefficients each, the strongest ones.

    A coefficient that both keep has the same channel in both: it is constant over the block's frames.
    """
    alone, together = _variances(1, colours, space), _variances(frames, colours, space)
    later = [_where(number, together) for number in _strongest(together, channels)]
    strongest = [_where(number, alone) for number in _strongest(alone, channels)]
    others = iter([place for place in strongest if place not in later])
    first = [place if place in strongest else next(others) for place in later]
    return _basis(first, alone), _basis(later, together)


def cosines(length: int) -> Tensor:
    """The orthonormal DCT-II of one axis: coefficients in rows, float64."""
    at = torch.arange(length, dtype=torch.float64)
    rows = torch.cos(math.pi * (2 * at + 1) * at.unsqueeze(1) / (2 * length)) * math.sqrt(2 / length)
    rows[0] /= math.sqrt(2)
    return rows


def _variances(frames: int, colours: int, space: int) -> Tensor:
    """Variances of the coefficients [n, 3, s, s] of a block under the model."""
    over_colours = _expected(cosines(colours), _places(colours))
    over_pixels = _expected(_together(frames, space, space), _places(frames, space, space))
    return VARIANCE * over_colours.view(-1, 1, 1) * over_pixels.view(frames, 1, space, space)


def _expected(rows: Tensor, places: Tensor) -> Tensor:
    """The variance of each row's product with numbers at these places that have unit variance and the model's correlation."""
    return ((rows @ CORRELATION ** torch.cdist(places, places)) * rows).sum(1)


def _places(*lengths: int) -> Tensor:
    axes = [torch.arange(length, dtype=torch.float64) for length in lengths]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).view(-1, len(axes))


def _together(*lengths: int) -> Tensor:
    return reduce(torch.kron, [cosines(length) for length in lengths])


def _strongest(variances: Tensor, count: int) -> list[int]:
    """The numbers of the largest ones, the largest first; of equals (rows and columns are alike) the first one."""
    rounded = (variances.flatten() / variances.max()).mul(1e9).round().tolist()
    return sorted(range(len(rounded)), key=lambda number: -rounded[number])[:count]


def _where(number: int, variances: Tensor) -> tuple[int, ...]:
    return tuple(int(index) for index in torch.unravel_index(torch.tensor(number), variances.shape))


def _basis(places: list[tuple[int, ...]], variances: Tensor) -> Basis:
    axes = [cosines(length) for length in variances.shape]
    rows = [_together_at(axes, place) for place in places]
    return Basis(torch.stack(rows), torch.stack([variances[place].sqrt() for place in places]))


def _together_at(axes: list[Tensor], place: tuple[int, ...]) -> Tensor:
    return reduce(torch.kron, [axis[index] for axis, index in zip(axes, place, strict=True)])
