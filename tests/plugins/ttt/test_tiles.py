"""What a scan does to q, k and v before it starts: each step's backward is autograd's, and RoPE is the model's own."""

import torch

from tttdit.plugins.ttt.rotary.module import rotate
from tttdit.plugins.ttt.tiles.operators import Turn, standard_, standard_backward_, unit_, unit_backward_

torch.set_num_threads(1)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(len(shape)), dtype=torch.float64)


def angles() -> tuple[torch.Tensor, torch.Tensor]:
    angle = drawn(3, 1, 5, 4) * 3
    return angle.cos(), angle.sin()


def test_a_turn_is_the_models_rotation_and_back_undoes_it():
    x, (cos, sin) = drawn(3, 2, 5, 8), angles()
    turn = Turn(cos, sin)
    torch.testing.assert_close(turn(x), rotate(x, cos, sin), rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(turn.back(turn(x)), x, rtol=1e-14, atol=1e-14)


def test_backward_of_unit():
    x, grad, (cos, sin) = drawn(3, 2, 5, 8).requires_grad_(), drawn(3, 2, 5, 8) + 1, angles()
    out = rotate(torch.nn.functional.normalize(x, dim=-1), cos, sin)
    (want,) = torch.autograd.grad(out, x, grad)
    turn = Turn(cos, sin)
    turned, scale = unit_(x.detach().clone(), turn)
    torch.testing.assert_close(turned, out, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(unit_backward_(grad, turned, scale, turn), want, rtol=1e-12, atol=1e-12)


def test_backward_of_standard():
    x, grad = drawn(3, 2, 5, 8).requires_grad_(), drawn(3, 2, 5, 8) + 1
    out = (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + 1e-8)
    (want,) = torch.autograd.grad(out, x, grad)
    result, scale = standard_(x.detach().clone())
    torch.testing.assert_close(result, out, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(standard_backward_(grad, result, scale), want, rtol=1e-12, atol=1e-12)
