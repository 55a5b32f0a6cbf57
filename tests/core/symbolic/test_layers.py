"""Layers: the parameters' names and shapes, and the same operators and bytes in both worlds."""

import pytest
import torch
import worlds
from worlds import Leaf

from tttdit.core.errors import UnknownCall
from tttdit.core.symbolic.world import TORCH

SEQUENCE, IMAGES, CLIPS = (2, 5, 8), (2, 4, 8, 8), (2, 4, 3, 8, 8)

WITH_PARAMETERS = [
    (SEQUENCE, lambda nn: nn.Linear(8, 3)),
    (SEQUENCE, lambda nn: nn.Linear(8, 3, bias=False)),
    (SEQUENCE, lambda nn: nn.LayerNorm(8)),
    (SEQUENCE, lambda nn: nn.LayerNorm((5, 8), eps=1e-6, bias=False)),
    (SEQUENCE, lambda nn: nn.LayerNorm(8, elementwise_affine=False)),
    (SEQUENCE, lambda nn: nn.RMSNorm(8)),
    (SEQUENCE, lambda nn: nn.RMSNorm(8, eps=1e-6, elementwise_affine=False)),
    (IMAGES, lambda nn: nn.GroupNorm(2, 4)),
    (IMAGES, lambda nn: nn.GroupNorm(4, 4, affine=False)),
    (SEQUENCE, lambda nn: nn.Conv1d(5, 6, 3, padding=1)),
    (IMAGES, lambda nn: nn.Conv2d(4, 6, 2, stride=2)),
    (IMAGES, lambda nn: nn.Conv2d(4, 8, 3, groups=2, bias=False, padding="same")),
    (CLIPS, lambda nn: nn.Conv3d(4, 6, (1, 2, 2), stride=(1, 2, 2))),
    (SEQUENCE, lambda nn: nn.ConvTranspose1d(5, 6, 3)),
    (IMAGES, lambda nn: nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2)),
    (CLIPS, lambda nn: nn.ConvTranspose3d(4, 6, 2, stride=2)),
]
WITHOUT = [
    (SEQUENCE, lambda nn: nn.Softmax(dim=-1)),
    (SEQUENCE, lambda nn: nn.LogSoftmax(dim=1)),
    (SEQUENCE, lambda nn: nn.Dropout(0.1)),
    (SEQUENCE, lambda nn: nn.Dropout(0.1).eval()),
    (SEQUENCE, lambda nn: nn.AvgPool1d(2)),
    (IMAGES, lambda nn: nn.AvgPool2d(2, padding=1)),
    (CLIPS, lambda nn: nn.AvgPool3d((1, 2, 2))),
    (IMAGES, lambda nn: nn.MaxPool2d(3, stride=2, padding=1)),
    (IMAGES, lambda nn: nn.AdaptiveAvgPool2d(1)),
]
LOSSES = ["MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BCEWithLogitsLoss"]


def compare(make, leaves, monkeypatch):
    theirs, ours = make(torch.nn), make(TORCH.nn)
    assert [(name, tuple(p.shape)) for name, p in theirs.named_parameters()] == [
        (name, tuple(p.shape)) for name, p in ours.named_parameters()
    ]
    counter = worlds.LiveBytes
    monkeypatch.setattr(
        worlds, "LiveBytes", lambda existing, **options: counter([*existing, *theirs.parameters()], **options)
    )
    worlds.check(lambda T, *tensors: (theirs if T is torch else ours)(*tensors), leaves)


@pytest.mark.parametrize(("shape", "make"), WITH_PARAMETERS)
@pytest.mark.parametrize("wanted", [True, False])
def test_layers_with_parameters(shape, make, wanted, monkeypatch):
    compare(make, [Leaf(shape, wanted)], monkeypatch)


@pytest.mark.parametrize(("shape", "make"), WITHOUT)
def test_layers_without(shape, make, monkeypatch):
    compare(make, [Leaf(shape, True)], monkeypatch)


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, monkeypatch):
    compare(lambda nn: getattr(nn, name)(), [Leaf(SEQUENCE, True), Leaf(SEQUENCE)], monkeypatch)
    compare(lambda nn: getattr(nn, name)(reduction="sum"), [Leaf(SEQUENCE, True), Leaf(SEQUENCE)], monkeypatch)


def test_classes_and_tables(monkeypatch):
    compare(lambda nn: nn.CrossEntropyLoss(), [Leaf((4, 8), True), Leaf((4,), dtype="int64")], monkeypatch)
    compare(lambda nn: nn.Embedding(10, 6), [Leaf((2, 5), dtype="int64")], monkeypatch)
    compare(lambda nn: nn.Embedding(10, 6, padding_idx=0), [Leaf((5,), dtype="int64")], monkeypatch)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda nn: nn.Conv2d(4, 4, 3, padding_mode="reflect"),
            "nn.Conv2d is not known to the symbolic world: with padding_mode='reflect'",
        ),
        (
            lambda nn: nn.MSELoss(size_average=True),
            "nn.MSELoss is not known to the symbolic world: with size_average or reduce, which are deprecated",
        ),
        (
            lambda nn: nn.Embedding(10, 6, sparse=True),
            "nn.Embedding is not known to the symbolic world: with max_norm or sparse gradients",
        ),
    ],
)
def test_what_is_not_known(make, message):
    with pytest.raises(UnknownCall) as raised:
        make(TORCH.nn)
    assert str(raised.value) == message
