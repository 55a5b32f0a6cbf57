"""Operators that keep and make other things on CUDA: against what torch's registrations for tensors without data say of CUDA.

Fake CUDA tensors work without a GPU, but not their autograd. So forward runs without gradients, and each backward operator by itself.
"""

import pytest
import torch
from torch._decomp.decompositions import _fused_rms_norm
from torch._subclasses.fake_tensor import FakeTensorMode
from worlds import Leaf, symbolic_tensor

from tttdit.core.errors import UnknownCall
from tttdit.core.runtime.live_bytes import LiveBytes
from tttdit.core.symbolic.cuda_differences import CUDA_DIFFERENCES
from tttdit.core.symbolic.state import STATE
from tttdit.core.symbolic.storage import Meter
from tttdit.core.symbolic.world import TORCH

HALF, SINGLE = "bfloat16", "float32"
FORWARD = {
    "layer_norm": (lambda T, x, w, b: T.nn.functional.layer_norm(x, (8,), w, b), [(2, 3, 8), (8,), (8,)]),
    "layer_norm, transposed": (lambda T, x: T.nn.functional.layer_norm(x.transpose(0, 1), (8,)), [(2, 3, 8)]),
    "group_norm": (lambda T, x, w, b: T.nn.functional.group_norm(x, 2, w, b), [(2, 8, 5), (8,), (8,)]),
    "dropout": (lambda T, x: T.nn.functional.dropout(x, 0.2), [(2, 3, 8)]),
    "dropout, transposed": (lambda T, x: T.nn.functional.dropout(x.t(), 0.2), [(3, 8)]),
    "gelu": (lambda T, x: T.nn.functional.gelu(x, approximate="tanh"), [(2, 3, 8)]),
    "silu": (lambda T, x: T.nn.functional.silu(x), [(2, 3, 8)]),
    "softmax": (lambda T, x: x.softmax(-1), [(2, 3, 8)]),
    "log_softmax": (lambda T, x: T.nn.functional.log_softmax(x, 1), [(6, 8)]),
    "logsigmoid": (lambda T, x: T.nn.functional.logsigmoid(x), [(6, 8)]),
    "linear": (lambda T, x, w, b: T.nn.functional.linear(x, w, b), [(2, 3, 8), (4, 8), (4,)]),
}


@pytest.fixture(autouse=True)
def on_cuda():
    STATE.device = "cuda"
    yield
    STATE.device = "cpu"


def fakes(leaves):
    return [torch.empty(leaf.shape, dtype=getattr(torch, leaf.dtype), device="cuda") for leaf in leaves]


def looks(log):
    return [(each.name, each.shapes, each.strides, each.dtypes) for each in log]


def record(program, leaves, *, backward=True):
    """The operators of forward, of backward, and the bytes that live between them."""
    tensors = [symbolic_tensor(leaf) for leaf in leaves]
    with Meter(log=True) as meter:
        result = program(TORCH, *tensors)
        forward = len(meter.log)
        if backward:
            result.sum().backward()
    return meter.log[:forward], meter.log[forward:], meter.saved


@pytest.mark.parametrize("dtype", [SINGLE, HALF])
@pytest.mark.parametrize("name", FORWARD)
def test_forward_makes_what_torch_says(name, dtype):
    program, shapes = FORWARD[name]
    leaves = [Leaf(shape, False, dtype) for shape in shapes]
    with FakeTensorMode(), torch.no_grad():
        tensors = fakes(leaves)
        with LiveBytes(tensors) as live:
            program(torch, *tensors)
    assert looks(record(program, leaves, backward=False)[0]) == looks(live.log)


def test_statistics_of_half_precision_are_float32():
    """And they are what is kept: two numbers a row, of 4 bytes each."""
    leaves = [Leaf((6, 8), True, HALF)]
    program = FORWARD["layer_norm, transposed"][0]
    forward, _, saved = record(lambda T, x: program(T, x.view(2, 3, 8)), leaves)
    assert forward[-1].dtypes == (HALF, SINGLE, SINGLE)
    out, statistics, total = 6 * 8 * 2, 2 * 6 * 4, 2
    assert saved == out + statistics + total
    STATE.device = "cpu"
    assert record(lambda T, x: program(T, x.view(2, 3, 8)), leaves)[2] == out + statistics // 2 + total


@pytest.mark.parametrize("dtype", [SINGLE, HALF])
def test_rms_norm_is_one_operator(dtype):
    leaves = [Leaf((2, 3, 8), True, dtype), Leaf((8,), True, dtype)]
    forward, backward, _ = record(lambda T, x, w: T.nn.functional.rms_norm(x, (8,), w), leaves)
    with FakeTensorMode():
        x, weight = fakes(leaves)
        made = _fused_rms_norm(x, [8], weight, None)
    assert [(each.name, each.shapes, each.dtypes) for each in forward] == [
        ("_fused_rms_norm", tuple(tuple(each.shape) for each in made), tuple(str(each.dtype)[6:] for each in made))
    ]
    (gradients,) = [each for each in backward if each.name == "_fused_rms_norm_backward"]
    assert gradients.shapes == ((2, 3, 8), (8,))


def test_rms_norm_of_two_types_is_composed():
    leaves = [Leaf((2, 3, 8), True, HALF), Leaf((8,), True, SINGLE)]
    forward, _, _ = record(lambda T, x, w: T.nn.functional.rms_norm(x, (8,), w), leaves)
    assert "_fused_rms_norm" not in [each.name for each in forward]


