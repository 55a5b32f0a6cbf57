"""Activation layers."""

import pytest
from lines import in_checkpoint, line
from worlds import check

CHANGING = ("ReLU", "ReLU6", "SELU", "SiLU", "Mish", "Hardswish", "Hardsigmoid", "LeakyReLU", "ELU", "CELU", "Hardtanh")
LAYERS = (
    *(f"{name}()" for name in (*CHANGING, "Softplus", "Hardshrink", "Softshrink", "Tanhshrink", "Softsign", "LogSigmoid", "GELU", "GLU")),
    *(f"{name}(inplace=True)" for name in CHANGING),
    "Sigmoid()", "Tanh()", "LeakyReLU(0.2)", "LeakyReLU(0.2, True)", "ELU(0.5)", "CELU(0.5)", "Hardtanh(-2.0, 2.0)", "Threshold(0.1, 20)",
    "Threshold(0.1, 20, True)", "Softplus(2.0, 10.0)", "Hardshrink(0.3)", "Softshrink(0.3)", 'GELU("tanh")', "GLU(0)",
)  # fmt: skip


@pytest.mark.parametrize("layer", LAYERS)
def test_both_worlds_agree(layer):
    for text in (f"T.nn.{layer}(a * 2)", f"x = (a * 2).transpose(0, 1); y = T.nn.{layer}(x); y * 2"):
        program, leaves = line(text, "a 4 6")
        check(program, leaves)
        check(in_checkpoint(program), leaves)


def test_in_the_middle_of_a_model_its_input_is_changed():
    check(*line("x = F.linear(g, a); T.nn.ReLU(inplace=True)(x) + x", "g 4 6, a 5 6"))
    check(*line("x = F.linear(g, a); F.silu(x, inplace=True) + x", "g 4 6, a 5 6"))
