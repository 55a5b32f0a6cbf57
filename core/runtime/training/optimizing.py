"""AdamW over its groups of parameters, and clipping, as docs/memory.md ("One rank") has them."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from tttdit.core.parameter_groups import ParameterGroup, group_of
from tttdit.core.runtime.training.schedules import rates
from tttdit.core.stage import Stage


def adamw(model: nn.Module, stage: Stage) -> torch.optim.AdamW:
    """The stage's optimizer: AdamW over the trained parameters in up to four groups, many tensors at a time (`foreach`)."""
    groups: dict[ParameterGroup, list[nn.Parameter]] = {}
    for name, each in model.named_parameters():
        if each.requires_grad:
            groups.setdefault(group_of(stage, name, each.ndim), []).append(each)
    table = stage.optimizer
    return torch.optim.AdamW(
        [
            {"params": some, "weight_decay": table.weight_decay if group.decays else 0.0, "mixer": group.mixer}
            for group, some in groups.items()
        ],
        lr=table.lr,
        betas=table.betas,
        eps=table.eps,
        foreach=True,
    )


def set_rates(optimizer: torch.optim.Optimizer, stage: Stage, step: int) -> tuple[float, float]:
    """Gives every group the learning rate of this step, counted from 0; those of the mixers and of the rest."""
    mixers, rest = rates(stage.optimizer, stage.training, step)
    for group in optimizer.param_groups:
        group["lr"] = mixers if group["mixer"] else rest
    return mixers, rest


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """The norm of all gradients together, over all ranks."""
    gradients = [each.grad for each in parameters if each.grad is not None]
    return torch.nn.utils.get_total_norm(gradients, foreach=True)


def clip(parameters: Iterable[nn.Parameter], largest: float, norm: Tensor) -> None:
    """Scales the gradients, in place, such that their norm is at most the largest."""
    torch.nn.utils.clip_grads_with_norm_(parameters, largest, norm, foreach=True)
