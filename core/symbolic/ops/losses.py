"""Losses, with their sizes on the CPU: some scalars there keep the memory of the whole error alive."""

from __future__ import annotations

from typing import Any

from tttdit.core.errors import ShapeMismatch, SymbolicError, UnknownCall
from tttdit.core.symbolic import raw
from tttdit.core.symbolic.autograd import Gradients, Node, wants_gradient
from tttdit.core.symbolic.dtype import int64, uint8
from tttdit.core.symbolic.names import known
from tttdit.core.symbolic.ops.arithmetic import sub
from tttdit.core.symbolic.ops.repeating import broadcast_tensors
from tttdit.core.symbolic.ops.softmax import log_softmax
from tttdit.core.symbolic.raw import composite, dim_text, shape_text
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.tensor import Size, Tensor


def _check(call: str, input: Tensor, target: Tensor, reduction: str) -> None:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if input.dtype is not target.dtype:
        raise UnknownCall(f"F.{call}", f"of {input.dtype} and {target.dtype}")


def _of_pair(call: str, input: Tensor, target: Tensor, reduction: str, keeps_error: bool) -> Tensor:
    """One operator whose backward is one operator for each side.

    `keeps_error`: on the CPU a reduced result is a number at the start of the memory of the whole error.
    """
    _check(call, input, target, reduction)
    input, target = broadcast_tensors(input, target)
    node = None
    if wants_gradient(input, target):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            kept, other = node.get("input"), node.get("target")
            made: Gradients = [None, None]
            for i, tensor in enumerate((kept, other)):
                if node.wants(i):
                    made[i] = raw.new(f"{call}_backward", tensor.shape, tensor.dtype)
            return made

        node = Node(call, (input, target), backward)
        node.save(input=input, target=target)
    if reduction == "none":
        out = raw.pointwise(call, input, target)
    elif keeps_error:
        out = raw.dispatched(call, Tensor((), (), input.dtype, raw.empty(input.shape, input.dtype).storage))
    else:
        out = raw.new(call, (), input.dtype)
    return node.made(out) if node else out


@known("F.mse_loss")
def mse_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """The squared error. On the CPU its mean keeps the memory of all of them alive."""
    return _of_pair("mse_loss", input, target, reduction, keeps_error=True)


@known("F.smooth_l1_loss")
def smooth_l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """The squared error up to `beta`, the absolute one beyond. On the CPU its mean keeps the memory of all of them alive."""
    if beta == 0:
        return l1_loss(input, target, reduction=reduction)
    return _of_pair("smooth_l1_loss", input, target, reduction, keeps_error=True)


