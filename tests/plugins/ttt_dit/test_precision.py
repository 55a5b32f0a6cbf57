"""Models in bfloat16 and float16 against the same weights in float64, and what stays in float32 inside them.

Errors are counted in `eps`, the distance of 1 to the next number (2^-7 in bfloat16, 2^-10 in float16), norm over norm. Every operator
rounds its result, so errors of about eps are what a type can do: 0.4 to 0.6 were measured for outputs, about 1 for most gradients and 7
for the worst, which are those of the attention's q and k norms: sums over all tokens in which much cancels. That both types need the same
numbers of their own eps says that rounding is all there is. The tolerances are about twice that.
"""

import pytest
import torch
from tiny_specs import MIXERS, batch_of, gradients_of, model_of, relative, spec_of, trained

import tttdit

torch.set_num_threads(1)

LOW = (torch.bfloat16, torch.float16)
OUTPUT, GRADIENT = 1.5, 16


@pytest.fixture
def spec(tmp_path):
    return lambda mixer, *sets: spec_of(tmp_path / "spec.toml", MIXERS[mixer], sets)


def cast(tensors, dtype):
    return tuple(x.to(dtype) if x.is_floating_point() else x for x in tensors)


@pytest.mark.parametrize("rates", ["token", "upstream"])
@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("mixer", MIXERS)
def test_rounding_is_all_there_is(mixer, dtype, rates, spec):
    chosen = spec(mixer, f'model.mixer.learning_rates="{rates}"')
    low, exact = model_of(chosen, dtype), tttdit.build_model(chosen, dtype=torch.float64)
    exact.load_state_dict(cast_state(low, torch.float64))
    *inputs, weights = batch_of(chosen, dtype)
    runs = []
    for model, given in ((low, inputs), (exact, cast(inputs, torch.float64))):
        output = model(*given)
        (output.double() * weights.double()).sum().backward()
        runs.append((output, gradients_of(model)))
    (output, got), (wanted, want) = runs
    assert output.dtype == dtype
    assert {gradient.dtype for gradient in got.values()} == {dtype}
    eps = torch.finfo(dtype).eps
    assert relative(output, wanted) < OUTPUT * eps
    errors = {name: relative(got[name], want[name]) / eps for name in want}
    assert {name: error for name, error in errors.items() if not error < GRADIENT} == {}


def cast_state(model, dtype):
    return {name: value.to(dtype) for name, value in model.state_dict().items()}


@pytest.mark.parametrize("dtype", LOW)
def test_the_loss_is_taken_in_float32(dtype, spec):
    chosen = spec("ttt-mlp")
    model, batch = model_of(chosen, dtype), batch_of(chosen, dtype)
    loss = tttdit.training_loss(model, *batch)
    assert loss.dtype == torch.float32
    exact = tttdit.build_model(chosen)
    exact.load_state_dict(cast_state(model, torch.float32))
    want = tttdit.training_loss(exact, *cast(batch, torch.float32))
    assert relative(loss, want) < torch.finfo(dtype).eps


@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("mixer", MIXERS)
def test_remat_changes_no_bit(mixer, dtype, spec):
    flags = ("attention", "forward_ssm", "reverse_ssm", "mlp", "seq_modeling_block")
    everything = ("memory.transformer_checkpoint_layer_group_size=1", *(f"memory.{flag}=true" for flag in flags))
    batch = batch_of(spec(mixer), dtype)
    want = trained(model_of(spec(mixer), dtype), batch)
    got = trained(model_of(spec(mixer, *everything), dtype), batch)
    assert [name for name in want if not torch.equal(got[name], want[name])] == []


@pytest.mark.parametrize("dtype", [*LOW, torch.float32, torch.float64])
def test_tables_are_never_narrower_than_float32(dtype, spec):
    """In whatever way a model comes to its type."""
    chosen = spec("ttt-mlp", 'model.mixer.learning_rates="upstream"')
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    for model in (tttdit.build_model(chosen, dtype=dtype), tttdit.build_model(chosen).to(dtype)):
        assert {parameter.dtype for parameter in model.parameters()} == {dtype}
        tables = {name.rpartition(".")[2]: buffer.dtype for name, buffer in model.named_buffers()}
        assert tables == {"frequencies": wide, "cos": wide, "sin": wide, "groups": torch.int64}


# -- the scan


def scan_of(mixer, dtype):
    """The operator, and its tensors for 2 sequences of 24 tokens, 2 heads of 16; rates and angles are float32 whatever the dtype."""
    generator = torch.Generator().manual_seed(0)

    def numbers(*shape):
        return torch.randn(shape, generator=generator).to(dtype)

    q, k, v = (numbers(2, 24, 32) for _ in range(3))
    eta = torch.rand(2, 24, 2, generator=generator) * 0.1
    angles = torch.rand(24, 8, generator=generator) * 6
    norm = (numbers(2, 16), numbers(2, 16))
    shapes = [(16, 16), (1, 16)] if mixer == "ttt-linear" else [(16, 64), (1, 64), (64, 16), (1, 16)]
    weights = [numbers(2, *shape) * 0.3 for shape in shapes]
    operator = getattr(torch.ops.tttdit, f"{mixer.replace('-', '_')}_scan")
    tensors = [q, k, v, eta, angles.cos(), angles.sin(), *norm, *weights]
    return operator, tensors


SIZES = (4, 1e-6, 2)  # mini-batch, eps, group


@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("mixer", MIXERS)
def test_the_scan_computes_in_float32_and_rounds_once(mixer, dtype):
    """Forward and backward are, to the bit, those of float32 on the same numbers, rounded at the very end; fast weights are not rounded."""
    operator, tensors = scan_of(mixer, dtype)
    low = [x.requires_grad_() for x in tensors]
    high = [x.detach().float().requires_grad_() for x in tensors]
    (got, *states), (want, *exact) = operator(*low, *SIZES), operator(*high, *SIZES)
    assert got.dtype == dtype
    assert torch.equal(got, want.to(dtype))
    for state, other in zip(states, exact, strict=True):
        assert state.dtype == torch.float32
        assert torch.equal(state, other)
    grad = torch.randn(got.shape, generator=torch.Generator().manual_seed(1)).to(dtype)
    trained = [index for index in range(len(low)) if index not in (4, 5)]  # all but the angles
    theirs = torch.autograd.grad(want, [high[index] for index in trained], grad.float())
    for index, ours, exact in zip(
        trained, torch.autograd.grad(got, [low[index] for index in trained], grad), theirs, strict=True
    ):
        assert ours.dtype == tensors[index].dtype
        assert torch.equal(ours, exact.to(ours.dtype)), index


@pytest.mark.parametrize("mixer", MIXERS)
def test_autocast_leaves_the_scan_its_own_types(mixer, spec):
    """Under autocast the projections are bfloat16 and the weights float32; the scan's fast weights stay float32."""
    chosen = spec(mixer)
    model = model_of(chosen, torch.float32)
    *inputs, weights = batch_of(chosen, torch.float32)
    wanted = model(*inputs)
    (wanted * weights).sum().backward()
    want = gradients_of(model)
    model.zero_grad()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = model(*inputs)
    (output * weights).sum().backward()
    got = gradients_of(model)
    assert output.dtype == torch.bfloat16
    eps = torch.finfo(torch.bfloat16).eps
    assert relative(output, wanted) < OUTPUT * eps
    assert {
        name: relative(got[name], want[name]) / eps
        for name in want
        if not relative(got[name], want[name]) < GRADIENT * eps
    } == {}