def test_dropout_keeps_a_byte_an_element():
    _, backward, saved = record(FORWARD["dropout"][0], [Leaf((2, 3, 8), True, SINGLE)])
    assert saved == 48 * 4 + 48 + 4  # the result, the mask, the sum
    assert "native_dropout_backward" in [each.name for each in backward]


# -- attention


def attend(T, *tensors, **options):
    return T.nn.functional.scaled_dot_product_attention(*tensors, **options)


def said(name, leaves, *arguments):
    """Shapes, strides and types of the tensors that an operator of torch makes of fake CUDA tensors."""
    with FakeTensorMode(), torch.no_grad():
        made = getattr(torch.ops.aten, name)(*fakes(leaves), *arguments)
    return [(tuple(one.shape), one.stride(), str(one.dtype)[6:]) for one in made if isinstance(one, torch.Tensor)]


def have(operator, count):
    return list(zip(operator.shapes, operator.strides, operator.dtypes, strict=True))[:count]


@pytest.mark.parametrize("width", [64, 128])
@pytest.mark.parametrize("tokens", [8, 130])
def test_flash_attention(width, tokens):
    leaves = [Leaf((2, 3, tokens, width), True, HALF), *[Leaf((2, 3, 12, width), True, HALF)] * 2]
    (forward,), backward, _ = record(attend, leaves)
    assert forward.name == "_scaled_dot_product_flash_attention"
    assert have(forward, 2) == said("_scaled_dot_product_flash_attention", leaves)[:2]
    assert forward.shapes[2:] == ((2,), ())
    (gradients,) = [each for each in backward if each.name == "_scaled_dot_product_flash_attention_backward"]
    assert [shape for shape, _, _ in have(gradients, 3)] == [leaf.shape for leaf in leaves]
    rows = 128 if tokens == 8 else 256
    copies = 2 * 2 * 3 * tokens * width * 2  # the output and its gradient, which lie head by head here
    assert gradients.workspace == 2 * 3 * rows * (width + 1) * 4 + copies


def test_flash_attention_of_heads_behind_tokens_needs_no_copies():
    def program(T, q, k, v):
        return attend(T, *[x.transpose(1, 2) for x in (q, k, v)]).transpose(1, 2).contiguous()

    _, backward, _ = record(program, [Leaf((2, 128, 3, 64), True, HALF)] * 3)
    (gradients,) = [each for each in backward if each.name == "_scaled_dot_product_flash_attention_backward"]
    assert (
        gradients.workspace == 2 * 3 * 128 * 65 * 4 + 2 * 3 * 128 * 64 * 2
    )  # the sum's gradient is expanded, and copied


def test_a_head_width_that_is_no_multiple_of_8_is_padded():
    forward, backward, _ = record(attend, [Leaf((2, 3, 8, 12), True, HALF)] * 3)
    assert [each.name for each in forward] == [*["constant_pad_nd"] * 3, "_scaled_dot_product_flash_attention", "slice"]
    assert forward[3].shapes[0] == (2, 3, 8, 16)
    assert [each.name for each in backward].count("constant_pad_nd") == 3


@pytest.mark.parametrize("tokens", [8, 64])
def test_float32_takes_the_memory_efficient_kernel(tokens):
    leaves = [Leaf((2, 3, tokens, 16), True), *[Leaf((2, 3, 12, 16), True)] * 2]
    (forward,), backward, _ = record(attend, leaves)
    assert have(forward, 4) == said("_scaled_dot_product_efficient_attention", leaves, None, True)
    (gradients,) = [each for each in backward if each.name == "_scaled_dot_product_efficient_attention_backward"]
    rows = 2 * 3 * tokens * 4
    assert gradients.workspace == 2 * rows + 16 * rows
    with FakeTensorMode(), torch.no_grad():
        q, k, v = fakes(leaves)
        out, lse, seed, offset = torch.ops.aten._scaled_dot_product_efficient_attention(q, k, v, None, True)
        made = torch.ops.aten._scaled_dot_product_efficient_attention_backward(
            out, q, k, v, None, out, lse, seed, offset, 0.0, [True, True, True, False]
        )
    assert have(gradients, 3) == [(tuple(one.shape), one.stride(), str(one.dtype)[6:]) for one in made[:3]]


def test_a_mask_takes_the_memory_efficient_kernel():
    leaves = [*[Leaf((2, 3, 8, 16), True, HALF)] * 3, Leaf((8, 8), False, HALF)]
    forward, backward, _ = record(lambda T, q, k, v, mask: attend(T, q, k, v, attn_mask=mask), leaves)
    names = [each.name for each in forward]
    assert names == ["constant_pad_nd", "slice", "expand", "_scaled_dot_product_efficient_attention"]
    (gradients,) = [each for each in backward if each.name == "_scaled_dot_product_efficient_attention_backward"]
    assert gradients.workspace == 2 * 3 * 8 * 4
    with pytest.raises(UnknownCall, match="on CUDA with a mask that wants a gradient"):
        record(lambda T, q, k, v, mask: attend(T, q, k, v, attn_mask=mask), [*leaves[:3], Leaf((8, 8), True, HALF)])


def test_float64_takes_plain_operators():
    forward, _, _ = record(attend, [Leaf((2, 3, 8, 16), True, "float64")] * 3)
    assert "_safe_softmax" in [each.name for each in forward]


def test_each_difference_has_a_source():
    assert len({(each.operator, each.difference) for each in CUDA_DIFFERENCES}) == len(CUDA_DIFFERENCES)
    for each in CUDA_DIFFERENCES:
        assert each.source.startswith(("aten/src/ATen/", "torch/csrc/")), each
    assert {each.predicted for each in CUDA_DIFFERENCES} == {True, False}
