"""Floating-point operations of operators, by the formulas of torch 2.13's `torch.utils.flop_counter`.

A multiplication and an addition count two. Products of matrices, convolutions and attention are counted; what is done element by element
is not. Where the formulas are rough (gradients of grouped convolutions, masked halves of attention) these are rough alike. Two things torch
leaves out and these count: products in place (`baddbmm_`), and flash attention on the CPU, which counts as it does on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from tttdit.core.loops import repeats
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.strides import Shape


def work(formula: Callable[..., int], *shapes: Shape) -> None:
    """The operator that returns next does the work that a formula finds for these shapes.

    In a shortened loop, a step that stands for several counts as often.
    """
    meter = STATE.meter
    if meter is not None:
        meter.worked(formula, shapes, repeats())


def product(left: Shape, right: Shape) -> int:
    """[..., m, k] times [..., k, n], one product for each of a batch."""
    return 2 * prod(left) * right[-1]


def convolution(input: Shape, weight: Shape, output: Shape) -> int:
    """input [B, C, ...], weight [C', C/groups, ...], output [B, C', ...]."""
    return 2 * input[0] * prod(weight) * prod(output[2:])


def transposed_convolution(input: Shape, weight: Shape, output: Shape) -> int:
    """input [B, C, ...], weight [C, C'/groups, ...], output [B, C', ...]: every element of the input is multiplied."""
    return 2 * input[0] * prod(weight) * prod(input[2:])


def attention(query: Shape, key: Shape, value: Shape) -> int:
    """softmax(q k') v of [B, A, tokens, K]; keys may have fewer heads."""
    batch, heads, queries, width = query
    return 2 * batch * heads * queries * key[2] * (width + value[3])


def attention_backward(query: Shape, key: Shape, value: Shape) -> int:
    """The gradients of q, k and v, and q k' once more."""
    batch, heads, queries, width = query
    return 2 * batch * heads * queries * key[2] * (3 * width + 2 * value[3])


def convolution_backward(of_input: bool, of_weight: bool, transposed: bool) -> Callable[..., int]:
    """The formula for those gradients that are made, of the shapes of the output's gradient, the input and the weight."""

    def formula(gradient: Shape, input: Shape, weight: Shape) -> int:
        flops = 0
        if of_input:
            flops += (convolution if transposed else transposed_convolution)(gradient, weight, input)
        if of_weight:
            # a convolution of input and gradient whose batch are the channels
            pair = (gradient, input) if transposed else (input, gradient)
            batch, other = (_channels_first(shape) for shape in pair)
            flops += convolution(batch, other, _channels_first(weight))
        return flops

    return formula


def _channels_first(shape: Shape) -> tuple[int, ...]:
    return (shape[1], shape[0], *shape[2:])
