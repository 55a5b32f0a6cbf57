"""From text-then-video order to segment order and back: two operators, one copy each, and each is the other's backward.

    text-then-video   text 0, text 1, ..., prefix, body 0, body 1, ...
    segment order     text 0, prefix, body 0, text 1, body 1, ...

Behind its first `prefix` tokens the sequence in segment order is S equal rows of text and body, were it not for text 0, which
stands before the prefix instead of behind it. So it is written row by row first, and its head once more after that.
"""

import torch
from torch import Tensor

from tttdit.plugins.ttt.segments.geometry import Geometry


def interleave(x: Tensor, geometry: Geometry) -> Tensor:
    """x [B, L, ...], text then video, in segment order."""
    return _interleave(x, geometry.segments, geometry.tokens_per_segment, geometry.prefix, geometry.body)


def deinterleave(x: Tensor, geometry: Geometry) -> Tensor:
    """x [B, L, ...], in segment order, as text then video."""
    return _deinterleave(x, geometry.segments, geometry.tokens_per_segment, geometry.prefix, geometry.body)


@torch.library.custom_op("tttdit::interleave", mutates_args=())
def _interleave(x: Tensor, segments: int, text: int, prefix: int, body: int) -> Tensor:
    result = x.new_empty(x.shape)
    texts, first, bodies = x.split((segments * text, prefix, segments * body), 1)
    text_rows, body_rows = _rows(result, segments, text, prefix, body)
    text_rows.copy_(texts.unflatten(1, (segments, text)))
    body_rows.copy_(bodies.unflatten(1, (segments, body)))
    result.narrow(1, 0, text).copy_(texts.narrow(1, 0, text))
    result.narrow(1, text, prefix).copy_(first)
    return result


@torch.library.custom_op("tttdit::deinterleave", mutates_args=())
def _deinterleave(x: Tensor, segments: int, text: int, prefix: int, body: int) -> Tensor:
    result = x.new_empty(x.shape)
    texts, first, bodies = result.split((segments * text, prefix, segments * body), 1)
    text_rows, body_rows = _rows(x, segments, text, prefix, body)
    texts.unflatten(1, (segments, text)).copy_(text_rows)
    bodies.unflatten(1, (segments, body)).copy_(body_rows)
    texts.narrow(1, 0, text).copy_(x.narrow(1, 0, text))
    first.copy_(x.narrow(1, text, prefix))
    return result


def _rows(x: Tensor, segments: int, text: int, prefix: int, body: int) -> tuple[Tensor, ...]:
    """Texts [B, S, T, ...] and bodies of a sequence in segment order; the place of text 0 holds the end of what comes before body 0."""
    _, rows = x.split((prefix, segments * (text + body)), 1)
    return rows.unflatten(1, (segments, text + body)).split((text, body), 2)


def _fake(x, segments, text, prefix, body):
    return x.new_empty(x.shape)


def _setup(ctx, inputs, output):
    ctx.sizes = inputs[1:]


def _interleave_backward(ctx, grad):
    return _deinterleave(grad, *ctx.sizes), None, None, None, None


def _deinterleave_backward(ctx, grad):
    return _interleave(grad, *ctx.sizes), None, None, None, None


_interleave.register_fake(_fake)
_interleave.register_autograd(_interleave_backward, setup_context=_setup)
_deinterleave.register_fake(_fake)
_deinterleave.register_autograd(_deinterleave_backward, setup_context=_setup)