@known("F.huber_loss")
def huber_loss(input: Tensor, target: Tensor, *, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """The squared error up to `delta`, the absolute one beyond."""
    return _of_pair("huber_loss", input, target, reduction, keeps_error=False)


@known("F.l1_loss")
def l1_loss(input: Tensor, target: Tensor, *, reduction: str = "mean") -> Tensor:
    """The absolute error."""
    _check("l1_loss", input, target, reduction)
    expanded_input, expanded_target = broadcast_tensors(input, target)
    return _l1_loss(expanded_input, expanded_target, reduction)


@composite("l1_loss")
def _l1_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    difference = sub(input, target)  # lives to the end, as in aten's one expression
    error: Any = difference.abs()
    result: Tensor = error if reduction == "none" else error.mean() if reduction == "mean" else error.sum()
    return result


@known("F.binary_cross_entropy_with_logits")
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Cross entropy of two classes from logits."""
    call = "binary_cross_entropy_with_logits"
    if input.shape != target.shape:
        different = next(((a, b) for a, b in zip(input.shape, target.shape, strict=False) if a != b), (None, None))
        raise ShapeMismatch(
            f"{call}: {shape_text(input.shape)} and {shape_text(target.shape)}; torch wants one shape", *different
        )
    _check(call, input, target, reduction)
    if weight is not None or pos_weight is not None or target.requires_grad:
        raise UnknownCall(f"F.{call}", "with weights, or with a target that wants a gradient")
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            (gradient,) = gradients
            kept, wanted = node.get("input"), node.get("target")
            error = _logistic_error(kept, wanted)
            made = raw.inplace("mul_", error) if STATE.in_place else raw.pointwise("mul", error, gradient)
            del error
            if reduction == "mean":
                raw.inplace("div_", made)
            return [made]

        node = Node(call, (input,), backward)
        node.save(input=input, target=target)
    # aten starts from 1 - target, whose layout the result has
    out = raw.like(call, target) if reduction == "none" else raw.new(call, (), input.dtype)
    return node.made(out) if node else out


def _logistic_error(input: Tensor, target: Tensor) -> Tensor:
    likely = raw.pointwise("sigmoid", input)
    return raw.inplace("sub_", likely) if STATE.in_place else raw.pointwise("sub", likely, target)


@known("F.cross_entropy")
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of logits [N, C, ...] with classes [N, ...]."""
    if weight is not None or label_smoothing:
        raise UnknownCall("F.cross_entropy", "with class weights or label smoothing")
    if target.dtype.is_floating_point:
        raise UnknownCall("F.cross_entropy", "with class probabilities")
    return _cross_entropy(input, target, reduction)


@composite("cross_entropy_loss")
def _cross_entropy(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    return _nll_loss_of_any(log_softmax(input, 0 if input.ndim == 1 else 1), target, reduction)


@known("F.nll_loss")
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """The negative log-likelihood of classes [N, ...] under log-probabilities [N, C, ...]."""
    if weight is not None:
        raise UnknownCall("F.nll_loss", "with class weights")
    return _nll_loss(input, target, reduction)


@composite("nll_loss_nd")
def _nll_loss(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    return _nll_loss_of_any(input, target, reduction)


def _nll_loss_of_any(input: Tensor, target: Tensor, reduction: str) -> Tensor:
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    wanted = Size((*input.shape[:1], *input.shape[2:])) if input.ndim > 1 else Size(())
    if input.ndim == 1 and target.shape:
        raise UnknownCall(
            "F.cross_entropy", f"of one row {shape_text(input.shape)} with classes {shape_text(target.shape)}"
        )
    if not input.shape or wanted != target.shape:
        different = next(((a, b) for a, b in zip(wanted, target.shape, strict=False) if a != b), (None, None))
        raise ShapeMismatch(
            f"cross_entropy: classes {shape_text(target.shape)} for {shape_text(input.shape)}, which wants {shape_text(wanted)}"
            + (f": {dim_text(different[0])} against {dim_text(different[1])}" if different[0] is not None else ""),
            *different,
        )
    if target.dtype is uint8:
        raise UnknownCall("F.cross_entropy", "with classes of uint8")
    if target.dtype is not int64:
        raise SymbolicError(f"cross_entropy: classes of {target.dtype}; torch wants int64")
    if input.ndim <= 2:
        return _pick("nll_loss", input, target, reduction)
    if input.ndim == 4:
        return _pick("nll_loss2d", input, target, reduction)
    # any other number of dimensions is folded into one
    rest = Size(input.shape[2:]).numel()
    flat, classes = input.contiguous(), target.contiguous()
    flat, classes = flat.view(input.shape[0], input.shape[1], 1, rest), classes.view(input.shape[0], 1, rest)
    out = _pick("nll_loss2d", flat, classes, reduction)
    return out.view(target.shape) if reduction == "none" else out


def _pick(call: str, input: Tensor, target: Tensor, reduction: str) -> Tensor:
    """Keeps the log-probabilities, the classes, and the number of them."""
    node = None
    if wants_gradient(input):

        def backward(node: Node, gradients: Gradients) -> Gradients:
            kept = [node.get(name) for name in ("input", "target", "total_weight")]
            made = raw.new(f"{call}_backward", kept[0].shape, kept[0].dtype)
            del kept
            return [made]

        node = Node(call, (input,), backward)
        node.save(input=input, target=target)
    out = raw.empty(target.shape if reduction == "none" else (), input.dtype)
    total_weight = raw.empty((), input.dtype)
    raw.dispatched(f"{call}_forward", out, total_weight)
    if node:
        node.save_output(total_weight=total_weight)
        node.made(out)
    return out
