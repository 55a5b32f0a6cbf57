"""Inside a custom operator's body, where functions that aten composes of others count as one operator."""

import itertools

import pytest
from family_checks import frozen, trained
from worlds import check

MATRIX, BATCH, VECTOR = frozen(4, 8), frozen(2, 4, 8), frozen(8)

BODIES = [
    ("softmax", [MATRIX], lambda T, a: a.softmax(-1)),
    ("log_softmax", [MATRIX], lambda T, a: T.nn.functional.log_softmax(a * 2, -1)),
    ("softmax in another type", [frozen(4, 8, dtype="bfloat16")], lambda T, a: T.softmax(a, -1, dtype=T.float32)),
    ("matmul", [BATCH, frozen(8, 5)], lambda T, a, b: a @ b),
    ("matmul of four dimensions", [frozen(2, 3, 4, 8), frozen(2, 3, 8, 5)], lambda T, a, b: a @ b * 2),
    ("matmul, transposed", [frozen(2, 3, 4, 8), frozen(2, 3, 5, 8)], lambda T, a, b: a @ b.transpose(-1, -2)),
    ("vector times matrix", [VECTOR, frozen(8, 5)], lambda T, a, b: a @ b),
    ("linear", [BATCH, frozen(5, 8), frozen(5)], lambda T, a, w, b: T.nn.functional.linear(a, w, b) + 1),
    (
        "linear, transposed",
        [BATCH, frozen(5, 8), frozen(5)],
        lambda T, a, w, b: T.nn.functional.linear(a.transpose(0, 1), w, b),
    ),
    ("layer_norm", [BATCH, VECTOR], lambda T, a, w: T.nn.functional.layer_norm(a, (8,), w)),
    ("rms_norm", [BATCH, VECTOR], lambda T, a, w: T.nn.functional.rms_norm(a, (8,), w)),
    ("group_norm", [frozen(2, 4, 5)], lambda T, a: T.nn.functional.group_norm(a.transpose(1, 2), 5)),
    ("flash attention", [frozen(2, 3, 8, 16)], lambda T, a: T.nn.functional.scaled_dot_product_attention(a, a, a)),
    (
        "attention in plain operators",
        [frozen(3, 8, 16)],
        lambda T, a: T.nn.functional.scaled_dot_product_attention(a, a, a, is_causal=True),
    ),
    (
        "attention with a mask",
        [frozen(2, 3, 8, 16), frozen(8, 8, dtype="bool")],
        lambda T, a, m: T.nn.functional.scaled_dot_product_attention(a, a, a, m),
    ),
    ("einsum", [frozen(2, 3, 4, 8), frozen(2, 3, 5, 8)], lambda T, a, b: T.einsum("bhqd,bhkd->bhqk", a, b)),
    ("tensordot", [BATCH, frozen(8, 5)], lambda T, a, b: T.tensordot(a, b, 1)),
    ("einsum of one", [BATCH], lambda T, a: T.einsum("abc->ac", a)),
    ("conv2d", [frozen(2, 4, 8, 8), frozen(6, 4, 2, 2)], lambda T, x, w: T.nn.functional.conv2d(x, w, stride=2)),
    (
        "conv_transpose2d",
        [frozen(2, 4, 8, 8), frozen(4, 6, 2, 2)],
        lambda T, x, w: T.nn.functional.conv_transpose2d(x, w, stride=2),
    ),
    (
        "conv2d without a batch",
        [frozen(4, 8, 8), frozen(6, 4, 2, 2)],
        lambda T, x, w: T.nn.functional.conv2d(x, w, stride=2),
    ),
    ("dropout", [MATRIX], lambda T, a: T.nn.functional.dropout(a, 0.2) * 1),
    ("cross_entropy", [MATRIX, frozen(4, dtype="int64")], lambda T, a, t: T.nn.functional.cross_entropy(a, t)),
    ("nll_loss", [MATRIX, frozen(4, dtype="int64")], lambda T, a, t: T.nn.functional.nll_loss(a, t)),
    ("l1_loss", [MATRIX, MATRIX], lambda T, a, b: T.nn.functional.l1_loss(a, b)),
    ("mse_loss", [MATRIX, MATRIX], lambda T, a, b: T.nn.functional.mse_loss(a, b) * 1),
    ("one_hot", [frozen(4, dtype="int64")], lambda T, t: T.nn.functional.one_hot(t, 5)),
    ("normalize", [BATCH], lambda T, a: T.nn.functional.normalize(a, dim=-1)),
    ("std", [MATRIX], lambda T, a: a.std(-1, keepdim=True)),
    ("std, biased", [MATRIX], lambda T, a: a.std(-1, False, True)),
    ("var of all", [MATRIX], lambda T, a: a.var()),
    ("norm", [MATRIX], lambda T, a: a.norm(dim=-1)),
    (
        "vector_norm",
        [MATRIX],
        lambda T, a: T.linalg.vector_norm(a, dim=-1, keepdim=True).clamp_min_(1e-06).reciprocal_(),
    ),
    ("linalg.norm", [MATRIX], lambda T, a: T.linalg.norm(a, dim=-1)),
    ("argsort", [MATRIX], lambda T, a: a.argsort(-1) * 1),
    ("sort", [MATRIX], lambda T, a: a.sort(-1).values),
    ("outer", [VECTOR, VECTOR], lambda T, a, b: T.outer(a, b)),
    ("max_pool2d", [frozen(2, 4, 8, 8)], lambda T, a: T.nn.functional.max_pool2d(a, 2)),
    ("avg_pool1d", [BATCH], lambda T, a: T.nn.functional.avg_pool1d(a, 2)),
    ("adaptive_avg_pool2d to one", [frozen(2, 4, 8, 8)], lambda T, a: T.nn.functional.adaptive_avg_pool2d(a, 1)),
    ("adaptive_avg_pool2d to more", [frozen(2, 4, 8, 8)], lambda T, a: T.nn.functional.adaptive_avg_pool2d(a, 2)),
    (
        "native_layer_norm",
        [BATCH],
        lambda T, a: (lambda u, m, r: u * m + r)(*T.native_layer_norm(a, (8,), None, None, 1e-05)),
    ),
    (
        "native_layer_norm_backward",
        [BATCH],
        lambda T, a: (
            lambda u, m, r: T.ops.aten.native_layer_norm_backward(
                u, a, a.shape[-1:], m, r, None, None, [True, False, False]
            )[0]
        )(*T.native_layer_norm(a, a.shape[-1:], None, None, 1e-05)),
    ),
    (
        "baddbmm",
        [frozen(2, 4, 5), BATCH, frozen(2, 8, 5)],
        lambda T, c, a, b: T.baddbmm(c, a, b, beta=-1, alpha=-1).baddbmm_(a, b),
    ),
    ("baddbmm, broadcast", [frozen(2, 1, 5), BATCH, frozen(2, 8, 5)], lambda T, c, a, b: T.baddbmm(c, a, b)),
    ("sum over two", [BATCH], lambda T, a: a.sum((0, 2)).unsqueeze(1)),
    ("mean", [BATCH], lambda T, a: (a * a).mean(-1, keepdim=True)),
    ("cumsum", [MATRIX], lambda T, a: a.cumsum(0)),
    ("glu", [MATRIX], lambda T, a: T.nn.functional.glu(a)),
    ("embedding", [frozen(4, dtype="int64"), frozen(6, 3)], lambda T, i, w: T.nn.functional.embedding(i, w)),
    ("logsumexp", [MATRIX], lambda T, a: a.logsumexp(-1)),
    ("max", [MATRIX], lambda T, a: a.max(-1)[0]),
    ("amax", [MATRIX], lambda T, a: a.amax(-1) * a.max()),
    ("bmm", [BATCH, frozen(2, 8, 5)], lambda T, a, b: T.bmm(a, b)),
    ("mv", [MATRIX, VECTOR], lambda T, a, b: a.mv(b)),
    ("batch times vector", [BATCH, VECTOR], lambda T, a, b: a @ b),
    ("gelu_backward", [MATRIX], lambda T, a: T.ops.aten.gelu_backward(a, a, approximate="tanh")),
    ("sigmoid_backward", [MATRIX, VECTOR], lambda T, a, b: T.ops.aten.sigmoid_backward(a, b.sigmoid())),
]

numbers = itertools.count()


@pytest.mark.parametrize(("name", "leaves", "function"), BODIES, ids=[name for name, _, _ in BODIES])
def test_bodies(name, leaves, function):
    operators = {}
    number = next(numbers)

    def program(T, *tensors):
        if T not in operators:
            # torch reads the operator's arguments from the function's signature
            names = [f"x{i}" for i in range(len(leaves))]
            space = {"function": function, "T": T}
            exec(
                f"def body({', '.join(f'{name}: T.Tensor' for name in names)}) -> T.Tensor:\n"
                f"    return function(T, {', '.join(names)})\n",
                space,
            )
            operators[T] = T.library.custom_op(f"tttdit_tests::body_{number}", space["body"], mutates_args=())
        return operators[T](*tensors[:-1]) * tensors[-1]

    check(program, [*leaves, trained(1)])
